"""The broker: rooms → seats. Everything that the server tells anybody goes through here, in one order.

    place (JOINED 12)  →  room  →  one group for each face  →  seats  →  links
    publish            →  the event's bytes, once for each face, wait in the groups that it concerns
    flush              →  for each link that anything waits for: all of it joined, one send

A seat is a connection's place in a namespace; its link is the connection, which all its namespaces share. Publishing
appends to a list for each group, whatever the number of seats; the flush, a task of its own, gathers what waits and
hands it to each link once. While it runs, the next batch forms: that is all the timing there is.

Order. Everything gets a number as it is published or sent. What several groups hold for one link is merged by that
number, so each connection hears events in the order of their commits, its own answers among them. When a seat comes
or goes while something waits in the group, the wait is first handed out to those who were there: nobody gets what was
published before they came, and whoever goes still gets what was published while they were there.

The broker is synchronous, but for the flush, which yields between chunks of sends. It knows no dialect: a face does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from operator import itemgetter
from typing import Protocol

import trio

from chatd.realtime.encoder import EventEncoder
from protocol.events import EVERYONE, JOINED, MEMBERS, PEERS, USER, Audience, Event

SENDS_PER_CHUNK = 200  # sends between two yields of a flush: a millisecond

NO_GROUPS: dict[EventEncoder, SubscriberGroup] = {}
_number_of = itemgetter(0)
QueuedFrame = tuple[int, bytes, bool]
"""The number, the bytes, and whether they may be dropped for a client that can't keep up."""


class SinkOutbox(Protocol):
    """Sends the bytes for one connection. `send` may change between two calls, so it is looked up for each.

    `send` may be a socket's own `send`: it returns how many bytes the kernel took, or raises OSError. The rest is
    then passed to `queue_unsent`. Any other `send` takes all bytes and returns None.
    """

    @property
    def send(self) -> Callable[[bytes], int | None]: ...

    @property
    def is_slow(self) -> bool: ...

    def queue_unsent(self, data: bytes, taken: int) -> None: ...


class FrameBatch:
    """Entries that go to one or to many links, joined once."""

    __slots__ = ("_data", "_firm", "entries", "has_droppable")

    def __init__(self, entries: list[QueuedFrame]) -> None:
        self.entries = entries
        self.has_droppable = entries[0][2] if len(entries) == 1 else any(map(itemgetter(2), entries))
        self._data: bytes | None = None
        self._firm: bytes | None = None

    def data(self) -> bytes:
        if self._data is None:
            self._data = self.entries[0][1] if len(self.entries) == 1 else b"".join([e[1] for e in self.entries])
        return self._data

    def essential_data(self) -> bytes:
        """Without what may be dropped."""
        if self._firm is None:
            self._firm = b"".join([e[1] for e in self.entries if not e[2]])
        return self._firm


EMPTY = FrameBatch([(0, b"", False)])


class Sink:
    """A connection as the broker sees it. `pending_batches` and `own_entries` are the broker's."""

    __slots__ = ("outbox", "own_entries", "pending_batches")

    def __init__(self, outbox: SinkOutbox) -> None:
        self.outbox = outbox
        self.pending_batches: FrameBatch | list[FrameBatch] | None = None
        self.own_entries: list[QueuedFrame] = []


class Subscriber:
    """A link's place in one namespace: who sits there, and the face that they are told things in.

    Whoever sits `everywhere` is in the rooms of all conversations of the user, those to come included.
    """

    __slots__ = ("encoder", "groups", "in_all_rooms", "sink", "user")

    def __init__(self, link: Sink, face: EventEncoder, user: int, *, everywhere: bool = False) -> None:
        self.sink = link
        self.encoder = face
        self.user = user
        self.in_all_rooms = everywhere
        self.groups: dict[Audience, SubscriberGroup] = {}


class SubscriberGroup:
    """The seats of one face in one room, and what waits for all of them."""

    __slots__ = ("encoder", "subscribers", "waiting")

    def __init__(self, face: EventEncoder) -> None:
        self.encoder = face
        self.subscribers: dict[Subscriber, None] = {}
        self.waiting: list[QueuedFrame] = []


class RoomMembers(Protocol):
    """Who is here, by user: what places beyond rooms are made of."""

    def members(self, conversation: int) -> Collection[int]: ...

    def peers(self, user: int) -> Collection[int]: ...


