"""Guessing is slow; the owner gets in."""

from __future__ import annotations

import pytest

from chatd.auth.logins import LONGEST_WAIT, SPACING, Attempt, Logins
from chatd.limiter import Rate
from protocol.errors import AUTH_INVALID, RATE_LIMITED, Refusal

NOW = 5000.0
HOME, AWAY, EVIL = "192.0.2.1", "192.0.2.2", "203.0.113.9"


def guess(logins: Logins, account: str = "ann", address: str = EVIL, now: float = NOW) -> str:
    """A wrong password; the word that the guesser gets."""
    try:
        answer = logins.failed(logins.ask(account, address, now), now)
    except Refusal as refusal:
        answer = refusal
    assert answer.code is AUTH_INVALID or (answer.retry_after or 0) >= 1
    return answer.code.code


def sign_in(logins: Logins, address: str, now: float = NOW) -> Attempt:
    """The right password."""
    attempt = logins.ask("ann", address, now)
    logins.succeeded(attempt)
    return attempt


def test_five_guesses_at_an_account_then_one_in_six_minutes() -> None:
    logins = Logins()
    assert [guess(logins) for _ in range(7)] == [AUTH_INVALID.code] * 5 + [RATE_LIMITED.code] * 2
    with pytest.raises(Refusal) as caught:
        logins.ask("ann", EVIL, NOW)
    assert caught.value.retry_after == pytest.approx(360)
    later = [guess(logins, now=NOW + second) for second in range(1800)]
    assert later.count(AUTH_INVALID.code) == 4, "and five with the one that comes when the half hour is over"


def test_thirty_guesses_from_an_address_at_all_accounts() -> None:
    logins = Logins()
    words = [guess(logins, f"user{number}") for number in range(40)]
    assert words == [AUTH_INVALID.code] * 30 + [RATE_LIMITED.code] * 10


def test_guesses_that_are_sent_at_once_gain_nothing() -> None:
    logins = Logins()
    asked = 0
    for _ in range(50):
        try:
            logins.ask("ann", EVIL, NOW)
            asked += 1
        except Refusal:
            pass
    assert asked == 5


def test_nobody_uses_up_the_owners_tries_from_elsewhere() -> None:
    logins = Logins()
    sign_in(logins, HOME)
    for _ in range(100):
        guess(logins)
    assert sign_in(logins, HOME).wait == 0
    assert 0 < sign_in(logins, AWAY).wait <= LONGEST_WAIT, "from a new place he waits a moment"
    assert sign_in(logins, AWAY).wait == 0, "and never again"


def test_behind_the_owners_own_address_a_guesser_is_slow_and_the_owner_gets_in() -> None:
    logins = Logins()
    sign_in(logins, HOME)
    assert [guess(logins, address=HOME) for _ in range(6)] == [AUTH_INVALID.code] * 5 + [RATE_LIMITED.code]
    attempt = logins.ask("ann", HOME, NOW + 60)
    assert attempt.wait == pytest.approx(SPACING)
    assert attempt.over
    logins.succeeded(attempt)
    assert guess(logins, address=HOME, now=NOW + 60) == AUTH_INVALID.code, "and he has his five again"


def test_an_owner_who_mistyped_at_many_accounts_from_home_still_gets_in() -> None:
    logins = Logins()
    sign_in(logins, HOME)
    for number in range(40):
        guess(logins, f"user{number}", HOME)
    assert sign_in(logins, HOME).wait == 0


def test_many_addresses_together_wait_in_one_queue() -> None:
    logins = Logins()
    words = [guess(logins, address=f"203.0.113.{number}") for number in range(50)]
    assert words.count(AUTH_INVALID.code) == 5 + LONGEST_WAIT / SPACING
    hour = [
        guess(logins, address=f"198.51.{number >> 8}.{number & 255}", now=NOW + number / 10) for number in range(18_000)
    ]
    assert hour.count(AUTH_INVALID.code) <= 1800 / SPACING + 5


def test_a_right_password_gives_back_what_it_cost() -> None:
    logins = Logins()
    for number in range(200):
        attempt = logins.ask(f"user{number}", HOME, NOW)
        logins.succeeded(attempt)
    assert [guess(logins, "ann", HOME) for _ in range(5)] == [AUTH_INVALID.code] * 5


def test_making_accounts_buys_no_guesses() -> None:
    logins = Logins()
    words = []
    for number in range(60):
        logins.recognise(f"new{number}", EVIL)
        words.append(guess(logins, f"user{number}"))
    assert words.count(AUTH_INVALID.code) == 30


def test_where_an_account_was_made_is_a_familiar_place_until_it_is_forgotten() -> None:
    logins = Logins()
    logins.recognise("ann", HOME)
    for _ in range(6):
        guess(logins, address=HOME)
    assert logins.ask("ann", HOME, NOW + 60).over
    logins.forget("ann")
    assert guess(logins, address=HOME, now=NOW + 60) == RATE_LIMITED.code


def test_memory_has_a_bound() -> None:
    logins = Logins(most=100)
    for number in range(2000):
        logins.recognise(f"user{number}", HOME)
        for _ in range(6):
            guess(logins, f"user{number}", HOME)
    assert len(logins._familiar) <= 100
    assert len(logins._queues) <= 100


def test_limits_of_nothing_are_off() -> None:
    logins = Logins(Rate(0), Rate(0))
    assert {guess(logins) for _ in range(500)} == {AUTH_INVALID.code}


def test_an_owner_who_had_to_wait_does_not_let_a_stranger_jump_the_queue() -> None:
    logins = Logins()
    for number in range(5):
        guess(logins, address=f"203.0.113.{number}")
    assert sign_in(logins, AWAY).wait > 0
    assert logins.ask("ann", "203.0.113.77", NOW).wait > SPACING
