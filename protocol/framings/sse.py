"""Server-Sent Events: pushes only, for curl and EventSource.

id: EPOCH-POSITION.NAME     only for events with a position; a browser sends it back as Last-Event-ID
event: message:created
data: {"method":"message:created","params":{…},"room":"…","pos":4711}

The id has the name because one position can have several events, and the connection can break between them. An id
without a name stands for the whole position.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

Push = Callable[[str, str, bytes, int | None, str | None], bytes]

encode = msgspec.json.Encoder().encode
HEARTBEAT = b": still here\n\n"


def event_json(namespace: str, name: str, body: bytes, position: int | None, room: str | None) -> bytes:
    """An event as one JSON object: the same as a push of JSON-RPC, without the version."""
    extra = b"" if room is None else b',"room":%b' % encode(room)
    extra += b"" if position is None else b',"pos":%d' % position
    return b'{"method":%b,"params":%b%b}' % (encode(name), body, extra)


class LastId(NamedTuple):
    """A parsed id: epoch and position as text, and `mark`, the first line of the frame that had this id."""

    epoch: str
    position: str
    mark: bytes


def position_id(epoch: str, position: int) -> str:
    """The id of a whole position."""
    return f"{epoch}-{position}"


def frame(id: str, name: str, data: bytes) -> bytes:
    """One event; `id` may be empty."""
    line = b"id: %b\n" % id.encode() if id else b""
    return b"%bevent: %b\ndata: %b\n\n" % (line, name.encode(), data)


def push_since(epoch: str) -> Push:
    """The `push` function for a database with that epoch."""

    def push(namespace: str, name: str, body: bytes, position: int | None, room: str | None) -> bytes:
        id = "" if position is None else f"{position_id(epoch, position)}.{name}"
        return frame(id, name, event_json(namespace, name, body, position, room))

    return push


def read_id(text: str) -> LastId:
    """Parse the Last-Event-ID of a client; the parts are empty where it is not valid."""
    position_part, _, name = text.partition(".")
    epoch, _, position = position_part.rpartition("-")
    return LastId(epoch, position, b"id: %b\n" % text.encode() if name else b"")
