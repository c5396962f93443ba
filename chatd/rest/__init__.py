"""REST: a Quart-Trio application. Its commands go through dispatch, as those of every socket do.

app.py           the application: one loop mounts the Route rows of every dialect
answers.py       the answers: bodies, errors of one shape, links to the next page
events.py        `GET /events`: the list of events, and the long poll
event_stream.py  `GET /events` as a stream
unsent.py        the limit on answers that a user does not read

Requests that need no application (health, metrics, polling) are answered in chatd/server/router.py, before Quart is
imported.
"""
