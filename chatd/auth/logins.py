"""Guessing passwords is slow, and its victim can always sign in.

Three counters, each a bucket that starts full and refills over the window (30 minutes):

    counter              holds   counts attempts that failed            when it is empty
    account and address  5       of one address at one account          429 until one has refilled (6 minutes)
    address              30      of one address at any account          429 until one has refilled (1 minute)
    account              5       of all strange addresses together      attempts from strange addresses queue up

A *strange* address has never signed in to the account. Nobody can use up another's counters from elsewhere: in a
place of his own the owner always has five tries. While strangers hammer at the account, his attempt from a new place
waits with theirs in a queue (a turn every 5 seconds, 429 when more than 15 seconds are waiting). From an address that
*has* signed in before, an empty counter refuses nothing: the attempt is delayed in a queue of that address's own,
then the right password works and a wrong one is answered 429. So an attacker behind the owner's own address
guesses once in 5 seconds, and does not keep him out.

An attempt is charged when it is asked for and given back when it succeeds; guesses sent all at once gain nothing.
Names that nobody has are counted like all others. All of it is in memory and bounded; a restart forgets it.
"""

from __future__ import annotations

from msgspec import Struct

from chatd.limiter import Buckets, Rate
from protocol.errors import AUTH_INVALID, RATE_LIMITED, Refusal

WINDOW = 1800.0
PER_ACCOUNT, PER_ADDRESS = Rate(5 / WINDOW, 5), Rate(30 / WINDOW, 30)
SPACING = 5.0
LONGEST_WAIT = 15.0
WRONG = "The name or the password is wrong"
TOO_MANY = "Too many failed attempts to sign in"


class Attempt(Struct, frozen=True):
    """Leave to check a password after `wait` seconds. `over`: a wrong one is to be answered as one too many."""

    account: str
    address: str
    wait: float = 0.0
    over: bool = False


class Logins:
    """Who may try a password now. `address` is what addresses are counted by: for IPv6 the /64 (forwarding.block)."""

    def __init__(self, account: Rate = PER_ACCOUNT, address: Rate = PER_ADDRESS, *, most: int = 65536) -> None:
        self._pairs: Buckets[tuple[str, str]] = Buckets(account, most)
        self._addresses: Buckets[str] = Buckets(address, most)
        self._strangers: Buckets[str] = Buckets(account, most)
        turns = Rate(1 / SPACING, LONGEST_WAIT / SPACING)
        self._queues: Buckets[tuple[str, str | None]] = Buckets(turns, most)
        self._familiar: dict[tuple[str, str], None] = {}
        self._most = most

    def ask(self, account: str, address: str, now: float) -> Attempt:
        """Before a password is checked: leave to do so, perhaps after a wait, or RATE_LIMITED."""
        pair = (account, address)
        if pair in self._familiar:
            within = self._pairs.take(pair, now)
            return Attempt(account, address, 0.0 if within else self._queue((account, address), now), not within)
        if not self._addresses.take(address, now):
            raise self._refusal(self._addresses.retry_after(address, now))
        if not self._pairs.take(pair, now):
            raise self._refusal(self._pairs.retry_after(pair, now))
        wait = 0.0 if self._strangers.take(account, now) else self._queue((account, None), now)
        return Attempt(account, address, wait)

    def failed(self, attempt: Attempt, now: float) -> Refusal:
        """The password was wrong: what to answer."""
        if attempt.over:
            return self._refusal(self._pairs.retry_after((attempt.account, attempt.address), now))
        return Refusal(AUTH_INVALID, WRONG)

    def succeeded(self, attempt: Attempt) -> None:
        """The password was right: what the attempt was charged is given back."""
        pair = (attempt.account, attempt.address)
        self._pairs.clear(pair)
        if pair not in self._familiar:
            self._addresses.give_back(attempt.address)
            if not attempt.wait:
                self._strangers.give_back(attempt.account)
        self.recognise(*pair)

    def recognise(self, account: str, address: str) -> None:
        """This address is the owner's: he has signed in from it, or made the account there."""
        self._familiar.pop((account, address), None)
        if len(self._familiar) >= self._most:
            del self._familiar[next(iter(self._familiar))]
        self._familiar[account, address] = None

    def forget(self, account: str) -> None:
        """The password was changed, or the account is gone: no address is familiar any more."""
        self._familiar = {pair: None for pair in self._familiar if pair[0] != account}

    def _queue(self, queue: tuple[str, str | None], now: float) -> float:
        """Seconds until this attempt's turn; each turn comes SPACING after the one before."""
        if not self._queues.take(queue, now):
            raise self._refusal(self._queues.retry_after(queue, now))
        return self._queues.full_in(queue, now)

    @staticmethod
    def _refusal(retry_after: float) -> Refusal:
        return Refusal(RATE_LIMITED, TOO_MANY, retry_after=max(retry_after, 1.0))
