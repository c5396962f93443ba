"""The doorman: whoever shows a token becomes an Actor here, or is told why not. Sockets and REST ask the same one.

A verified token is only half of it: the user must exist, not be closed, and not have revoked what was issued before.
That is asked of the store; the answer is remembered for as long as nothing changes it (`forget`).
"""

from __future__ import annotations

from typing import Protocol

from msgspec.structs import replace

from chatd.auth.claims import Claims
from chatd.auth.jws import MAX_TOKEN_BYTES
from chatd.services import admission, service_tokens
from chatd.services.context import Actor
from chatd.store.sqlite.database import Database
from chatd.telemetry.log import log
from protocol.errors import AUTH_INVALID, BAD_REQUEST, Refusal
from protocol.ids import read_digits

MAX_CACHED_ACTORS = 10_000
ENDED = 10_000  # sessions that ended last: whoever was admitted just before is still on the way to a seat


class TokenVerifier(Protocol):
    """chatd/auth/verifier.py."""

    async def verify_or_fetch_keys(self, token: str) -> Claims: ...

    def cached_claims(self, token: str) -> Claims | None: ...


class Authenticator:
    """`provision`: a foreign token of an unknown user makes that user."""

    def __init__(self, database: Database, verifier: TokenVerifier, *, provision: bool) -> None:
        self._database = database
        self._verifier = verifier
        self._provision = provision
        self._actors: dict[Claims, Actor] = {}
        self._services: dict[str, Actor] = {}
        self._changes = 0
        self._changed: dict[int, int] = {}
        self._ended: dict[str, None] = {}
        self._taken: set[int | str] = set()

    async def authenticate(self, token: str, *, services: bool = False) -> Actor:
        """Who holds the token. Services are let in only where `services` are meant to come in, which is REST."""
        if not token:
            raise Refusal(AUTH_INVALID, "A token is needed")
        if len(token) > MAX_TOKEN_BYTES:
            raise Refusal(AUTH_INVALID, f"The token is longer than {MAX_TOKEN_BYTES} bytes")
        if token.startswith(service_tokens.TOKEN_PREFIX):
            return await self._authenticate_service(token, services)
        claims = await self._verifier.verify_or_fetch_keys(token)
        actor = self._actors.get(claims)
        if actor is None:
            changes = self._changes
            actor = replace(await self._find_or_provision(claims), since=changes)
            if changes == self._changes:  # or what was read may be out of date already
                if len(self._actors) >= MAX_CACHED_ACTORS:
                    self._actors.clear()
                self._actors[claims] = actor
        return actor

    def knows_token(self, token: str) -> bool:
        """Whether the token was admitted before and would be again: cheap, and without asking the store."""
        if token.startswith(service_tokens.TOKEN_PREFIX):
            return service_tokens.digest(token) in self._services
        claims = self._verifier.cached_claims(token)
        return claims is not None and claims in self._actors

    async def _authenticate_service(self, token: str, welcome: bool) -> Actor:
        if not welcome:
            raise Refusal(AUTH_INVALID, "The token of a service is for REST only")
        digest = service_tokens.digest(token)
        actor = self._services.get(digest)
        if actor is None:
            changes = self._changes
            actor = await self._database.read(lambda tx: service_tokens.authenticate(tx, token))
            if changes == self._changes:
                self._services[digest] = actor
        return actor

    def invalidate_services(self) -> None:
        """A token of a service has been revoked."""
        self._changes += 1
        self._services.clear()

    async def _find_or_provision(self, claims: Claims) -> Actor:
        try:
            actor = await self._database.read(lambda tx: admission.find_actor(tx, claims))
            if actor is not None:
                return actor
            if not (claims.foreign and self._provision):
                raise admission.unknown_user()
            return await self._database.write(lambda tx: admission.provision(tx, claims))
        except admission.IdTaken as refusal:
            if claims.subject not in self._taken and len(self._taken) < MAX_CACHED_ACTORS:  # one line for each
                self._taken.add(claims.subject)
                log.warning("a token was refused", why=refusal.message)
            raise

    async def user_by_id(self, said: str | int) -> Actor:
        """A user who only says who they are: for trying a specification's examples, on loopback."""
        try:
            number = read_digits(said).number
        except Refusal as refusal:
            raise Refusal(BAD_REQUEST, f"userId must be {refusal.message}", field="userId") from None
        forever = float("inf")  # nothing was issued that could expire or be revoked; a closed account stays closed
        claims = Claims(subject=number, expires=forever, issued=forever, foreign=True, own_key=True)
        changes = self._changes
        return replace(await self._database.write(lambda tx: admission.provision(tx, claims)), since=changes)

    def invalidate(self, user: int) -> None:
        """Something about a user has changed."""
        self._changes += 1
        self._changed[user] = self._changes
        self._actors = {claims: actor for claims, actor in self._actors.items() if actor.id != user}

    def end_session(self, sid: str) -> None:
        """A session has ended: its access tokens are worth nothing."""
        self._changes += 1
        if len(self._ended) >= ENDED:
            del self._ended[next(iter(self._ended))]
        self._ended[sid] = None
        self._actors = {claims: actor for claims, actor in self._actors.items() if actor.sid != sid}

    def check_current(self, actor: Actor) -> None:
        """Refuse somebody whose account has changed since they were admitted: what they may do must be asked again."""
        if actor.sid in self._ended:
            raise admission.session_ended()
        if self._changed.get(actor.id, 0) > actor.since:
            raise Refusal(AUTH_INVALID, "The account has changed meanwhile")
