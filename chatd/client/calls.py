"""The calls of one connection: written one after the other, at the pace that the server allows, each answered once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
import trio
from msgspec import Struct

from chatd.client.problems import ChatError, ConnectionLost, MessagesLost, refused, too_large
from chatd.client.wire import Wire
from chatd.rate_limit import Bucket, Rate

BURST_SECONDS = 1.0


class CallLimits(Struct, frozen=True):
    """What `ready` says of the server's limits. 0 is no limit."""

    message_bytes: int = 0
    calls_per_second: float = 0.0
    calls_burst: float = 0.0

    @property
    def rate(self) -> Rate:
        return Rate(self.calls_per_second, self.calls_burst or self.calls_per_second * BURST_SECONDS)


class Fault(Struct, frozen=True):
    """The error of an answer."""

    code: int = 0
    message: str = ""
    data: Any = None


class _Call:
    """One call: what is written, and what came of it."""

    __slots__ = ("answered", "failure", "result", "text", "written")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.written = False
        self.answered = trio.Event()
        self.result: Any = None
        self.failure: ChatError | None = None


class Unwritten(Exception):
    """The connection ended before a call was written: it can be made again, whatever it is."""


class Calls:
    """See above. `changed` is called whenever a call begins or ends."""

    def __init__(self, limits: CallLimits, changed: Callable[[], None]) -> None:
        self._most = limits.message_bytes
        self._bucket = Bucket(limits.rate)
        self._changed = changed
        self._number = 0
        self._waiting: dict[int, _Call] = {}
        self._queue: deque[_Call] = deque()
        self._work = trio.Event()
        self._idle = trio.Event()
        self._ended = False

    def __len__(self) -> int:
        return len(self._waiting)

    async def ask(self, name: str, data: Any) -> Any:
        """Make a call: its result. Raises Refused; Lost or Unwritten when the connection ends before the answer."""
        self._number += 1
        number = self._number
        call = _Call(spell(number, name, data))
        if 0 < self._most < len(call.text):
            raise too_large(self._most)
        if self._ended:
            raise Unwritten
        self._waiting[number] = call
        self._enqueue(call)
        self._changed()
        try:
            await call.answered.wait()
        finally:
            self._forget(number)
        if call.failure is not None:
            raise call.failure
        if call.result is _NONE:
            raise MessagesLost("The connection ended before the answer came") if call.written else Unwritten
        return call.result

    def ping(self) -> None:
        """Ask for a sign of life."""
        self._enqueue(_Call(spell("ping", "rpc.ping", None)))

    def _enqueue(self, call: _Call) -> None:
        self._queue.append(call)
        self._work.set()

    def _forget(self, number: int) -> None:
        del self._waiting[number]
        self._changed()
        if not self._waiting:
            self._idle.set()

    def answer(self, number: object, result: Any, fault: Fault | None) -> None:
        """An answer has come. One that nobody waits for any more is nobody's."""
        call = self._waiting.get(number) if isinstance(number, int) else None
        if call is not None:
            call.result = result
            call.failure = refused(fault.code, fault.message, fault.data) if fault else None
            call.answered.set()

    async def write(self, wire: Wire) -> None:
        """Write calls as they are made."""
        while True:
            await self._work.wait()
            self._work = trio.Event()
            while self._queue:
                await self._pace()
                call = self._queue.popleft()
                call.written = True
                try:
                    await wire.send(call.text)
                except ConnectionLost:
                    call.written = False  # not whole, so the server has never had it
                    raise

    async def _pace(self) -> None:
        if not self._bucket.take(trio.current_time()):
            await trio.sleep(self._bucket.retry_after(trio.current_time()))
            self._bucket.take(trio.current_time())

    async def until_idle(self) -> None:
        """Take no more calls, and wait until the last is answered."""
        self._ended = True
        while self._waiting:
            self._idle = trio.Event()
            await self._idle.wait()

    def end(self) -> None:
        """The connection has ended: whoever waits is told so."""
        self._ended = True
        for call in self._waiting.values():
            if not call.answered.is_set():
                call.result = _NONE
                call.answered.set()


_NONE = object()


def spell(id: int | str, name: str, data: Any) -> bytes:
    """A call in JSON-RPC."""
    call: dict[str, Any] = {"jsonrpc": "2.0", "id": id, "method": name}
    return msgspec.json.encode(call if data is None else call | {"params": data})
