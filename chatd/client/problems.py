"""The errors of a chat, and whether a retry or a reconnect can succeed: taken from the server's own tables."""

from __future__ import annotations

from typing import Any

from protocol.errors import CLOSINGS, CODES, FLOOD, SIGNED_OUT, TOO_LARGE, UNAVAILABLE

ABNORMAL_CLOSE = 1006
"""The code of a connection that ended without a close frame."""

CODE_BY_NUMBER = {code.number: code.code for code in reversed(CODES.values())}
CAN_RETRY = {code.code: code.retry for code in CODES.values()}
TLS_FAILED = 1015
"""The code of a failed TLS handshake (RFC 6455, 7.4.1). It fails again until a setting changes."""

_CAN_RECONNECT = (
    {TLS_FAILED: False}
    | {code.close: code.retry for code in CODES.values()}
    | {one.code: one.retry for one in CLOSINGS.values()}
)
_CLOSE_BY_STATUS = {code.status: code.close for code in reversed(CODES.values())} | {429: FLOOD.code}


class ChatError(Exception):
    """The base class of the errors below."""


class Refused(ChatError):
    """The server refused a call.

    `again`         whether the same call can succeed later
    `retry_after`   the seconds to wait before that, if the server names them
    `body`          the error in the format of the dialect
    """

    def __init__(self, code: str, message: str, retry_after: float | None = None, body: Any = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.body = body

    @property
    def again(self) -> bool:
        return CAN_RETRY.get(self.code, False)


class AnswerLost(ChatError):
    """The connection ended before the answer arrived. The server may have done the call or not."""


class Closed(ChatError):
    """The server does not accept this client again, or the block of `connect` has ended. `reason` is the cause."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason


class SignedOut(Closed):
    """The token is not valid, or not valid any more."""


class Unreachable(ChatError):
    """There was no connection for longer than `patience`."""


class ConnectionLost(Exception):
    """A connection has ended. Internal to the client. The codes are the codes of WebSocket close frames."""

    def __init__(self, code: int = ABNORMAL_CLOSE, reason: str = "", retry_after: float | None = None) -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason
        self.retry_after = retry_after

    @property
    def can_reconnect(self) -> bool:
        """Whether to connect again. An unknown code is final from 4000 up, where applications define the codes."""
        return _CAN_RECONNECT.get(self.code, self.code < 4000)

    def failure(self) -> Closed:
        kind = SignedOut if self.code == SIGNED_OUT.code else Closed
        return kind(self.code, self.reason)


def rejected_handshake(status: int, retry_after: str | None) -> ConnectionLost:
    """Translate the HTTP status of a refused WebSocket handshake."""
    code = _CLOSE_BY_STATUS.get(status, UNAVAILABLE.close if status >= 500 else 4000 + status)
    wait = float(retry_after) if retry_after and retry_after.isdigit() else None
    return ConnectionLost(code, f"HTTP {status}", wait)


def refused(number: int, message: str, body: Any) -> Refused:
    """Translate a JSON-RPC error. The `code` in the dialect's body takes precedence over the JSON-RPC number."""
    fields = body if isinstance(body, dict) else {}
    inner = fields.get("error")
    fields = inner if isinstance(inner, dict) else fields
    code = fields.get("code")
    wait = fields.get("retryAfter")
    return Refused(
        code if isinstance(code, str) and code in CAN_RETRY else CODE_BY_NUMBER.get(number, "INTERNAL"),
        message,
        float(wait) if isinstance(wait, int | float) else None,
        body,
    )


def too_large(max_bytes: int) -> Refused:
    return Refused(TOO_LARGE.code, f"The call exceeds the server's limit of {max_bytes} bytes")
