"""Engine.IO: sessions over polling and WebSockets.

engine.py    requests and upgrades find or make a session
session.py   one session, whatever its transport
polling.py   the polling transport
rules.py     the limits of a session, and the ways in which it ends
"""
