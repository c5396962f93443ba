"""Events for the server itself."""

from __future__ import annotations

from typing import ClassVar

from protocol.events.base import Audience, Event
from protocol.ids import Ref


class Internal(Event, frozen=True):
    """Base class of events that no client receives. They are not stored."""

    durable: ClassVar[bool] = False

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return ()


class FileDeleted(Internal, frozen=True):
    """A file was deleted: its content may be unused."""

    file: Ref


class AccountChanged(Internal, frozen=True):
    """The account of a user was changed, so what the server keeps of it in memory is out of date."""

    user: Ref


class AccountClosed(Internal, frozen=True):
    """A user was disabled or signed out everywhere: the connections of the user are closed."""

    user: Ref


class LoginSessionEnded(Internal, frozen=True):
    """A login session has ended: the connections that its tokens opened are closed. `sid` is in those tokens."""

    sid: str


class ServiceTokenRevoked(Internal, frozen=True):
    """The token of a service was revoked, so what the server keeps of services in memory is out of date."""

    name: str
