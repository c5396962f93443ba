"""One connection, from `ready` to its end: it reads, writes, watches for silence, and mends what was missed.

read       answers go to their calls, events into the buffer
write      calls, at the server's pace
watch      nothing heard for the server's heartbeat interval: ask; still nothing: the connection is dead
mend       after a gap: join the rooms again, then tell of the gap. In this order: whoever loads anew on hearing
           of it can't miss what happens between the loading and the joining
catch up   events were refused by a full buffer: once it is empty, end this connection, so that the next asks
           for them
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import trio
from msgspec import Struct

from chatd.client.backoff import Backoff
from chatd.client.calls import CallLimits, Calls, Fault, Unwritten
from chatd.client.events import StreamEvent
from chatd.client.problems import ConnectionLost, MessagesLost, Refused
from chatd.client.stream_state import StreamState
from chatd.client.wire import HELLO_SECONDS, Wire

SILENT = "no answer to ping"
CATCHING_UP = "catching up"


class HeartbeatTimes(Struct, frozen=True):
    """How long silence may last before we ask, and how long the answer may take. 0: for ever."""

    interval: float = 0.0
    timeout: float = 20.0


class Ready(Struct, frozen=True):
    """The first push of every connection."""

    connection: str = ""
    user: Any = None
    epoch: str = ""
    pos: int = 0
    recovered: bool = False
    reason: str | None = None
    heartbeat: HeartbeatTimes = HeartbeatTimes()
    limits: CallLimits = CallLimits()


class _Said(Struct, frozen=True):
    """Anything that a server says."""

    id: int | str | None = None
    method: str = ""
    params: Any = None
    pos: int | None = None
    room: str | None = None
    result: Any = None
    error: Fault | None = None


_decode = msgspec.json.Decoder(_Said).decode


async def _receive(wire: Wire) -> _Said:
    text = await wire.receive()
    try:
        return _decode(text)
    except ValueError:
        raise ConnectionLost(1007, "that is no chatd") from None


async def hear_ready(wire: Wire) -> Ready:
    """The server's first words; Cut when it does not let us in."""
    why = ""
    with trio.move_on_after(HELLO_SECONDS):
        while True:
            try:
                said = await _receive(wire)
            except ConnectionLost as cut:
                raise ConnectionLost(cut.code, why or cut.reason, cut.retry_after) from None
            if said.method == "ready":
                return _convert(said.params)
            if said.method == "error" and isinstance(said.params, dict):
                why = str(said.params.get("message", ""))
    raise ConnectionLost(reason="the server does not say ready")


def _convert(params: Any) -> Ready:
    try:
        return msgspec.convert(params, Ready)
    except ValueError:
        raise ConnectionLost(1007, "that is no chatd") from None


class ClientSession:
    """See above."""

    def __init__(self, wire: Wire, ready: Ready, memory: StreamState, backoff: Backoff) -> None:
        self._wire = wire
        self._ready = ready
        self._memory = memory
        self._backoff = backoff
        self.calls = Calls(ready.limits, memory.buffer.look)
        self._heard = trio.current_time()
        self._held = False
        self._behind = trio.Event()
        self._end: ConnectionLost | None = None

    async def run(self) -> None:
        """Until the connection ends: raises Cut."""
        try:
            async with trio.open_nursery() as nursery:
                for task in (self._read, self._write, self._watch, self._mend, self._catch_up):
                    nursery.start_soon(self._guarded, task, nursery.cancel_scope)
        finally:
            self.calls.end()
        raise self._end or ConnectionLost()

    async def _guarded(self, task: Callable[[], Awaitable[None]], scope: trio.CancelScope) -> None:
        try:
            await task()
        except ConnectionLost as cut:
            self._end = self._end or cut
            scope.cancel()

    async def _read(self) -> None:
        while True:
            said = await _receive(self._wire)
            self._heard = trio.current_time()
            if said.method:
                await self._hear(StreamEvent(said.method, said.params, said.pos, said.room))
            else:
                self.calls.answer(said.id, said.result, said.error)

    async def _hear(self, event: StreamEvent) -> None:
        if self._behind.is_set() or self._memory.mark.knows(event):
            return
        mark = self._memory.mark.after(event)
        self._held = True
        taken = await self._memory.buffer.put((event, self._memory.keep(mark)))
        self._held = False
        self._heard = trio.current_time()
        if taken:
            self._memory.mark = mark
        else:
            self._behind.set()

    async def _write(self) -> None:
        await self.calls.write(self._wire)

    async def _watch(self) -> None:
        interval, timeout = self._ready.heartbeat.interval, self._ready.heartbeat.timeout
        while interval:
            await trio.sleep_until(self._heard + interval)
            asked = trio.current_time()
            if self._held:
                self._heard = asked
            elif self._heard + interval <= asked:
                self.calls.ping()
                await trio.sleep(timeout)
                if self._heard < asked and not self._held:
                    raise ConnectionLost(reason=SILENT)

    async def _mend(self) -> None:
        memory = self._memory
        if memory.owed is None:
            return
        async with trio.open_nursery() as nursery:
            for name, data in memory.rooms.joins:
                nursery.start_soon(self._join, name, data)
        memory.tell_gap()

    async def _join(self, name: str, data: Any) -> None:
        while True:
            try:
                await self.calls.ask(name, data)
            except (MessagesLost, Unwritten):
                await trio.sleep_forever()  # the end of the connection ends this, and the next one mends
            except Refused as refused:
                if not refused.again:
                    self._memory.rooms.refused(name, data)
                    return
                await trio.sleep(self._backoff.wait(refused.retry_after))
            else:
                return

    async def _catch_up(self) -> None:
        await self._behind.wait()
        await self._memory.buffer.until_empty()
        await self.calls.until_idle()
        raise ConnectionLost(reason=CATCHING_UP)
