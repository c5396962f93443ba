"""A client of bytes: HTTP and WebSocket frames by hand, so that a test can send and read any bytes."""

from __future__ import annotations

import contextlib
import json
import os
import struct
from collections.abc import Mapping
from typing import Any

import trio

TIMEOUT = 20.0
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
NO_CLOSE = 1006
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def frame(opcode: int, payload: bytes = b"", *, final: bool = True, masked: bool = True, reserved: int = 0) -> bytes:
    """A client's frame, also one that no client should send."""
    head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    size, mark = len(payload), 0x80 if masked else 0
    if size < 126:
        head += bytes([mark | size])
    elif size < 1 << 16:
        head += bytes([mark | 126]) + struct.pack("!H", size)
    else:
        head += bytes([mark | 127]) + struct.pack("!Q", size)
    if not masked:
        return head + payload
    key = os.urandom(4)
    pad = (key * (size // 4 + 1))[:size]
    return head + key + (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")


def upgrade(path: str = "/chat", headers: Mapping[str, str] | None = None, *, token: str = "") -> bytes:
    """The request head of a WebSocket handshake."""
    lines = {
        "Host": "127.0.0.1",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY,
    }
    lines |= {"Authorization": f"Bearer {token}"} if token else {}
    lines |= headers or {}
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"GET {path} HTTP/1.1\r\n{text}\r\n".encode("latin-1")


def request(method: str, path: str, body: bytes = b"", *, token: str = "", **headers: str) -> bytes:
    """A whole HTTP request with the right Content-Length."""
    lines = {"Host": "127.0.0.1", "Content-Type": "application/json", "Content-Length": str(len(body))}
    lines |= {"Authorization": f"Bearer {token}"} if token else {}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{text}\r\n".encode("latin-1") + body


class HungUp(Exception):
    """The server is gone, or has closed the connection."""


class Raw:
    """One connection."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self._buffer = bytearray()
        self._number = 0
        self.pushes: list[dict[str, Any]] = []

    @classmethod
    async def connect(cls, address: str) -> Raw:
        host, _, port = address.rpartition(":")
        return cls(await trio.open_tcp_stream(host.strip("[]"), int(port)))

    @classmethod
    async def open(cls, address: str, token: str = "", path: str = "/chat") -> Raw:
        """An open WebSocket; with a token, it has received `ready`."""
        raw = await cls.connect(address)
        try:
            return await raw.join(token, path)
        except BaseException:
            await trio.aclose_forcefully(raw.stream)
            raise

    async def join(self, token: str = "", path: str = "/chat") -> Raw:
        """Upgrade to such a WebSocket."""
        status, _ = await self.asks(upgrade(path, token=token))
        if status != 101:
            raise HungUp(status)
        if token:
            assert (await self.message())["method"] == "ready"
        return self

    async def send(self, data: bytes) -> None:
        await self.stream.send_all(data)

    def cut(self) -> None:
        """End the connection without a close frame."""
        if isinstance(self.stream, trio.SocketStream):
            self.stream.socket.close()

    async def __aenter__(self) -> Raw:
        return self

    async def __aexit__(self, *_: object) -> None:
        await trio.aclose_forcefully(self.stream)

    # HTTP

    async def _more(self) -> bool:
        try:
            data = await self.stream.receive_some(65_536)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return False
        self._buffer += data
        return bool(data)

    async def asks(self, head: bytes) -> tuple[int, bytes]:
        """Send a request; the status of the answer (0: closed without an answer) and its body."""
        with contextlib.suppress(trio.BrokenResourceError):  # it may answer before it has read everything
            await self.send(head)
        return await self.answer()

    async def answer(self) -> tuple[int, bytes]:
        """The next HTTP answer."""
        with trio.fail_after(TIMEOUT):
            while b"\r\n\r\n" not in self._buffer:
                if not await self._more():
                    return 0, b""
            head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            size = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
            while len(rest) < size and await self._more():
                rest = bytes(self._buffer).partition(b"\r\n\r\n")[2]
            self._buffer = bytearray(rest[size:])
            return int(head.split()[1]), rest[:size]

    async def is_hung_up(self, seconds: float = TIMEOUT) -> None:
        """Wait until the server has closed."""
        with trio.fail_after(seconds):
            while await self._more():
                pass

    # WebSocket

    async def frame(self) -> tuple[int, bytes] | None:
        """The server's next frame; None if it has closed."""
        buffer = self._buffer
        with trio.fail_after(TIMEOUT):
            while True:
                if len(buffer) >= 2:
                    start, size = 2, buffer[1]
                    if size == 126:
                        start, size = 4, int.from_bytes(buffer[2:4], "big")
                    elif size == 127:
                        start, size = 10, int.from_bytes(buffer[2:10], "big")
                    if len(buffer) >= start + size:
                        opcode, payload = buffer[0] & 15, bytes(buffer[start : start + size])
                        del buffer[: start + size]
                        return opcode, payload
                if not await self._more():
                    return None

    async def say(self, message: Any) -> None:
        """Send JSON, or text that only looks like it."""
        text = message if isinstance(message, str | bytes) else json.dumps(message)
        await self.send(frame(TEXT, text.encode() if isinstance(text, str) else text))

    async def message(self) -> dict[str, Any]:
        """The next message; pings are answered."""
        while True:
            received = await self.frame()
            if received is None or received[0] == CLOSE:
                raise HungUp(received)
            opcode, payload = received
            if opcode == PING:
                await self.send(frame(PONG, payload))
            elif opcode in (TEXT, BINARY):
                found: dict[str, Any] = json.loads(payload)
                return found

    async def reply(self) -> Any:
        """The next answer; pushes are kept."""
        while True:
            message = await self.message()
            if "method" not in message:
                return message
            self.pushes.append(message)

    async def call(self, method: str, params: Any = None) -> Any:
        """Call, and wait for the answer."""
        self._number += 1
        await self.say({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params or {}})
        answer = await self.reply()
        assert answer["id"] == self._number, answer
        return answer

    async def receives(self, method: str) -> Any:
        """The next push of that name."""
        while True:
            for place, message in enumerate(self.pushes):
                if message["method"] == method:
                    return self.pushes.pop(place)["params"]
            self.pushes.append(await self.message())

    async def next_or_end(self) -> dict[str, Any] | int:
        """The next message, or the close code."""
        try:
            return await self.message()
        except HungUp as end:
            received = end.args[0]
            return int.from_bytes(received[1][:2], "big") if received else NO_CLOSE

    async def closed(self) -> int:
        """Read until the end: the close code, or NO_CLOSE without one. Earlier messages are kept."""
        while (received := await self.frame()) is not None:
            opcode, payload = received
            if opcode == CLOSE:
                return int.from_bytes(payload[:2], "big")
            if opcode == TEXT:
                self.pushes.append(json.loads(payload))
        return NO_CLOSE
