"""REST: a Quart-Trio application over the same door as every socket.

    app.py      the application: one loop mounts every dialect's Route rows
    answers.py  what answers look like: bodies, errors of one shape, links to the next page, CORS

What needs no application (health, metrics, polling) is answered in chatd/server/router.py, before Quart is imported.
"""
