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

from chatd.realtime.encoder import Face
from protocol.events import EVERYONE, JOINED, MEMBERS, PEERS, USER, Event, Place

CHUNK = 200  # sends between two yields of a flush: a millisecond

NOBODY: dict[Face, Group] = {}
_number_of = itemgetter(0)
Entry = tuple[int, bytes, bool]
"""The number, the bytes, and whether they may be dropped for a client that can't keep up."""
Way = Callable[[bytes], int | None]
"""How bytes go out: see Link."""


class Batch:
    """Entries that go to one or to many links, joined once."""

    __slots__ = ("_data", "_firm", "entries", "mixed")

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries
        self.mixed = entries[0][2] if len(entries) == 1 else any(map(itemgetter(2), entries))
        self._data: bytes | None = None
        self._firm: bytes | None = None

    def data(self) -> bytes:
        if self._data is None:
            self._data = self.entries[0][1] if len(self.entries) == 1 else b"".join([e[1] for e in self.entries])
        return self._data

    def firm(self) -> bytes:
        """Without what may be dropped."""
        if self._firm is None:
            self._firm = b"".join([e[1] for e in self.entries if not e[2]])
        return self._firm


EMPTY = Batch([(0, b"", False)])


class Link:
    """A connection as the broker sees it: something that takes bytes. `due` and `own` are the broker's.

    `write` may be a socket's own `send`, which says how many bytes the kernel took, or raises: what it did not take
    goes to `keep_rest`. Whatever else `write` is, it takes all and says nothing.
    """

    __slots__ = ("due", "own", "write")

    def __init__(self, write: Way) -> None:
        self.write = write
        self.due: Batch | list[Batch] | None = None
        self.own: list[Entry] = []

    @property
    def crowded(self) -> bool:
        """Whether so much waits already that only what matters should be added."""
        return False

    def keep_rest(self, data: bytes, taken: int) -> None:
        """Keep for later what `write` did not take."""
        raise NotImplementedError


class Seat:
    """A link's place in one namespace: who sits there, and the face that they are told things in.

    Whoever sits `everywhere` is in the rooms of all conversations of the user, those to come included.
    """

    __slots__ = ("everywhere", "face", "groups", "link", "user")

    def __init__(self, link: Link, face: Face, user: int, *, everywhere: bool = False) -> None:
        self.link = link
        self.face = face
        self.user = user
        self.everywhere = everywhere
        self.groups: dict[Place, Group] = {}


class Group:
    """The seats of one face in one room, and what waits for all of them."""

    __slots__ = ("face", "seats", "waiting")

    def __init__(self, face: Face) -> None:
        self.face = face
        self.seats: dict[Seat, None] = {}
        self.waiting: list[Entry] = []


class Audience(Protocol):
    """Who is here, by user: what places beyond rooms are made of."""

    def members(self, conversation: int) -> Collection[int]: ...

    def peers(self, user: int) -> Collection[int]: ...


