"""A TCP relay between clients and a server. A test uses it to break the network.

async with relay(port_of_the_server) as between:
    ... connect to 127.0.0.1:between.port ...
    between.cut()               every connection ends, with the bytes in transit
    between.down = True         new connections are refused, until it is False again
    between.stall = True        no bytes move and no connection ends: half-open connections
    await between.cut_at_random(rng, 0.01, 0.2)     cut after waits of that range, until it is cancelled
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from random import Random

import trio

CHUNK = 16384


class Relay:
    """`cuts` counts the connections that were cut."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._lines: set[trio.CancelScope] = set()
        self._moving = trio.Event()
        self._moving.set()
        self.port = 0
        self.cuts = 0
        self.down = False

    @property
    def stall(self) -> bool:
        return not self._moving.is_set()

    @stall.setter
    def stall(self, value: bool) -> None:
        if not value:
            self._moving.set()
        elif self._moving.is_set():
            self._moving = trio.Event()

    @property
    def open(self) -> int:
        return len(self._lines)

    def cut(self) -> None:
        """Reset every connection."""
        self.cuts += len(self._lines)
        for line in self._lines:
            line.cancel()

    async def cut_at_random(self, rng: Random, least: float, most: float) -> None:
        while True:
            await trio.sleep(rng.uniform(least, most))
            self.cut()

    @property
    def target(self) -> int:
        """The port of the server."""
        return self._target[1]

    def point_at(self, port: int) -> None:
        """The server listens on another port now, after a restart."""
        self._target = self._target[0], port

    async def serve(self, client: trio.SocketStream) -> None:
        """One connection."""
        with trio.CancelScope() as line:
            self._lines.add(line)
            try:
                if not self.down:
                    await self._join(client, line)
            except OSError:
                pass  # the server is not there: the client sees its connection end
            finally:
                self._lines.discard(line)
                await trio.aclose_forcefully(client)

    async def _join(self, client: trio.SocketStream, line: trio.CancelScope) -> None:
        server = await trio.open_tcp_stream(*self._target)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._pump, client, server, line)
                nursery.start_soon(self._pump, server, client, line)
        finally:
            await trio.aclose_forcefully(server)

    async def _pump(self, source: trio.SocketStream, sink: trio.SocketStream, line: trio.CancelScope) -> None:
        try:
            while data := await source.receive_some(CHUNK):
                await self._moving.wait()
                await sink.send_all(data)
            await sink.send_eof()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            line.cancel()


@asynccontextmanager
async def relay(port: int, host: str = "127.0.0.1") -> AsyncIterator[Relay]:
    """A relay to a server, on a port of its own."""
    between = Relay(host, port)
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, between.serve, 0, host="127.0.0.1"))
        between.port = listeners[0].socket.getsockname()[1]
        yield between
        nursery.cancel_scope.cancel()
