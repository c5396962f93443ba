"""The roster: who is here, with which conversations, and how much of each they have not read.

It is kept for users with at least one socket, and a little longer (chatd/realtime/presence.py): made from the store
when the first comes, and kept right by the events themselves from then on. So MEMBERS and PEERS cost no query, and
neither do the counts.

Counts. A conversation counts the messages that pass (`passed`); somebody's unread is that count less their own
`offset`, which reading and their own messages move up. A message then costs one addition, however many members are
here, and nobody's count is touched before it is told.

The store counts at most COUNTED messages, so no count that is told is higher. Such a count is made anew when its user
reads, or connects anew: both ask the store.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from chatd.store.queries.messages import MAX_UNREAD_COUNTED
from protocol import events
from protocol.events import EventHandlers, Unread, UnreadChanged
from protocol.ids import Ref
from protocol.model import Kind

BUSY_GROUP_SECONDS = 1.0  # a group in which messages pass all the time tells its counts that often


class ReadState:
    """One user in one conversation: the message after which unread begin, and the count at which nothing is unread."""

    __slots__ = ("cursor", "offset")

    def __init__(self, cursor: int, offset: int) -> None:
        self.cursor = cursor
        self.offset = offset


class ConversationState:
    """A conversation that somebody here is in. `told` is when its members last heard their counts."""

    __slots__ = ("counts_sent_at", "kind", "message_count", "read_states", "ref")

    def __init__(self, ref: Ref, kind: Kind) -> None:
        self.ref = ref
        self.kind = kind
        self.message_count = 0
        self.counts_sent_at = -BUSY_GROUP_SECONDS
        self.read_states: dict[int, ReadState] = {}


class OnlineUser:
    """A user who is here: their sockets, their conversations, and the counts that they were told last."""

    __slots__ = ("conversations", "counts_sent", "ref", "sockets")

    def __init__(self, ref: Ref) -> None:
        self.ref = ref
        self.sockets = 0
        self.conversations: set[int] = set()
        self.counts_sent: UnreadChanged | None = None


class OnlineUsers:
    """See above. `changed` collects the users whose counts must be told, `soon` those who can wait for a moment."""

    def __init__(self) -> None:
        self._conversations: dict[int, ConversationState] = {}
        self._users: dict[int, OnlineUser] = {}
        self.changed: set[int] = set()
        self.active_groups: set[int] = set()
        """Groups in which messages have passed since their members were last told."""

    # Who is here

    def is_online(self, user: int) -> bool:
        return user in self._users

    def connect(self, user: Ref, read_states: Iterable[tuple[Ref, Kind, int, int]] | None) -> None:
        """One more socket of a user. For the first, `standings` says (conversation, kind, cursor, unread) of each."""
        guest = self._users.get(user.number)
        if guest is None:
            guest = self._users[user.number] = OnlineUser(user)
            for ref, kind, cursor, unread in read_states or ():
                self._add_membership(guest, ref, kind, cursor, unread)
        guest.sockets += 1

    def disconnect(self, user: int) -> int:
        """One socket less; how many are left. With none, the user's place is kept until `forget`."""
        guest = self._users.get(user)
        if guest is None:
            return 0
        guest.sockets = max(0, guest.sockets - 1)
        return guest.sockets

    def forget(self, user: int) -> None:
        """A user without sockets is gone from here."""
        guest = self._users.get(user)
        if guest is None or guest.sockets:
            return
        for conversation in list(guest.conversations):
            self._remove_membership(user, conversation)
        del self._users[user]
        self.changed.discard(user)

    def ref(self, user: int) -> Ref | None:
        """A user who is here."""
        guest = self._users.get(user)
        return guest.ref if guest else None

    def all_ids(self) -> Collection[int]:
        return list(self._users)

    def _add_membership(self, guest: OnlineUser, ref: Ref, kind: Kind, cursor: int, unread: int) -> None:
        state = self._conversations.get(ref.number)
        if state is None:
            state = self._conversations[ref.number] = ConversationState(ref, kind)
        state.read_states[guest.ref.number] = ReadState(cursor, state.message_count - unread)
        guest.conversations.add(ref.number)

    def _remove_membership(self, user: int, conversation: int) -> None:
        guest, state = self._users.get(user), self._conversations.get(conversation)
        if guest is None or state is None:
            return
        guest.conversations.discard(conversation)
        state.read_states.pop(user, None)
        if not state.read_states:
            del self._conversations[conversation]
            self.active_groups.discard(conversation)

    # Audience

    def members(self, conversation: int) -> Collection[int]:
        state = self._conversations.get(conversation)
        return list(state.read_states) if state else ()

    def conversations(self, user: int) -> Collection[int]:
        """The conversations of a user who is here."""
        guest = self._users.get(user)
        return list(guest.conversations) if guest else ()

    def is_member(self, conversation: int, user: int) -> ConversationState | None:
        """The conversation, if that user (who is here) is in it."""
        state = self._conversations.get(conversation)
        return state if state and user in state.read_states else None

    def peers(self, user: int) -> Collection[int]:
        """Those here who share a conversation with a user."""
        guest = self._users.get(user)
        if guest is None:
            return ()
        found: set[int] = set()
        for conversation in guest.conversations:
            found.update(self._conversations[conversation].read_states)
        found.discard(user)
        return found

    # Counts

    def unread(self, user: int) -> UnreadChanged | None:
        """What a user who is here has not read."""
        guest = self._users.get(user)
        if guest is None:
            return None
        counts = []
        for conversation in guest.conversations:
            state = self._conversations[conversation]
            count = state.message_count - state.read_states[user].offset
            if count > 0:
                counts.append(Unread(state.ref, min(count, MAX_UNREAD_COUNTED)))
        counts.sort(key=lambda one: one.conversation.number)
        return UnreadChanged(guest.ref, sum(one.count for one in counts), tuple(counts))

    def counts_to_send(self, user: int) -> UnreadChanged | None:
        """The same, to be told to every socket of that user: one that asked, or has just come, is not all of them."""
        counts = self.unread(user)
        if counts is not None:
            self._users[user].counts_sent = counts
        return counts

    def due_counts(self, now: float) -> list[UnreadChanged]:
        """What members of groups that have stirred must be told: soon after a silence, less often in a busy group."""
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
        """What a user has not read, if it is not what they were told last: whoever sent it has not one more to read."""
        told = self._users[user].counts_sent
        counts = self.counts_to_send(user)
        return None if counts == told else counts

    # What happens, in the order of its commits

    @property
    def precedes(self) -> EventHandlers:
        """What must be known before an event is told: newcomers hear of it too."""
        return {events.ConversationCreated: self._on_conversation_created, events.MemberAdded: self._on_member_added}

    @property
    def follows(self) -> EventHandlers:
        """What follows from an event that has been told."""
        return {
            events.MessageCreated: self._on_message,
            events.MessageRead: self._on_read,
            events.MessageDeleted: self._on_message_deleted,
            events.MemberRemoved: lambda event: self._on_member_gone(event.user.number, event.conversation.number),
            events.ConversationDeleted: self._on_conversation_deleted,
        }

    def _on_conversation_created(self, event: events.ConversationCreated) -> None:
        if event.newcomer is None:
            for ref in event.conversation.members:
                if guest := self._users.get(ref.number):
                    self._add_membership(guest, event.conversation.ref, event.conversation.kind, 0, 0)

    def _on_member_added(self, event: events.MemberAdded) -> None:
        if guest := self._users.get(event.user.ref.number):
            self._add_membership(guest, event.conversation, "group", event.last_message_before, 0)

    def _on_conversation_deleted(self, event: events.ConversationDeleted) -> None:
        for number in self.members(event.conversation.number):
            self._on_member_gone(number, event.conversation.number)

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
        if state.kind == "group":
            self.active_groups.add(state.ref.number)
        else:
            self.changed.update(user for user in state.read_states if user != message.sender.ref.number)

    def _on_read(self, event: events.MessageRead) -> None:
        state = self._conversations.get(event.conversation.number)
        read_state = state.read_states.get(event.reader.number) if state else None
        if state and read_state:
            read_state.cursor = max(read_state.cursor, event.message.number)
            read_state.offset = state.message_count - event.unread_left
            self.changed.add(event.reader.number)

    def _on_message_deleted(self, event: events.MessageDeleted) -> None:
        """One message less for those who had not read it; for all others nothing changes."""
        state = self._conversations.get(event.conversation.number)
        for user, read_state in state.read_states.items() if state else ():
            if read_state.cursor < event.message.number and user != event.sender.number:
                read_state.offset += 1
                self.changed.add(user)
