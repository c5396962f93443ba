"""The broker: rooms → subscribers. Everything that the server sends to clients goes through here, in one order.

    room (JOINED 12)   →  one group for each encoder  →  subscribers  →  sinks
    publish            →  the event's bytes, encoded once for each encoder, wait in the groups that the event concerns
    flush              →  for each sink with anything to send: all of it joined, one send

A subscriber is a connection's open namespace; its sink is the connection, which all its namespaces share. Publishing
appends to one list for each group, for any number of subscribers. The flush gathers the waiting entries, and sends to
each sink once, at the end of each round of the loop (chatd/realtime/flusher.py). A flush of many sinks takes several
rounds, and the next batch forms meanwhile. There is no other timing.

Order. Every entry gets a number when it is published or sent. What several groups hold for one sink is merged by that
number. So each connection receives events in the order of their commits, and its own answers among them. Entries may
wait in a group when a subscriber enters or leaves it. They are first given to the sinks of the present subscribers. So
a new subscriber receives only what is published after it entered. A leaving subscriber still receives what was
published before it left.

The broker is synchronous. It knows no dialect: encoders do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from operator import itemgetter
from typing import Protocol

import trio

from chatd.realtime.encoder import EventEncoder
from protocol.events import EVERYONE, JOINED, MEMBERS, PEERS, USER, Audience, Event

SENDS_PER_CHUNK = 200  # sends in one round of the loop: a millisecond

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
    """Entries that go to one sink or to many, joined once."""

    __slots__ = ("_data", "_essential", "entries", "has_droppable")

    def __init__(self, entries: list[QueuedFrame]) -> None:
        self.entries = entries
        self.has_droppable = entries[0][2] if len(entries) == 1 else any(map(itemgetter(2), entries))
        self._data: bytes | None = None
        self._essential: bytes | None = None

    def data(self) -> bytes:
        if self._data is None:
            self._data = self.entries[0][1] if len(self.entries) == 1 else b"".join([e[1] for e in self.entries])
        return self._data

    def essential_data(self) -> bytes:
        """The data without the entries that may be dropped."""
        if self._essential is None:
            self._essential = b"".join([e[1] for e in self.entries if not e[2]])
        return self._essential


EMPTY_BATCH = FrameBatch([(0, b"", False)])


class Sink:
    """A connection as the broker sees it. `pending_batches` and `own_entries` belong to the broker."""

    __slots__ = ("outbox", "own_entries", "pending_batches")

    def __init__(self, outbox: SinkOutbox) -> None:
        self.outbox = outbox
        self.pending_batches: FrameBatch | list[FrameBatch] | None = None
        self.own_entries: list[QueuedFrame] = []


class Subscriber:
    """An open namespace of a connection: its user, and the encoder of the events that it receives.

    One that is `in_all_rooms` is in the rooms of all conversations of the user, and enters each new one.
    """

    __slots__ = ("encoder", "groups", "in_all_rooms", "sink", "user")

    def __init__(self, sink: Sink, encoder: EventEncoder, user: int, *, in_all_rooms: bool = False) -> None:
        self.sink = sink
        self.encoder = encoder
        self.user = user
        self.in_all_rooms = in_all_rooms
        self.groups: dict[Audience, SubscriberGroup] = {}


class SubscriberGroup:
    """The subscribers of one encoder in one room, and the entries that wait for all of them."""

    __slots__ = ("encoder", "subscribers", "waiting")

    def __init__(self, encoder: EventEncoder) -> None:
        self.encoder = encoder
        self.subscribers: dict[Subscriber, None] = {}
        self.waiting: list[QueuedFrame] = []


class RoomMembers(Protocol):
    """Which users are online: what the broker needs for the places that are no rooms."""

    def members(self, conversation: int) -> Collection[int]: ...

    def peers(self, user: int) -> Collection[int]: ...


OnRoomChanged = Callable[[int, Audience, bool], None]
"""Called with the user, the room, and whether a subscriber of the user has entered it (or left it)."""


def _ignore(user: int, place: Audience, entered: bool) -> None:
    """The default of OnRoomChanged."""


class Broker:
    """Sends events and answers to subscribers. `audience` resolves the places MEMBERS and PEERS to users."""

    def __init__(self, audience: RoomMembers, on_room_changed: OnRoomChanged = _ignore, *, position: int = 0) -> None:
        self._audience = audience
        self._rooms: dict[Audience, dict[EventEncoder, SubscriberGroup]] = {}
        self._encoder_counts: dict[EventEncoder, int] = {}
        self._encoders_by_event: dict[tuple[type[Event], str], set[EventEncoder]] = {}
        self._last_number = 0
        self._groups: list[SubscriberGroup] = []
        self._sinks: list[Sink] = []
        self._pending_sinks: list[Sink] = []
        """The sinks for which a flush has gathered something that it has not sent yet, each once."""
        self._on_room_changed = on_room_changed
        self.position = position
        """The position of the last durable event that was published."""
        self.delivered = 0

    # Subscribers

    def subscribe(self, subscriber: Subscriber) -> None:
        """Add a subscriber. From now on it receives what is published to its user."""
        self._encoder_counts[subscriber.encoder] = self._encoder_counts.get(subscriber.encoder, 0) + 1
        if self._encoder_counts[subscriber.encoder] == 1:
            self._encoders_by_event.clear()
        self.join(subscriber, (USER, subscriber.user))

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Remove a subscriber from all rooms. What waits for it is still sent."""
        if (USER, subscriber.user) not in subscriber.groups:
            return
        for place in list(subscriber.groups):
            self.leave(subscriber, place)
        self._encoder_counts[subscriber.encoder] -= 1
        if not self._encoder_counts[subscriber.encoder]:
            del self._encoder_counts[subscriber.encoder]
            self._encoders_by_event.clear()

    def join(self, subscriber: Subscriber, place: Audience) -> None:
        if place in subscriber.groups:
            return
        groups = self._rooms.setdefault(place, {})
        group = groups.get(subscriber.encoder)
        if group is None:
            group = groups[subscriber.encoder] = SubscriberGroup(subscriber.encoder)
        self._distribute(group)
        group.subscribers[subscriber] = None
        subscriber.groups[place] = group
        self._on_room_changed(subscriber.user, place, True)

    def open_room(self, place: Audience, user: int) -> None:
        """Let the subscribers of a user that are in all rooms enter this room."""
        for subscriber in self.subscribers((USER, user)):
            if subscriber.in_all_rooms:
                self.join(subscriber, place)

    def leave(self, subscriber: Subscriber, place: Audience) -> None:
        group = subscriber.groups.pop(place, None)
        if group is None:
            return
        self._distribute(group)
        del group.subscribers[subscriber]
        if not group.subscribers:
            groups = self._rooms[place]
            del groups[group.encoder]
            if not groups:
                del self._rooms[place]
        self._on_room_changed(subscriber.user, place, False)

    def subscribers(self, place: Audience) -> list[Subscriber]:
        return [subscriber for group in self._rooms.get(place, {}).values() for subscriber in group.subscribers]

    def evict(self, place: Audience, user: int | None = None) -> None:
        """Remove all subscribers from a room, or the subscribers of one user."""
        for subscriber in self.subscribers(place):
            if user is None or subscriber.user == user:
                self.leave(subscriber, place)

    def has_listener(self, event: type[Event], at: str) -> bool:
        """Whether a subscriber's encoder has a shape for that event at that kind of place."""
        return bool(self._encoders_for(event, at))

    def _encoders_for(self, event: type[Event], at: str) -> set[EventEncoder]:
        """The encoders of present subscribers that have a shape for that event at that kind of place."""
        known = self._encoders_by_event.get((event, at))
        if known is None:
            known = self._encoders_by_event[event, at] = {
                encoder for encoder in self._encoder_counts if encoder.has_event(event, at)
            }
        return known

    # Publishing

    def publish(self, event: Event, position: int | None) -> None:
        """Send an event to the subscribers at its places."""
        if position is not None:
            self.position = position
        droppable = event.droppable
        rooms = self._rooms
        for at, number in event.audiences:
            encoders = self._encoders_for(type(event), at)
            if not encoders:
                continue
            encoded: dict[EventEncoder, list[tuple[bytes, bool]]] = {}
            for place in self._places(at, number):
                for encoder, group in rooms.get(place, NO_GROUPS).items():
                    frames = encoded.get(encoder)
                    if frames is None:
                        frames = encoded[encoder] = encoder.encode(event, at, position) if encoder in encoders else []
                    for data, others in frames:
                        self._last_number += 1
                        entry = (self._last_number, data, droppable)
                        if others:
                            self._enqueue_for_others(group, entry, event.actor)
                        else:
                            self._enqueue(group, entry)

    def _places(self, at: str, number: int) -> Iterable[Audience]:
        """The rooms that a place stands for: one room, or the rooms of users."""
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
        group.waiting.append(entry)

    def _enqueue_for_others(self, group: SubscriberGroup, entry: QueuedFrame, actor: int) -> None:
        for subscriber in group.subscribers:
            if subscriber.user != actor:
                self._send(subscriber.sink, entry)

    def send(self, sink: Sink, data: bytes, *, droppable: bool = False) -> None:
        """Send bytes to one connection, in order with everything else that is sent to it."""
        self._last_number += 1
        self._send(sink, (self._last_number, data, droppable))

    def send_event(self, subscriber: Subscriber, event: Event) -> None:
        """Send an event without a position to one subscriber, in the first shape that its encoder has for it."""
        for shape in subscriber.encoder.shapes.get(type(event), ()):
            if shape.applies(event):
                self.send(subscriber.sink, subscriber.encoder.encode_as(shape, event, None))
                return

    def _send(self, sink: Sink, entry: QueuedFrame) -> None:
        if not sink.own_entries:
            self._sinks.append(sink)
        sink.own_entries.append(entry)

    def _distribute(self, group: SubscriberGroup) -> None:
        """Move the waiting entries of a group to each of its sinks: the group is about to change."""
        if group.waiting:
            waiting, group.waiting = group.waiting, []
            self._groups.remove(group)
            for subscriber in group.subscribers:
                for entry in waiting:
                    self._send(subscriber.sink, entry)

    # Flushing

    def flush_some(self) -> bool:
        """Send to at most SENDS_PER_CHUNK sinks; return whether anything still waits."""
        if not self._pending_sinks:
            if not (self._groups or self._sinks):
                return False
            self._gather()
        self._deliver(self._take(SENDS_PER_CHUNK))
        return bool(self._pending_sinks or self._groups or self._sinks)

    async def flush(self) -> None:
        """Send everything that waits now, and yield between chunks of sends."""
        self._gather()
        while self._pending_sinks:
            self._deliver(self._take(SENDS_PER_CHUNK))
            if self._pending_sinks:
                await trio.lowlevel.checkpoint()

    def flush_now(self) -> None:
        """Send everything that waits without yielding, also what a running flush still holds. Use it before a close."""
        self._gather()
        self._deliver(self._take(len(self._pending_sinks)))

    def _take(self, count: int) -> list[Sink]:
        """The next sinks to send to."""
        taken, self._pending_sinks = self._pending_sinks[:count], self._pending_sinks[count:]
        return taken

    def _gather(self) -> None:
        """Collect the waiting bytes for each sink. A sink that is in the list already keeps its place in it."""
        groups, self._groups = self._groups, []
        direct, self._sinks = self._sinks, []
        add = self._pending_sinks.append
        for group in groups:
            batch = FrameBatch(group.waiting)
            group.waiting = []
            for subscriber in group.subscribers:
                sink = subscriber.sink
                due = sink.pending_batches
                if due is None:
                    sink.pending_batches = batch
                    add(sink)
                elif type(due) is list:
                    due.append(batch)
                else:
                    sink.pending_batches = [due, batch]  # type: ignore[list-item]
        for sink in direct:
            own = FrameBatch(
                sink.own_entries if len(sink.own_entries) == 1 else sorted(sink.own_entries, key=_number_of)
            )
            sink.own_entries = []
            if sink.pending_batches is None:
                sink.pending_batches = own
                add(sink)
            elif type(sink.pending_batches) is list:
                sink.pending_batches.append(own)
            else:
                sink.pending_batches = [sink.pending_batches, own]  # type: ignore[list-item]

    def _deliver(self, sinks: list[Sink]) -> None:
        """Send the waiting bytes of each sink. A send leaves all caches cold, so little is done between two sends."""
        batch: FrameBatch | list[FrameBatch] | None = None
        whole, data, size, count, mixed, delivered = EMPTY_BATCH, b"", 0, 0, False, 0
        for sink in sinks:
            due = sink.pending_batches
            sink.pending_batches = None
            if due is not batch:  # most sinks have the same batch as the one before
                assert due is not None
                batch = due
                whole = due if isinstance(due, FrameBatch) else merged(due)
                data, mixed, count = whole.data(), whole.has_droppable, len(whole.entries)
                size = len(data)
            delivered += count
            sent = whole.essential_data() if mixed and sink.outbox.is_slow else data
            try:
                taken = sink.outbox.send(sent)
            except OSError:
                taken = 0
            if taken != size and taken is not None and taken < len(sent):
                sink.outbox.queue_unsent(sent, taken)
        self.delivered += delivered


def merged(batches: list[FrameBatch]) -> FrameBatch:
    """Several batches as one, in the order of their numbers."""
    return FrameBatch(sorted([entry for batch in batches for entry in batch.entries], key=_number_of))
