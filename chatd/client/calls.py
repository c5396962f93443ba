"""The calls of one connection: written one after the other, at the rate that the server allows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
import trio
from msgspec import Struct

from chatd.client.problems import AnswerLost, ChatError, ConnectionLost, refused, too_large
from chatd.client.wire import Wire
from chatd.rate_limit import Bucket, Rate

BURST_SECONDS = 1.0


class CallLimits(Struct, frozen=True):
    """The server's limits in `ready`. 0 means no limit."""

    message_bytes: int = 0
    calls_per_second: float = 0.0
    calls_burst: float = 0.0

    @property
    def rate(self) -> Rate:
        return Rate(self.calls_per_second, self.calls_burst or self.calls_per_second * BURST_SECONDS)


class AnswerError(Struct, frozen=True):
    """The `error` object of an answer."""

    code: int = 0
    message: str = ""
    data: Any = None


class _Call:
    """One call: its text, and its result or failure once it is answered."""

    __slots__ = ("answered", "failure", "result", "text", "written")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.written = False
        self.answered = trio.Event()
        self.result: Any = None
        self.failure: ChatError | None = None


class Unwritten(Exception):
    """The connection ended before the call was written. Any call can then be made again."""


class Calls:
    """`changed` is called whenever a call begins or ends."""

    def __init__(self, limits: CallLimits, changed: Callable[[], None]) -> None:
        self._max_bytes = limits.message_bytes
        self._bucket = Bucket(limits.rate)
        self._changed = changed
        self._last_id = 0
        self._waiting: dict[int, _Call] = {}
        self._queue: deque[_Call] = deque()
        self._work = trio.Event()
        self._idle = trio.Event()
        self._ended = False

    def __len__(self) -> int:
        return len(self._waiting)

    async def call(self, name: str, data: Any) -> Any:
        """Make a call, and return its result.

        Raises Refused. When the connection ends before the answer, raises AnswerLost or Unwritten.
        """
        self._last_id += 1
        id = self._last_id
        call = _Call(encode_call(id, name, data))
        if 0 < self._max_bytes < len(call.text):
            raise too_large(self._max_bytes)
        if self._ended:
            raise Unwritten
        self._waiting[id] = call
        self._enqueue(call)
        self._changed()
        try:
            await call.answered.wait()
        finally:
            self._forget(id)
        if call.failure is not None:
            raise call.failure
        if call.result is _NO_RESULT:
            raise AnswerLost("The connection ended before the answer came") if call.written else Unwritten
        return call.result

    def ping(self) -> None:
        """Send a ping, which the server must answer."""
        self._enqueue(_Call(encode_call("ping", "rpc.ping", None)))

    def _enqueue(self, call: _Call) -> None:
        self._queue.append(call)
        self._work.set()

    def _forget(self, id: int) -> None:
        del self._waiting[id]
        self._changed()
        if not self._waiting:
            self._idle.set()

    def answer(self, id: object, result: Any, error: AnswerError | None) -> None:
        """Pass an answer to its call. Ignores an answer whose call was cancelled."""
        call = self._waiting.get(id) if isinstance(id, int) else None
        if call is not None:
            call.result = result
            call.failure = refused(error.code, error.message, error.data) if error else None
            call.answered.set()

    async def write(self, wire: Wire) -> None:
        """Write each call when it is made, until the connection ends."""
        while True:
            await self._work.wait()
            self._work = trio.Event()
            while self._queue:
                await self._wait_for_rate()
                call = self._queue.popleft()
                call.written = True
                try:
                    await wire.send(call.text)
                except ConnectionLost:
                    call.written = False  # the frame is incomplete, so the server has not received the call
                    raise

    async def _wait_for_rate(self) -> None:
        if not self._bucket.take(trio.current_time()):
            await trio.sleep(self._bucket.retry_after(trio.current_time()))
            self._bucket.take(trio.current_time())

    async def finish(self) -> None:
        """Accept no more calls, and wait until all open calls are answered."""
        self._ended = True
        while self._waiting:
            self._idle = trio.Event()
            await self._idle.wait()

    def end(self) -> None:
        """The connection has ended: fail all open calls."""
        self._ended = True
        for call in self._waiting.values():
            if not call.answered.is_set():
                call.result = _NO_RESULT
                call.answered.set()


_NO_RESULT = object()


def encode_call(id: int | str, name: str, data: Any) -> bytes:
    """Encode a call in JSON-RPC."""
    call: dict[str, Any] = {"jsonrpc": "2.0", "id": id, "method": name}
    return msgspec.json.encode(call if data is None else call | {"params": data})
