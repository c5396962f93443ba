"""Accounts on a real store: register, log in, stay logged in."""

from __future__ import annotations

import contextlib
import sqlite3
import unicodedata
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import msgspec
import pytest
import trio

from chatd.config.load import ConfigError, load
from chatd.config.settings import Config, LimitSettings
from chatd.services import accounts as services
from protocol.commands import Login, Logout, Refresh, Register
from protocol.errors import AUTH_INVALID, BAD_REQUEST, CONFLICT, FORBIDDEN, RATE_LIMITED, Refusal
from tests.chatd.accounts_app import HOME, NOW, WORD, AccountsApp, payload, refused

# Making an account


async def test_register_gives_an_account_and_a_session(accounts_app: AccountsApp) -> None:
    tokens = await accounts_app.join(email="Ada@example.org", display="Ada L.")
    user = tokens.user
    assert (user.name, user.email, user.display, user.admin) == ("ada", "Ada@example.org", "Ada L.", False)
    assert tokens.expires_in == 900
    assert await accounts_app.is_accepted(tokens.access)
    assert payload(tokens.access)["exp"] == NOW + 900
    assert (await accounts_app.ask(Refresh(refresh=tokens.refresh))).user == user


async def test_who_gives_no_name_is_called_by_their_address(accounts_app: AccountsApp) -> None:
    assert (await accounts_app.ask(Register(email="ada@example.org", password=WORD))).user.name == "ada@example.org"
    for email in ("ada!b@example.org", f"{'a' * 60}@example.org"):
        refusal = await refused(accounts_app, Register(email=email, password=WORD))
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
async def test_what_no_account_is_made_of(accounts_app: AccountsApp, field: str, value: str | None) -> None:
    asked: dict[str, Any] = {"name": "ada", "password": WORD, field: value}
    refusal = await refused(accounts_app, Register(**asked))
    assert (refusal.code, refusal.field) == (BAD_REQUEST, field)
    assert not await accounts_app.do("user.list")


async def test_names_and_addresses_are_taken_once_in_any_case(accounts_app: AccountsApp) -> None:
    await accounts_app.join("ada", email="ada@example.org")
    for command in (
        Register(name="ADA", password=WORD),
        Register(name="ａｄａ", password=WORD),
        Register(name="bob", email="Ada@Example.org", password=WORD),
        Register(name="ada@example.org", password=WORD),
    ):
        assert (await refused(accounts_app, command)).code is CONFLICT
    await accounts_app.ask(Register(name="eve@example.org", password=WORD))
    assert (await refused(accounts_app, Register(name="eve", email="eve@example.org", password=WORD))).code is CONFLICT


async def test_who_may_register(accounts_app: AccountsApp) -> None:
    for registration, allowed in (("invite", False), ("open", True), ("closed", False)):
        accounts_app.set(registration=registration)
        for host in ("127.0.0.1", "0.0.0.0"):  # behind a proxy all clients come from loopback
            server = msgspec.structs.replace(accounts_app.config.server, host=host)
            accounts_app.config = msgspec.structs.replace(accounts_app.config, server=server)
            if allowed:
                await accounts_app.join(f"{registration}.{host}")
            else:
                assert (await refused(accounts_app, Register(name="eve", password=WORD))).code is FORBIDDEN
    assert await accounts_app.do("user.add", name="cli", password=WORD)


def test_registration_needs_an_invite_by_default() -> None:
    assert Config().auth.registration == "invite"
    with pytest.raises(ConfigError, match=r'auth.registration is "auto"; expected "closed" or "invite" or "open"'):
        load(flags=(("--set", "auth.registration", "auto"),), environ={})


# Limits of an address


async def test_five_attempts_an_hour_to_make_an_account_whatever_comes_of_them(
    accounts_app: AccountsApp, autojump_clock: trio.testing.MockClock
) -> None:
    accounts_app.configure(limits=LimitSettings())
    await accounts_app.join("a")
    await refused(accounts_app, Register(name="a", password=WORD))
    await refused(accounts_app, Register(name="b", password="short"))
    await refused(accounts_app, Register(name="b", password=WORD, invite="wrong"))
    accounts_app.set(registration="closed")
    await refused(accounts_app, Register(name="b", password=WORD))
    accounts_app.set(registration="open")
    refusal = await refused(accounts_app, Register(name="b", password=WORD))
    assert refusal.code is RATE_LIMITED
    assert refusal.retry_after == pytest.approx(720, abs=1)
    accounts_app.configure(limits=LimitSettings())
    assert (await refused(accounts_app, Register(name="b", password=WORD))).code is RATE_LIMITED, (
        "SIGHUP gives none back"
    )
    await accounts_app.ask(Register(name="b", password=WORD), "2001:db8::1")
    for number in range(4):
        await accounts_app.ask(Register(name=f"c{number}", password=WORD), f"2001:db8::{number + 2}")
    assert (await refused(accounts_app, Register(name="d", password=WORD), "2001:db8::99")).code is RATE_LIMITED
    await trio.sleep(720)
    await accounts_app.ask(Register(name="d", password=WORD))


async def test_refreshing_and_leaving_are_limited_by_address(accounts_app: AccountsApp) -> None:
    accounts_app.configure(limits=LimitSettings(renewals_per_address_burst=3))
    for command in (Refresh(refresh="a.b"), Logout(), Refresh(refresh="a.b")):
        with contextlib.suppress(Refusal):
            await accounts_app.perform(command, HOME)
    for command in (Refresh(refresh="a.b"), Logout()):
        assert (await refused(accounts_app, command)).code is RATE_LIMITED


# Staying signed in


