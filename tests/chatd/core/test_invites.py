"""Invites and the setup token: each makes as many accounts as it allows, and no more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from chatd.auth.identity import open_identity
from chatd.auth.passwords import Passwords
from chatd.config.settings import LimitSettings
from chatd.core.accounts import Accounts, first_steps
from protocol.commands import Login, Register
from protocol.errors import BAD_REQUEST, CONFLICT, FORBIDDEN, NOT_FOUND, RATE_LIMITED, Refusal
from tests.chatd.accounts_app import CHEAP, EVIL, WORD, AccountsApp, accounts_on_a_store, payload, refused

DAY = 86400.0


@pytest.fixture
async def accounts_app(tmp_path: Path) -> AsyncIterator[AccountsApp]:
    async with accounts_on_a_store(tmp_path) as made:
        made.set(registration="invite")
        yield made


async def invite(accounts_app: AccountsApp, **more: Any) -> str:
    token = (await accounts_app.do("invite.make", **{"ttl": DAY, **more}))["token"]
    assert isinstance(token, str)
    return token


def setup(accounts_app: AccountsApp, count: int = 0) -> str:
    """The token of the line that a first start prints."""
    line = first_steps(accounts_app.accounts, count, "chatd user add NAME --admin")
    assert line is not None
    return line.partition("#setup=")[2].partition(" ")[0]


async def names(accounts_app: AccountsApp) -> list[str]:
    return [user["name"] for user in await accounts_app.do("user.list")]


async def register_at_once(accounts_app: AccountsApp, token: str, count: int) -> list[str]:
    """Register many users with one token at the same time. Returns the sorted outcomes."""
    outcomes: list[str] = []

    async def register(name: str) -> None:
        try:
            await accounts_app.join(name, invite=token)
            outcomes.append("registered")
        except Refusal as refusal:
            outcomes.append(refusal.code.code)

    async with trio.open_nursery() as nursery:
        for number in range(count):
            nursery.start_soon(register, f"user-{number}")
    return sorted(outcomes)


# Invites


async def test_an_invite_makes_as_many_accounts_as_it_has_uses(accounts_app: AccountsApp) -> None:
    token = await invite(accounts_app, uses=2)
    assert (await refused(accounts_app, Register(name="ann", password=WORD))).code is FORBIDDEN
    await accounts_app.join("ann", invite=token)
    assert [one["uses"] for one in await accounts_app.do("invite.list")] == [1]
    bob = await accounts_app.join("bob", invite=token)
    assert not bob.user.admin
    assert (await refused(accounts_app, Register(name="cat", password=WORD, invite=token))).code is FORBIDDEN
    assert await accounts_app.do("invite.list") == []
    assert await names(accounts_app) == ["ann", "bob"]


async def test_an_invite_for_administrators(accounts_app: AccountsApp) -> None:
    made = await accounts_app.join("ann", invite=await invite(accounts_app, admin=True))
    assert made.user.admin
    assert payload(made.access)["role"] == "admin"
    accounts_app.set(registration="open")
    assert (await accounts_app.join("bob", invite=await invite(accounts_app, admin=True))).user.admin, (
        "also where all may register"
    )
    assert not (await accounts_app.join("cat")).user.admin


async def test_of_many_who_use_one_invite_at_once_one_gets_in(accounts_app: AccountsApp) -> None:
    token = await invite(accounts_app)
    assert await register_at_once(accounts_app, token, 12) == ["FORBIDDEN"] * 11 + ["registered"]
    assert len(await names(accounts_app)) == 1


async def test_unknown_used_expired_and_revoked_are_answered_alike(accounts_app: AccountsApp) -> None:
    used, expired, revoked = (
        await invite(accounts_app),
        await invite(accounts_app, ttl=60.0),
        await invite(accounts_app),
    )
    await accounts_app.join("ann", invite=used)
    accounts_app.now += 60
    await accounts_app.do("invite.revoke", id=(await accounts_app.do("invite.list"))[-1]["id"])
    answers = set()
    for token in ("", "nonsense", "\ud800", "x" * 100_000, used, expired, revoked, used.swapcase()):
        refusal = await refused(accounts_app, Register(name="bob", password=WORD, invite=token))
        answers.add((refusal.code, refusal.message, refusal.field))
    assert len(answers) == 1
    assert answers.pop()[0] is FORBIDDEN


async def test_no_password_is_hashed_for_a_wrong_invite(
    accounts_app: AccountsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hash(password: str, field: str = "password") -> str:
        raise AssertionError("hashed")

    monkeypatch.setattr(accounts_app.accounts.passwords, "hash", hash)
    await refused(accounts_app, Register(name="bob", password=WORD, invite="wrong"))
    await refused(accounts_app, Register(name="bob", password=WORD))


async def test_guesses_at_invites_are_counted_by_address(accounts_app: AccountsApp) -> None:
    token = await invite(accounts_app)
    accounts_app.configure(limits=LimitSettings())
    for _ in range(5):
        assert (
            await refused(accounts_app, Register(name="eve", password=WORD, invite="wrong"), EVIL)
        ).code is FORBIDDEN
    assert (await refused(accounts_app, Register(name="eve", password=WORD, invite=token), EVIL)).code is RATE_LIMITED


async def test_an_account_that_cannot_be_made_uses_nothing_up(accounts_app: AccountsApp) -> None:
    await accounts_app.do("user.add", name="ann")
    token = await invite(accounts_app)
    assert (await refused(accounts_app, Register(name="ann", password=WORD, invite=token))).code is CONFLICT
    assert (await refused(accounts_app, Register(name="bob", password="short", invite=token))).code is BAD_REQUEST
    await accounts_app.join("bob", invite=token)


async def test_where_registration_is_closed_no_invite_helps(accounts_app: AccountsApp) -> None:
    token = await invite(accounts_app)
    accounts_app.set(registration="closed")
    assert (await refused(accounts_app, Register(name="ann", password=WORD, invite=token))).code is FORBIDDEN


@pytest.mark.parametrize(
    "arguments",
    [
        {"ttl": 0},
        {"ttl": -1},
        {"ttl": float("nan")},
        {"ttl": 366 * DAY},
        {"uses": 0},
        {"uses": -1},
        {"uses": 10_001},
        {"uses": 1.5},
        {"admin": "yes"},
    ],
)
async def test_what_is_no_invite(accounts_app: AccountsApp, arguments: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as found:
        await invite(accounts_app, **arguments)
    assert found.value.code is BAD_REQUEST
    assert await accounts_app.do("invite.list") == []


async def test_revoke_what_is_not_there(accounts_app: AccountsApp) -> None:
    for id in (7, 2**63 - 1):
        with pytest.raises(Refusal) as found:
            await accounts_app.do("invite.revoke", id=id)
        assert found.value.code is NOT_FOUND


async def test_links_name_where_the_server_is(accounts_app: AccountsApp) -> None:
    made = await accounts_app.do("invite.make", ttl=DAY)
    assert made["link"] == f"http://127.0.0.1:3000/#invite={made['token']}"
    for address, link in (
        ("http://0.0.0.0:80", "http://127.0.0.1:80/#x=y"),
        ("https://[::]:80", "https://[::1]:80/#x=y"),
    ):
        assert accounts_app.accounts.link("x", "y", address) == link
    here = "https://[::1]:4000"
    assert accounts_app.accounts.link("setup", "x", here) == "https://[::1]:4000/#setup=x"
    server = msgspec.structs.replace(accounts_app.config.server, public_url="https://chat.example.org/")
    accounts_app.configure(server=server)
    assert accounts_app.accounts.link("setup", "x", here) == "https://chat.example.org/#setup=x"


async def test_no_token_is_on_the_disk(accounts_app: AccountsApp, tmp_path: Path) -> None:
    token, other = await invite(accounts_app), setup(accounts_app)
    await accounts_app.join("ann", invite=token)
    disk = b"".join(content(tmp_path))
    assert token.encode() not in disk
    assert other.encode() not in disk


def content(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.glob("chatd.db*")]


# The first start


async def test_the_setup_token_makes_the_first_administrator_and_then_nothing(accounts_app: AccountsApp) -> None:
    token = setup(accounts_app)
    ann = await accounts_app.join("ann", invite=token)
    assert ann.user.admin
    assert (await refused(accounts_app, Register(name="eve", password=WORD, invite=token))).code is FORBIDDEN
    assert (await accounts_app.ask(Login(name="ann", password=WORD))).user.admin


async def test_of_many_who_use_the_setup_token_at_once_one_gets_in(accounts_app: AccountsApp) -> None:
    token = setup(accounts_app)
    assert await register_at_once(accounts_app, token, 8) == ["FORBIDDEN"] * 7 + ["registered"]


async def test_any_other_user_voids_the_setup_token(accounts_app: AccountsApp) -> None:
    token = setup(accounts_app)
    await accounts_app.do("user.add", name="ann")
    assert (await refused(accounts_app, Register(name="eve", password=WORD, invite=token))).code is FORBIDDEN
    await accounts_app.do("user.delete", user="ann")
    assert (await refused(accounts_app, Register(name="eve", password=WORD, invite=token))).code is FORBIDDEN


async def test_a_restart_makes_a_new_setup_token_and_voids_the_old(accounts_app: AccountsApp) -> None:
    old = setup(accounts_app)
    accounts_app.accounts = Accounts(
        accounts_app.config, accounts_app.database, accounts_app.identity, passwords=Passwords(CHEAP)
    )
    assert (await refused(accounts_app, Register(name="eve", password=WORD, invite=old))).code is FORBIDDEN
    new = setup(accounts_app)
    assert (await refused(accounts_app, Register(name="eve", password=WORD, invite=old))).code is FORBIDDEN
    assert (await accounts_app.join("ann", invite=new)).user.admin


async def test_where_another_issuer_makes_users_nothing_is_set_up(accounts_app: AccountsApp, tmp_path: Path) -> None:
    accounts_app.set(secret="a secret that is shared with the issuer, long enough")
    foreign = Accounts(
        accounts_app.config,
        accounts_app.database,
        open_identity(accounts_app.config, tmp_path),
        passwords=Passwords(CHEAP),
    )
    assert first_steps(foreign, 0, "") is None
