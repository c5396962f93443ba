"""Logins on a real store: by name or address, and the limits of wrong passwords."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import trio

from chatd.auth.logins import TURN_SECONDS, LoginLimiter
from chatd.auth.passwords import Cost, Passwords
from chatd.config.settings import LimitSettings
from chatd.core.accounts import Accounts
from chatd.services import accounts as services
from protocol.commands import Login, Register
from protocol.errors import AUTH_INVALID, BAD_REQUEST, RATE_LIMITED, Refusal
from tests.chatd.accounts_app import EVIL, HOME, WORD, AccountsApp, refused
from tests.chatd.core.test_accounts import content


@pytest.mark.parametrize(
    "who",
    [
        {"name": "ada"},
        {"name": "ADA"},
        {"email": "ada@example.org"},
        {"email": "ADA@example.org"},
        {"name": "ada@example.org"},
        {"name": "ada", "email": "other@example.org"},
    ],
)
async def test_sign_in_by_name_or_address(accounts_app: AccountsApp, who: dict[str, Any]) -> None:
    made = await accounts_app.join(email="ada@example.org")
    tokens = await accounts_app.ask(Login(password=WORD, **who), EVIL)
    assert tokens.user == made.user
    assert tokens.refresh != made.refresh
    assert await accounts_app.is_accepted(tokens.access)


async def test_wrong_unknown_and_closed_are_answered_alike(accounts_app: AccountsApp) -> None:
    await accounts_app.join()
    await accounts_app.join("bob")
    await accounts_app.do("user.set", user="bob", disabled=True)
    await accounts_app.do("user.add", name="cat")
    answers = set()
    for command in (
        Login(name="ada", password="wrong horse"),
        Login(name="unknown", password=WORD),
        Login(name="bob", password=WORD),
        Login(name="cat", password=""),
        Login(name="\ud800", password=WORD),
        Login(email="\ud800@x", password=WORD),
        Login(name="ada", password="\ud800"),
        Login(name="", password=WORD),
    ):
        refusal = await refused(accounts_app, command, EVIL)
        answers.add((refusal.code, refusal.message, refusal.field, refusal.retry_after))
    assert answers == {(AUTH_INVALID, "The name or the password is wrong", None, None)}
    assert (await refused(accounts_app, Login(password=WORD))).code is BAD_REQUEST


async def test_an_unknown_name_costs_a_hash_like_a_known_one(
    accounts_app: AccountsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    await accounts_app.join()
    checked: list[str | None] = []

    async def verify(stored: str | None, password: str) -> bool:
        checked.append(stored)
        return False

    monkeypatch.setattr(accounts_app.accounts.passwords, "verify", verify)
    await refused(accounts_app, Login(name="ada", password=WORD))
    await refused(accounts_app, Login(name="unknown", password=WORD))
    assert [stored is None for stored in checked] == [False, True]


async def test_guesses_are_counted_by_account_whatever_it_is_called(accounts_app: AccountsApp) -> None:
    await accounts_app.join(email="ada@example.org")
    names: list[dict[str, Any]] = [
        {"name": "ada"},
        {"name": "ADA"},
        {"name": "\uff41\uff44\uff41"},
        {"name": "\u1d2c\uff24a"},
        {"name": "ada"},
    ]
    for who in names:
        assert (await refused(accounts_app, Login(password="wrong horse", **who), EVIL)).code is AUTH_INVALID
    refusal = await refused(accounts_app, Login(name="Ada", password=WORD), EVIL)
    assert refusal.code is RATE_LIMITED
    assert refusal.retry_after == pytest.approx(360, abs=1)
    assert await accounts_app.ask(Login(name="ada", password=WORD), HOME), "at home the owner gets in"


@pytest.mark.parametrize(
    "spellings",
    [
        ["ada", "\uff41\uff44\uff41", "ADA", "\uff21DA", "ad\uff41", "aDa"],
        ["\xe9mile", "\xc9mile", "e\u0301mile", "\xc9MILE", "E\u0301MILE", "\xe9mile"],
        [
            "ada@example.org",
            "ADA@example.org",
            "ada@EXAMPLE.org",
            "ada@example.ORG",
            "Ada@example.org",
            "ada@example.orG",
        ],
        ["ada", "ada@example.org", "ada", "ada@example.org", "ada", "ada@example.org"],
        ["\u212aate", "kate", "KATE", "Kate", "katE", "\u212aATE"],
    ],
)
async def test_the_throttle_does_not_tell_names_that_exist(
    accounts_app: AccountsApp, spellings: list[str], tmp_path: Path
) -> None:
    async def answers(address: str) -> list[tuple[str, float | None]]:
        given = []
        for name in spellings:
            refusal = await refused(accounts_app, Login(name=name, password="wrong horse"), address)
            given.append((refusal.code.code, refusal.retry_after and round(refusal.retry_after)))
        return given

    unknown = await answers("203.0.113.1")
    accounts_app.accounts.logins = LoginLimiter()
    for name, email in (("ada", "ada@example.org"), ("\xe9mile", None), ("Kate", None)):
        await accounts_app.ask(Register(name=name, email=email, password=WORD), HOME)
    assert await answers("203.0.113.1") == unknown


async def test_familiar_places_outlive_the_server_and_no_address_is_kept(
    accounts_app: AccountsApp, tmp_path: Path
) -> None:
    await accounts_app.join()
    await accounts_app.ask(Login(name="ada", password=WORD), "198.51.100.77")
    accounts_app.accounts = Accounts(
        accounts_app.config, accounts_app.database, accounts_app.identity, passwords=accounts_app.accounts.passwords
    )  # as after a restart
    for number in range(30):
        with contextlib.suppress(Refusal):
            accounts_app.accounts.logins.request_attempt("ada", f"203.0.{number}.1", trio.current_time())
    with trio.fail_after(TURN_SECONDS / 2):  # he does not wait
        await accounts_app.ask(Login(name="ada", password=WORD), "198.51.100.77")
    assert b"198.51.100" not in b"".join(content(tmp_path))


async def test_places_are_remembered_by_a_bounded_number(accounts_app: AccountsApp, tmp_path: Path) -> None:
    await accounts_app.join()
    for number in range(40):
        accounts_app.now += 1
        await accounts_app.ask(Login(name="ada", password=WORD), f"198.51.100.{number}")
    raw = sqlite3.connect(f"file:{tmp_path}/chatd.db?mode=ro", uri=True)
    assert raw.execute("SELECT count(*) FROM known_places").fetchone() == (32,)
    raw.close()


async def test_twelve_addresses_do_not_keep_the_owner_out_of_a_new_place(
    accounts_app: AccountsApp, autojump_clock: trio.testing.MockClock
) -> None:
    await accounts_app.join()
    for number in range(12):
        for _ in range(10):
            with contextlib.suppress(Refusal):
                accounts_app.accounts.logins.request_attempt("ada", f"203.0.{number}.1", trio.current_time())
    began = trio.current_time()
    assert await accounts_app.ask(Login(name="ada", password=WORD), "198.51.100.77")
    assert trio.current_time() - began <= 39


async def test_an_address_is_counted_by_its_network(accounts_app: AccountsApp) -> None:
    await accounts_app.join()
    for number in range(5):
        await refused(accounts_app, Login(name="ada", password="wrong horse"), f"2001:db8::{number + 1}")
    assert (await refused(accounts_app, Login(name="ada", password=WORD), "2001:db8::99")).code is RATE_LIMITED


async def test_a_guesser_at_home_is_delayed(accounts_app: AccountsApp, autojump_clock: trio.testing.MockClock) -> None:
    await accounts_app.join()
    for _ in range(5):
        assert (await refused(accounts_app, Login(name="ada", password="wrong horse"))).code is AUTH_INVALID
    began = trio.current_time()
    assert (await refused(accounts_app, Login(name="ada", password="wrong horse"))).code is RATE_LIMITED
    assert await accounts_app.ask(Login(name="ada", password=WORD))
    assert trio.current_time() - began == pytest.approx(6, abs=1)


async def test_limits_of_logins_are_settings(accounts_app: AccountsApp) -> None:
    accounts_app.configure(
        limits=LimitSettings(logins_per_account=0, logins_per_address=0, registrations_per_address=0)
    )
    await accounts_app.join()
    for _ in range(50):
        assert (await refused(accounts_app, Login(name="ada", password="wrong horse"), EVIL)).code is AUTH_INVALID
    accounts_app.configure(limits=LimitSettings(logins_per_account=1 / 60, logins_per_account_burst=1))
    await refused(accounts_app, Login(name="ada", password="wrong horse"), EVIL)
    assert (await refused(accounts_app, Login(name="ada", password=WORD), EVIL)).code is RATE_LIMITED


async def test_a_password_that_was_hashed_at_another_cost_is_hashed_again(accounts_app: AccountsApp) -> None:
    await accounts_app.join()
    before = await stored(accounts_app)
    accounts_app.accounts.passwords = Passwords(Cost(memory_kib=16, passes=1))
    await accounts_app.ask(Login(name="ada", password=WORD))
    after = await stored(accounts_app)
    assert ("m=8," in before, "m=16," in after) == (True, True)
    await accounts_app.ask(Login(name="ada", password=WORD))
    assert await stored(accounts_app) == after


async def stored(accounts_app: AccountsApp) -> str:
    account = await accounts_app.database.read(lambda tx: services.find_account(tx, "ada"))
    assert account.password is not None
    return account.password


@pytest.mark.parametrize("call", ["user.passwd", "user.set", "user.delete"])
async def test_what_changes_while_a_password_is_checked_counts(
    accounts_app: AccountsApp, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    await accounts_app.join()
    verify = accounts_app.accounts.passwords.verify
    changes: dict[str, dict[str, Any]] = {"user.passwd": {"password": "a new one"}, "user.set": {"disabled": True}}

    async def slowly(stored: str | None, password: str) -> bool:
        right = await verify(stored, password)
        await accounts_app.do(call, user="ada", **changes.get(call, {}))
        return right

    monkeypatch.setattr(accounts_app.accounts.passwords, "verify", slowly)
    assert (await refused(accounts_app, Login(name="ada", password=WORD))).code is AUTH_INVALID
