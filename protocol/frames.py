"""The frames: what every framing reads from a client, and the interface through which it writes.

A framing knows only syntax. To a framing a namespace is an opaque string and a body is opaque JSON. To all other code
the id of a call is an opaque token that the framing creates and receives back. JSON-RPC and Socket.IO are two
encodings of these frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from msgspec import Raw, Struct

from protocol.errors import Refusal

NOTHING = Raw(b"")


class Open(Struct, frozen=True):
    """The client opens a namespace; `auth` is the JSON that it sends with it (NOTHING where it sends none)."""

    namespace: str
    auth: Raw = NOTHING


class Call(Struct, frozen=True):
    """A request. `arguments` is a JSON array, or a JSON object that stands for an array of this one object.

    `id` is the framing's token for the answer; None where the client wants no answer. `attachments` are the binary
    parts to which the placeholders in `arguments` refer (Socket.IO only).
    """

    namespace: str
    name: str
    arguments: Raw = NOTHING
    id: Any = None
    attachments: tuple[bytes, ...] = ()


class InvalidFrame(Struct, frozen=True):
    """No valid request: the reason, and the token for the answer (None: only an event can report it)."""

    refusal: Refusal
    id: Any = None


class Acknowledged(Struct, frozen=True):
    """The client's answer to an event of the server that asked for one."""

    namespace: str
    id: int
    arguments: Raw
    attachments: tuple[bytes, ...] = ()


class Ping(Struct, frozen=True):
    """The client asks for a pong; `id` as in Call."""

    data: bytes = b""
    id: Any = None


class Close(Struct, frozen=True):
    """The client closes a namespace (None: all). With a `fault` its further messages are unreadable: disconnect."""

    namespace: str | None = None
    fault: str = ""


Frame: TypeAlias = Open | Call | InvalidFrame | Acknowledged | Ping | Close


class Packet(NamedTuple):
    """One message of the transport: its bytes, and whether it is binary (else text)."""

    data: bytes
    binary: bool = False


class Framing(Protocol):
    """The syntax of one client, without I/O: packets become frames, and replies and events become packets.

    `receive` raises no error for what a client sends: an unreadable message gives InvalidFrame.
    `answer` and `refuse` use up the id of a call. `body` is JSON, or None where the dialect has no ack: then JSON-RPC
    answers null and Socket.IO nothing. They return no packet while a batch waits for its other answers.
    `push` depends only on its arguments, so that one encoding serves all clients of one kind. `room` is the room of
    the event; JSON-RPC has a push that sends it, for the dialects whose bodies don't contain it.
    """

    def receive(self, message: Packet) -> Sequence[Frame]: ...

    def answer(self, id: Any, body: bytes | None) -> Sequence[Packet]: ...

    def refuse(self, id: Any, refusal: Refusal, body: bytes | None) -> Sequence[Packet]: ...

    @staticmethod
    def push(namespace: str, name: str, body: bytes, position: int | None, room: str | None) -> bytes: ...
