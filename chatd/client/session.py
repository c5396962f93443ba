"""One connection, from `ready` to its end. Five tasks run side by side:

read             passes answers to their calls, and events to the buffer
write            writes calls, at the server's rate
check heartbeat  sends a ping when nothing arrives for the heartbeat interval. Without an answer the connection is dead
report gap       joins the rooms again, then delivers the gap. In this order, an application that loads its data after
                 the gap cannot miss an event between the load and the join
catch up         a full buffer has rejected events. Once the buffer is empty, this task ends the connection, so that the
                 next connection requests them
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import trio
from msgspec import Struct

from chatd.client.backoff import Backoff
from chatd.client.calls import AnswerError, CallLimits, Calls, Unwritten
from chatd.client.events import StreamEvent
from chatd.client.problems import AnswerLost, ConnectionLost, Refused
from chatd.client.stream_state import StreamState
from chatd.client.wire import HANDSHAKE_TIMEOUT_SECONDS, Wire

NO_PONG_REASON = "no answer to ping"
CATCH_UP_REASON = "catching up"
NOT_CHATD_REASON = "the server does not speak chatd's protocol"


class HeartbeatTimes(Struct, frozen=True):
    """Seconds without a message before a ping, and seconds until its answer. An interval of 0 sends no pings."""

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


class _ServerMessage(Struct, frozen=True):
    """Any message of the server: an answer or a push."""

    id: int | str | None = None
    method: str = ""
    params: Any = None
    pos: int | None = None
    room: str | None = None
    result: Any = None
    error: AnswerError | None = None


_decode = msgspec.json.Decoder(_ServerMessage).decode


async def _receive(wire: Wire) -> _ServerMessage:
    text = await wire.receive()
    try:
        return _decode(text)
    except ValueError:
        raise ConnectionLost(1007, NOT_CHATD_REASON) from None


async def receive_ready(wire: Wire) -> Ready:
    """Wait for the first push. Raises ConnectionLost when the server rejects the connection."""
    why = ""
    with trio.move_on_after(HANDSHAKE_TIMEOUT_SECONDS):
        while True:
            try:
                message = await _receive(wire)
            except ConnectionLost as lost:
                raise ConnectionLost(lost.code, why or lost.reason, lost.retry_after) from None
            if message.method == "ready":
                return _convert(message.params)
            if message.method == "error" and isinstance(message.params, dict):
                why = str(message.params.get("message", ""))
    raise ConnectionLost(reason="the server sent no ready")


def _convert(params: Any) -> Ready:
    try:
        return msgspec.convert(params, Ready)
    except ValueError:
        raise ConnectionLost(1007, NOT_CHATD_REASON) from None


class ClientSession:
    """The tasks of one connection."""

    def __init__(self, wire: Wire, ready: Ready, state: StreamState, backoff: Backoff) -> None:
        self._wire = wire
        self._ready = ready
        self._state = state
        self._backoff = backoff
        self.calls = Calls(ready.limits, state.buffer.recheck)
        self._last_received = trio.current_time()
        self._waits_for_reader = False
        self._behind = trio.Event()
        self._end: ConnectionLost | None = None

    async def run(self) -> None:
        """Run until the connection ends, then raise ConnectionLost."""
        try:
            async with trio.open_nursery() as nursery:
                for task in (self._read, self._write, self._check_heartbeat, self._report_gap, self._catch_up):
                    nursery.start_soon(self._run_task, task, nursery.cancel_scope)
        finally:
            self.calls.end()
        raise self._end or ConnectionLost()

    async def _run_task(self, task: Callable[[], Awaitable[None]], scope: trio.CancelScope) -> None:
        try:
            await task()
        except ConnectionLost as lost:
            self._end = self._end or lost
            scope.cancel()

    async def _read(self) -> None:
        while True:
            message = await _receive(self._wire)
            self._last_received = trio.current_time()
            if message.method:
                await self._receive_event(StreamEvent(message.method, message.params, message.pos, message.room))
            else:
                self.calls.answer(message.id, message.result, message.error)

    async def _receive_event(self, event: StreamEvent) -> None:
        if self._behind.is_set() or self._state.mark.includes(event):
            return
        mark = self._state.mark.after(event)
        self._waits_for_reader = True
        buffered = await self._state.buffer.put((event, self._state.resume_mark(mark)))
        self._waits_for_reader = False
        self._last_received = trio.current_time()
        if buffered:
            self._state.mark = mark
        else:
            self._behind.set()

    async def _write(self) -> None:
        await self.calls.write(self._wire)

    async def _check_heartbeat(self) -> None:
        interval, timeout = self._ready.heartbeat.interval, self._ready.heartbeat.timeout
        while interval:
            await trio.sleep_until(self._last_received + interval)
            pinged_at = trio.current_time()
            if self._waits_for_reader:
                self._last_received = pinged_at
            elif self._last_received + interval <= pinged_at:
                self.calls.ping()
                await trio.sleep(timeout)
                if self._last_received < pinged_at and not self._waits_for_reader:
                    raise ConnectionLost(reason=NO_PONG_REASON)

    async def _report_gap(self) -> None:
        state = self._state
        if state.gap_reason is None:
            return
        async with trio.open_nursery() as nursery:
            for name, data in state.rooms.joins:
                nursery.start_soon(self._rejoin, name, data)
        state.deliver_gap()

    async def _rejoin(self, name: str, data: Any) -> None:
        while True:
            try:
                await self.calls.call(name, data)
            except (AnswerLost, Unwritten):
                await trio.sleep_forever()  # the connection's end cancels this task; the next one joins the rooms
            except Refused as refused:
                if not refused.again:
                    self._state.rooms.forget(name, data)
                    return
                await trio.sleep(self._backoff.next_seconds(refused.retry_after))
            else:
                return

    async def _catch_up(self) -> None:
        await self._behind.wait()
        await self._state.buffer.wait_empty()
        await self.calls.finish()
        raise ConnectionLost(reason=CATCH_UP_REASON)
