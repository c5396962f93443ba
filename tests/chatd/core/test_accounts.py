"""Accounts on a real store: making one, signing in, staying signed in."""

from __future__ import annotations

import contextlib
import sqlite3
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import msgspec
import pytest
import trio

from chatd.auth.logins import TURN_SECONDS, LoginLimiter
from chatd.auth.passwords import Cost, Passwords
from chatd.config.load import ConfigError, load
from chatd.config.settings import Config, LimitSettings
from chatd.core.accounts import Accounts
from chatd.services import accounts as services
from protocol.commands import Login, Logout, Refresh, Register
from protocol.errors import AUTH_INVALID, BAD_REQUEST, CONFLICT, FORBIDDEN, RATE_LIMITED, Refusal
from tests.chatd.services_app import EVIL, HOME, NOW, WORD, World, household, payload, refused


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with household(tmp_path) as made:
        yield made


# Making an account


async def test_register_gives_an_account_and_a_session(world: World) -> None:
    tokens = await world.join(email="Ada@example.org", display="Ada L.")
    user = tokens.user
    assert (user.name, user.email, user.display, user.admin) == ("ada", "Ada@example.org", "Ada L.", False)
    assert tokens.expires_in == 900
    assert await world.comes_in(tokens.access)
    assert payload(tokens.access)["exp"] == NOW + 900
    assert (await world.ask(Refresh(refresh=tokens.refresh))).user == user


async def test_who_gives_no_name_is_called_by_their_address(world: World) -> None:
    assert (await world.ask(Register(email="ada@example.org", password=WORD))).user.name == "ada@example.org"
    for email in ("ada!b@example.org", f"{'a' * 60}@example.org"):
        refusal = await refused(world, Register(email=email, password=WORD))
        assert (refusal.code, refusal.field) == (BAD_REQUEST, "name")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a b"),
        ("name", "a" * 65),
        ("name", "7"),
        ("name", "deleted-7"),
        ("name", "ada\n"),
        ("name", "\ud800"),
        ("name", None),
        ("email", "ada"),
        ("email", "a@b@c"),
        ("email", "ada@example.org\n"),
        ("email", f"ada@{'b' * 260}"),
        ("display", "x" * 101),
        ("display", "a\nb"),
        ("password", "short"),
        ("password", "x" * 1025),
        ("password", "\ud800\ud800\ud800"),
    ],
)
async def test_what_no_account_is_made_of(world: World, field: str, value: str | None) -> None:
    asked: dict[str, Any] = {"name": "ada", "password": WORD, field: value}
    refusal = await refused(world, Register(**asked))
    assert (refusal.code, refusal.field) == (BAD_REQUEST, field)
    assert not await world.do("user.list")


async def test_names_and_addresses_are_taken_once_by_anybody_and_in_any_case(world: World) -> None:
    await world.join("ada", email="ada@example.org")
    for command in (
        Register(name="ADA", password=WORD),
        Register(name="ａｄａ", password=WORD),
        Register(name="bob", email="Ada@Example.org", password=WORD),
        Register(name="ada@example.org", password=WORD),
    ):
        assert (await refused(world, command)).code is CONFLICT
    await world.ask(Register(name="eve@example.org", password=WORD))
    assert (await refused(world, Register(name="eve", email="eve@example.org", password=WORD))).code is CONFLICT


async def test_who_may_register(world: World) -> None:
    for registration, allowed in (("invite", False), ("open", True), ("closed", False)):
        world.set(registration=registration)
        for host in ("127.0.0.1", "0.0.0.0"):  # behind a proxy everybody comes from loopback
            server = msgspec.structs.replace(world.config.server, host=host)
            world.config = msgspec.structs.replace(world.config, server=server)
            if allowed:
                await world.join(f"{registration}.{host}")
            else:
                assert (await refused(world, Register(name="eve", password=WORD))).code is FORBIDDEN
    assert await world.do("user.add", name="cli", password=WORD)


def test_nobody_registers_without_an_invite_unless_it_is_said_so() -> None:
    assert Config().auth.registration == "invite"
    with pytest.raises(ConfigError, match=r'auth.registration is "auto"; expected "closed" or "invite" or "open"'):
        load(flags=(("--set", "auth.registration", "auto"),), environ={})


# Signing in


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
async def test_sign_in_by_name_or_address(world: World, who: dict[str, Any]) -> None:
    made = await world.join(email="ada@example.org")
    tokens = await world.ask(Login(password=WORD, **who), EVIL)
    assert tokens.user == made.user
    assert tokens.refresh != made.refresh
    assert await world.comes_in(tokens.access)


