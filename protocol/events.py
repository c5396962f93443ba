"""What the server may tell, and to whom: each event names the places that it goes to.

A place is a kind and a number. Which of its places a dialect listens at, and under which name, is the dialect's
(`Say` rows): `inbox` hears of a message at MEMBERS, with nothing to join; `colon` at JOINED, the conversation's room.

    JOINED  12      the seats that joined conversation 12
    MEMBERS 12      every seat of every member of conversation 12
    USER 7          every seat of user 7
    PEERS 7         every seat of those who share a conversation with user 7
    EVERYONE 0      every seat

An event is durable if it has a row in the event log: then it has a position, and whoever missed it gets it later.
`actor` is the user whose doing it was (0: nobody's), for those rows that tell the others only.
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

from msgspec import Struct

from protocol.ids import Ref
from protocol.model import Conversation, File, Message, Notification, User

JOINED = "joined"
MEMBERS = "members"
USER = "user"
PEERS = "peers"
EVERYONE = "everyone"

Place: TypeAlias = tuple[str, int]


class Event(Struct, frozen=True):
    """Anything that the server may tell."""

    durable: ClassVar[bool] = True
    fleeting: ClassVar[bool] = False

    @property
    def places(self) -> tuple[Place, ...]:
        raise NotImplementedError

    @property
    def actor(self) -> int:
        return 0

    @property
    def room(self) -> Ref | None:
        """The conversation that this is about."""
        return getattr(self, "conversation", None)


class Ephemeral(Event, frozen=True):
    """True just now, and worth nothing later: dropped for those who can't keep up."""

    durable: ClassVar[bool] = False
    fleeting: ClassVar[bool] = True


class _AboutMessage(Event, frozen=True):
    message: Message

    @property
    def places(self) -> tuple[Place, ...]:
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


class MessageDeleted(Event, frozen=True):
    message: Ref
    conversation: Ref
    by: Ref
    sender: Ref

    @property
    def places(self) -> tuple[Place, ...]:
        return ((JOINED, self.conversation[0]), (MEMBERS, self.conversation[0]))

    @property
    def actor(self) -> int:
        return self.by[0]


class MessageRead(Event, frozen=True):
    """Somebody read a message and with it all before it; `left` is what they have still to read there."""

    message: Ref
    conversation: Ref
    reader: Ref
    at: int
    left: int = 0

    @property
    def places(self) -> tuple[Place, ...]:
        return ((JOINED, self.conversation[0]), (MEMBERS, self.conversation[0]))

    @property
    def actor(self) -> int:
        return self.reader[0]


class ConversationCreated(Event, frozen=True):
    """A conversation is there: for all its members when it is made, for one (`newcomer`) who is added to it."""

    conversation: Conversation
    newcomer: Ref | None = None

    @property
    def places(self) -> tuple[Place, ...]:
        if self.newcomer is not None:
            return ((USER, self.newcomer[0]),)
        return ((MEMBERS, self.conversation.ref[0]),)

    @property
    def room(self) -> Ref | None:
        return self.conversation.ref


class ConversationDeleted(Event, frozen=True):
    """`members` are those who were in it."""

    conversation: Ref
    by: Ref
    members: tuple[Ref, ...]

    @property
    def places(self) -> tuple[Place, ...]:
        return ((MEMBERS, self.conversation[0]),)


class MemberAdded(Event, frozen=True):
    """`began` is the last message that was there when they joined: nothing up to it is unread."""

    conversation: Ref
    user: User
    began: int = 0

    @property
    def places(self) -> tuple[Place, ...]:
        return ((JOINED, self.conversation[0]), (MEMBERS, self.conversation[0]))


class MemberRemoved(Event, frozen=True):
    """The last thing of a conversation that the removed user hears."""

    conversation: Ref
    user: Ref

    @property
    def places(self) -> tuple[Place, ...]:
        return ((JOINED, self.conversation[0]), (MEMBERS, self.conversation[0]))


class Typing(Ephemeral, frozen=True):
    conversation: Ref
    user: Ref
    on: bool

    @property
    def places(self) -> tuple[Place, ...]:
        return ((JOINED, self.conversation[0]), (MEMBERS, self.conversation[0]))

    @property
    def actor(self) -> int:
        return self.user[0]


class PresenceChanged(Ephemeral, frozen=True):
    user: Ref
    online: bool

    @property
    def places(self) -> tuple[Place, ...]:
        return ((PEERS, self.user[0]),)

    @property
    def actor(self) -> int:
        return self.user[0]


class Unread(Struct, frozen=True):
    """How much of a conversation is unread: at most 10,000, which also stands for more."""

    conversation: Ref
    count: int


class UnreadChanged(Event, frozen=True):
    """All that one user has not read. Not in the log: whoever connects is told the counts as they are then."""

    durable: ClassVar[bool] = False

    user: Ref
    total: int
    conversations: tuple[Unread, ...] = ()

    @property
    def places(self) -> tuple[Place, ...]:
        return ((USER, self.user[0]),)


class NotificationCreated(Event, frozen=True):
    """A notification is there, or (of a conversation, under the same number) is about another message now."""

    notification: Notification

    @property
    def places(self) -> tuple[Place, ...]:
        return ((USER, self.notification.user[0]),)

    @property
    def of_conversation(self) -> bool:
        """Whether it comes of a message, for dialects that have another word for that."""
        return self.notification.type == "message" and isinstance(self.notification.related, Ref)


class EverybodyNotified(Event, frozen=True):
    """A broadcast was recorded. Whoever is here is told of it as NotificationCreated, each in their own name."""

    broadcast: Ref

    @property
    def places(self) -> tuple[Place, ...]:
        return ((EVERYONE, 0),)


class NotificationRead(Event, frozen=True):
    notification: Ref
    user: Ref

    @property
    def places(self) -> tuple[Place, ...]:
        return ((USER, self.user[0]),)


class NotificationDeleted(Event, frozen=True):
    notification: Ref
    user: Ref

    @property
    def places(self) -> tuple[Place, ...]:
        return ((USER, self.user[0]),)


class NotificationCounted(Event, frozen=True):
    """How many notifications a user has not read; not in the log, as UnreadChanged."""

    durable: ClassVar[bool] = False

    user: Ref
    count: int

    @property
    def places(self) -> tuple[Place, ...]:
        return ((USER, self.user[0]),)


class FileUploaded(Event, frozen=True):
    file: File

    @property
    def places(self) -> tuple[Place, ...]:
        return ((JOINED, self.file.conversation[0]),)


class FileUnlocked(Event, frozen=True):
    file: File
    user: Ref

    @property
    def places(self) -> tuple[Place, ...]:
        return ((JOINED, self.file.conversation[0]),)


class AccountClosed(Event, frozen=True):
    """A user was disabled or signed out everywhere: no dialect has a word for it, their sockets close."""

    durable: ClassVar[bool] = False

    user: Ref

    @property
    def places(self) -> tuple[Place, ...]:
        return ((USER, self.user[0]),)