class Broker:
    """See above. `audience` is asked for MEMBERS and PEERS."""

    def __init__(self, audience: RoomMembers) -> None:
        self._audience = audience
        self._rooms: dict[Audience, dict[EventEncoder, SubscriberGroup]] = {}
        self._encoder_counts: dict[EventEncoder, int] = {}
        self._encoders_by_event: dict[tuple[type[Event], str], set[EventEncoder]] = {}
        self._number = 0
        self._groups: list[SubscriberGroup] = []
        self._sinks: list[Sink] = []
        self._due: list[Sink] = []
        """The links that a flush has gathered something for and has not sent to yet, each once."""
        self._work = trio.Event()
        self.on_room_changed: Callable[[int, Audience, bool], None] = lambda user, place, came: None
        """Hears of each user's seat that comes into a room or goes from it."""
        self.position = 0
        """The position of the last durable event that was published."""
        self.delivered = 0

    # Seats

    def subscribe(self, seat: Subscriber) -> None:
        """Take a seat: from now on it hears what its user is told."""
        self._encoder_counts[seat.encoder] = self._encoder_counts.get(seat.encoder, 0) + 1
        if self._encoder_counts[seat.encoder] == 1:
            self._encoders_by_event.clear()
        self.join(seat, (USER, seat.user))

    def unsubscribe(self, seat: Subscriber) -> None:
        """Leave everything. What waits for the seat is still handed out to its link."""
        if (USER, seat.user) not in seat.groups:
            return
        for place in list(seat.groups):
            self.leave(seat, place)
        self._encoder_counts[seat.encoder] -= 1
        if not self._encoder_counts[seat.encoder]:
            del self._encoder_counts[seat.encoder]
            self._encoders_by_event.clear()

    def join(self, seat: Subscriber, place: Audience) -> None:
        if place in seat.groups:
            return
        groups = self._rooms.setdefault(place, {})
        group = groups.get(seat.encoder)
        if group is None:
            group = groups[seat.encoder] = SubscriberGroup(seat.encoder)
        self._distribute(group)
        group.subscribers[seat] = None
        seat.groups[place] = group
        self.on_room_changed(seat.user, place, True)

    def open_room(self, place: Audience, user: int) -> None:
        """Join a room with the seats of a user that are everywhere."""
        for seat in self.subscribers((USER, user)):
            if seat.in_all_rooms:
                self.join(seat, place)

    def leave(self, seat: Subscriber, place: Audience) -> None:
        group = seat.groups.pop(place, None)
        if group is None:
            return
        self._distribute(group)
        del group.subscribers[seat]
        if not group.subscribers:
            groups = self._rooms[place]
            del groups[group.encoder]
            if not groups:
                del self._rooms[place]
        self.on_room_changed(seat.user, place, False)

    def subscribers(self, place: Audience) -> list[Subscriber]:
        return [seat for group in self._rooms.get(place, {}).values() for seat in group.subscribers]

    def evict(self, place: Audience, user: int | None = None) -> None:
        """Clear a room of everybody, or of one user."""
        for seat in self.subscribers(place):
            if user is None or seat.user == user:
                self.leave(seat, place)

    def has_listener(self, event: type[Event], at: str) -> bool:
        """Whether anybody here has a word for that event at that kind of place."""
        return bool(self._encoders_for(event, at))

    def _encoders_for(self, event: type[Event], at: str) -> set[EventEncoder]:
        """The faces here that have a word for that event at that kind of place."""
        known = self._encoders_by_event.get((event, at))
        if known is None:
            known = self._encoders_by_event[event, at] = {
                face for face in self._encoder_counts if face.has_event(event, at)
            }
        return known

    # Publishing

    def publish(self, event: Event, position: int | None) -> None:
        """Tell an event to everybody whom it concerns."""
        if position is not None:
            self.position = position
        droppable = event.droppable
        rooms = self._rooms
        for at, number in event.audiences:
            faces = self._encoders_for(type(event), at)
            if not faces:
                continue
            spelt: dict[EventEncoder, list[tuple[bytes, bool]]] = {}
            for place in self._places(at, number):
                for face, group in rooms.get(place, NO_GROUPS).items():
                    said = spelt.get(face)
                    if said is None:
                        said = spelt[face] = face.encode(event, at, position) if face in faces else []
                    for data, others in said:
                        self._number += 1
                        entry = (self._number, data, droppable)
                        if others:
                            self._enqueue_for_others(group, entry, event.actor)
                        else:
                            self._enqueue(group, entry)

    def _places(self, at: str, number: int) -> Iterable[Audience]:
        """The rooms behind a place: its own, or those of users."""
        if at in (JOINED, USER):
            return ((at, number),)
        if at == MEMBERS:
            return [(USER, user) for user in self._audience.members(number)]
        if at == PEERS:
            return [(USER, user) for user in self._audience.peers(number)]
        assert at == EVERYONE
        return [place for place in self._rooms if place[0] == USER]

    def _enqueue(self, group: SubscriberGroup, entry: QueuedFrame) -> None:
        if not group.waiting:
            self._groups.append(group)
            self._work.set()
        group.waiting.append(entry)

    def _enqueue_for_others(self, group: SubscriberGroup, entry: QueuedFrame, actor: int) -> None:
        for seat in group.subscribers:
            if seat.user != actor:
                self._send(seat.sink, entry)

    def send(self, link: Sink, data: bytes, *, droppable: bool = False) -> None:
        """Say something to one connection, in its order among everything else that it is told."""
        self._number += 1
        self._send(link, (self._number, data, droppable))

    def tell(self, seat: Subscriber, event: Event) -> None:
        """Tell an event that has no position to one seat alone, by the first word that its face has for it."""
        for say in seat.encoder.shapes.get(type(event), ()):
            if say.applies(event):
                self.send(seat.sink, seat.encoder.encode_as(say, event, None))
                return

    def _send(self, link: Sink, entry: QueuedFrame) -> None:
        if not link.own_entries:
            self._sinks.append(link)
            self._work.set()
        link.own_entries.append(entry)

    def _distribute(self, group: SubscriberGroup) -> None:
        """Give what waits in a group to each of its links, because the group is about to change."""
        if group.waiting:
            waiting, group.waiting = group.waiting, []
            self._groups.remove(group)
            for seat in group.subscribers:
                for entry in waiting:
                    self._send(seat.sink, entry)

    # Flushing

    async def run(self) -> None:
        """Flush whenever anything waits. Run it once, for as long as the server runs."""
        while True:
            await self._work.wait()
            self._work = trio.Event()
            await self.flush()

    async def flush(self) -> None:
        """Hand everything that waits to its links."""
        self._gather()
        while self._due:
            self._deliver(self._take(SENDS_PER_CHUNK))
            if self._due:
                await trio.lowlevel.checkpoint()

    def flush_now(self) -> None:
        """The same without yielding, what a running flush still holds included: for what is said before a goodbye."""
        self._gather()
        self._deliver(self._take(len(self._due)))

    def _take(self, count: int) -> list[Sink]:
        """The next links to send to."""
        taken, self._due = self._due[:count], self._due[count:]
        return taken

    def _gather(self) -> None:
        """Give every link for which anything waits what it is due. A link that is due already stays in its place."""
        groups, self._groups = self._groups, []
        direct, self._sinks = self._sinks, []
        add = self._due.append
        for group in groups:
            batch = FrameBatch(group.waiting)
            group.waiting = []
            for seat in group.subscribers:
                link = seat.sink
                due = link.pending_batches
                if due is None:
                    link.pending_batches = batch
                    add(link)
                elif type(due) is list:
                    due.append(batch)
                else:
                    link.pending_batches = [due, batch]  # type: ignore[list-item]
        for link in direct:
            own = FrameBatch(
                link.own_entries if len(link.own_entries) == 1 else sorted(link.own_entries, key=_number_of)
            )
            link.own_entries = []
            if link.pending_batches is None:
                link.pending_batches = own
                add(link)
            elif type(link.pending_batches) is list:
                link.pending_batches.append(own)
            else:
                link.pending_batches = [link.pending_batches, own]  # type: ignore[list-item]

    def _deliver(self, links: list[Sink]) -> None:
        """Give each link what it is due. After a send all caches are cold: as little as can be is done between two."""
        batch: FrameBatch | list[FrameBatch] | None = None
        whole, data, size, count, mixed, delivered = EMPTY, b"", 0, 0, False, 0
        for link in links:
            due = link.pending_batches
            link.pending_batches = None
            if due is not batch:  # most have the same as their neighbours
                assert due is not None
                batch = due
                whole = due if isinstance(due, FrameBatch) else merged(due)
                data, mixed, count = whole.data(), whole.has_droppable, len(whole.entries)
                size = len(data)
            delivered += count
            said = whole.essential_data() if mixed and link.outbox.is_slow else data
            try:
                taken = link.outbox.send(said)
            except OSError:
                taken = 0
            if taken != size and taken is not None and taken < len(said):
                link.outbox.queue_unsent(said, taken)
        self.delivered += delivered


def merged(batches: list[FrameBatch]) -> FrameBatch:
    """Several batches as one, in the order in which things were said."""
    return FrameBatch(sorted([entry for batch in batches for entry in batch.entries], key=_number_of))
