"""Guessing is slow; the owner gets in."""

from __future__ import annotations

import pytest

from chatd.auth.logins import (
    MAX_QUEUED_ATTEMPTS,
    MAX_WAIT_SECONDS,
    TURN_SECONDS,
    Attempt,
    LoginLimiter,
    account_key,
    network,
)
from chatd.rate_limit import Rate
from protocol.errors import AUTH_INVALID, RATE_LIMITED, Refusal

NOW = 5000.0
HOME, AWAY, EVIL = "192.0.2.1", "192.0.2.2", "203.0.113.9"


class Register:
    """Logins, and what the store would know: which address has signed in to which account."""

    def __init__(self, *rates: Rate, most: int = 65536) -> None:
        self.logins = LoginLimiter(*rates, max_entries=most)
        self.known: set[tuple[str, str]] = set()

    def ask(self, account: str = "ann", address: str = EVIL, now: float = NOW) -> Attempt:
        return self.logins.request_attempt(account, address, now, familiar=(account, address) in self.known)

    def guess(self, account: str = "ann", address: str = EVIL, now: float = NOW) -> str:
        """A wrong password; the word that the guesser gets."""
        try:
            answer = self.logins.failed(self.ask(account, address, now), now)
        except Refusal as refusal:
            answer = refusal
        assert answer.code is AUTH_INVALID or (answer.retry_after or 0) >= 1
        return answer.code.code

    def sign_in(self, address: str, now: float = NOW, account: str = "ann") -> Attempt:
        """The right password."""
        attempt = self.ask(account, address, now)
        self.logins.succeeded(attempt)
        self.known.add((account, address))
        return attempt


def test_five_guesses_at_an_account_then_one_in_six_minutes() -> None:
    logins = Register()
    assert [logins.guess() for _ in range(7)] == [AUTH_INVALID.code] * 5 + [RATE_LIMITED.code] * 2
    with pytest.raises(Refusal) as caught:
        logins.ask()
    assert caught.value.retry_after == pytest.approx(360)
    later = [logins.guess(now=NOW + second) for second in range(1800)]
    assert later.count(AUTH_INVALID.code) == 4, "and five with the one that comes when the half hour is over"


def test_thirty_guesses_from_an_address_at_all_accounts() -> None:
    logins = Register()
    words = [logins.guess(f"user{number}") for number in range(40)]
    assert words == [AUTH_INVALID.code] * 30 + [RATE_LIMITED.code] * 10


def test_guesses_that_are_sent_at_once_gain_nothing() -> None:
    logins = Register()
    asked = 0
    for _ in range(50):
        try:
            logins.ask()
            asked += 1
        except Refusal:
            pass
    assert asked == 5


def test_nobody_uses_up_the_owners_tries_from_elsewhere() -> None:
    logins = Register()
    logins.sign_in(HOME)
    for _ in range(100):
        logins.guess()
    assert logins.sign_in(HOME).wait_seconds == 0
    assert 0 < logins.sign_in(AWAY).wait_seconds <= MAX_WAIT_SECONDS, "from a new place he waits a moment"
    assert logins.sign_in(AWAY).wait_seconds == 0, "and never again"


@pytest.mark.parametrize("count", [12, MAX_QUEUED_ATTEMPTS - 1])
def test_so_many_addresses_do_not_keep_the_owner_out_of_a_new_place(count: int) -> None:
    logins = Register()
    for second in range(1800):
        for number in range(count):
            logins.guess(address=f"203.0.{number}.9", now=NOW + second)
        if not second % 90:  # he signs in from another new place, and is forgotten there
            wait = logins.sign_in(f"198.51.{second}.7", NOW + second).wait_seconds
            assert wait <= (count + 1) * TURN_SECONDS


def test_the_addresses_of_one_network_wait_in_one_place() -> None:
    logins = Register()
    for number in range(5):
        logins.guess(address=f"192.0.{number}.1")
    for number in range(250):
        logins.guess(address=f"203.0.113.{number}")
        logins.guess(address=f"2001:db8:7:{number:x}::/64")
    assert logins.sign_in(AWAY).wait_seconds <= 3 * TURN_SECONDS


