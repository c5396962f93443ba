"""Events as rows of the log: one row of a table here for each durable event.

A row of the log refers to what the event is about, so it is short, and a replay shows what is true by then.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from chatd.store import log
from chatd.store.transaction import Transaction
from protocol import events
from protocol.events import Event

Columns = dict[str, Any]

ROWS: dict[type[Event], tuple[str, Callable[[Any], Columns]]] = {
    events.MessageCreated: (
        "message",
        lambda e: {"conversation": e.message.conversation[0], "user": e.actor, "about": e.message.ref[0]},
    ),
    events.MessageUpdated: (
        "edit",
        lambda e: {"conversation": e.message.conversation[0], "user": e.actor, "about": e.message.ref[0]},
    ),
    events.MessageDeleted: (
        "delete",
        lambda e: {"conversation": e.conversation[0], "user": e.by[0], "about": e.message[0]},
    ),
    events.MessageRead: (
        "read",
        lambda e: {"conversation": e.conversation[0], "user": e.reader[0], "about": e.message[0]},
    ),
    events.ConversationCreated: (
        "open",
        lambda e: {"conversation": e.conversation.ref[0], "user": e.newcomer[0] if e.newcomer else None},
    ),
    events.ConversationDeleted: (
        "close",
        lambda e: {
            "conversation": e.conversation[0],
            "user": e.by[0],
            "detail": json.dumps({"born": e.conversation[1], "members": [ref[0] for ref in e.members]}),
        },
    ),
    events.MemberAdded: ("add", lambda e: {"conversation": e.conversation[0], "user": e.user.ref[0]}),
    events.MemberRemoved: (
        "remove",
        lambda e: {
            "conversation": e.conversation[0],
            "user": e.user[0],
            "detail": json.dumps({"born": e.conversation[1]}),
        },
    ),
    events.NotificationCreated: (
        "notify",
        lambda e: {"user": e.notification.user[0], "about": e.notification.ref[0]},
    ),
    events.EverybodyNotified: ("broadcast", lambda e: {"about": e.broadcast[0]}),
    events.NotificationRead: ("notify_read", lambda e: {"user": e.user[0], "about": e.notification[0]}),
    events.NotificationDeleted: (
        "notify_delete",
        lambda e: {"user": e.user[0], "about": e.notification[0], "detail": json.dumps({"born": e.notification[1]})},
    ),
}


def record(tx: Transaction, event: Event) -> int:
    """Write the event's row; its position."""
    kind, columns = ROWS[type(event)]
    return log.write(tx, kind, **columns(event))