async def test_each_refresh_token_is_good_once_and_the_second_time_ends_its_session(accounts_app: AccountsApp) -> None:
    first = await accounts_app.join()
    elsewhere = await accounts_app.ask(Login(name="ada", password=WORD))
    second = await accounts_app.ask(Refresh(refresh=first.refresh))
    third = await accounts_app.ask(Refresh(refresh=second.refresh))
    assert len({first.refresh, second.refresh, third.refresh}) == 3
    assert await accounts_app.is_accepted(third.access)
    assert (await refused(accounts_app, Refresh(refresh=first.refresh))).code is AUTH_INVALID
    assert (await refused(accounts_app, Refresh(refresh=third.refresh))).code is AUTH_INVALID, (
        "the thief's or the owner's"
    )
    assert await accounts_app.ask(Refresh(refresh=elsewhere.refresh)), "another session knows nothing of it"


async def test_of_two_who_show_the_same_token_at_once_one_gets_in(accounts_app: AccountsApp) -> None:
    first = await accounts_app.join()
    outcomes: list[str] = []

    async def show() -> None:
        try:
            await accounts_app.ask(Refresh(refresh=first.refresh))
            outcomes.append("in")
        except Refusal:
            outcomes.append("out")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(show)
        nursery.start_soon(show)
    assert sorted(outcomes) == ["in", "out"]


async def test_a_session_ends_when_it_is_not_used(accounts_app: AccountsApp) -> None:
    first = await accounts_app.join()
    accounts_app.now += 29 * 86400
    second = await accounts_app.ask(Refresh(refresh=first.refresh))
    accounts_app.now += 30 * 86400 - 1
    third = await accounts_app.ask(Refresh(refresh=second.refresh))
    accounts_app.now += 30 * 86400
    assert (await refused(accounts_app, Refresh(refresh=third.refresh))).code is AUTH_INVALID


async def test_times_to_live_are_settings_that_change_live(accounts_app: AccountsApp) -> None:
    accounts_app.set(access_ttl=60.0, refresh_ttl=120.0)
    tokens = await accounts_app.join()
    assert tokens.expires_in == 60
    accounts_app.now += 61
    with pytest.raises(Refusal, match="expired"):
        await accounts_app.is_accepted(tokens.access)
    accounts_app.now += 60
    assert (await refused(accounts_app, Refresh(refresh=tokens.refresh))).code is AUTH_INVALID


@pytest.mark.parametrize("shown", ["", ".", "a", "a.b", "\ud800", "x" * 100_000, "{}.{}"])
async def test_what_is_no_refresh_token(accounts_app: AccountsApp, shown: str) -> None:
    tokens = await accounts_app.join()
    assert (await refused(accounts_app, Refresh(refresh=shown))).code is AUTH_INVALID
    assert (await refused(accounts_app, Refresh(refresh=tokens.access))).code is AUTH_INVALID
    with pytest.raises(Refusal):
        accounts_app.identity.verifier.verify(tokens.refresh)
    assert await accounts_app.ask(Refresh(refresh=tokens.refresh))


async def test_logout_ends_a_session_and_answers_alike_without_one(accounts_app: AccountsApp) -> None:
    tokens, other = await accounts_app.join(), await accounts_app.ask(Login(name="ada", password=WORD))
    for _ in range(2):
        assert await accounts_app.perform(Logout(refresh=tokens.refresh), HOME) is None
    assert await accounts_app.perform(Logout(refresh="nonsense"), HOME) is None
    assert await accounts_app.perform(Logout(), HOME) is None
    assert (await refused(accounts_app, Refresh(refresh=tokens.refresh))).code is AUTH_INVALID
    assert await accounts_app.ask(Refresh(refresh=other.refresh))


async def test_no_secret_is_on_the_disk(accounts_app: AccountsApp, tmp_path: Path) -> None:
    tokens = await accounts_app.join()
    again = await accounts_app.ask(Refresh(refresh=tokens.refresh))
    canaries = [WORD, tokens.access, again.access, *tokens.refresh.split("."), *again.refresh.split(".")]
    disk = b"".join(content(tmp_path))
    assert b"argon2id" in disk
    assert [canary for canary in canaries if canary.encode() in disk] == []


def content(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.glob("chatd.db*")]


async def test_expired_sessions_make_room(accounts_app: AccountsApp, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        await accounts_app.join(name)
    accounts_app.now += 31 * 86400
    await accounts_app.join("late")
    raw = sqlite3.connect(f"file:{tmp_path}/chatd.db?mode=ro", uri=True)
    assert raw.execute("SELECT count(*) FROM refresh_tokens").fetchone() == (1,)
    raw.close()


async def test_nothing_long_is_composed(accounts_app: AccountsApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Composing costs time quadratic in the length of a run of combining marks."""
    composed: list[int] = []

    def normalize(form: Literal["NFKC"], text: str) -> str:
        composed.append(len(text))
        return unicodedata.normalize(form, text)

    monkeypatch.setattr(services, "unicodedata", SimpleNamespace(normalize=normalize))
    long = "a" + "\u0316\u0301" * 60_000
    refusal = await refused(accounts_app, Register(name=long, password=WORD))
    assert (refusal.code, refusal.field) == (BAD_REQUEST, "name")
    assert (await refused(accounts_app, Register(email=f"{long}@x", password=WORD))).code is BAD_REQUEST
    assert (await refused(accounts_app, Login(name=long, password=WORD))).code is AUTH_INVALID
    assert (await refused(accounts_app, Login(email=f"{long}@x", password=WORD))).code is AUTH_INVALID
    assert max(composed, default=0) <= services.MAX_HANDLE_CHARS
    assert services.check_name("a" + "\u0301" * 1) == "á"
