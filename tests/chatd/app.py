"""An app without a server, for tests in virtual time, and devices in place of connections.

A device receives bytes as a connection does, and keeps them as (event name, payload).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from chatd.auth.identity import open_identity
from chatd.config.settings import Config, LimitSettings, PresenceSettings, TypingSettings
from chatd.core.app import App
from chatd.realtime.broker import Sink, Subscriber
from chatd.realtime.encoder import EventEncoder
from chatd.services import admission
from chatd.services.context import Actor
from chatd.store.compiled.schema import SCHEMA
from chatd.store.queries import users
from chatd.store.sqlite.database import Database
from protocol.commands import Command
from protocol.dialects import dialect
from protocol.events import JOINED, Event


def push(namespace: str, name: str, body: bytes, position: int | None, room: str | None) -> bytes:
    return b'["%s",%s]\n' % (name.encode(), body)


class Device(Sink):
    """A connection in one namespace."""

    __slots__ = ("actor", "received", "subscriber")

    def __init__(self, actor: Actor, encoder: EventEncoder) -> None:
        super().__init__(self)
        self.actor = actor
        self.received: list[tuple[str, Any]] = []
        self.subscriber = Subscriber(self, encoder, actor.id)

    @property
    def is_slow(self) -> bool:
        return False

    def send(self, data: bytes) -> None:
        self.received += [(name, body) for name, body in map(json.loads, data.splitlines())]

    def queue_unsent(self, data: bytes, taken: int) -> None:
        raise NotImplementedError

    def last(self, name: str) -> Any:
        """The payload of the last event of that name."""
        return next((body for received, body in reversed(self.received) if received == name), None)


class ServerlessApp:
    """The app, and what tests do with it."""

    def __init__(self, folder: Path, database: Database, *, grace: float = 5.0, typing: float = 8.0) -> None:
        config = Config(
            typing=TypingSettings(expire=typing),
            presence=PresenceSettings(grace=grace),
            limits=LimitSettings(sends_per_user=0, groups_per_user=0, additions_per_user=0),
        )
        app = App.build(config, database, open_identity(config, folder))
        self.app = app
        self.database = database
        self.online_users = app.online_users
        self.broker = app.broker
        self.dispatch = app.dispatch
        self.notifier = app.notifier
        self.command_limits = app.command_limits
        self._encoders: dict[tuple[str, str], EventEncoder] = {}

    async def add_user(self, name: str, *, admin: bool = False) -> Actor:
        user = await self.database.write(lambda tx: users.add(tx, name=name))
        return Actor(user.ref, user.name, admin)

    async def request(self, actor: Actor, command: Command) -> Any:
        return await self.dispatch.request(actor, command)

    async def connect(self, actor: Actor, dialect_name: str = "colon", namespace: str = "/notifications") -> Device:
        key = (dialect_name, namespace)
        if key not in self._encoders:
            self._encoders[key] = EventEncoder(dialect(dialect_name), namespace, push, bytes)
        device = Device(actor, self._encoders[key])
        read_states = None
        if not self.online_users.is_online(actor.id):
            read_states = (await self.database.write(lambda tx: admission.initial_state(tx, actor.id))).read_states
        self.online_users.connect(actor.ref, read_states)
        self.broker.subscribe(device.subscriber)
        self.app.user_connected(actor)
        for kind in dialect(dialect_name).vocabulary(namespace).initial_events:
            self.app.greetings.greet(kind, actor, lambda event: self._send(device, event))
        return device

    def _send(self, device: Device, event: Event) -> None:
        for shape in device.subscriber.encoder.shapes[type(event)]:
            if shape.applies(event):
                self.broker.send(device, device.subscriber.encoder.encode_as(shape, event, None))
                return

    def join(self, device: Device, conversation: int) -> None:
        self.broker.join(device.subscriber, (JOINED, conversation))

    def leave(self, device: Device, conversation: int) -> None:
        self.broker.leave(device.subscriber, (JOINED, conversation))

    def disconnect(self, device: Device) -> None:
        self.broker.unsubscribe(device.subscriber)
        self.app.user_disconnected(device.actor.id)

    async def settle(self) -> None:
        """Wait until every command is carried out and its events and notifications are received."""
        self.app.viewers.flush()
        await self.dispatch.settled()
        await self.notifier.round()
        self.online_users.due_counts(1e9)
        self.app.unread_counts.send_changed()
        await self.dispatch.settled()
        await self.broker.flush()


@asynccontextmanager
async def serverless_app(folder: Path, **settings: float) -> AsyncIterator[ServerlessApp]:
    async with Database.open(folder / "chatd.db", SCHEMA, synchronous="NORMAL") as database:
        app = ServerlessApp(folder, database, **settings)
        await app.app.viewers.begin()
        yield app
