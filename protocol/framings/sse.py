"""Server-Sent Events: pushes only, for curl and EventSource.

id: EPOCH-POSITION          only of what can be missed; a browser says it again as Last-Event-ID
event: message:created
data: {"method":"message:created","params":{…},"room":"…","pos":4711}
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

Push = Callable[[str, str, bytes, int | None, str | None], bytes]

encode = msgspec.json.Encoder().encode
HEARTBEAT = b": still here\n\n"


def entry(namespace: str, name: str, body: bytes, position: int | None, room: str | None) -> bytes:
    """An event as one JSON object: as a JSON-RPC socket would push it, less the version."""
    beside = b"" if room is None else b',"room":%b' % encode(room)
    beside += b"" if position is None else b',"pos":%d' % position
    return b'{"method":%b,"params":%b%b}' % (encode(name), body, beside)


def push_since(epoch: str) -> Push:
    """`push` for a stream of a database with that epoch."""

    def push(namespace: str, name: str, body: bytes, position: int | None, room: str | None) -> bytes:
        mark = b"" if position is None else b"id: %b-%d\n" % (epoch.encode(), position)
        return b"%bevent: %b\ndata: %b\n\n" % (mark, name.encode(), entry(namespace, name, body, position, room))

    return push


def mark_of(text: str) -> tuple[str, str]:
    """The epoch and the position of a Last-Event-ID; empty where it is none."""
    epoch, _, position = text.rpartition("-")
    return epoch, position
