"""Sample data for the pages of the dialects: users, a conversation, messages, and the calls that a client makes.

Ann (1) and Bob (2) have the private conversation 12, in which message 101 is Ann's. Cyd (3) is a member of Ann's group
13, and Dan (4) is banned from it. Cyd has the group 14, with Ann. Notification 50 is Ann's, and she is an
administrator. Everything was created in one second.
tests/scenes/test_pages_run.py creates this data on a real server, and sends every printed example to it as Ann.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from protocol import commands, events
from protocol.dialects.grammar import Field, Inbound, Route
from protocol.errors import Refusal
from protocol.events import Event, Unread
from protocol.ids import Ref, write_object_id, write_uuid
from protocol.model import (
    NO_FEATURES,
    Attachment,
    Attention,
    AuditEntry,
    Ban,
    Block,
    Conversation,
    Device,
    File,
    InviteInfo,
    Member,
    MemberList,
    Mention,
    Message,
    MessageFeatures,
    Notification,
    OwnState,
    Page,
    Preferences,
    QuietHours,
    Quote,
    Reaction,
    Report,
    SearchHit,
    SyncState,
    TextMark,
    ThreadPreference,
    User,
)

CREATED_SECONDS = 1_704_107_045
CREATED_MS = CREATED_SECONDS * 1000 + 250


def ref(number: int) -> Ref:
    return Ref(number, CREATED_SECONDS)


ANN = User(ref(1), "ann", "Ann", "ann@example.org", None, None, CREATED_MS)
BOB = User(ref(2), "bob", "Bob", None, None, None, CREATED_MS)
CYD = User(ref(3), "cyd", "Cyd", None, None, None, CREATED_MS)
DAN = User(ref(4), "dan", "Dan", None, None, None, CREATED_MS)


def sent(features: MessageFeatures = NO_FEATURES) -> Message:
    return Message(
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
        created=CREATED_MS,
        features=features,
        position=4711,
    )


MESSAGE = sent()
RICH_MESSAGE = sent(
    MessageFeatures(
        reply_to=Quote(ref(99), BOB, "How are you?"),
        thread=ref(98),
        reactions=(Reaction("👍", (ref(2),)),),
        mentions=(Mention(ref(2), "bob"),),
        pinned=True,
    )
)
CONVERSATION = Conversation(
    ref(12),
    "private",
    None,
    ref(1),
    ref(2),
    (ref(1), ref(2)),
    CREATED_MS,
    0,
    MESSAGE,
    BOB,
    own=OwnState("owner", 0, 0, 101),
)
GROUP_CONVERSATION = Conversation(ref(13), "group", "Three", ref(1), None, (ref(1), ref(3)), CREATED_MS, topic="Plans")
OWN_GROUP = Conversation(
    ref(13),
    "group",
    "Three",
    ref(1),
    None,
    (ref(1), ref(3)),
    CREATED_MS,
    topic="Plans",
    own=OwnState("owner", 0, 0, 0),
)
NOTIFICATION = Notification(ref(50), ref(1), "system", "Update", "Something is new", False, ref(12), CREATED_MS)
FILE = File(ref(7), 1, "plan.pdf", "application/pdf", 20480, "5f70bf18", CREATED_MS)
REPORT = Report(ref(5), ref(101), ref(12), ANN, ANN, "Hello", "Spam", CREATED_MS, None)
ATTENTION = Attention(QuietHours(22 * 60, 7 * 60 + 30, "Europe/Berlin"), None)
COUNTED = events.NotificationCounted(ref(2), 3)
UNREAD = events.UnreadChanged(ref(2), 3, (Unread(ref(12), 3),))

EVENTS: tuple[Event, ...] = (
    events.MessageCreated(MESSAGE),
    events.MessageUpdated(MESSAGE),
    events.MessageFeaturesChanged(RICH_MESSAGE, ref(2)),
    events.MarkedUnread(ref(12), ref(1), 100, 1),
    events.ConversationUpdated(GROUP_CONVERSATION, ref(1)),
    events.PreferencesChanged(ref(12), ref(1), Preferences("mentions", 1_893_456_000_000)),
    events.AttentionChanged(ref(1), ATTENTION),
    events.ThreadLevelChanged(ref(1), ThreadPreference(ref(12), ref(101), "all")),
    events.MemberUpdated(ref(13), CYD, "admin"),
    events.MessageDeleted(ref(101), ref(12), ref(1), ref(1)),
    events.MessageRead(ref(101), ref(12), ref(2), CREATED_MS),
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
    events.FileUploaded(FILE, ref(12), ANN, CREATED_MS),
    events.FileUnlocked(FILE, ref(12), ref(2), CREATED_MS),
)
RESULTS: dict[type[commands.Command], Any] = {
    commands.SendMessage: MESSAGE,
    commands.SendTo: MESSAGE,
    commands.EditMessage: MESSAGE,
    commands.GetMessage: MESSAGE,
    commands.Join: MESSAGE,
    commands.ListMessages: Page((MESSAGE,), 20),
    commands.ListMessagesWith: Page((MESSAGE,), 20),
    commands.CreateConversation: CONVERSATION,
    commands.GetConversation: CONVERSATION,
    commands.ListConversations: Page((CONVERSATION,), 20),
    commands.ListMembers: (Member(ANN, "owner", CREATED_MS),),
    commands.ListNotifications: Page((NOTIFICATION,), 20),
    commands.GetNotification: NOTIFICATION,
    commands.ReadNotification: NOTIFICATION,
    commands.CreateNotification: Notification(ref(50), ref(2), "system", "Hello", "", False, None, CREATED_MS),
    commands.Broadcast: NOTIFICATION,
    commands.CountNotifications: COUNTED,
    commands.ReadNotifications: COUNTED,
    commands.GetUnread: UNREAD,
    commands.Heartbeat: SimpleNamespace(at=CREATED_MS),
    commands.GetUser: ANN,
    commands.GetMe: ANN,
    commands.UpdateMe: User(ref(1), "ann", "Hello", "ann@example.org", None, "Hello", CREATED_MS),
    commands.ListUsers: Page((ANN,), 20),
    commands.ListPublicConversations: Page((GROUP_CONVERSATION,), 20),
    commands.JoinPublicConversation: OWN_GROUP,
    commands.UpdateConversation: OWN_GROUP,
    commands.ListBans: (Ban(DAN, ref(1), CREATED_MS),),
    commands.ForwardMessage: MESSAGE,
    commands.ListThread: Page((MESSAGE,), 20),
    commands.React: MESSAGE,
    commands.Unreact: MESSAGE,
    commands.PinMessage: MESSAGE,
    commands.UnpinMessage: MESSAGE,
    commands.ListPins: (MESSAGE,),
    commands.SetPreferences: Preferences("mentions", 1_893_456_000_000),
    commands.GetAttention: Attention(),
    commands.SetAttention: ATTENTION,
    commands.SetThreadLevel: ThreadPreference(ref(12), ref(101), "all"),
    commands.ListThreadLevels: (ThreadPreference(ref(12), ref(101), "all"),),
    commands.GetFile: FILE,
    commands.UnlockFile: FILE,
    commands.ListFiles: Page((FILE,), 20),
    commands.Sync: SyncState(
        "6f1c0f2e-5a60-4a5e-9f0c-3f6d2a1b7c11",
        4711,
        True,
        ANN,
        Page((CONVERSATION,), 20),
        (),
        (MemberList(ref(12), (Member(ANN, "owner", CREATED_MS),)),),
        1,
        Attention(),
        (ref(1),),
    ),
    commands.Search: Page((SearchHit(ref(101), MESSAGE, "Hello", (TextMark(0, 5),)),), 20),
    commands.ListBlocks: (Block(CYD, CREATED_MS),),
    commands.ReportMessage: REPORT,
    commands.ListReports: Page((REPORT,), 20),
    commands.CloseReport: REPORT,
    commands.ListDevices: (Device("5f2c9c1e", "Firefox on Debian", CREATED_MS, CREATED_MS, CREATED_MS, True),),
    commands.ListInvites: (InviteInfo(ref(3), 1, False, CREATED_MS, CREATED_MS),),
    commands.CreateInvite: InviteInfo(ref(3), 1, False, CREATED_MS, CREATED_MS, "vK3mQ2"),
    commands.ListAudit: Page((AuditEntry(ref(9), CREATED_MS, 1, "ann", "ban.add", 13, 4, None),), 20),
}
WORLD_TEXT = (
    "The caller is Ann (1), an administrator. She and Bob (2) have the private conversation 12, in which message 101 "
    "is hers. She owns the group 13, of which Cyd (3) is a member, and from which Dan (4) is banned. She is a member "
    "of Cyd's group 14. Notification 50 is hers, and so are file 7, which message 101 has, and file 8, a draft. "
    "Her password is correct horse. Another device of hers is the session 5f2c9c1e, and invite 3 can be used. "
    "Everything was created at 2024-01-01T11:04:05.250Z; the long ids contain that time."
)
SAMPLES_BY_NAME: dict[str, Any] = {
    "mutedUntil": "2030-01-01T00:00:00Z",
    "notifications": "mentions",
    "password": "correct horse",
    "newPassword": "battery staple",
    "sessionId": "5f2c9c1e",
    "inviteId": 3,
    "quietHours": {"from": "22:00", "until": "07:30", "timeZone": "Europe/Berlin"},
}
GROUP: dict[str, int] = {"conversation": 13}
SAMPLE_IDS_BY_COMMAND: dict[type[commands.Command], dict[str, int]] = {
    commands.AddMember: GROUP,
    commands.RemoveMember: {**GROUP, "user": 3},
    commands.DeleteConversation: GROUP,
    commands.LeaveConversation: {"conversation": 14},
    commands.UpdateConversation: GROUP,
    commands.JoinPublicConversation: GROUP,
    commands.SetRole: {**GROUP, "user": 3},
    commands.BanMember: {**GROUP, "user": 2},
    commands.UnbanMember: {**GROUP, "user": 4},
    commands.ListBans: GROUP,
    commands.DeleteFile: {"file": 8},
    commands.BlockUser: {"user": 3},
    commands.UnblockUser: {"user": 3},
}
"""Ids for commands that need other ones than SAMPLE_IDS: a private conversation accepts no more members."""
SHOWN_OPTIONAL: dict[type[commands.Command], tuple[str, ...]] = {
    commands.SendMessage: ("content", "to"),
    commands.SendTo: ("content",),
    commands.UpdateMe: ("display", "status"),
    commands.SetTyping: ("to",),
    commands.UpdateConversation: ("topic",),
    commands.Sync: ("members_of",),
    commands.SetPreferences: ("level", "muted_until"),
    commands.SetAttention: ("quiet_hours",),
}
"""Optional fields that the examples include: a message needs content."""
SAMPLE_IDS = {
    "conversation": 12,
    "message": 101,
    "notification": 50,
    "claimed_user": 1,
    "user": 2,
    "members": 2,
    "members_of": 12,
    "file": 7,
    "to": 2,
    "report": 5,
}
TEXTS = ("Hello", "👍", "text", "private", "member", "system", "ping")
OTHER_SAMPLES: tuple[Any, ...] = (
    True,
    20,
    *TEXTS,
    [{"url": "https://example.org/cat.png", "type": "IMAGE"}],
    ["https://example.org/cat.png"],
    {"project": 7},
)


def payload(row: Inbound | Route) -> dict[str, Any]:
    """The fields of an example: the required fields, and the fields of SHOWN_OPTIONAL."""
    shown = SHOWN_OPTIONAL.get(row.command, ())
    fields = [field for field in row.fields if field.required or field.attribute in shown]
    return {field.name: sample(field, row.command) for field in fields}


def sample(field: Field, command: type[commands.Command] = commands.Command) -> Any:
    """A value that a client could send: the first candidate that the field accepts."""
    number = SAMPLE_IDS_BY_COMMAND.get(command, SAMPLE_IDS).get(field.attribute, SAMPLE_IDS.get(field.attribute))
    ids = (number, write_object_id(ref(number)), write_uuid(ref(number))) if number else ()
    for value in (
        *([SAMPLES_BY_NAME[field.name]] if field.name in SAMPLES_BY_NAME else ()),
        *ids,
        *([one] for one in ids),
        *OTHER_SAMPLES,
    ):
        if takes(field, value):
            return value
    raise LookupError(f"no sample for {field.name}")


def takes(field: Field, value: Any) -> bool:
    from protocol.dialects.decode import find_problems

    try:
        return not find_problems((field,), {field.name: value})
    except Refusal:
        return False
