"""The protocol, sans-I/O: no socket, no clock, no event loop, no database.

A map, top down:

    framings/     syntax: bytes of a wire  ⇄  frames        jsonrpc.py, socketio.py
    frames.py     what every framing reads and writes: Open, Call, Ping, Close ... and the Framing they obey
    dialects/     words: frames' names and bodies  ⇄  commands and events, as tables
                  grammar.py holds the words in which a dialect is written
    commands.py   what a client may ask
    events.py     what the server may tell, and to which rooms
    model.py      User, Conversation, Message, Attachment, Notification, File
    ids.py        one integer, three spellings
    errors.py     every way to say no

A framing never knows a dialect, a dialect never sees text; they meet in chatd/connections/connection.py. Imports go
down this list only.
"""
