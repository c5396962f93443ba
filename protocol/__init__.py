"""The protocol, sans-I/O: no socket, no clock, no event loop, no database.

From the wire to the model:

    framings/     syntax: bytes on a wire  ⇄  frames            jsonrpc.py, socketio.py, engineio.py, sse.py
    frames.py     the frames: Open, Call, Ping, Close ...; and Framing, the interface of every framing
    dialects/     event names and bodies  ⇄  commands and events, as tables
                  grammar.py defines the rows of these tables
    commands/     the requests of clients
    events/       the events of the server, and their audiences
    model.py      User, Conversation, Message, Attachment, Notification, File
    ids.py        one integer in three formats
    errors.py     the errors and the close codes
    strict.py     the limits for JSON from clients

A framing knows no dialect, and a dialect sees no text; chatd/connections/connection.py joins them. A file imports only
files below it in this list.
"""
