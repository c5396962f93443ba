"""Guessing passwords is slow, and its victim can always sign in.

Three counters, each a bucket that starts full and refills over the window (30 minutes):

    counter              holds   counts attempts that failed            when it is empty
    account and address  5       of one address at one account          429 until one has refilled (6 minutes)
    address              30      of one address at any account          429 until one has refilled (1 minute)
    account              5       of all strange addresses together      attempts from strange addresses queue up

A *strange* address has never signed in to the account; which addresses have is in the store, so a restart keeps it.
Nobody can use up another's counters from elsewhere: in a place of his own the owner always has five tries. While
strangers hammer at the account, his attempt from a new place waits with theirs in a queue, and then the right password
works. The queue has a turn every 3 seconds and 20 places, and each network (an IPv4 /24, an IPv6 /48) has one place at
a time: 12 addresses make the owner wait 39 seconds at most, wherever they are, and all addresses of one network 6. Who
finds no place gets 429 and is charged nothing. To keep all places taken needs 20 networks at once, and 120 of them to
go on, since each address has ten tries an hour; then only familiar addresses get in.

From an address that *has* signed in before, an empty counter refuses nothing: the attempt is delayed in a queue of that
address's own, then the right password works and a wrong one is answered 429. So an attacker behind the owner's own
address guesses once in 3 seconds, and does not keep him out.

An attempt is charged when it is asked for and given back when it succeeds; guesses sent all at once gain nothing. An
account is counted by what was typed (`key_of`: NFKC, without case), whether somebody has that name or not: the answers
to a name that nobody has are the same, in any spelling. So a name and an address of one account have counters of their
own. All of it is in memory and bounded; a restart forgets it, other settings (SIGHUP) do not.
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
MAX_WAIT_SECONDS = TURN_SECONDS * MAX_QUEUED_ATTEMPTS
MAX_KEY_CHARS = 254
NETWORK_BITS = {4: 24, 6: 48}
WRONG_LOGIN_MESSAGE = "The name or the password is wrong"
TOO_MANY_LOGINS_MESSAGE = "Too many failed attempts to sign in"


class Attempt(Struct, frozen=True):
    """Leave to check a password after `wait` seconds. `over`: a wrong one is to be answered as one too many."""

    account: str
    address: str
    wait_seconds: float = 0.0
    exhausted: bool = False
    familiar: bool = False


def account_key(handle: str) -> str:
    """What attempts are counted by: a name or an address as it was typed, in the one spelling of its kind."""
    folded = unicodedata.normalize("NFKC", handle[:MAX_KEY_CHARS]).casefold()
    return unicodedata.normalize("NFKC", folded)


class LoginLimiter:
    """Who may try a password now. `address` is what addresses are counted by: for IPv6 the /64 (proxies.block)."""

    def __init__(self, account: Rate = ACCOUNT_RATE, address: Rate = ADDRESS_RATE, *, max_entries: int = 65536) -> None:
        self._pairs: Buckets[tuple[str, str]] = Buckets(account, max_entries)
        self._addresses: Buckets[str] = Buckets(address, max_entries)
        self._strangers: Buckets[str] = Buckets(account, max_entries)
        self._queues: Buckets[tuple[str, str | None]] = Buckets(
            Rate(1 / TURN_SECONDS, MAX_QUEUED_ATTEMPTS), max_entries
        )
        self._turns: dict[tuple[str, str], float] = {}
        self._max_entries = max_entries

    def adopt(self, account: Rate, address: Rate) -> None:
        """Take up other limits; what was counted stays."""
        self._pairs.adopt(account)
        self._strangers.adopt(account)
        self._addresses.adopt(address)

    def request_attempt(self, account: str, address: str, now: float, *, familiar: bool = False) -> Attempt:
        """Before a password is checked: leave to do so, perhaps after a wait, or RATE_LIMITED.

        `account` is the key of what was typed. `familiar`: this address has signed in to the account before.
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
        if self._strangers.take(account, now):
            return Attempt(account, address)
        try:
            return Attempt(account, address, self._queue_stranger(account, network(address), now))
        except Refusal:  # no password is checked
            self._pairs.give_back(pair)
            self._addresses.give_back(address)
            raise

    def failed(self, attempt: Attempt, now: float) -> Refusal:
        """The password was wrong: what to answer."""
        if attempt.exhausted:
            return self._refusal(self._pairs.retry_after((attempt.account, attempt.address), now))
        return Refusal(AUTH_INVALID, WRONG_LOGIN_MESSAGE)

    def succeeded(self, attempt: Attempt) -> None:
        """The password was right: what the attempt was charged is given back."""
        self._pairs.clear((attempt.account, attempt.address))
        if not attempt.familiar:
            self._addresses.give_back(attempt.address)
            if not attempt.wait_seconds:
                self._strangers.give_back(attempt.account)

    def _queue_stranger(self, account: str, network: str, now: float) -> float:
        """Seconds until a stranger's turn. A network that waits already has to wait for that one first."""
        turn = self._turns.get((account, network), 0.0)
        if turn > now:
            raise self._refusal(turn - now)
        wait = self._queue_seconds((account, None), now)
        if len(self._turns) >= self._max_entries:  # forget the turns that have come, or else come next
            latest = sorted(self._turns.items(), key=lambda item: item[1])[self._max_entries // 2 :]
            self._turns = {key: turn for key, turn in latest if turn > now}
        self._turns[account, network] = now + wait
        return wait

    def _queue_seconds(self, queue: tuple[str, str | None], now: float) -> float:
        """Seconds until this attempt's turn; each turn comes SPACING after the one before."""
        if not self._queues.take(queue, now):
            raise self._refusal(self._queues.retry_after(queue, now))
        return self._queues.full_in(queue, now)

    @staticmethod
    def _refusal(retry_after: float) -> Refusal:
        return Refusal(RATE_LIMITED, TOO_MANY_LOGINS_MESSAGE, retry_after=max(retry_after, 1.0))


def network(address: str) -> str:
    """The network that an address, or the block that it is counted by, belongs to; else itself (a unix socket)."""
    try:
        found = ip_address(address.partition("/")[0])
    except ValueError:
        return address
    return str(ip_network((found, NETWORK_BITS[found.version]), strict=False))