async def test_wrong_unknown_and_closed_are_answered_alike(world: World) -> None:
    await world.join()
    await world.join("bob")
    await world.do("user.set", user="bob", disabled=True)
    await world.do("user.add", name="cat")
    answers = set()
    for command in (
        Login(name="ada", password="wrong horse"),
        Login(name="nobody", password=WORD),
        Login(name="bob", password=WORD),
        Login(name="cat", password=""),
        Login(name="\ud800", password=WORD),
        Login(email="\ud800@x", password=WORD),
        Login(name="ada", password="\ud800"),
        Login(name="", password=WORD),
    ):
        refusal = await refused(world, command, EVIL)
        answers.add((refusal.code, refusal.message, refusal.field, refusal.retry_after))
    assert answers == {(AUTH_INVALID, "The name or the password is wrong", None, None)}
    assert (await refused(world, Login(password=WORD))).code is BAD_REQUEST


async def test_an_unknown_name_costs_a_hash_like_a_known_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.join()
    checked: list[str | None] = []

    async def verify(stored: str | None, password: str) -> bool:
        checked.append(stored)
        return False

    monkeypatch.setattr(world.accounts.passwords, "verify", verify)
    await refused(world, Login(name="ada", password=WORD))
    await refused(world, Login(name="nobody", password=WORD))
    assert [stored is None for stored in checked] == [False, True]


async def test_guesses_are_counted_by_account_whatever_it_is_called(world: World) -> None:
    await world.join(email="ada@example.org")
    names: list[dict[str, Any]] = [
        {"name": "ada"},
        {"name": "ADA"},
        {"name": "\uff41\uff44\uff41"},
        {"name": "\u1d2c\uff24a"},
        {"name": "ada"},
    ]
    for who in names:
        assert (await refused(world, Login(password="wrong horse", **who), EVIL)).code is AUTH_INVALID
    refusal = await refused(world, Login(name="Ada", password=WORD), EVIL)
    assert refusal.code is RATE_LIMITED
    assert refusal.retry_after == pytest.approx(360, abs=1)
    assert await world.ask(Login(name="ada", password=WORD), HOME), "at home the owner gets in"


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
async def test_the_throttle_does_not_tell_names_that_exist(world: World, spellings: list[str], tmp_path: Path) -> None:
    async def answers(address: str) -> list[tuple[str, float | None]]:
        given = []
        for name in spellings:
            refusal = await refused(world, Login(name=name, password="wrong horse"), address)
            given.append((refusal.code.code, refusal.retry_after and round(refusal.retry_after)))
        return given

    unknown = await answers("203.0.113.1")
    world.accounts.logins = LoginLimiter()
    for name, email in (("ada", "ada@example.org"), ("\xe9mile", None), ("Kate", None)):
        await world.ask(Register(name=name, email=email, password=WORD), HOME)
    assert await answers("203.0.113.1") == unknown


async def test_familiar_places_outlive_the_server_and_no_address_is_kept(world: World, tmp_path: Path) -> None:
    await world.join()
    await world.ask(Login(name="ada", password=WORD), "198.51.100.77")
    world.accounts = Accounts(world, world.identity, passwords=world.accounts.passwords)  # as after a restart
    for number in range(30):
        with contextlib.suppress(Refusal):
            world.accounts.logins.request_attempt("ada", f"203.0.{number}.1", trio.current_time())
    with trio.fail_after(TURN_SECONDS / 2):  # he does not wait
        await world.ask(Login(name="ada", password=WORD), "198.51.100.77")
    assert b"198.51.100" not in b"".join(content(tmp_path))


async def test_places_are_remembered_by_a_bounded_number(world: World, tmp_path: Path) -> None:
    await world.join()
    for number in range(40):
        world.now += 1
        await world.ask(Login(name="ada", password=WORD), f"198.51.100.{number}")
    raw = sqlite3.connect(f"file:{tmp_path}/chatd.db?mode=ro", uri=True)
    assert raw.execute("SELECT count(*) FROM known_places").fetchone() == (32,)
    raw.close()


