"""Passwords: argon2id hashes, computed in worker threads, two at a time (19 MiB and about 17 ms of a core each).

A login with an unknown name does the same work as one with a known name. So the response time does not reveal which
names exist. At most MAX_QUEUED_HASHES logins wait. Further logins get UNAVAILABLE, so memory and time are bounded.
"""

from __future__ import annotations

import secrets
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from typing import Any, TypeVar

import trio
from msgspec import Struct

from protocol.errors import BAD_REQUEST, UNAVAILABLE, Refusal

MIN_PASSWORD_BYTES, MAX_PASSWORD_BYTES = 8, 1024
MAX_QUEUED_HASHES = 64
T = TypeVar("T")


class Cost(Struct, frozen=True):
    """The cost of one hash (OWASP's first recommendation)."""

    memory_kib: int = 19456
    passes: int = 2
    lanes: int = 1


class Passwords:
    """Makes and verifies password hashes in worker threads."""

    def __init__(self, cost: Cost | None = None, *, workers: int = 2) -> None:
        self._cost = cost or Cost()
        self._workers = trio.CapacityLimiter(workers)
        self._argon2: Any = None

    async def hash(self, password: str, *, field: str = "password") -> str:
        """Return the hash of a new password. A Refusal for an unsuitable password names `field`."""
        data = check_password(password, field)
        return await self._run_in_worker(lambda: str(self._hasher().hash(data)))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Return whether the password is right. For an unknown user (None) it takes as long, and returns False."""
        try:
            data = check_password(password, "password", min_bytes=0)
        except Refusal:
            stored, data = None, b""
        encoded = stored if stored is not None else self.dummy_hash()
        return await self._run_in_worker(lambda: self._matches(encoded, data))

    def needs_rehash(self, stored: str) -> bool:
        """Return whether a stored hash has another cost. Call it after a right password, then hash that again."""
        from argon2.exceptions import InvalidHashError

        try:
            return bool(self._hasher().check_needs_rehash(stored))
        except InvalidHashError:
            return True

    def dummy_hash(self) -> str:
        """Make a hash of the current cost that no password has. It is cheap, because its digest is random."""
        salt, total = (b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
        cost = self._cost
        return f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p={cost.lanes}${salt}${total}"

    async def _run_in_worker(self, job: Callable[[], T]) -> T:
        if self._workers.statistics().tasks_waiting >= MAX_QUEUED_HASHES:
            raise Refusal(UNAVAILABLE, "Too many users are logging in at the moment", retry_after=2.0)
        return await trio.to_thread.run_sync(job, limiter=self._workers)

    def _matches(self, encoded: str, data: bytes) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            return bool(self._hasher().verify(encoded, data))
        except (VerificationError, InvalidHashError):
            return False

    def _hasher(self) -> Any:
        if self._argon2 is None:
            from argon2 import PasswordHasher

            cost = self._cost
            self._argon2 = PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes)
        return self._argon2


def check_password(password: str, field: str, min_bytes: int = MIN_PASSWORD_BYTES) -> bytes:
    """Check the length of a password. Return the bytes to hash, normalized (NFC): keyboards send an é differently."""
    if len(password) <= MAX_PASSWORD_BYTES:
        try:
            data = unicodedata.normalize("NFC", password).encode()
        except UnicodeEncodeError:
            raise Refusal(BAD_REQUEST, "The password is not valid text", field=field) from None
        if min_bytes <= len(data) <= MAX_PASSWORD_BYTES:
            return data
    raise Refusal(
        BAD_REQUEST, f"The password must have {MIN_PASSWORD_BYTES} to {MAX_PASSWORD_BYTES} bytes", field=field
    )
