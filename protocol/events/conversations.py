"""Events of conversations: their messages, their members, and who types or is online."""

from __future__ import annotations

from protocol.events.base import JOINED, MEMBERS, PEERS, USER, Audience, Ephemeral, Event, ToConversation
from protocol.ids import Ref
from protocol.model import Conversation, Message, Role, User


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
