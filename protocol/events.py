"""The events: what the server sends, and to whom. Each event names its audiences.

An audience is a kind and a number. A dialect's Outbound rows choose a kind for each event name. `inbox` sends a message
to MEMBERS, so its clients need not join. `colon` sends it to JOINED, the conversation's room.

    JOINED  12      the connections that joined conversation 12
    MEMBERS 12      all connections of all members of conversation 12
    USER 7          all connections of user 7
    PEERS 7         all connections of the users that share a conversation with user 7
    EVERYONE 0      all connections

A durable event has a row in the event log. So it has a position, and a client that missed it receives it later. `actor`
is the user that caused the event (0: none); a row with `others_only` excludes that user.
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

from msgspec import Struct

from protocol.ids import Ref
from protocol.model import Conversation, File, Message, Notification, Preferences, Role, User

JOINED = "joined"
MEMBERS = "members"
USER = "user"
PEERS = "peers"
EVERYONE = "everyone"

Audience: TypeAlias = tuple[str, int]


class Event(Struct, frozen=True):
    """Base class of all events. A `droppable` event is dropped for a client whose queue is full."""

    durable: ClassVar[bool] = True
    droppable: ClassVar[bool] = False

    @property
    def audiences(self) -> tuple[Audience, ...]:
        raise NotImplementedError

    @property
    def actor(self) -> int:
        return 0

    @property
    def room(self) -> Ref | None:
        """The conversation of the event, or None."""
        return getattr(self, "conversation", None)


class ToConversation(Event, frozen=True):
    """Base class of the events of a `conversation` for the sockets that joined it, and for its members."""

    @property
    def audiences(self) -> tuple[Audience, ...]:
        assert self.room is not None
        return ((JOINED, self.room[0]), (MEMBERS, self.room[0]))


class ToUser(Event, frozen=True):
    """Base class of the events for one `user`."""

    @property
    def audiences(self) -> tuple[Audience, ...]:
        user: Ref = getattr(self, "user")  # noqa: B009 - a field of each subclass
        return ((USER, user[0]),)


class Ephemeral(Event, frozen=True):
    """Base class of events that matter only at once. They are not stored, and slow clients may miss them."""

    durable: ClassVar[bool] = False
    droppable: ClassVar[bool] = True


class _AboutMessage(Event, frozen=True):
    message: Message

    @property
    def audiences(self) -> tuple[Audience, ...]:
        number = self.message.conversation[0]
        return ((JOINED, number), (MEMBERS, number))

    @property
    def actor(self) -> int:
        return self.message.sender.ref[0]

    @property
    def room(self) -> Ref | None:
        return self.message.conversation


class MessageCreated(_AboutMessage, frozen=True):
    pass


class MessageUpdated(_AboutMessage, frozen=True):
    pass


class MessageFeaturesChanged(Event, frozen=True):
    """The reactions, the pin or the thread of a message changed; its content did not."""

    message: Message
    by: Ref

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return ((MEMBERS, self.message.conversation[0]),)

    @property
    def actor(self) -> int:
        return self.by[0]

    @property
    def room(self) -> Ref | None:
        return self.message.conversation


class MessageDeleted(ToConversation, frozen=True):
    message: Ref
    conversation: Ref
    by: Ref
    sender: Ref

    @property
    def actor(self) -> int:
        return self.by[0]


class MessageRead(ToConversation, frozen=True):
    """A user read a message and all messages before it; `left` is how many messages remain unread."""

    message: Ref
    conversation: Ref
    reader: Ref
    at: int
    unread_left: int = 0

    @property
    def actor(self) -> int:
        return self.reader[0]


class ConversationCreated(Event, frozen=True):
    """A conversation is new: to all its members when it is created, or to one added user (`newcomer`)."""

    conversation: Conversation
    newcomer: Ref | None = None

    @property
    def audiences(self) -> tuple[Audience, ...]:
        if self.newcomer is not None:
            return ((USER, self.newcomer[0]),)
        return ((MEMBERS, self.conversation.ref[0]),)

    @property
    def room(self) -> Ref | None:
        return self.conversation.ref


class ConversationUpdated(Event, frozen=True):
    """The title, the topic, the picture or the visibility of a group changed."""

    conversation: Conversation
    by: Ref

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return ((MEMBERS, self.conversation.ref[0]),)

    @property
    def room(self) -> Ref | None:
        return self.conversation.ref


class ConversationDeleted(Event, frozen=True):
    """`members` are the members at the time of the deletion."""

    conversation: Ref
    by: Ref
    members: tuple[Ref, ...]

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return ((MEMBERS, self.conversation[0]),)


class MemberAdded(ToConversation, frozen=True):
    """`began` is the last message before the user was added: it and all messages before it count as read."""

    conversation: Ref
    user: User
    last_message_before: int = 0
    role: Role = "member"


class MemberRemoved(ToConversation, frozen=True):
    """The last event of a conversation that the removed user receives."""

    conversation: Ref
    user: Ref


class MemberUpdated(Event, frozen=True):
    """The role of a member changed."""

    conversation: Ref
    user: User
    role: Role

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return ((MEMBERS, self.conversation[0]),)


class MarkedUnread(ToUser, frozen=True):
    """A user let the messages after `read_to` count as unread again; `unread_left` is how many these are.

    `mentions` are those of them that mention the user.
    """

    conversation: Ref
    user: Ref
    read_to: int
    unread_left: int = 0
    mentions: tuple[int, ...] = ()


class PreferencesChanged(ToUser, frozen=True):
    """A user changed what the user prefers in a conversation."""

    conversation: Ref
    user: Ref
    preferences: Preferences


class Typing(ToConversation, Ephemeral, frozen=True):
    conversation: Ref
    user: Ref
    on: bool

    @property
    def actor(self) -> int:
        return self.user[0]


class PresenceChanged(Ephemeral, frozen=True):
    user: Ref
    online: bool

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return ((PEERS, self.user[0]),)

    @property
    def actor(self) -> int:
        return self.user[0]


class Unread(Struct, frozen=True):
    """The number of unread messages of a conversation, at most 10,000: that also stands for more.

    `mentions` is how many of them mention the user.
    """

    conversation: Ref
    count: int
    mentions: int = 0


class UnreadChanged(ToUser, frozen=True):
    """The unread counts of one user. Not in the log: a new connection receives the current counts."""

    durable: ClassVar[bool] = False

    user: Ref
    total: int
    conversations: tuple[Unread, ...] = ()


class NotificationCreated(Event, frozen=True):
    """A notification is new, or the notification of a conversation now refers to a newer message."""

    notification: Notification

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return ((USER, self.notification.user[0]),)

    @property
    def of_conversation(self) -> bool:
        """Whether a message caused it, for dialects that send another event for that."""
        return self.notification.type == "message" and isinstance(self.notification.related, Ref)


class BroadcastCreated(Event, frozen=True):
    """A broadcast was stored. Each connected user receives it as a NotificationCreated of their own."""

    broadcast: Ref

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return ((EVERYONE, 0),)


class NotificationRead(ToUser, frozen=True):
    notification: Ref
    user: Ref


class NotificationDeleted(ToUser, frozen=True):
    notification: Ref
    user: Ref


class NotificationCounted(ToUser, frozen=True):
    """The number of unread notifications of a user. Not in the log, like UnreadChanged."""

    durable: ClassVar[bool] = False

    user: Ref
    count: int


class FileUploaded(Event, frozen=True):
    file: File

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return ((JOINED, self.file.conversation[0]),)


class FileUnlocked(Event, frozen=True):
    file: File
    user: Ref

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return ((JOINED, self.file.conversation[0]),)


# For the server itself


class Internal(Event, frozen=True):
    """Base class of events that no client receives. They are not stored."""

    durable: ClassVar[bool] = False

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return ()


class AccountChanged(Internal, frozen=True):
    """The account of a user was changed, so what the server keeps of it in memory is out of date."""

    user: Ref


class AccountClosed(Internal, frozen=True):
    """A user was disabled or signed out everywhere: the connections of the user are closed."""

    user: Ref


class LoginSessionEnded(Internal, frozen=True):
    """A login session has ended: the connections that its tokens opened are closed. `sid` is in those tokens."""

    sid: str


class ServiceTokenRevoked(Internal, frozen=True):
    """The token of a service was revoked, so what the server keeps of services in memory is out of date."""

    name: str
