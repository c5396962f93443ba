"""What can go wrong for whoever uses a chat, and the verdicts on it: taken from the server's own tables."""

from __future__ import annotations

from typing import Any

from protocol.errors import CLOSINGS, CODES, FLOOD, SIGNED_OUT, TOO_LARGE, UNAVAILABLE

LOST = 1006
"""The code of a connection that ended without a word."""

WORDS = {code.number: code.code for code in reversed(CODES.values())}
REPEAT = {code.code: code.retry for code in CODES.values()}
TLS_FAILED = 1015
"""The code of a connection whose TLS handshake failed (RFC 6455, 7.4.1): the same again until a setting changes."""

_RETURN = (
    {TLS_FAILED: False}
    | {code.close: code.retry for code in CODES.values()}
    | {one.code: one.retry for one in CLOSINGS.values()}
)
_CLOSES = {code.status: code.close for code in reversed(CODES.values())} | {429: FLOOD.code}


class ChatError(Exception):
    """Any of these."""


class Refused(ChatError):
    """The server's answer is no. `again`: the same call can succeed later; `retry_after`: after so many seconds.

    `body` is the refusal in the dialect's own words.
    """

    def __init__(self, code: str, message: str, retry_after: float | None = None, body: Any = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.body = body

    @property
    def again(self) -> bool:
        return REPEAT.get(self.code, False)


class MessagesLost(ChatError):
    """The connection ended before the answer came: perhaps the server did it, perhaps not."""


class Closed(ChatError):
    """The server won't have us back, for this reason; or the block of `connect` is over."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason


class SignedOut(Closed):
    """The token is not valid, or no longer."""


class Unreachable(ChatError):
    """There was no connection for longer than `patience`."""


class ConnectionLost(Exception):
    """A connection has ended; never seen outside. The codes are those of a WebSocket's close frame."""

    def __init__(self, code: int = LOST, reason: str = "", retry_after: float | None = None) -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason
        self.retry_after = retry_after

    @property
    def again(self) -> bool:
        """Whether to come back. A code that we don't know is final when it is an application's."""
        return _RETURN.get(self.code, self.code < 4000)

    def failure(self) -> Closed:
        kind = SignedOut if self.code == SIGNED_OUT.code else Closed
        return kind(self.code, self.reason)


def turned_away(status: int, retry_after: str | None) -> ConnectionLost:
    """What an HTTP status in place of a WebSocket means."""
    code = _CLOSES.get(status, UNAVAILABLE.close if status >= 500 else 4000 + status)
    wait = float(retry_after) if retry_after and retry_after.isdigit() else None
    return ConnectionLost(code, f"HTTP {status}", wait)


def refused(number: int, message: str, body: Any) -> Refused:
    """The refusal in an error of JSON-RPC: the dialect's own word where it says one, else the number's."""
    said = body if isinstance(body, dict) else {}
    inner = said.get("error")
    said = inner if isinstance(inner, dict) else said
    word = said.get("code")
    wait = said.get("retryAfter")
    return Refused(
        word if isinstance(word, str) and word in REPEAT else WORDS.get(number, "INTERNAL"),
        message,
        float(wait) if isinstance(wait, int | float) else None,
        body,
    )


def too_large(most: int) -> Refused:
    return Refused(TOO_LARGE.code, f"The call is larger than the {most} bytes that this server takes")
