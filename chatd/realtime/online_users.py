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

from chatd.store.queries.messages import COUNTED
from protocol import events
from protocol.events import Follows, Unread, UnreadChanged
from protocol.ids import Ref
from protocol.model import Kind

BUSY_SECONDS = 1.0  # a group in which messages pass all the time tells its counts that often


class Standing:
    """One user in one conversation: the message after which unread begin, and the count at which nothing is unread."""

    __slots__ = ("cursor", "offset")

    def __init__(self, cursor: int, offset: int) -> None:
        self.cursor = cursor
        self.offset = offset


class Hall:
    """A conversation that somebody here is in. `told` is when its members last heard their counts."""

    __slots__ = ("kind", "passed", "ref", "standings", "told")

    def __init__(self, ref: Ref, kind: Kind) -> None:
        self.ref = ref
        self.kind = kind
        self.passed = 0
        self.told = -BUSY_SECONDS
        self.standings: dict[int, Standing] = {}


class Guest:
    """A user who is here: their sockets, their conversations, and the counts that they were told last."""

    __slots__ = ("conversations", "ref", "sockets", "told")

    def __init__(self, ref: Ref) -> None:
        self.ref = ref
        self.sockets = 0
        self.conversations: set[int] = set()
        self.told: UnreadChanged | None = None


