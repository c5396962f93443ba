"""The opening handshake of a WebSocket: from a request head to the 101, or to an answer with the error.

No extension is ever accepted. With permessage-deflate one small frame can expand to gigabytes, and one frame could not
serve a thousand clients.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from websockets.utils import accept_key

from chatd.net.request import Request

VERSION = b"13"


class BadHandshake(Exception):
    """An upgrade request that is no valid WebSocket handshake: the status and the text of the answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def wants_websocket(request: Request) -> bool:
    """Whether a request asks to become a WebSocket (any other upgrade is ignored, as RFC 9110 allows)."""
    return "websocket" in request.tokens(b"upgrade") and "upgrade" in request.tokens(b"connection")


def accept(request: Request, subprotocols: Sequence[str]) -> tuple[bytes, str | None]:
    """The 101 for this request, and the subprotocol: the first of `subprotocols` that the client offers."""
    if request.method != "GET" or request.version != "1.1":
        raise BadHandshake(400, "A WebSocket opens with a GET of HTTP/1.1")
    if request.all(b"sec-websocket-version") != [VERSION]:
        raise BadHandshake(426, "Sec-WebSocket-Version must be 13")
    keys = request.all(b"sec-websocket-key")
    if len(keys) != 1 or not _is_nonce(keys[0]):
        raise BadHandshake(400, "Sec-WebSocket-Key must be 16 bytes in base64")
    offered = request.tokens(b"sec-websocket-protocol", lower=False)
    chosen = next((name for name in subprotocols if name in offered), None)
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_key(keys[0].decode())}",
    ]
    if chosen is not None:
        lines.append(f"Sec-WebSocket-Protocol: {chosen}")
    return "\r\n".join([*lines, "", ""]).encode(), chosen


def _is_nonce(key: bytes) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except binascii.Error:
        return False
