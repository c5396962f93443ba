"""Online users: their conversations, and how many messages of each they have not read.

The state of a user is read from the store when the user's first connection opens. Events keep it correct from then on,
until the user is offline (chatd/realtime/presence.py). So MEMBERS, PEERS and unread counts cost no query.

Counts. A conversation counts its messages (`message_count`). The unread count of a user is that count less the user's
own `offset`, which grows when the user reads or sends. So a message costs one addition, for any number of online
members. A count is computed only when it is sent.

The store counts at most COUNTED messages, so no count that is sent is higher. Such a count is read from the store again
when the user reads a message or connects again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from chatd.realtime.event_bus import EventBus
from chatd.store.queries.read_states import MAX_UNREAD_COUNTED
from protocol import events
from protocol.events import Unread, UnreadChanged
from protocol.ids import Ref
from protocol.model import Kind, Message

BUSY_GROUP_SECONDS = 1.0  # how often counts are sent in a group in which messages keep coming


class ReadState:
    """One user in one conversation: the message after which unread begin, and the count at which nothing is unread.

    `mentions` are the unread messages that mention the user.
    """

    __slots__ = ("cursor", "mentions", "offset")

    def __init__(self, cursor: int, offset: int, mentions: tuple[int, ...] = ()) -> None:
        self.cursor = cursor
        self.offset = offset
        self.mentions = mentions


class ConversationState:
    """A conversation with an online member. `counts_sent_at` is when its members last received their counts."""

    __slots__ = ("counts_sent_at", "kind", "message_count", "read_states", "ref")

    def __init__(self, ref: Ref, kind: Kind) -> None:
        self.ref = ref
        self.kind = kind
        self.message_count = 0
        self.counts_sent_at = -BUSY_GROUP_SECONDS
        self.read_states: dict[int, ReadState] = {}


class OnlineUser:
    """An online user: the number of sockets, the conversations, and the counts that were sent last."""

    __slots__ = ("conversations", "counts_sent", "ref", "sockets")

    def __init__(self, ref: Ref) -> None:
        self.ref = ref
        self.sockets = 0
        self.conversations: set[int] = set()
        self.counts_sent: UnreadChanged | None = None


class OnlineUsers:
    """All online users. `changed` are the users whose counts must be sent."""

    def __init__(self, bus: EventBus) -> None:
        self._conversations: dict[int, ConversationState] = {}
        self._users: dict[int, OnlineUser] = {}
        self.changed: set[int] = set()
        self.active_groups: set[int] = set()
        """Groups with messages since the last time that their members received their counts."""
        bus.before(events.ConversationCreated, self._on_conversation_created)
        bus.before(events.MemberAdded, self._on_member_added)
        bus.after(events.MessageCreated, self._on_message)
        bus.after(events.MessageUpdated, self._on_message_updated)
        bus.after(events.MessageRead, self._on_read)
        bus.after(events.MarkedUnread, self._on_marked_unread)
        bus.after(events.MessageDeleted, self._on_message_deleted)
        bus.after(events.MemberRemoved, self._on_member_removed)
        bus.after(events.ConversationDeleted, self._on_conversation_deleted)

    # Users

    def is_online(self, user: int) -> bool:
        return user in self._users

    def connect(self, user: Ref, read_states: Iterable[tuple[Ref, Kind, int, int, tuple[int, ...]]] | None) -> None:
        """Count one more socket of a user.

        The first one needs `read_states`: (conversation, kind, cursor, unread, mentions) of each of the user's
        conversations.
        """
        online_user = self._users.get(user.number)
        if online_user is None:
            online_user = self._users[user.number] = OnlineUser(user)
            for ref, kind, cursor, unread, mentions in read_states or ():
                self._add_membership(online_user, ref, kind, cursor, unread, mentions)
        online_user.sockets += 1

    def disconnect(self, user: int) -> int:
        """Count one socket less and return how many are left. Without any, the user's state is kept until `forget`."""
        online_user = self._users.get(user)
        if online_user is None:
            return 0
        online_user.sockets = max(0, online_user.sockets - 1)
        return online_user.sockets

    def forget(self, user: int) -> None:
        """Drop the state of a user, unless the user has a socket again."""
        online_user = self._users.get(user)
        if online_user is None or online_user.sockets:
            return
        for conversation in list(online_user.conversations):
            self._remove_membership(user, conversation)
        del self._users[user]
        self.changed.discard(user)

    def ref(self, user: int) -> Ref | None:
        """The reference of an online user; None for all others."""
        online_user = self._users.get(user)
        return online_user.ref if online_user else None

    def all_ids(self) -> Collection[int]:
        return list(self._users)

    def _add_membership(
        self, online_user: OnlineUser, ref: Ref, kind: Kind, cursor: int, unread: int, mentions: tuple[int, ...] = ()
    ) -> None:
        state = self._conversations.get(ref.number)
        if state is None:
            state = self._conversations[ref.number] = ConversationState(ref, kind)
        state.read_states[online_user.ref.number] = ReadState(cursor, state.message_count - unread, mentions)
        online_user.conversations.add(ref.number)

    def _remove_membership(self, user: int, conversation: int) -> None:
        online_user, state = self._users.get(user), self._conversations.get(conversation)
        if online_user is None or state is None:
            return
        online_user.conversations.discard(conversation)
        state.read_states.pop(user, None)
        if not state.read_states:
            del self._conversations[conversation]
            self.active_groups.discard(conversation)

    # Audience

    def members(self, conversation: int) -> Collection[int]:
        state = self._conversations.get(conversation)
        return list(state.read_states) if state else ()

    def conversations(self, user: int) -> Collection[int]:
        """The conversations of an online user."""
        online_user = self._users.get(user)
        return list(online_user.conversations) if online_user else ()

    def is_member(self, conversation: int, user: int) -> ConversationState | None:
        """The conversation, if that user is online and a member."""
        state = self._conversations.get(conversation)
        return state if state and user in state.read_states else None

    def peers(self, user: int) -> Collection[int]:
        """The online users who share a conversation with a user."""
        online_user = self._users.get(user)
        if online_user is None:
            return ()
        found: set[int] = set()
        for conversation in online_user.conversations:
            found.update(self._conversations[conversation].read_states)
        found.discard(user)
        return found

    # Counts

    def unread(self, user: int) -> UnreadChanged | None:
        """The unread counts of an online user; None for all others."""
        online_user = self._users.get(user)
        if online_user is None:
            return None
        counts = []
        for conversation in online_user.conversations:
            state = self._conversations[conversation]
            read_state = state.read_states[user]
            count = state.message_count - read_state.offset
            if count > 0:
                counts.append(Unread(state.ref, min(count, MAX_UNREAD_COUNTED), len(read_state.mentions)))
        counts.sort(key=lambda one: one.conversation.number)
        return UnreadChanged(online_user.ref, sum(one.count for one in counts), tuple(counts))

    def counts_to_send(self, user: int) -> UnreadChanged | None:
        """The unread counts, to be sent to every socket of the user. They are remembered as sent; `unread` does not."""
        counts = self.unread(user)
        if counts is not None:
            self._users[user].counts_sent = counts
        return counts

    def due_counts(self, now: float) -> list[UnreadChanged]:
        """The counts for members of groups with new messages: at once after a silence, less often in a busy group."""
        due = [
            number
            for number in self.active_groups
            if now - self._conversations[number].counts_sent_at >= BUSY_GROUP_SECONDS
        ]
        members: dict[int, None] = {}
        for number in due:
            self._conversations[number].counts_sent_at = now
            members.update(dict.fromkeys(self._conversations[number].read_states))
        self.active_groups.difference_update(due)
        return [counts for user in members if (counts := self._changed_counts(user))]

    def _changed_counts(self, user: int) -> UnreadChanged | None:
        """The unread counts of a user, unless the same were sent last: a sender's own message changes nothing."""
        sent = self._users[user].counts_sent
        counts = self.counts_to_send(user)
        return None if counts == sent else counts

    # Events, in the order of their commits

    def _on_conversation_created(self, event: events.ConversationCreated) -> None:
        if event.newcomer is None:
            for ref in event.conversation.members:
                if online_user := self._users.get(ref.number):
                    self._add_membership(online_user, event.conversation.ref, event.conversation.kind, 0, 0)

    def _on_member_added(self, event: events.MemberAdded) -> None:
        if online_user := self._users.get(event.user.ref.number):
            self._add_membership(online_user, event.conversation, "group", event.last_message_before, 0)

    def _on_conversation_deleted(self, event: events.ConversationDeleted) -> None:
        for number in self.members(event.conversation.number):
            self._on_member_gone(number, event.conversation.number)

    def _on_member_removed(self, event: events.MemberRemoved) -> None:
        self._on_member_gone(event.user.number, event.conversation.number)

    def _on_member_gone(self, user: int, conversation: int) -> None:
        if user in self._users:
            self._remove_membership(user, conversation)
            self.changed.add(user)

    def _on_message(self, event: events.MessageCreated) -> None:
        message = event.message
        state = self._conversations.get(message.conversation.number)
        if state is None:
            return
        state.message_count += 1
        sender = state.read_states.get(message.sender.ref.number)
        if sender is not None:
            sender.offset += 1
        if message.features.mentions:
            _add_mentions(state, message)
        if state.kind == "group":
            self.active_groups.add(state.ref.number)
        else:
            self.changed.update(user for user in state.read_states if user != message.sender.ref.number)

    def _on_read(self, event: events.MessageRead) -> None:
        state = self._conversations.get(event.conversation.number)
        read_state = state.read_states.get(event.reader.number) if state else None
        if state and read_state:
            read_state.cursor = max(read_state.cursor, event.message.number)
            read_state.mentions = tuple(id for id in read_state.mentions if id > read_state.cursor)
            read_state.offset = state.message_count - event.unread_left
            self.changed.add(event.reader.number)

    def _on_message_deleted(self, event: events.MessageDeleted) -> None:
        """Count one message less for users who had not read it. For all others nothing changes."""
        state = self._conversations.get(event.conversation.number)
        for user, read_state in state.read_states.items() if state else ():
            if read_state.cursor < event.message.number and user != event.sender.number:
                read_state.offset += 1
                read_state.mentions = tuple(id for id in read_state.mentions if id != event.message.number)
                self.changed.add(user)

    def _on_marked_unread(self, event: events.MarkedUnread) -> None:
        state = self._conversations.get(event.conversation.number)
        read_state = state.read_states.get(event.user.number) if state else None
        if state and read_state:
            read_state.cursor = event.read_to
            read_state.mentions = event.mentions
            read_state.offset = state.message_count - event.unread_left
            self.changed.add(event.user.number)

    def _on_message_updated(self, event: events.MessageUpdated) -> None:
        """An edit may add mentions and take them away."""
        message = event.message
        state = self._conversations.get(message.conversation.number)
        if state is None:
            return
        number, before = message.ref.number, {user: one.mentions for user, one in state.read_states.items()}
        for read_state in state.read_states.values():
            if number in read_state.mentions:
                read_state.mentions = tuple(id for id in read_state.mentions if id != number)
        if message.features.mentions:
            _add_mentions(state, message)
        self.changed.update(user for user, one in state.read_states.items() if one.mentions != before[user])


def _add_mentions(state: ConversationState, message: Message) -> None:
    """Add a message to the unread mentions of the members that it mentions."""
    mentioned = [one.user.number if one.user else None for one in message.features.mentions]
    users = state.read_states if None in mentioned else [user for user in mentioned if user in state.read_states]
    for user in users:
        read_state = state.read_states[user]
        if user != message.sender.ref.number and message.ref.number > read_state.cursor:
            read_state.mentions = tuple(sorted((*read_state.mentions, message.ref.number)))
