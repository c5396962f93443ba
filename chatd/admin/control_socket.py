"""The control socket: how `chatd user` and other verbs call a server that runs on the same data.

A unix socket in the data directory that only its owner can open, and one JSON object a line:

    → {"call": "user.add", "arguments": {"name": "ada", "admin": true}}
    ← {"ok": true, "data": {...}}   or   {"ok": false, "message": "There is a user of that name already"}

The server's side is Trio. The shell's side is plain blocking Python, because a verb has nothing else to do.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from chatd.telemetry.log import log
from protocol.errors import Refusal

if TYPE_CHECKING:
    import trio

FILE_NAME = "control.sock"
MAX_LINE_BYTES = 1024 * 1024
CALL_SECONDS = 30.0  # that one connection may take
MAX_ADDRESS_BYTES = 100  # the kernel takes 107

Handler: TypeAlias = Callable[[dict[str, Any]], Awaitable[Any]]


class NoServer(Exception):
    """No server runs on this data."""


class CommandRefused(Exception):
    """The server refused the call; the text is the reason."""


# ---- the server's side


async def serve_control(
    path: Path, handlers: Mapping[str, Handler], *, task_status: trio.TaskStatus[None] | None = None
) -> None:
    """Answer calls at `path` until cancelled.

    The caller holds the lock of the data. So a file at `path` was left by a server that has ended.
    """
    import trio

    async def guarded(stream: trio.SocketStream) -> None:
        try:
            with trio.move_on_after(CALL_SECONDS):
                await answer(stream, handlers)
        except trio.BrokenResourceError:
            pass
        except Exception as problem:
            log.fault("control connection failed", problem)

    listener = trio.SocketListener(trio.socket.from_stdlib_socket(listen_at(path)))
    try:
        if task_status is not None:
            task_status.started()
        await trio.serve_listeners(guarded, [listener])
    finally:
        remove(path)


def listen_at(path: Path) -> socket.socket:
    """A listening unix socket that only its owner can open."""
    remove(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        with address_of(path) as address:
            listening.bind(address)
    except OSError as problem:
        listening.close()
        raise OSError(problem.errno, f"cannot make the control socket ({problem.strerror})", str(path)) from None
    finally:
        os.umask(mask)
    listening.listen(16)
    listening.setblocking(False)
    return listening


def remove(path: Path) -> None:
    path.unlink(missing_ok=True)


async def answer(stream: trio.abc.Stream, handlers: Mapping[str, Handler]) -> None:
    """Answer the calls of one connection, one after the other."""
    received = bytearray()
    while chunk := await stream.receive_some():
        received += chunk
        if len(received) > MAX_LINE_BYTES:
            return
        while (end := received.find(b"\n")) >= 0:
            line = bytes(received[:end])
            del received[: end + 1]
            reply = await perform(line, handlers)
            await stream.send_all(json.dumps(reply).encode() + b"\n")


async def perform(line: bytes, handlers: Mapping[str, Handler]) -> dict[str, Any]:
    """Perform one call. An exception of a handler ends only that call."""
    try:
        call = json.loads(line)
        handler, arguments = handlers[call["call"]], dict(call.get("arguments", {}))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {"ok": False, "message": "The server does not know that call"}
    try:
        return {"ok": True, "data": await handler(arguments)}
    except Refusal as refusal:
        return {"ok": False, "message": refusal.message}
    except Exception as problem:
        log.fault("control call failed", problem, call=call["call"])
        return {"ok": False, "message": "The server could not do that; its log says why"}


# ---- the shell's side


def call_control(path: Path, name: str, /, **arguments: Any) -> Any:
    """Call the server that runs on this data.

    Raises NoServer when no server runs, and CommandRefused when the server refuses the call.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(CALL_SECONDS)
        try:
            with address_of(path) as address:
                connection.connect(address)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            raise NoServer(str(path)) from None
        connection.sendall(json.dumps({"call": name, "arguments": arguments}).encode() + b"\n")
        with connection.makefile("rb") as lines:
            line = lines.readline(MAX_LINE_BYTES)
    if not line:
        raise CommandRefused("the server ended the connection without an answer")
    reply = json.loads(line)
    if not reply["ok"]:
        raise CommandRefused(str(reply["message"]))
    return reply["data"]


@contextmanager
def address_of(path: Path) -> Iterator[str]:
    """The path as the kernel takes it: a long one goes through the descriptor of its folder."""
    if len(os.fsencode(path)) <= MAX_ADDRESS_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
