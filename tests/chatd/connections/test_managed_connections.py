"""Each kind of connection that the app manages has every method that the app calls."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatd.connections.jsonrpc import JsonRpcConnection
from chatd.connections.socketio import SocketIoConnection
from chatd.core.app import ManagedConnection
from chatd.rest.event_stream import Subscription
from chatd.rest.events import LongPoll

CALLED = ("users", "sids", "sessions", "close_with", "check")


def kinds(base: type[ManagedConnection]) -> Iterator[type[ManagedConnection]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_every_kind_is_known() -> None:
    assert {JsonRpcConnection, SocketIoConnection, Subscription, LongPoll} <= set(kinds(ManagedConnection))


@pytest.mark.parametrize("name", CALLED)
def test_every_kind_has_its_own_method(name: str) -> None:
    for kind in kinds(ManagedConnection):
        assert getattr(kind, name) is not getattr(ManagedConnection, name), f"{kind.__name__}.{name} is missing"
