"""One client's connection: how it begins, what it receives and sends, how it resumes.

jsonrpc.py           a JSON-RPC connection on a WebSocket
socketio.py          a Socket.IO connection on an Engine.IO session
connection.py        what both have in common: life, and the channels that are open
incoming_calls.py    the frames that it receives, and the calls in progress
call_rate_limits.py  how often it may call
replies.py           what is sent to it alone
channel.py           one open namespace
room_changes.py      the joins and leaves of a channel that are in progress
join.py              how channels join, for the first time or again
resume.py            what a client missed
"""