async def test_twelve_addresses_do_not_keep_the_owner_out_of_a_new_place(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    await world.join()
    for number in range(12):
        for _ in range(10):
            with contextlib.suppress(Refusal):
                world.accounts.logins.request_attempt("ada", f"203.0.{number}.1", trio.current_time())
    began = trio.current_time()
    assert await world.ask(Login(name="ada", password=WORD), "198.51.100.77")
    assert trio.current_time() - began <= 39


async def test_an_address_is_counted_by_its_network(world: World) -> None:
    await world.join()
    for number in range(5):
        await refused(world, Login(name="ada", password="wrong horse"), f"2001:db8::{number + 1}")
    assert (await refused(world, Login(name="ada", password=WORD), "2001:db8::99")).code is RATE_LIMITED


async def test_a_guesser_at_home_is_delayed(world: World, autojump_clock: trio.testing.MockClock) -> None:
    await world.join()
    for _ in range(5):
        assert (await refused(world, Login(name="ada", password="wrong horse"))).code is AUTH_INVALID
    began = trio.current_time()
    assert (await refused(world, Login(name="ada", password="wrong horse"))).code is RATE_LIMITED
    assert await world.ask(Login(name="ada", password=WORD))
    assert trio.current_time() - began == pytest.approx(6, abs=1)


async def test_limits_of_logins_are_settings(world: World) -> None:
    world.accounts.adopt(LimitSettings(logins_per_account=0, logins_per_address=0, registrations_per_address=0))
    await world.join()
    for _ in range(50):
        assert (await refused(world, Login(name="ada", password="wrong horse"), EVIL)).code is AUTH_INVALID
    world.accounts.adopt(LimitSettings(logins_per_account=1 / 60, logins_per_account_burst=1))
    await refused(world, Login(name="ada", password="wrong horse"), EVIL)
    assert (await refused(world, Login(name="ada", password=WORD), EVIL)).code is RATE_LIMITED


async def test_a_password_that_was_hashed_at_another_cost_is_hashed_again(world: World) -> None:
    await world.join()
    before = await stored(world)
    world.accounts.passwords = Passwords(Cost(memory_kib=16, passes=1))
    await world.ask(Login(name="ada", password=WORD))
    after = await stored(world)
    assert ("m=8," in before, "m=16," in after) == (True, True)
    await world.ask(Login(name="ada", password=WORD))
    assert await stored(world) == after


async def stored(world: World) -> str:
    account = await world.database.read(lambda tx: services.find_account(tx, "ada"))
    assert account.password is not None
    return account.password


@pytest.mark.parametrize("call", ["user.passwd", "user.set", "user.delete"])
async def test_what_changes_while_a_password_is_checked_counts(
    world: World, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    await world.join()
    verify = world.accounts.passwords.verify
    changes: dict[str, dict[str, Any]] = {"user.passwd": {"password": "a new one"}, "user.set": {"disabled": True}}

    async def slowly(stored: str | None, password: str) -> bool:
        right = await verify(stored, password)
        await world.do(call, user="ada", **changes.get(call, {}))
        return right

    monkeypatch.setattr(world.accounts.passwords, "verify", slowly)
    assert (await refused(world, Login(name="ada", password=WORD))).code is AUTH_INVALID


# Limits of an address


async def test_five_attempts_an_hour_to_make_an_account_whatever_comes_of_them(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    world.accounts.adopt(LimitSettings())
    await world.join("a")
    await refused(world, Register(name="a", password=WORD))
    await refused(world, Register(name="b", password="short"))
    await refused(world, Register(name="b", password=WORD, invite="wrong"))
    world.set(registration="closed")
    await refused(world, Register(name="b", password=WORD))
    world.set(registration="open")
    refusal = await refused(world, Register(name="b", password=WORD))
    assert refusal.code is RATE_LIMITED
    assert refusal.retry_after == pytest.approx(720, abs=1)
    world.accounts.adopt(LimitSettings())
    assert (await refused(world, Register(name="b", password=WORD))).code is RATE_LIMITED, "SIGHUP gives none back"
    await world.ask(Register(name="b", password=WORD), "2001:db8::1")
    for number in range(4):
        await world.ask(Register(name=f"c{number}", password=WORD), f"2001:db8::{number + 2}")
    assert (await refused(world, Register(name="d", password=WORD), "2001:db8::99")).code is RATE_LIMITED
    await trio.sleep(720)
    await world.ask(Register(name="d", password=WORD))


async def test_refreshing_and_leaving_are_limited_by_address(world: World) -> None:
    world.accounts.adopt(LimitSettings(renewals_per_address_burst=3))
    for command in (Refresh(refresh="a.b"), Logout(), Refresh(refresh="a.b")):
        with contextlib.suppress(Refusal):
            await world.accounts.perform(command, HOME)
    for command in (Refresh(refresh="a.b"), Logout()):
        assert (await refused(world, command)).code is RATE_LIMITED


# Staying signed in


async def test_each_refresh_token_is_good_once_and_the_second_time_ends_its_session(world: World) -> None:
    first = await world.join()
    elsewhere = await world.ask(Login(name="ada", password=WORD))
    second = await world.ask(Refresh(refresh=first.refresh))
    third = await world.ask(Refresh(refresh=second.refresh))
    assert len({first.refresh, second.refresh, third.refresh}) == 3
    assert await world.comes_in(third.access)
    assert (await refused(world, Refresh(refresh=first.refresh))).code is AUTH_INVALID
    assert (await refused(world, Refresh(refresh=third.refresh))).code is AUTH_INVALID, "the thief's or the owner's"
    assert await world.ask(Refresh(refresh=elsewhere.refresh)), "another session knows nothing of it"


async def test_of_two_who_show_the_same_token_at_once_one_gets_in(world: World) -> None:
    first = await world.join()
    outcomes: list[str] = []

    async def show() -> None:
        try:
            await world.ask(Refresh(refresh=first.refresh))
            outcomes.append("in")
        except Refusal:
            outcomes.append("out")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(show)
        nursery.start_soon(show)
    assert sorted(outcomes) == ["in", "out"]


async def test_a_session_ends_when_it_is_not_used(world: World) -> None:
    first = await world.join()
    world.now += 29 * 86400
    second = await world.ask(Refresh(refresh=first.refresh))
    world.now += 30 * 86400 - 1
    third = await world.ask(Refresh(refresh=second.refresh))
    world.now += 30 * 86400
    assert (await refused(world, Refresh(refresh=third.refresh))).code is AUTH_INVALID


async def test_times_to_live_are_settings_that_change_live(world: World) -> None:
    world.set(access_ttl=60.0, refresh_ttl=120.0)
    tokens = await world.join()
    assert tokens.expires_in == 60
    world.now += 61
    with pytest.raises(Refusal, match="expired"):
        await world.comes_in(tokens.access)
    world.now += 60
    assert (await refused(world, Refresh(refresh=tokens.refresh))).code is AUTH_INVALID


@pytest.mark.parametrize("shown", ["", ".", "a", "a.b", "\ud800", "x" * 100_000, "{}.{}"])
async def test_what_is_no_refresh_token(world: World, shown: str) -> None:
    tokens = await world.join()
    assert (await refused(world, Refresh(refresh=shown))).code is AUTH_INVALID
    assert (await refused(world, Refresh(refresh=tokens.access))).code is AUTH_INVALID
    with pytest.raises(Refusal):
        world.identity.verifier.verify(tokens.refresh)
    assert await world.ask(Refresh(refresh=tokens.refresh))


async def test_logout_ends_a_session_and_says_so_to_anybody(world: World) -> None:
    tokens, other = await world.join(), await world.ask(Login(name="ada", password=WORD))
    for _ in range(2):
        assert await world.accounts.perform(Logout(refresh=tokens.refresh), HOME) is None
    assert await world.accounts.perform(Logout(refresh="nonsense"), HOME) is None
    assert await world.accounts.perform(Logout(), HOME) is None
    assert (await refused(world, Refresh(refresh=tokens.refresh))).code is AUTH_INVALID
    assert await world.ask(Refresh(refresh=other.refresh))


async def test_nothing_that_opens_a_door_is_on_the_disk(world: World, tmp_path: Path) -> None:
    tokens = await world.join()
    again = await world.ask(Refresh(refresh=tokens.refresh))
    canaries = [WORD, tokens.access, again.access, *tokens.refresh.split("."), *again.refresh.split(".")]
    disk = b"".join(content(tmp_path))
    assert b"argon2id" in disk
    assert [canary for canary in canaries if canary.encode() in disk] == []


def content(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.glob("chatd.db*")]


async def test_expired_sessions_make_room(world: World, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        await world.join(name)
    world.now += 31 * 86400
    await world.join("late")
    raw = sqlite3.connect(f"file:{tmp_path}/chatd.db?mode=ro", uri=True)
    assert raw.execute("SELECT count(*) FROM refresh_tokens").fetchone() == (1,)
    raw.close()


async def test_nothing_long_is_composed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Composing costs time quadratic in the length of a run of combining marks."""
    composed: list[int] = []

    def normalize(form: Literal["NFKC"], text: str) -> str:
        composed.append(len(text))
        return unicodedata.normalize(form, text)

    monkeypatch.setattr(services, "unicodedata", SimpleNamespace(normalize=normalize))
    long = "a" + "\u0316\u0301" * 60_000
    refusal = await refused(world, Register(name=long, password=WORD))
    assert (refusal.code, refusal.field) == (BAD_REQUEST, "name")
    assert (await refused(world, Register(email=f"{long}@x", password=WORD))).code is BAD_REQUEST
    assert (await refused(world, Login(name=long, password=WORD))).code is AUTH_INVALID
    assert (await refused(world, Login(email=f"{long}@x", password=WORD))).code is AUTH_INVALID
    assert max(composed, default=0) <= services.MAX_HANDLE_CHARS
    assert services.check_name("a" + "\u0301" * 1) == "á"