class Roster:
    """See above. `changed` collects the users whose counts must be told, `soon` those who can wait for a moment."""

    def __init__(self) -> None:
        self._halls: dict[int, Hall] = {}
        self._guests: dict[int, Guest] = {}
        self.changed: set[int] = set()
        self.stirred: set[int] = set()
        """Groups in which messages have passed since their members were last told."""

    # Who is here

    def is_here(self, user: int) -> bool:
        return user in self._guests

    def enter(self, user: Ref, standings: Iterable[tuple[Ref, Kind, int, int]] | None) -> None:
        """One more socket of a user. For the first, `standings` says (conversation, kind, cursor, unread) of each."""
        guest = self._guests.get(user.number)
        if guest is None:
            guest = self._guests[user.number] = Guest(user)
            for ref, kind, cursor, unread in standings or ():
                self._place(guest, ref, kind, cursor, unread)
        guest.sockets += 1

    def exit(self, user: int) -> int:
        """One socket less; how many are left. With none, the user's place is kept until `forget`."""
        guest = self._guests.get(user)
        if guest is None:
            return 0
        guest.sockets = max(0, guest.sockets - 1)
        return guest.sockets

    def forget(self, user: int) -> None:
        """A user without sockets is gone from here."""
        guest = self._guests.get(user)
        if guest is None or guest.sockets:
            return
        for conversation in list(guest.conversations):
            self._displace(user, conversation)
        del self._guests[user]
        self.changed.discard(user)

    def ref(self, user: int) -> Ref | None:
        """A user who is here."""
        guest = self._guests.get(user)
        return guest.ref if guest else None

    def everybody(self) -> Collection[int]:
        return list(self._guests)

    def _place(self, guest: Guest, ref: Ref, kind: Kind, cursor: int, unread: int) -> None:
        hall = self._halls.get(ref.number)
        if hall is None:
            hall = self._halls[ref.number] = Hall(ref, kind)
        hall.standings[guest.ref.number] = Standing(cursor, hall.passed - unread)
        guest.conversations.add(ref.number)

    def _displace(self, user: int, conversation: int) -> None:
        guest, hall = self._guests.get(user), self._halls.get(conversation)
        if guest is None or hall is None:
            return
        guest.conversations.discard(conversation)
        hall.standings.pop(user, None)
        if not hall.standings:
            del self._halls[conversation]
            self.stirred.discard(conversation)

    # Audience

    def members(self, conversation: int) -> Collection[int]:
        hall = self._halls.get(conversation)
        return list(hall.standings) if hall else ()

    def conversations(self, user: int) -> Collection[int]:
        """The conversations of a user who is here."""
        guest = self._guests.get(user)
        return list(guest.conversations) if guest else ()

    def is_member(self, conversation: int, user: int) -> Hall | None:
        """The conversation, if that user (who is here) is in it."""
        hall = self._halls.get(conversation)
        return hall if hall and user in hall.standings else None

    def peers(self, user: int) -> Collection[int]:
        """Those here who share a conversation with a user."""
        guest = self._guests.get(user)
        if guest is None:
            return ()
        found: set[int] = set()
        for conversation in guest.conversations:
            found.update(self._halls[conversation].standings)
        found.discard(user)
        return found

    # Counts

    def unread(self, user: int) -> UnreadChanged | None:
        """What a user who is here has not read."""
        guest = self._guests.get(user)
        if guest is None:
            return None
        counts = []
        for conversation in guest.conversations:
            hall = self._halls[conversation]
            count = hall.passed - hall.standings[user].offset
            if count > 0:
                counts.append(Unread(hall.ref, min(count, COUNTED)))
        counts.sort(key=lambda one: one.conversation.number)
        return UnreadChanged(guest.ref, sum(one.count for one in counts), tuple(counts))

    def telling(self, user: int) -> UnreadChanged | None:
        """The same, to be told to every socket of that user: one that asked, or has just come, is not all of them."""
        counts = self.unread(user)
        if counts is not None:
            self._guests[user].told = counts
        return counts

    def stir(self, now: float) -> list[UnreadChanged]:
        """What members of groups that have stirred must be told: soon after a silence, less often in a busy group."""
        due = [number for number in self.stirred if now - self._halls[number].told >= BUSY_SECONDS]
        members: dict[int, None] = {}
        for number in due:
            self._halls[number].told = now
            members.update(dict.fromkeys(self._halls[number].standings))
        self.stirred.difference_update(due)
        return [counts for user in members if (counts := self._news(user))]

    def _news(self, user: int) -> UnreadChanged | None:
        """What a user has not read, if it is not what they were told last: whoever sent it has not one more to read."""
        told = self._guests[user].told
        counts = self.telling(user)
        return None if counts == told else counts

    # What happens, in the order of its commits

    @property
    def precedes(self) -> Follows:
        """What must be known before an event is told: newcomers hear of it too."""
        return {events.ConversationCreated: self._opened, events.MemberAdded: self._added}

    @property
    def follows(self) -> Follows:
        """What follows from an event that has been told."""
        return {
            events.MessageCreated: self._message,
            events.MessageRead: self._read,
            events.MessageDeleted: self._deleted,
            events.MemberRemoved: lambda event: self._gone(event.user.number, event.conversation.number),
            events.ConversationDeleted: self._closed,
        }

    def _opened(self, event: events.ConversationCreated) -> None:
        if event.newcomer is None:
            for ref in event.conversation.members:
                if guest := self._guests.get(ref.number):
                    self._place(guest, event.conversation.ref, event.conversation.kind, 0, 0)

    def _added(self, event: events.MemberAdded) -> None:
        if guest := self._guests.get(event.user.ref.number):
            self._place(guest, event.conversation, "group", event.began, 0)

    def _closed(self, event: events.ConversationDeleted) -> None:
        for number in self.members(event.conversation.number):
            self._gone(number, event.conversation.number)

    def _gone(self, user: int, conversation: int) -> None:
        if user in self._guests:
            self._displace(user, conversation)
            self.changed.add(user)

    def _message(self, event: events.MessageCreated) -> None:
        message = event.message
        hall = self._halls.get(message.conversation.number)
        if hall is None:
            return
        hall.passed += 1
        sender = hall.standings.get(message.sender.ref.number)
        if sender is not None:
            sender.offset += 1
        if hall.kind == "group":
            self.stirred.add(hall.ref.number)
        else:
            self.changed.update(user for user in hall.standings if user != message.sender.ref.number)

    def _read(self, event: events.MessageRead) -> None:
        hall = self._halls.get(event.conversation.number)
        standing = hall.standings.get(event.reader.number) if hall else None
        if hall and standing:
            standing.cursor = max(standing.cursor, event.message.number)
            standing.offset = hall.passed - event.left
            self.changed.add(event.reader.number)

    def _deleted(self, event: events.MessageDeleted) -> None:
        """One message less for those who had not read it; for all others nothing changes."""
        hall = self._halls.get(event.conversation.number)
        for user, standing in hall.standings.items() if hall else ():
            if standing.cursor < event.message.number and user != event.sender.number:
                standing.offset += 1
                self.changed.add(user)
