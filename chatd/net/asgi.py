"""Runs an ASGI application (Quart-Trio) on an HttpConnection, instead of Hypercorn's Trio worker.

A kept-alive GET of a trivial Quart route costs 0.63 of what it costs there (325 µs of CPU against 515 in one run). This
code also survives any input, ends at Connection: close and HTTP/1.0, keeps its idle deadline, drops a client that stops
reading, and stops at once. Hypercorn's worker does not.
quart-trio cancels its own nursery when the answer is sent. Here an answer counts as sent only when the kernel has it,
so nothing is left to cancel or to shield.

`receive` returns the body piece by piece, then waits. http.disconnect comes when the client leaves, or when the answer
is complete. A client that closes only its sending side (`nc -N`) looks like a client that has left. So the connection
is not watched for the first PROMPT_SECONDS, and an answer that begins by then reaches that client too. After that time
(a long poll) the end of the client's input cancels the handler.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import trio

from chatd.net.http_connection import HttpConnection, Reject, reject
from chatd.net.request import Request
from protocol.errors import INTERNAL

Event: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Event]]
Send: TypeAlias = Callable[[Event], Awaitable[None]]
Application: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]  # every framework types its events its own way

PROMPT_SECONDS = 2.0
AFTERWARDS = "chatd.afterwards"
"""In a scope: a list of functions to call when the answer is sent or has failed."""

ASGI = {"version": "3.0", "spec_version": "2.4"}


class LifespanFailed(RuntimeError):
    """The application could not start or stop. The text is the application's."""


class Exchange:
    """One request and its answer in ASGI's events."""

    __slots__ = ("_connection", "_head", "_request", "_running", "_sent", "body_read", "failure")

    def __init__(self, connection: HttpConnection, request: Request) -> None:
        self._connection = connection
        self._request = request
        self._head: tuple[int, list[tuple[bytes, bytes]]] | None = None
        self._sent = 0
        self._running: trio.Event | None = None
        self.body_read = False
        self.failure: Reject | OSError | None = None  # why the exchange can't go on

    async def receive(self) -> Event:
        if not self.body_read:
            piece = await self._guarded(self._connection.read_piece())
            self.body_read = not piece
            return {"type": "http.request", "body": piece, "more_body": bool(piece)}
        if not self._connection.complete:
            await self._wait_for_disconnect()
        return {"type": "http.disconnect"}

    async def send(self, event: Event) -> None:
        if event["type"] == "http.response.start":
            self._head = event["status"], list(event.get("headers", ()))
        elif event["type"] == "http.response.body":
            await self._send_body(event.get("body", b""), bool(event.get("more_body", False)))
        else:
            raise ValueError(f"chatd's HTTP does not know {event['type']}")

    async def _send_body(self, body: bytes, more: bool) -> None:
        connection = self._connection
        if connection.complete:
            return
        data = b""
        if self._head is not None:
            status, headers = self._head
            self._head = None
            data = connection.head(status, headers, length=None if more else len(body))
        data += connection.body(body)
        if not more:
            data += connection.end()
        if self._sent:
            await trio.lowlevel.checkpoint()  # an application that sends without end must not hold the loop
        self._sent += 1
        if data:
            await self._guarded(connection.send(data))
        if self._running is not None:
            self._running.set()

    async def _wait_for_disconnect(self) -> None:
        """Wait until the answer is complete or the client has left."""
        if not self._sent:
            self._running = trio.Event()
            with trio.move_on_after(PROMPT_SECONDS):
                await self._running.wait()
        if not self._connection.complete:
            await self._connection.watch()
            if not self._sent:
                self.failure = Reject(None)

    async def _guarded(self, step: Awaitable[Any]) -> Any:
        try:
            return await step
        except (Reject, OSError) as failure:
            self.failure = failure
            raise


def scope_of(request: Request) -> Event:
    """The ASGI scope of a request."""
    raw_path = request.target.partition(b"?")[0]
    return {
        "type": "http",
        "asgi": ASGI,
        "http_version": request.version,
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": raw_path,
        "query_string": request.query,
        "root_path": "",
        "headers": request.headers,
        "client": (request.client, 0),
        "server": None,
        "extensions": {},
        AFTERWARDS: [],
    }


async def run_application(
    app: Application, connection: HttpConnection, request: Request, crashed: Callable[[BaseException], None]
) -> None:
    """Let the application answer one request. An unfinished answer ends the connection."""
    exchange = Exchange(connection, request)
    scope = scope_of(request)
    try:
        await app(scope, exchange.receive, exchange.send)
    except Exception as error:
        if exchange.failure is None:
            crashed(error)
            exchange.failure = reject(INTERNAL)
    finally:
        for call in scope[AFTERWARDS]:
            call()
    failure, exchange.failure = exchange.failure, None
    try:
        if failure is not None:
            raise failure
    finally:
        del failure  # its traceback holds this frame, and a frame that holds it would keep the whole answer
    if not connection.complete:
        raise reject(INTERNAL)


class Lifespan:
    """Starts and stops an application, once each: `await nursery.start(lifespan.run)`, then `await lifespan.stop()`."""

    __slots__ = ("_app", "_done", "_ended", "_failure", "_started", "_stopping")

    def __init__(self, app: Application) -> None:
        self._app = app
        self._started = trio.Event()
        self._stopping = trio.Event()
        self._ended = trio.Event()
        self._done = False
        self._failure: str | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run as long as the application does. An application without lifespan counts as started."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._live)
            await self._started.wait()
            if self._failure is not None:
                raise LifespanFailed(self._failure)
            task_status.started()

    async def stop(self) -> None:
        """Stop the application, and wait until it has stopped."""
        self._stopping.set()
        await self._ended.wait()

    async def _live(self) -> None:
        try:
            await self._app({"type": "lifespan", "asgi": ASGI, "state": {}}, self._receive, self._send)
        finally:
            self._started.set()
            self._ended.set()

    async def _receive(self) -> Event:
        if not self._started.is_set():
            return {"type": "lifespan.startup"}
        await self._stopping.wait()
        return {"type": "lifespan.shutdown"}

    async def _send(self, event: Event) -> None:
        if event["type"].endswith(".failed"):
            self._failure = event.get("message", "the application failed")
        if event["type"].startswith("lifespan.startup"):
            self._started.set()
