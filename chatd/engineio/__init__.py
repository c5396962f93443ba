"""Engine.IO: sessions over polling and WebSockets.

engine.py       requests and upgrades find or open a session
transports.py   what a GET, a POST and an upgrade do to a session
session.py      one session, for both transports
polling.py      the frames that wait for a GET
rules.py        the limits of a session, and the ways in which it ends
"""
