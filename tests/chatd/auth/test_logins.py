"""Password guessing is slow, and the owner of the account can log in."""

from __future__ import annotations

import pytest

from chatd.auth.logins import (
    MAX_QUEUED_ATTEMPTS,
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


class LoginRecords:
    """A LoginLimiter, and the familiar addresses of each account that the store would have."""

    def __init__(self, *rates: Rate, max_entries: int = 65536) -> None:
        self.limiter = LoginLimiter(*rates, max_entries=max_entries)
        self.familiar: set[tuple[str, str]] = set()

    def attempt(self, account: str = "ann", address: str = EVIL, now: float = NOW) -> Attempt:
        return self.limiter.request_attempt(account, address, now, familiar=(account, address) in self.familiar)

    def guess(self, account: str = "ann", address: str = EVIL, now: float = NOW) -> str:
        """Try a wrong password. Return the code of the answer."""
        try:
            answer = self.limiter.failed(self.attempt(account, address, now), now)
        except Refusal as refusal:
            answer = refusal
        assert answer.code is AUTH_INVALID or (answer.retry_after or 0) >= 1
        return answer.code.code

    def sign_in(self, address: str, now: float = NOW, account: str = "ann") -> Attempt:
        """Log in with the right password."""
        attempt = self.attempt(account, address, now)
        self.limiter.succeeded(attempt)
        self.familiar.add((account, address))
        return attempt


def test_five_guesses_at_an_account_and_then_one_in_six_minutes() -> None:
    logins = LoginRecords()
    assert [logins.guess() for _ in range(7)] == [AUTH_INVALID.code] * 5 + [RATE_LIMITED.code] * 2
    with pytest.raises(Refusal) as caught:
        logins.attempt()
    assert caught.value.retry_after == pytest.approx(360)
    later = [logins.guess(now=NOW + second) for second in range(1800)]
    assert later.count(AUTH_INVALID.code) == 4, "the fifth refills when the half hour is over"


def test_thirty_guesses_from_an_address_at_all_accounts() -> None:
    logins = LoginRecords()
    codes = [logins.guess(f"user{number}") for number in range(40)]
    assert codes == [AUTH_INVALID.code] * 30 + [RATE_LIMITED.code] * 10


def test_guesses_in_parallel_have_no_advantage() -> None:
    logins = LoginRecords()
    permitted = 0
    for _ in range(50):
        try:
            logins.attempt()
            permitted += 1
        except Refusal:
            pass
    assert permitted == 5


def test_other_addresses_do_not_use_up_the_owners_attempts() -> None:
    logins = LoginRecords()
    logins.sign_in(HOME)
    for _ in range(100):
        logins.guess()
    assert logins.sign_in(HOME).wait_seconds == 0
    assert 0 < logins.sign_in(AWAY).wait_seconds <= MAX_QUEUED_ATTEMPTS * TURN_SECONDS, "an unfamiliar address waits"
    assert logins.sign_in(AWAY).wait_seconds == 0, "the address is familiar now"


@pytest.mark.parametrize("count", [12, MAX_QUEUED_ATTEMPTS - 1])
def test_many_addresses_do_not_lock_the_owner_out_at_an_unfamiliar_address(count: int) -> None:
    logins = LoginRecords()
    for second in range(1800):
        for number in range(count):
            logins.guess(address=f"203.0.{number}.9", now=NOW + second)
        if not second % 90:  # each login is from another unfamiliar address
            wait = logins.sign_in(f"198.51.{second}.7", NOW + second).wait_seconds
            assert wait <= (count + 1) * TURN_SECONDS


def test_the_addresses_of_one_network_have_one_place_in_the_queue() -> None:
    logins = LoginRecords()
    for number in range(5):
        logins.guess(address=f"192.0.{number}.1")
    for number in range(250):
        logins.guess(address=f"203.0.113.{number}")
        logins.guess(address=f"2001:db8:7:{number:x}::/64")
    assert logins.sign_in(AWAY).wait_seconds <= 3 * TURN_SECONDS


def test_an_attempt_that_finds_the_queue_full_is_not_counted() -> None:
    logins = LoginRecords()
    for number in range(MAX_QUEUED_ATTEMPTS + 5):
        logins.guess(address=f"203.0.{number}.9")
    codes = {logins.guess(address=AWAY, now=NOW + 0.001 * number) for number in range(50)}
    assert codes == {RATE_LIMITED.code}
    assert logins.sign_in(AWAY, NOW + TURN_SECONDS).wait_seconds > 0


def test_a_guesser_at_the_owners_address_is_slow_and_the_owner_can_log_in() -> None:
    logins = LoginRecords()
    logins.sign_in(HOME)
    assert [logins.guess(address=HOME) for _ in range(6)] == [AUTH_INVALID.code] * 5 + [RATE_LIMITED.code]
    attempt = logins.attempt("ann", HOME, NOW + 60)
    assert attempt.wait_seconds == pytest.approx(TURN_SECONDS)
    assert attempt.exhausted
    logins.limiter.succeeded(attempt)
    assert logins.guess(address=HOME, now=NOW + 60) == AUTH_INVALID.code, "the counter is full again"


def test_failed_logins_to_many_accounts_do_not_lock_out_a_familiar_address() -> None:
    logins = LoginRecords()
    logins.sign_in(HOME)
    for number in range(40):
        logins.guess(f"user{number}", HOME)
    assert logins.sign_in(HOME).wait_seconds == 0


def test_many_addresses_wait_in_one_queue() -> None:
    logins = LoginRecords()
    codes = [logins.guess(address=f"203.0.{number}.1") for number in range(50)]
    assert codes.count(AUTH_INVALID.code) == 5 + MAX_QUEUED_ATTEMPTS
    hour = [
        logins.guess(address=f"{number >> 8}.{number & 255}.100.7", now=NOW + number / 10) for number in range(18_000)
    ]
    assert hour.count(AUTH_INVALID.code) <= 1800 / TURN_SECONDS + 5


def test_a_right_password_returns_its_count() -> None:
    logins = LoginRecords()
    for number in range(200):
        logins.sign_in(HOME, account=f"user{number}")
    assert [logins.guess("ann", HOME) for _ in range(5)] == [AUTH_INVALID.code] * 5


def test_memory_has_a_bound() -> None:
    logins = LoginRecords(max_entries=100)
    for number in range(2000):
        for network_number in range(8):
            logins.guess(f"user{number}", f"{number >> 8}.{number & 255}.{network_number}.1")
    assert len(logins.limiter._queues) <= 100
    assert len(logins.limiter._turns) <= 100


def test_a_limit_of_0_is_off() -> None:
    logins = LoginRecords(Rate(0), Rate(0))
    assert {logins.guess() for _ in range(500)} == {AUTH_INVALID.code}


def test_a_login_that_waited_does_not_shorten_the_wait_of_others() -> None:
    logins = LoginRecords()
    for number in range(5):
        logins.guess(address=f"203.0.{number}.1")
    assert logins.sign_in(AWAY).wait_seconds > 0
    assert logins.attempt("ann", "203.0.113.77").wait_seconds > TURN_SECONDS


def test_other_settings_keep_the_counts() -> None:
    logins = LoginRecords()
    for _ in range(5):
        logins.guess()
    logins.limiter.adopt(Rate(5 / 1800, 5), Rate(30 / 1800, 30))
    assert logins.guess() == RATE_LIMITED.code
    assert logins.guess("bob") == AUTH_INVALID.code
    logins.limiter.adopt(Rate(1 / 1800, 1), Rate(30 / 1800, 30))
    assert logins.guess("cat") == AUTH_INVALID.code
    assert logins.guess("cat") == RATE_LIMITED.code, "the new limits are in force"


@pytest.mark.parametrize("typed", ["ann", "ANN", "\uff41\uff4e\uff4e", "\uff21nn", "a\u1d3aN"])
def test_each_spelling_of_a_name_has_the_same_key(typed: str) -> None:
    assert account_key(typed) == "ann"


def test_any_text_has_a_key() -> None:
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
