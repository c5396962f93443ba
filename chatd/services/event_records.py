"""Events as rows of the event log. ROWS has one entry for each durable event.

A row of the log has the ids of the event's objects. So rows are short, and a replay shows the objects of today.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from chatd.store.queries import event_log
from chatd.store.sqlite.transaction import Transaction
from protocol import events
from protocol.events import Event
from protocol.ids import Ref

Columns = tuple[int | None, int | None, int | None, str | None]
"""Conversation, user, about, detail."""


def _message(e: events.MessageCreated | events.MessageUpdated) -> Columns:
    message = e.message
    return message.conversation[0], message.sender.ref[0], message.ref[0], None


def _closed(e: events.ConversationDeleted) -> Columns:
    detail = json.dumps({"born": e.conversation[1], "members": [ref[0] for ref in e.members]})
    return e.conversation[0], e.by[0], None, detail


def _born(ref: Ref) -> str:
    return json.dumps({"born": ref[1]})


ROWS: dict[type[Event], tuple[str, Callable[[Any], Columns]]] = {
    events.MessageCreated: ("message", _message),
    events.MessageUpdated: ("edit", _message),
    events.MessageFeaturesChanged: (
        "features",
        lambda e: (e.message.conversation[0], e.by[0], e.message.ref[0], None),
    ),
    events.MarkedUnread: ("unread", lambda e: (e.conversation[0], e.user[0], e.read_to, None)),
    events.PreferencesChanged: ("prefer", lambda e: (e.conversation[0], e.user[0], None, None)),
    events.AttentionChanged: ("attention", lambda e: (None, e.user[0], None, None)),
    events.ThreadLevelChanged: (
        "thread",
        lambda e: (e.preference.conversation[0], e.user[0], e.preference.thread[0], None),
    ),
    events.ConversationUpdated: ("update", lambda e: (e.conversation.ref[0], e.by[0], None, None)),
    events.MemberUpdated: ("role", lambda e: (e.conversation[0], e.user.ref[0], None, None)),
    events.MessageDeleted: ("delete", lambda e: (e.conversation[0], e.by[0], e.message[0], None)),
    events.MessageRead: ("read", lambda e: (e.conversation[0], e.reader[0], e.message[0], None)),
    events.ConversationCreated: (
        "open",
        lambda e: (e.conversation.ref[0], e.newcomer[0] if e.newcomer else None, None, None),
    ),
    events.ConversationDeleted: ("close", _closed),
    events.MemberAdded: ("add", lambda e: (e.conversation[0], e.user.ref[0], None, None)),
    events.MemberRemoved: ("remove", lambda e: (e.conversation[0], e.user[0], None, _born(e.conversation))),
    events.FileUploaded: ("upload", lambda e: (e.conversation[0], e.sender.ref[0], e.file.ref[0], str(e.created))),
    events.FileUnlocked: ("unlock", lambda e: (e.conversation[0], e.user[0] if e.user else None, e.file.ref[0], None)),
    events.NotificationCreated: ("notify", lambda e: (None, e.notification.user[0], e.notification.ref[0], None)),
    events.BroadcastCreated: ("broadcast", lambda e: (None, None, e.broadcast[0], None)),
    events.NotificationRead: ("notify_read", lambda e: (None, e.user[0], e.notification[0], None)),
    events.NotificationDeleted: (
        "notify_delete",
        lambda e: (None, e.user[0], e.notification[0], _born(e.notification)),
    ),
}


def record(tx: Transaction, event: Event) -> int:
    """Write the row of an event. Return its position."""
    kind, columns = ROWS[type(event)]
    return event_log.append(tx, kind, *columns(event))
