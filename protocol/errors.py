"""The errors of chatd: one row each, with its number in every wire protocol.

The name of a row is the situation; `code` is what clients receive. Several situations can share a code. An unknown
event name and an invalid payload are both BAD_REQUEST in a dialect, but have different numbers in JSON-RPC.
"""

from __future__ import annotations

from msgspec import Struct


class Code(Struct, frozen=True):
    """One row: the code, the text, the HTTP status, the JSON-RPC number and the WebSocket close code.

    `retry` is whether the same request can succeed later, unchanged.
    """

    code: str
    text: str
    status: int
    number: int
    close: int
    retry: bool = False


BAD_REQUEST = Code("BAD_REQUEST", "The request is not valid", 400, -32602, 4400)
UNPARSABLE = Code("BAD_REQUEST", "The frame is not valid JSON", 400, -32700, 4400)
INVALID_FRAME = Code("BAD_REQUEST", "The frame is not a valid request", 400, -32600, 4400)
UNKNOWN_CALL = Code("BAD_REQUEST", "There is no such call", 400, -32601, 4400)
AUTH_INVALID = Code("AUTH_INVALID", "The token is missing or not valid", 401, -32001, 4401)
FORBIDDEN = Code("FORBIDDEN", "The caller is not allowed to do this", 403, -32003, 4403)
NOT_FOUND = Code("NOT_FOUND", "The object does not exist", 404, -32004, 4404)
NO_METHOD = Code("METHOD_NOT_ALLOWED", "The path does not support this method", 405, -32601, 4405)
CONFLICT = Code("CONFLICT", "The request conflicts with an existing object", 409, -32009, 4409)
PAYMENT_REQUIRED = Code("PAYMENT_REQUIRED", "The file is locked", 402, -32002, 4403)
QUOTA_EXCEEDED = Code("QUOTA_EXCEEDED", "There is no room for this file", 413, -32014, 4409)
UNSUPPORTED_TYPE = Code("UNSUPPORTED_TYPE", "Files of this type are not accepted", 415, -32015, 4400)
TOO_LARGE = Code("TOO_LARGE", "The request is too large", 413, -32013, 1009)
RATE_LIMITED = Code("RATE_LIMITED", "Too many requests", 429, -32029, 4029, retry=True)
HEAD_TOO_LARGE = Code("HEAD_TOO_LARGE", "The request head is too large", 431, -32013, 1009)
INTERNAL = Code("INTERNAL", "Internal error; the server has logged it", 500, -32603, 1011, retry=True)
UNAVAILABLE = Code("UNAVAILABLE", "The server is temporarily unavailable", 503, -32050, 1013, retry=True)

CODES: dict[str, Code] = {name: value for name, value in list(globals().items()) if isinstance(value, Code)}


class Closing(Struct, frozen=True):
    """Why the server closes a WebSocket: the close code, the reason in the frame, and whether to reconnect."""

    code: int
    reason: str
    retry: bool


GOING_AWAY = Closing(1012, "restarting", retry=True)
TOO_BIG = Closing(1009, "message too big", retry=False)
SILENT = Closing(1011, "no answer to ping", retry=True)
SIGNED_OUT = Closing(4401, "token missing, invalid or expired", retry=False)
DENIED = Closing(4403, "forbidden", retry=False)
SLOW = Closing(4008, "slow", retry=True)
FLOOD = Closing(4029, "too many calls", retry=True)
TRY_AGAIN = Closing(1013, "try again later", retry=True)

CLOSINGS: dict[str, Closing] = {name: value for name, value in list(globals().items()) if isinstance(value, Closing)}


_CLOSINGS_OF = {
    AUTH_INVALID: SIGNED_OUT,
    FORBIDDEN: DENIED,
    TOO_LARGE: TOO_BIG,
    RATE_LIMITED: FLOOD,
    UNAVAILABLE: TRY_AGAIN,
}


def closing_of(refusal: Refusal) -> Closing:
    """The close code and reason for a connection that is rejected with this refusal."""
    code = refusal.code
    return _CLOSINGS_OF.get(code) or Closing(code.close, code.text, code.retry)


class Refusal(Exception):
    """A request that fails: a row of the table, a text for people, and if known the field and the seconds to wait.

    Every layer below `chatd/core/dispatch.py` may raise it. The connection encodes it in the client's dialect.
    `problems` is for dialects that document their own text for each problem of a payload.
    """

    def __init__(
        self,
        code: Code,
        message: str = "",
        *,
        field: str | None = None,
        retry_after: float | None = None,
        problems: tuple[Problem, ...] = (),
    ) -> None:
        super().__init__(message or code.text)
        self.code = code
        self.message = message or code.text
        self.field = field
        self.retry_after = retry_after
        self.problems = problems


class NoAccess(Refusal):
    """An object exists, and the caller has no access to it. `noun` is its kind: conversation, message, notification.

    The answer is the same as if it did not exist, except that some dialects document FORBIDDEN (`Dialect.reword`).
    """

    def __init__(self, noun: str) -> None:
        super().__init__(NOT_FOUND, f"{noun} not found")
        self.noun = noun.lower()


class Problem(Struct, frozen=True):
    """One problem of a payload: the field, the kind (`missing`, `type`, `value`, `unknown`), and what is expected."""

    field: str
    kind: str
    expected: str