def test_who_finds_no_place_in_the_queue_is_charged_nothing() -> None:
    logins = Register()
    for number in range(MAX_QUEUED_ATTEMPTS + 5):
        logins.guess(address=f"203.0.{number}.9")
    words = {logins.guess(address=AWAY, now=NOW + 0.001 * number) for number in range(50)}
    assert words == {RATE_LIMITED.code}
    assert logins.sign_in(AWAY, NOW + TURN_SECONDS).wait_seconds > 0


def test_behind_the_owners_own_address_a_guesser_is_slow_and_the_owner_gets_in() -> None:
    logins = Register()
    logins.sign_in(HOME)
    assert [logins.guess(address=HOME) for _ in range(6)] == [AUTH_INVALID.code] * 5 + [RATE_LIMITED.code]
    attempt = logins.ask("ann", HOME, NOW + 60)
    assert attempt.wait_seconds == pytest.approx(TURN_SECONDS)
    assert attempt.exhausted
    logins.logins.succeeded(attempt)
    assert logins.guess(address=HOME, now=NOW + 60) == AUTH_INVALID.code, "and he has his five again"


def test_an_owner_who_mistyped_at_many_accounts_from_home_still_gets_in() -> None:
    logins = Register()
    logins.sign_in(HOME)
    for number in range(40):
        logins.guess(f"user{number}", HOME)
    assert logins.sign_in(HOME).wait_seconds == 0


def test_many_addresses_together_wait_in_one_queue() -> None:
    logins = Register()
    words = [logins.guess(address=f"203.0.{number}.1") for number in range(50)]
    assert words.count(AUTH_INVALID.code) == 5 + MAX_QUEUED_ATTEMPTS
    hour = [
        logins.guess(address=f"{number >> 8}.{number & 255}.100.7", now=NOW + number / 10) for number in range(18_000)
    ]
    assert hour.count(AUTH_INVALID.code) <= 1800 / TURN_SECONDS + 5


def test_a_right_password_gives_back_what_it_cost() -> None:
    logins = Register()
    for number in range(200):
        logins.sign_in(HOME, account=f"user{number}")
    assert [logins.guess("ann", HOME) for _ in range(5)] == [AUTH_INVALID.code] * 5


def test_memory_has_a_bound() -> None:
    logins = Register(most=100)
    for number in range(2000):
        for place in range(8):
            logins.guess(f"user{number}", f"{number >> 8}.{number & 255}.{place}.1")
    assert len(logins.logins._queues) <= 100
    assert len(logins.logins._turns) <= 100


def test_limits_of_nothing_are_off() -> None:
    logins = Register(Rate(0), Rate(0))
    assert {logins.guess() for _ in range(500)} == {AUTH_INVALID.code}


def test_an_owner_who_had_to_wait_does_not_let_a_stranger_jump_the_queue() -> None:
    logins = Register()
    for number in range(5):
        logins.guess(address=f"203.0.{number}.1")
    assert logins.sign_in(AWAY).wait_seconds > 0
    assert logins.ask("ann", "203.0.113.77").wait_seconds > TURN_SECONDS


def test_other_settings_do_not_forget_what_was_counted() -> None:
    logins = Register()
    for _ in range(5):
        logins.guess()
    logins.logins.adopt(Rate(5 / 1800, 5), Rate(30 / 1800, 30))
    assert logins.guess() == RATE_LIMITED.code
    assert logins.guess("bob") == AUTH_INVALID.code
    logins.logins.adopt(Rate(1 / 1800, 1), Rate(30 / 1800, 30))
    assert logins.guess("cat") == AUTH_INVALID.code
    assert logins.guess("cat") == RATE_LIMITED.code, "and they are taken up"


@pytest.mark.parametrize("typed", ["ann", "ANN", "\uff41\uff4e\uff4e", "\uff21nn", "a\u1d3aN"])
def test_every_spelling_of_a_name_is_counted_alike(typed: str) -> None:
    assert account_key(typed) == "ann"


def test_what_is_typed_may_be_anything() -> None:
    assert account_key("\ud800") == "\ud800"
    assert len(account_key("\u0315\u0300" * 100_000)) <= 1000
    assert account_key("Stra\u00dfe") == account_key("STRASSE")


@pytest.mark.parametrize(
    ("address", "is_in"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("unix", "unix"),
        ("", ""),
    ],
)
def test_networks(address: str, is_in: str) -> None:
    assert network(address) == is_in
