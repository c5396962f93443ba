"""Server-Sent Events: pushes only, for curl and EventSource.

id: EPOCH-POSITION.NAME     only of what can be missed; a browser sends it back as Last-Event-ID
event: message:created
data: {"method":"message:created","params":{…},"room":"…","pos":4711}

The name is in the id because one position can have several events, and the connection can break between them. An id
without one stands for the whole position.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

Push = Callable[[str, str, bytes, int | None, str | None], bytes]

encode = msgspec.json.Encoder().encode
HEARTBEAT = b": still here\n\n"


def event_json(namespace: str, name: str, body: bytes, position: int | None, room: str | None) -> bytes:
    """An event as one JSON object: as a JSON-RPC socket would push it, less the version."""
    beside = b"" if room is None else b',"room":%b' % encode(room)
    beside += b"" if position is None else b',"pos":%d' % position
    return b'{"method":%b,"params":%b%b}' % (encode(name), body, beside)


class LastId(NamedTuple):
    """What an id says: a position, as it is written, and how the frame begins that came with it."""

    epoch: str
    position: str
    mark: bytes


def position_id(epoch: str, position: int) -> str:
    """The id that stands for a whole position."""
    return f"{epoch}-{position}"


def frame(id: str, name: str, data: bytes) -> bytes:
    """One event; `id` may be empty."""
    line = b"id: %b\n" % id.encode() if id else b""
    return b"%bevent: %b\ndata: %b\n\n" % (line, name.encode(), data)


def push_since(epoch: str) -> Push:
    """`push` for a stream of a database with that epoch."""

    def push(namespace: str, name: str, body: bytes, position: int | None, room: str | None) -> bytes:
        id = "" if position is None else f"{position_id(epoch, position)}.{name}"
        return frame(id, name, event_json(namespace, name, body, position, room))

    return push


def read_id(text: str) -> LastId:
    """A Last-Event-ID that a client shows; its parts are empty where it is none."""
    place, _, name = text.partition(".")
    epoch, _, position = place.rpartition("-")
    return LastId(epoch, position, b"id: %b\n" % text.encode() if name else b"")
