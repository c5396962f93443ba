"""The doorman: whoever shows a token becomes an Actor here, or is told why not. Sockets and REST ask the same one.

A verified token is only half of it: the user must exist, not be closed, and not have revoked what was issued before.
That is asked of the store; the answer is remembered for as long as nothing changes it (`forget`).
"""

from __future__ import annotations

from typing import Protocol

from msgspec.structs import replace

from chatd.auth.claims import Claims
from chatd.services import entry, service_tokens
from chatd.services.work import Actor
from chatd.store.database import Database
from protocol.errors import AUTH_INVALID, BAD_REQUEST, Refusal
from protocol.ids import read_digits

REMEMBERED = 10_000


class Verifier(Protocol):
    """chatd/auth/verifier.py."""

    async def admit(self, token: str) -> Claims: ...


class Doorman:
    """`provision`: a foreign token of an unknown user makes that user."""

    def __init__(self, database: Database, verifier: Verifier, *, provision: bool) -> None:
        self._database = database
        self._verifier = verifier
        self._provision = provision
        self._known: dict[Claims, Actor] = {}
        self._services: dict[str, Actor] = {}
        self._changes = 0
        self._changed: dict[int, int] = {}

    async def admit(self, token: str, *, services: bool = False) -> Actor:
        """Who holds the token. Services are let in only where `services` are meant to come in, which is REST."""
        if not token:
            raise Refusal(AUTH_INVALID, "A token is needed")
        if token.startswith(service_tokens.PREFIX):
            return await self._admit_service(token, services)
        claims = await self._verifier.admit(token)
        actor = self._known.get(claims)
        if actor is None:
            changes = self._changes
            actor = replace(await self._enter(claims), since=changes)
            if changes == self._changes:  # or what was read may be out of date already
                if len(self._known) >= REMEMBERED:
                    self._known.clear()
                self._known[claims] = actor
        return actor

    async def _admit_service(self, token: str, welcome: bool) -> Actor:
        if not welcome:
            raise Refusal(AUTH_INVALID, "The token of a service is for REST only")
        digest = service_tokens.digest(token)
        actor = self._services.get(digest)
        if actor is None:
            changes = self._changes
            actor = await self._database.read(lambda tx: service_tokens.admit(tx, token))
            if changes == self._changes:
                self._services[digest] = actor
        return actor

    def forget_services(self) -> None:
        """A token of a service has been revoked."""
        self._changes += 1
        self._services.clear()

    async def _enter(self, claims: Claims) -> Actor:
        actor = await self._database.read(lambda tx: entry.known(tx, claims))
        if actor is not None:
            return actor
        if not (claims.foreign and self._provision):
            raise entry.stranger()
        return await self._database.write(lambda tx: entry.provision(tx, claims))

    async def name_user(self, said: str | int) -> Actor:
        """A user who only says who they are: for trying a specification's examples, on loopback."""
        try:
            number = read_digits(said).number
        except Refusal as refusal:
            raise Refusal(BAD_REQUEST, f"userId must be {refusal.message}", field="userId") from None
        forever = float("inf")  # nothing was issued that could expire or be revoked; a closed account stays closed
        claims = Claims(subject=number, expires=forever, issued=forever, foreign=True)
        changes = self._changes
        return replace(await self._database.write(lambda tx: entry.provision(tx, claims)), since=changes)

    def forget(self, user: int) -> None:
        """Something about a user has changed."""
        self._changes += 1
        self._changed[user] = self._changes
        self._known = {claims: actor for claims, actor in self._known.items() if actor.id != user}

    def check(self, actor: Actor) -> None:
        """Refuse somebody whose account has changed since they were admitted: what they may do must be asked again."""
        if self._changed.get(actor.id, 0) > actor.since:
            raise Refusal(AUTH_INVALID, "The account has changed meanwhile")
