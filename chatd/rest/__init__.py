"""REST: the routes of the dialects, and a Quart-Trio application for all else. Commands go through dispatch.

route_table.py     which handler serves a method at a path
route_handlers.py  the routes of every dialect: request → command → answer
app.py             the Quart-Trio application
answers.py         the answers: bodies, errors of one shape, links to the next page
events.py          `GET /events`: the list of events, and the long poll
event_stream.py    `GET /events` as a stream
unsent.py          the limit on answers that a user does not read

Requests that need no application (health, metrics, polling) are answered in chatd/server/router.py, before Quart is
imported.
"""
