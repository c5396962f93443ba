"""Authentication: a token becomes an Actor, or a Refusal with the reason. Connections and REST use the same one.

A valid signature is not enough. The user must exist, the account must be open, and the token must not be revoked. The
store knows that. Its answer is cached until an event reports a change of the user.
"""

from __future__ import annotations

from typing import Protocol

from msgspec.structs import replace

from chatd.auth.claims import Claims
from chatd.auth.jws import MAX_TOKEN_BYTES
from chatd.auth.links import Link
from chatd.realtime.event_bus import EventBus
from chatd.services import admission, service_tokens
from chatd.services.context import Actor
from chatd.store.sqlite.database import Database
from chatd.telemetry.log import log
from protocol.errors import AUTH_INVALID, BAD_REQUEST, Refusal
from protocol.events import AccountChanged, LoginSessionEnded, ServiceTokenRevoked
from protocol.ids import read_digits

MAX_CACHED_ACTORS = 10_000
MAX_ENDED_SESSIONS = 10_000
"""How many ended login sessions are remembered. A token may be verified before its session ends, and its connection be
set up after the end."""


class TokenVerifier(Protocol):
    """chatd/auth/verifier.py."""

    async def verify_or_fetch_keys(self, token: str) -> Claims: ...

    def cached_claims(self, token: str) -> Claims | None: ...


class Authenticator:
    """Finds the actor of a token. With `provision`, a foreign token of an unknown user makes that user."""

    def __init__(self, database: Database, verifier: TokenVerifier, bus: EventBus, *, provision: bool) -> None:
        self._database = database
        self._verifier = verifier
        self._provision = provision
        self._actors: dict[Claims, Actor] = {}
        self._services: dict[str, Actor] = {}
        self._change_count = 0
        self._changed_users: dict[int, int] = {}
        self._ended_sessions: dict[str, None] = {}
        self._taken_ids: set[int | str] = set()
        bus.after(AccountChanged, self._account_changed)
        bus.after(LoginSessionEnded, self._session_ended)
        bus.after(ServiceTokenRevoked, self._service_revoked)

    async def authenticate(self, token: str, *, services: bool = False) -> Actor:
        """The actor of a token. Tokens of services are accepted only with `services`, which REST sets."""
        if not token:
            raise Refusal(AUTH_INVALID, "A token is needed")
        if len(token) > MAX_TOKEN_BYTES:
            raise Refusal(AUTH_INVALID, f"The token is longer than {MAX_TOKEN_BYTES} bytes")
        if token.startswith(service_tokens.TOKEN_PREFIX):
            return await self._authenticate_service(token, services)
        claims = await self._verifier.verify_or_fetch_keys(token)
        actor = self._actors.get(claims)
        if actor is None:
            changes = self._change_count
            actor = replace(await self._find_or_provision(claims), since=changes)
            if changes == self._change_count:  # otherwise the answer may be out of date already
                if len(self._actors) >= MAX_CACHED_ACTORS:
                    self._actors.clear()
                self._actors[claims] = actor
        return actor

    def knows_token(self, token: str) -> bool:
        """Whether the token was accepted before and is still valid. Cheap: it does not use the store."""
        if token.startswith(service_tokens.TOKEN_PREFIX):
            return service_tokens.digest(token) in self._services
        claims = self._verifier.cached_claims(token)
        return claims is not None and claims in self._actors

    async def _authenticate_service(self, token: str, allowed: bool) -> Actor:
        if not allowed:
            raise Refusal(AUTH_INVALID, "The token of a service is for REST only")
        digest = service_tokens.digest(token)
        actor = self._services.get(digest)
        if actor is None:
            changes = self._change_count
            actor = await self._database.read(lambda tx: service_tokens.authenticate(tx, token))
            if changes == self._change_count:
                self._services[digest] = actor
        return actor

    def _service_revoked(self, event: ServiceTokenRevoked) -> None:
        """Ask the store again for every token of a service."""
        self._change_count += 1
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
            if (
                claims.subject not in self._taken_ids and len(self._taken_ids) < MAX_CACHED_ACTORS
            ):  # one line in the log for each
                self._taken_ids.add(claims.subject)
                log.warning("a token was refused", why=refusal.message)
            raise

    async def user_by_id(self, user_id: str | int) -> Actor:
        """The actor of a user id without a token: for trying a specification's examples, on loopback."""
        try:
            number = read_digits(user_id).number
        except Refusal as refusal:
            raise Refusal(BAD_REQUEST, f"userId must be {refusal.message}", field="userId") from None
        forever = float("inf")  # no token can expire or be revoked; a closed account stays closed
        claims = Claims(subject=number, expires=forever, issued=forever, foreign=True, own_key=True)
        changes = self._change_count
        return replace(await self._database.write(lambda tx: admission.provision(tx, claims)), since=changes)

    async def user_of_link(self, link: Link) -> Actor:
        """The user of a signed link, as if by a token of the same times."""
        claims = Claims(subject=link.user, expires=link.until, issued=link.issued, foreign=False, own_key=True)
        found = await self._database.read(lambda tx: admission.find_actor(tx, claims))
        if found is None:
            raise admission.unknown_user()
        return found

    def _account_changed(self, event: AccountChanged) -> None:
        """Ask the store again about the user."""
        user = event.user.number
        self._change_count += 1
        self._changed_users[user] = self._change_count
        self._actors = {claims: actor for claims, actor in self._actors.items() if actor.id != user}

    def _session_ended(self, event: LoginSessionEnded) -> None:
        """Refuse the access tokens of the session."""
        sid = event.sid
        self._change_count += 1
        if len(self._ended_sessions) >= MAX_ENDED_SESSIONS:
            del self._ended_sessions[next(iter(self._ended_sessions))]
        self._ended_sessions[sid] = None
        self._actors = {claims: actor for claims, actor in self._actors.items() if actor.sid != sid}

    def check_current(self, actor: Actor) -> None:
        """Raise a Refusal if the account has changed since the actor was authenticated."""
        if actor.sid in self._ended_sessions:
            raise admission.session_ended()
        if self._changed_users.get(actor.id, 0) > actor.since:
            raise Refusal(AUTH_INVALID, "The account has changed meanwhile")
