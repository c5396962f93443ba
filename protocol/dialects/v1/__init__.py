"""`v1`: chatd's own dialect. It has every feature; the other dialects have what their specifications know.

A call is `noun.verb`, an event `noun.past`. A client receives the events of all its conversations and joins no rooms.
`conversation.open` says that the user looks at a conversation: its messages make no notifications until
`conversation.close`. All that is `v1` stays; new keys, calls and events may come.
"""

from __future__ import annotations

from protocol.dialects.grammar import Dialect, ReplyStyle, Vocabulary
from protocol.dialects.v1 import account_calls, calls
from protocol.dialects.v1.events import EVENTS
from protocol.dialects.v1.shapes import ERROR
from protocol.errors import Refusal
from protocol.events import NotificationCounted, PresenceChanged, UnreadChanged
from protocol.ids import DECIMAL


def _success(data: object) -> dict[str, object]:
    return {"ok": True, "data": data}


def _failure(refusal: Refusal) -> dict[str, object]:
    error: dict[str, object] = {"code": refusal.code.code, "message": refusal.message, "field": refusal.field}
    if refusal.retry_after is not None:
        error["retryAfter"] = refusal.retry_after
    return {"ok": False, "error": error}


CALLS = (*calls.CALLS, *account_calls.CALLS)

DIALECT = Dialect(
    name="v1",
    title="chatd's own",
    user_id=DECIMAL,
    conversation_id=DECIMAL,
    vocabularies={
        "/v1": Vocabulary(
            tuple(call.inbound for call in CALLS),
            EVENTS,
            initial_events=(UnreadChanged, PresenceChanged, NotificationCounted),
        )
    },
    replies=ReplyStyle(success=_success, failure=_failure, error_event=("error", ERROR)),
    routes=tuple(call.route for call in CALLS if call.method is not None),
)