class Broker:
    """See above. `audience` is asked for MEMBERS and PEERS."""

    def __init__(self, audience: Audience) -> None:
        self._audience = audience
        self._rooms: dict[Place, dict[Face, Group]] = {}
        self._hearing: dict[Face, int] = {}
        self._listening: dict[tuple[type[Event], str], set[Face]] = {}
        self._number = 0
        self._groups: list[Group] = []
        self._links: list[Link] = []
        self._due: list[Link] = []
        """The links that a flush has gathered something for and has not sent to yet, each once."""
        self._work = trio.Event()
        self.moved: Callable[[int, Place, bool], None] = lambda user, place, came: None
        """Hears of each user's seat that comes into a room or goes from it."""
        self.position = 0
        """The position of the last durable event that was published."""
        self.delivered = 0

    # Seats

    def sit(self, seat: Seat) -> None:
        """Take a seat: from now on it hears what its user is told."""
        self._hearing[seat.face] = self._hearing.get(seat.face, 0) + 1
        if self._hearing[seat.face] == 1:
            self._listening.clear()
        self.join(seat, (USER, seat.user))

    def rise(self, seat: Seat) -> None:
        """Leave everything. What waits for the seat is still handed out to its link."""
        if (USER, seat.user) not in seat.groups:
            return
        for place in list(seat.groups):
            self.leave(seat, place)
        self._hearing[seat.face] -= 1
        if not self._hearing[seat.face]:
            del self._hearing[seat.face]
            self._listening.clear()

    def join(self, seat: Seat, place: Place) -> None:
        if place in seat.groups:
            return
        groups = self._rooms.setdefault(place, {})
        group = groups.get(seat.face)
        if group is None:
            group = groups[seat.face] = Group(seat.face)
        self._hand_out(group)
        group.seats[seat] = None
        seat.groups[place] = group
        self.moved(seat.user, place, True)

    def open_room(self, place: Place, user: int) -> None:
        """Join a room with the seats of a user that are everywhere."""
        for seat in self.seats((USER, user)):
            if seat.everywhere:
                self.join(seat, place)

    def leave(self, seat: Seat, place: Place) -> None:
        group = seat.groups.pop(place, None)
        if group is None:
            return
        self._hand_out(group)
        del group.seats[seat]
        if not group.seats:
            groups = self._rooms[place]
            del groups[group.face]
            if not groups:
                del self._rooms[place]
        self.moved(seat.user, place, False)

    def seats(self, place: Place) -> list[Seat]:
        return [seat for group in self._rooms.get(place, {}).values() for seat in group.seats]

    def evict(self, place: Place, user: int | None = None) -> None:
        """Clear a room of everybody, or of one user."""
        for seat in self.seats(place):
            if user is None or seat.user == user:
                self.leave(seat, place)

    def is_heard(self, event: type[Event], at: str) -> bool:
        """Whether anybody here has a word for that event at that kind of place."""
        return bool(self._faces(event, at))

    def _faces(self, event: type[Event], at: str) -> set[Face]:
        """The faces here that have a word for that event at that kind of place."""
        known = self._listening.get((event, at))
        if known is None:
            known = self._listening[event, at] = {face for face in self._hearing if face.hears(event, at)}
        return known

    # Publishing

    def publish(self, event: Event, position: int | None) -> None:
        """Tell an event to everybody whom it concerns."""
        if position is not None:
            self.position = position
        droppable = event.fleeting
        rooms = self._rooms
        for at, number in event.places:
            faces = self._faces(type(event), at)
            if not faces:
                continue
            spelt: dict[Face, list[tuple[bytes, bool]]] = {}
            for place in self._places(at, number):
                for face, group in rooms.get(place, NOBODY).items():
                    said = spelt.get(face)
                    if said is None:
                        said = spelt[face] = face.spell(event, at, position) if face in faces else []
                    for data, others in said:
                        self._number += 1
                        entry = (self._number, data, droppable)
                        if others:
                            self._tell_others(group, entry, event.actor)
                        else:
                            self._tell(group, entry)

    def _places(self, at: str, number: int) -> Iterable[Place]:
        """The rooms behind a place: its own, or those of users."""
        if at in (JOINED, USER):
            return ((at, number),)
        if at == MEMBERS:
            return [(USER, user) for user in self._audience.members(number)]
        if at == PEERS:
            return [(USER, user) for user in self._audience.peers(number)]
        assert at == EVERYONE
        return [place for place in self._rooms if place[0] == USER]

    def _tell(self, group: Group, entry: Entry) -> None:
        if not group.waiting:
            self._groups.append(group)
            self._work.set()
        group.waiting.append(entry)

    def _tell_others(self, group: Group, entry: Entry, actor: int) -> None:
        for seat in group.seats:
            if seat.user != actor:
                self._send(seat.link, entry)

    def send(self, link: Link, data: bytes, *, droppable: bool = False) -> None:
        """Say something to one connection, in its order among everything else that it is told."""
        self._number += 1
        self._send(link, (self._number, data, droppable))

    def tell(self, seat: Seat, event: Event) -> None:
        """Tell an event that has no position to one seat alone, by the first word that its face has for it."""
        for say in seat.face.sayings.get(type(event), ()):
            if say.applies(event):
                self.send(seat.link, seat.face.tell(say, event, None))
                return

    def _send(self, link: Link, entry: Entry) -> None:
        if not link.own:
            self._links.append(link)
            self._work.set()
        link.own.append(entry)

    def _hand_out(self, group: Group) -> None:
        """Give what waits in a group to each of its links, because the group is about to change."""
        if group.waiting:
            waiting, group.waiting = group.waiting, []
            self._groups.remove(group)
            for seat in group.seats:
                for entry in waiting:
                    self._send(seat.link, entry)

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
            self._deliver(self._take(CHUNK))
            if self._due:
                await trio.lowlevel.checkpoint()

    def flush_now(self) -> None:
        """The same without yielding, what a running flush still holds included: for what is said before a goodbye."""
        self._gather()
        self._deliver(self._take(len(self._due)))

    def _take(self, count: int) -> list[Link]:
        """The next links to send to."""
        taken, self._due = self._due[:count], self._due[count:]
        return taken

    def _gather(self) -> None:
        """Give every link for which anything waits what it is due. A link that is due already stays in its place."""
        groups, self._groups = self._groups, []
        direct, self._links = self._links, []
        add = self._due.append
        for group in groups:
            batch = Batch(group.waiting)
            group.waiting = []
            for seat in group.seats:
                link = seat.link
                due = link.due
                if due is None:
                    link.due = batch
                    add(link)
                elif type(due) is list:
                    due.append(batch)
                else:
                    link.due = [due, batch]  # type: ignore[list-item]
        for link in direct:
            own = Batch(link.own if len(link.own) == 1 else sorted(link.own, key=_number_of))
            link.own = []
            if link.due is None:
                link.due = own
                add(link)
            elif type(link.due) is list:
                link.due.append(own)
            else:
                link.due = [link.due, own]  # type: ignore[list-item]

    def _deliver(self, links: list[Link]) -> None:
        """Give each link what it is due. After a send all caches are cold: as little as can be is done between two."""
        batch: Batch | list[Batch] | None = None
        whole, data, size, count, mixed, delivered = EMPTY, b"", 0, 0, False, 0
        for link in links:
            due = link.due
            link.due = None
            if due is not batch:  # most have the same as their neighbours
                assert due is not None
                batch = due
                whole = due if isinstance(due, Batch) else merged(due)
                data, mixed, count = whole.data(), whole.mixed, len(whole.entries)
                size = len(data)
            delivered += count
            said = whole.firm() if mixed and link.crowded else data
            try:
                taken = link.write(said)
            except OSError:
                taken = 0
            if taken != size and taken is not None and taken < len(said):
                link.keep_rest(said, taken)
        self.delivered += delivered


def merged(batches: list[Batch]) -> Batch:
    """Several batches as one, in the order in which things were said."""
    return Batch(sorted([entry for batch in batches for entry in batch.entries], key=_number_of))
