"""A small world for the dialects' pages: Ann (1), Bob (2), what they said, and what a client would write of it.

Ann and Bob have the private conversation 12, in which message 101 is Ann's. Cyd (3) is a member of Ann's group 13.
Notification 50 is Ann's, and she is an administrator. Everything was born in one second. tests/scenes/test_pages_run.py
makes this world on a real server, and sends every example of the pages to it as it is printed, in Ann's name.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from protocol import commands as ask
from protocol import events
from protocol.dialects.grammar import Field, Inbound, Route
from protocol.errors import Refusal
from protocol.events import Event, Unread
from protocol.ids import Ref, write_object_id, write_uuid
from protocol.model import Attachment, Conversation, File, Member, Message, Notification, Page, User

BORN = 1_704_107_045
AT = BORN * 1000 + 250


def ref(number: int) -> Ref:
    return Ref(number, BORN)


ANN = User(ref(1), "ann", "Ann", "ann@example.org", None, None, AT)
BOB = User(ref(2), "bob", "Bob", None, None, None, AT)
MESSAGE = Message(
    ref=ref(101),
    conversation=ref(12),
    kind="private",
    creator=ref(1),
    peer=ref(2),
    sender=ANN,
    receiver=ref(2),
    type="text",
    content="Hello",
    attachments=(Attachment("https://example.org/cat.png", "IMAGE"),),
    client_id=None,
    created=AT,
)
CONVERSATION = Conversation(ref(12), "private", None, ref(1), ref(2), (ref(1), ref(2)), AT, 0, MESSAGE, BOB)
NOTIFICATION = Notification(ref(50), ref(1), "system", "Update", "Something is new", False, ref(12), AT)
FILE = File(ref(7), ref(1), ref(12), "plan.pdf", "application/pdf", 20480, AT)
COUNTED = events.NotificationCounted(ref(2), 3)
UNREAD = events.UnreadChanged(ref(2), 3, (Unread(ref(12), 3),))

EVENTS: tuple[Event, ...] = (
    events.MessageCreated(MESSAGE),
    events.MessageUpdated(MESSAGE),
    events.MessageDeleted(ref(101), ref(12), ref(1), ref(1)),
    events.MessageRead(ref(101), ref(12), ref(2), AT),
    events.ConversationCreated(CONVERSATION),
    events.ConversationDeleted(ref(12), ref(1), (ref(1), ref(2))),
    events.MemberAdded(ref(12), BOB),
    events.MemberRemoved(ref(12), ref(2)),
    events.Typing(ref(12), ref(1), True),
    events.Typing(ref(12), ref(1), False),
    events.PresenceChanged(ref(1), True),
    events.PresenceChanged(ref(1), False),
    UNREAD,
    events.NotificationCreated(NOTIFICATION),
    events.NotificationRead(ref(50), ref(2)),
    events.NotificationDeleted(ref(50), ref(2)),
    COUNTED,
    events.FileUploaded(FILE),
    events.FileUnlocked(FILE, ref(2)),
)
RESULTS: dict[type[ask.Command], Any] = {
    ask.SendMessage: MESSAGE,
    ask.SendTo: MESSAGE,
    ask.EditMessage: MESSAGE,
    ask.GetMessage: MESSAGE,
    ask.Join: MESSAGE,
    ask.ListMessages: Page((MESSAGE,), 20),
    ask.ListMessagesWith: Page((MESSAGE,), 20),
    ask.CreateConversation: CONVERSATION,
    ask.GetConversation: CONVERSATION,
    ask.ListConversations: Page((CONVERSATION,), 20),
    ask.ListMembers: (Member(ANN, "owner", AT),),
    ask.ListNotifications: Page((NOTIFICATION,), 20),
    ask.GetNotification: NOTIFICATION,
    ask.ReadNotification: NOTIFICATION,
    ask.CreateNotification: NOTIFICATION,
    ask.Broadcast: NOTIFICATION,
    ask.CountNotifications: COUNTED,
    ask.ReadNotifications: COUNTED,
    ask.GetUnread: UNREAD,
    ask.Heartbeat: SimpleNamespace(at=AT),
    ask.GetUser: ANN,
    ask.GetMe: ANN,
    ask.UpdateMe: ANN,
    ask.ListUsers: Page((ANN,), 20),
}
WORLD = (
    "Ann (1) writes them, an administrator. She and Bob (2) have the private conversation 12, in which message 101 is "
    "hers. She owns the group 13, of which Cyd (3) is a member. Notification 50 is hers. All of it was made at "
    "2024-01-01T11:04:05.250Z, of which the long ids tell."
)
GROUP: dict[str, int] = {"conversation": 13}
OTHER_NUMBERS: dict[type[ask.Command], dict[str, int]] = {
    ask.AddMember: GROUP,
    ask.RemoveMember: {**GROUP, "user": 3},
    ask.DeleteConversation: GROUP,
}
"""Where a call is about something else than NUMBERS say: nobody is added to a private conversation."""
SHOWN: dict[type[ask.Command], tuple[str, ...]] = {
    ask.SendMessage: ("content", "to"),
    ask.SendTo: ("content",),
    ask.UpdateMe: ("display", "status"),
    ask.SetTyping: ("to",),
}
"""Attributes whose fields an example has, though they are optional: without content there is no message."""
NUMBERS = {"conversation": 12, "message": 101, "notification": 50, "claimed_user": 1, "user": 2, "members": 2, "to": 2}
TEXTS = ("Hello", "text", "private", "member", "system", "ping")
ELSE: tuple[Any, ...] = (
    True,
    20,
    *TEXTS,
    [{"url": "https://example.org/cat.png", "type": "IMAGE"}],
    ["https://example.org/cat.png"],
    {"project": 7},
)


def payload(row: Inbound | Route) -> dict[str, Any]:
    """The fields of an example: those that are required, and those that are shown anyway."""
    shown = SHOWN.get(row.command, ())
    fields = [field for field in row.fields if field.required or field.attribute in shown]
    return {field.name: sample(field, row.command) for field in fields}


def sample(field: Field, command: type[ask.Command] = ask.Command) -> Any:
    """What a client could write there: the first candidate that the field's word takes."""
    number = OTHER_NUMBERS.get(command, NUMBERS).get(field.attribute, NUMBERS.get(field.attribute))
    ids = (number, write_object_id(ref(number)), write_uuid(ref(number))) if number else ()
    for value in (*ids, *([one] for one in ids), *ELSE):
        if takes(field, value):
            return value
    raise LookupError(f"nothing for {field.name}")


def takes(field: Field, value: Any) -> bool:
    from protocol.dialects.decode import find_problems

    try:
        return not find_problems((field,), {field.name: value})
    except Refusal:
        return False
