"""The frames: what every framing reads from a client and writes to one.

A framing knows syntax. A namespace is an opaque string to it, a body opaque JSON, and the id of a call a token that
it hands out and later takes back unread by anybody else. So JSON-RPC and Socket.IO are two spellings of this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from msgspec import Raw, Struct

from protocol.errors import Refusal

NOTHING = Raw(b"")


class Open(Struct, frozen=True):
    """The client wants a namespace; `auth` is the JSON that it shows (NOTHING when it shows none)."""

    namespace: str
    auth: Raw = NOTHING


class Call(Struct, frozen=True):
    """The client asks for something. `arguments` is a JSON array, or a JSON object that stands for its only element.

    `id` is None when no answer is wanted; otherwise the framing's own token. `attachments` are the binary parts
    that the placeholders in `arguments` count out (Socket.IO only).
    """

    namespace: str
    name: str
    arguments: Raw = NOTHING
    id: Any = None
    attachments: tuple[bytes, ...] = ()


class InvalidFrame(Struct, frozen=True):
    """Something that is no request: why, and the token under which to say so (None: only an `error` event can)."""

    refusal: Refusal
    id: Any = None


class Acknowledged(Struct, frozen=True):
    """The client's answer to an event of ours that asked for one."""

    namespace: str
    id: int
    arguments: Raw
    attachments: tuple[bytes, ...] = ()


class Ping(Struct, frozen=True):
    """The client asks whether we are there; `id` as in Call."""

    data: bytes = b""
    id: Any = None


class Pong(Struct, frozen=True):
    """The client is there."""


class Close(Struct, frozen=True):
    """The client leaves a namespace (None: all of them). With a `fault` it can't be understood any more: hang up."""

    namespace: str | None = None
    fault: str = ""


Frame: TypeAlias = Open | Call | InvalidFrame | Acknowledged | Ping | Pong | Close


class Packet(NamedTuple):
    """One message of the wire below: its bytes, and whether they are binary rather than text."""

    data: bytes
    binary: bool = False


class Framing(Protocol):
    """One client's syntax. All of it is computation: bytes in, frames out; frames in, packets out.

    `receive` never raises for what a client sent: what can't be read comes out as Broken.
    `answer` and `refuse` spend a call's id. `body` is JSON, or None where the dialect has no word to say: then
    JSON-RPC answers null and Socket.IO nothing. They give no packet while a batch still waits for its other answers.
    `push` depends on its arguments only, so that one spelling serves all clients of a face. `room` is the room that
    an event belongs to, for the dialects whose bodies don't say it: JSON-RPC has a push that does.
    """

    def receive(self, message: Packet) -> Sequence[Frame]: ...

    def answer(self, id: Any, body: bytes | None) -> Sequence[Packet]: ...

    def refuse(self, id: Any, refusal: Refusal, body: bytes | None) -> Sequence[Packet]: ...

    @staticmethod
    def push(namespace: str, name: str, body: bytes, position: int | None, room: str | None) -> bytes: ...
