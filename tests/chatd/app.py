"""A house without doors, for tests in virtual time: store, broker, roster and dispatch, and devices that are links.

A device hears bytes as any connection does; what it was told is kept as (name, payload).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from chatd.core.dispatch import Dispatch, UserRates
from chatd.realtime.broker import Broker, Sink, Subscriber
from chatd.realtime.encoder import EventEncoder
from chatd.realtime.online_users import OnlineUsers
from chatd.services import admission
from chatd.services.context import Actor, ServiceRules
from chatd.store.queries import users
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.schema import Schema
from chatd.store.tables import metadata
from protocol.commands import Command
from protocol.dialects import dialect
from protocol.events import JOINED, Event


def push(namespace: str, name: str, body: bytes, position: int | None, room: str | None) -> bytes:
    return b'["%s",%s]\n' % (name.encode(), body)


class Device(Sink):
    """A connection in one namespace."""

    __slots__ = ("actor", "heard", "seat")

    def __init__(self, actor: Actor, face: EventEncoder) -> None:
        super().__init__(self)
        self.actor = actor
        self.heard: list[tuple[str, Any]] = []
        self.seat = Subscriber(self, face, actor.id)

    @property
    def is_slow(self) -> bool:
        return False

    def send(self, data: bytes) -> None:
        self.heard += [(name, body) for name, body in map(json.loads, data.splitlines())]

    def queue_unsent(self, data: bytes, taken: int) -> None:
        raise NotImplementedError

    def last(self, name: str) -> Any:
        """The last that was told under a name."""
        return next((body for said, body in reversed(self.heard) if said == name), None)


class Doorless:
    """See above."""

    def __init__(self, database: Database, *, grace: float = 5.0, typing: float = 8.0) -> None:
        self.database = database
        self.online_users = OnlineUsers()
        self.broker = Broker(self.online_users)
        self.dispatch = Dispatch(
            database,
            self.broker,
            self.online_users,
            rules=ServiceRules(),
            rates=UserRates(),
            typing_expires=typing,
            presence_grace=grace,
        )
        self._faces: dict[tuple[str, str], EventEncoder] = {}

    async def person(self, name: str, *, admin: bool = False) -> Actor:
        user = await self.database.write(lambda tx: users.add(tx, name=name))
        return Actor(user.ref, user.name, admin)

    async def does(self, actor: Actor, command: Command) -> Any:
        return await self.dispatch.request(actor, command)

    async def enters(self, actor: Actor, spoken: str = "colon", namespace: str = "/notifications") -> Device:
        key = (spoken, namespace)
        if key not in self._faces:
            self._faces[key] = EventEncoder(dialect(spoken), namespace, push, bytes)
        device = Device(actor, self._faces[key])
        read_states = None
        if not self.online_users.is_online(actor.id):
            read_states = (await self.database.write(lambda tx: admission.initial_state(tx, actor.id))).read_states
        self.online_users.connect(actor.ref, read_states)
        self.broker.subscribe(device.seat)
        self.dispatch.connected(actor)
        for kind in dialect(spoken).vocabulary(namespace).initial_events:
            self.dispatch.greet(kind, actor, lambda event: self._tell(device, event))
        return device

    def _tell(self, device: Device, event: Event) -> None:
        for say in device.seat.encoder.shapes[type(event)]:
            if say.applies(event):
                self.broker.send(device, device.seat.encoder.encode_as(say, event, None))
                return

    def joins(self, device: Device, conversation: int) -> None:
        self.broker.join(device.seat, (JOINED, conversation))

    def parts(self, device: Device, conversation: int) -> None:
        self.broker.leave(device.seat, (JOINED, conversation))

    def leaves(self, device: Device) -> None:
        self.broker.unsubscribe(device.seat)
        self.dispatch.disconnected(device.actor.id)

    async def settles(self) -> None:
        """Everything that was asked is done, caught up with, and heard."""
        self.dispatch.viewers.flush()
        await self.dispatch.settled()
        await self.dispatch.notifier.round()
        self.online_users.due_counts(1e9)
        self.dispatch.publish_counts()
        await self.dispatch.settled()
        await self.broker.flush()


@asynccontextmanager
async def doorless(folder: Path, **settings: float) -> AsyncIterator[Doorless]:
    async with Database.open(folder / "chatd.db", Schema.of(metadata), synchronous="NORMAL") as database:
        app = Doorless(database, **settings)
        await app.dispatch.viewers.begin()
        yield app
