"""Limits on failed logins: password guessing is slow, and the owner of the account can always log in.

There are three counters. Each is a bucket that starts full and refills over the window (30 minutes):

    counter              size    counts failed attempts                 when it is empty
    account and address  5       from one address to one account        429 until one attempt refills (6 minutes)
    address              30      from one address to any account        429 until one attempt refills (1 minute)
    account              5       from all unfamiliar addresses          attempts from unfamiliar addresses wait

A *familiar* address has logged in to the account before. The store keeps the familiar addresses, so a restart keeps
them too.

An attacker at another address cannot use up the counters of the owner's address. There the owner always has five
attempts. During an attack, the owner's attempt from an unfamiliar address waits in a queue with the attacker's
attempts. After the wait, the right password works. The queue takes one attempt every 3 seconds and holds 20 attempts.
Each network (an IPv4 /24, an IPv6 /48) has one attempt in the queue at a time. So 12 addresses make the owner wait at
most 39 seconds. Their networks make no difference. All addresses of one network make the owner wait at most 6 seconds.
When the queue is full, an attempt gets 429 and is not counted. To keep the queue full, an attacker needs 20 networks at
once. To continue, the attacker needs 120 networks, because each address has ten attempts an hour. Then only familiar
addresses can log in.

At a familiar address, an empty counter rejects nothing. The attempt waits in a queue of this address. After the wait,
the right password works, and a wrong one gets 429. So an attacker behind the owner's address has one guess in 3
seconds, and cannot lock the owner out.

An attempt is counted before the password check, and the count is returned after a success. So guesses in parallel have
no advantage. The key of an account is the text that the client sent (`account_key`: NFKC, case folded). The account
need not exist. So the answers do not reveal which names exist, in any spelling. A name and an email address of one
account have separate counters.

All of this is in memory and bounded. A restart clears it; a change of settings (SIGHUP) does not.
"""

from __future__ import annotations

import unicodedata
from ipaddress import ip_address, ip_network

from msgspec import Struct

from chatd.rate_limit import Buckets, Rate
from protocol.errors import AUTH_INVALID, RATE_LIMITED, Refusal

WINDOW_SECONDS = 1800.0
ACCOUNT_RATE, ADDRESS_RATE = Rate(5 / WINDOW_SECONDS, 5), Rate(30 / WINDOW_SECONDS, 30)
TURN_SECONDS = 3.0
MAX_QUEUED_ATTEMPTS = 20
MAX_KEY_CHARS = 254
NETWORK_BITS = {4: 24, 6: 48}
WRONG_LOGIN_MESSAGE = "The name or the password is wrong"
TOO_MANY_LOGINS_MESSAGE = "Too many failed attempts to sign in"


class Attempt(Struct, frozen=True):
    """Permission to check a password after `wait_seconds`.

    `exhausted`: the counter is empty, so a wrong password gets RATE_LIMITED.
    """

    account: str
    address: str
    wait_seconds: float = 0.0
    exhausted: bool = False
    familiar: bool = False


def account_key(handle: str) -> str:
    """Return the key that counts attempts for a name or an email address, the same for each spelling."""
    folded = unicodedata.normalize("NFKC", handle[:MAX_KEY_CHARS]).casefold()
    return unicodedata.normalize("NFKC", folded)


class LoginLimiter:
    """Counts login attempts and decides which may check a password.

    `address` is the key of an IP address: for IPv6, its /64 network (proxies.block).
    """

    def __init__(self, account: Rate = ACCOUNT_RATE, address: Rate = ADDRESS_RATE, *, max_entries: int = 65536) -> None:
        self._pairs: Buckets[tuple[str, str]] = Buckets(account, max_entries)
        self._addresses: Buckets[str] = Buckets(address, max_entries)
        self._unfamiliar: Buckets[str] = Buckets(account, max_entries)
        self._queues: Buckets[tuple[str, str | None]] = Buckets(
            Rate(1 / TURN_SECONDS, MAX_QUEUED_ATTEMPTS), max_entries
        )
        self._turns: dict[tuple[str, str], float] = {}
        self._max_entries = max_entries

    def adopt(self, account: Rate, address: Rate) -> None:
        """Change the limits. The counters keep their counts."""
        self._pairs.adopt(account)
        self._unfamiliar.adopt(account)
        self._addresses.adopt(address)

    def request_attempt(self, account: str, address: str, now: float, *, familiar: bool = False) -> Attempt:
        """Count an attempt before the password check. Permit it, perhaps after a wait, or raise RATE_LIMITED.

        `account` is an `account_key`. `familiar`: this address has logged in to the account before.
        """
        pair = (account, address)
        if familiar:
            within = self._pairs.take(pair, now)
            wait = 0.0 if within else self._queue_seconds((account, address), now)
            return Attempt(account, address, wait, not within, familiar=True)
        if not self._addresses.take(address, now):
            raise self._refusal(self._addresses.retry_after(address, now))
        if not self._pairs.take(pair, now):
            raise self._refusal(self._pairs.retry_after(pair, now))
        if self._unfamiliar.take(account, now):
            return Attempt(account, address)
        try:
            return Attempt(account, address, self._queue_unfamiliar(account, network(address), now))
        except Refusal:  # no password is checked, so the attempt does not count
            self._pairs.give_back(pair)
            self._addresses.give_back(address)
            raise

    def failed(self, attempt: Attempt, now: float) -> Refusal:
        """Return the refusal to send after a wrong password."""
        if attempt.exhausted:
            return self._refusal(self._pairs.retry_after((attempt.account, attempt.address), now))
        return Refusal(AUTH_INVALID, WRONG_LOGIN_MESSAGE)

    def succeeded(self, attempt: Attempt) -> None:
        """Return the counts of an attempt with the right password."""
        self._pairs.clear((attempt.account, attempt.address))
        if not attempt.familiar:
            self._addresses.give_back(attempt.address)
            if not attempt.wait_seconds:
                self._unfamiliar.give_back(attempt.account)

    def _queue_unfamiliar(self, account: str, network: str, now: float) -> float:
        """Queue an attempt from an unfamiliar address. Return its wait in seconds.

        A network that has an attempt in the queue already is rejected until that attempt's turn.
        """
        turn = self._turns.get((account, network), 0.0)
        if turn > now:
            raise self._refusal(turn - now)
        wait = self._queue_seconds((account, None), now)
        if len(self._turns) >= self._max_entries:  # forget the turns that have passed, or else the next turns
            latest = sorted(self._turns.items(), key=lambda item: item[1])[self._max_entries // 2 :]
            self._turns = {key: turn for key, turn in latest if turn > now}
        self._turns[account, network] = now + wait
        return wait

    def _queue_seconds(self, queue: tuple[str, str | None], now: float) -> float:
        """Take a place in a queue. Return the wait in seconds; the turns are TURN_SECONDS apart."""
        if not self._queues.take(queue, now):
            raise self._refusal(self._queues.retry_after(queue, now))
        return self._queues.full_in(queue, now)

    @staticmethod
    def _refusal(retry_after: float) -> Refusal:
        return Refusal(RATE_LIMITED, TOO_MANY_LOGINS_MESSAGE, retry_after=max(retry_after, 1.0))


def network(address: str) -> str:
    """Return the network of an address or of a block of addresses. A unix socket's address is returned unchanged."""
    try:
        found = ip_address(address.partition("/")[0])
    except ValueError:
        return address
    return str(ip_network((found, NETWORK_BITS[found.version]), strict=False))
