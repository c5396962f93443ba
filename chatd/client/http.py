"""Requests over one connection that is kept: HTTP/1.1 by h11, for uploads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

import h11
import trio

from chatd.client.problems import ConnectionLost
from chatd.client.wire import open_stream

ANSWER_SECONDS = 60.0
"""The longest wait for an answer, or for the server to take a piece of the body."""
SEND_BYTES = 256 * 1024


class HttpAnswer(NamedTuple):
    """An answer: its status, its headers by lower-case name, and its body."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpSession:
    """The connection to one server. It is opened again when it has ended."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stream: trio.abc.Stream | None = None
        self._h11 = h11.Connection(h11.CLIENT)

    async def ask(self, method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes = b"") -> HttpAnswer:
        """Send a request and wait for its answer. Raises ConnectionLost when the connection ends before."""
        try:
            if self._stream is None or self._h11.our_state is not h11.IDLE:
                await self.close()
                self._stream = await open_stream(self._url)
                self._h11 = h11.Connection(h11.CLIENT)
            parts = urlsplit(self._url)
            lines = [("Host", parts.netloc), ("Content-Length", str(len(body))), *headers]
            await self._send(h11.Request(method=method, target=parts.path.rstrip("/") + path, headers=lines))
            for start in range(0, len(body), SEND_BYTES):
                await self._send(h11.Data(data=body[start : start + SEND_BYTES]))
            await self._send(h11.EndOfMessage())
            return await self._receive()
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError, h11.ProtocolError) as problem:
            await self.close()
            raise ConnectionLost(reason=str(problem) or "no answer") from None
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End the connection."""
        if self._stream is not None:
            await trio.aclose_forcefully(self._stream)
            self._stream = None

    async def _send(self, event: h11.Request | h11.Data | h11.EndOfMessage) -> None:
        data = self._h11.send(event)
        assert self._stream is not None
        if data:
            with trio.fail_after(ANSWER_SECONDS):
                await self._stream.send_all(data)

    async def _receive(self) -> HttpAnswer:
        answer, body = None, bytearray()
        assert self._stream is not None
        while True:
            event = self._h11.next_event()
            if event is h11.NEED_DATA:
                with trio.fail_after(ANSWER_SECONDS):
                    self._h11.receive_data(bytes(await self._stream.receive_some()))
            elif isinstance(event, h11.Response):
                answer = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionLost(reason="the connection ended before the answer")
        assert answer is not None
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}
        return HttpAnswer(answer.status_code, headers, bytes(body))
