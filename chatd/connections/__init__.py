"""One client's connection: how it begins, what it sends and receives, how it resumes.

jsonrpc.py      a JSON-RPC connection on a WebSocket
socketio.py     a Socket.IO connection on an Engine.IO session
connection.py   what both have in common: frames in, answers and events out
channel.py      one open namespace of a connection
join.py         how a connection subscribes, for the first time or again
resume.py       what a returning client missed
"""
