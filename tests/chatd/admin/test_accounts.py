"""What the shell asks for, on a real store: changes to accounts and who is shown out by them, and tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chatd.core.accounts import first_steps
from chatd.store.queries import users
from protocol.commands import Login, Refresh
from protocol.errors import AUTH_INVALID, BAD_REQUEST, CONFLICT, NOT_FOUND, RATE_LIMITED, Refusal
from tests.chatd.accounts_app import NOW, WORD, AccountsApp, accounts_on_a_store, payload, refused


@pytest.fixture
async def accounts_app(tmp_path: Path) -> AsyncIterator[AccountsApp]:
    async with accounts_on_a_store(tmp_path) as made:
        yield made


# What administrators do


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("user.set", {"disabled": True}),
        ("user.passwd", {"password": "a new password"}),
        ("user.delete", {}),
    ],
)
async def test_signed_out_at_once(accounts_app: AccountsApp, call: str, arguments: dict[str, Any]) -> None:
    tokens, other = await accounts_app.join(), await accounts_app.join("bob")
    accounts_app.now += 0.4
    assert await accounts_app.is_accepted(tokens.access)
    await accounts_app.do(call, user="ada", **arguments)
    assert not await accounts_app.is_accepted(tokens.access), "even one of the same second"
    assert (await refused(accounts_app, Refresh(refresh=tokens.refresh))).code is AUTH_INVALID
    assert (accounts_app.changed, accounts_app.signed_out) == ([1], [1])
    assert await accounts_app.is_accepted(other.access)
    assert await accounts_app.ask(Refresh(refresh=other.refresh))


async def test_a_token_of_the_same_second_as_a_new_password_is_good_until_the_next_one(
    accounts_app: AccountsApp,
) -> None:
    await accounts_app.join()
    kept: list[str] = []
    for number in range(4):
        await accounts_app.do("user.passwd", user="ada", password=f"password {number}")
        for token in kept:
            assert not await accounts_app.is_accepted(token)
        kept.append((await accounts_app.ask(Login(name="ada", password=f"password {number}"))).access)
        assert await accounts_app.is_accepted(kept[-1])


async def test_enabled_again_old_tokens_stay_worthless(accounts_app: AccountsApp) -> None:
    tokens = await accounts_app.join()
    await accounts_app.do("user.set", user="ada", disabled=True)
    await accounts_app.do("user.set", user="ada", disabled=False)
    assert not await accounts_app.is_accepted(tokens.access)
    assert (await refused(accounts_app, Refresh(refresh=tokens.refresh))).code is AUTH_INVALID
    assert await accounts_app.is_accepted((await accounts_app.ask(Login(name="ada", password=WORD))).access)


async def test_administrators_come_and_go(accounts_app: AccountsApp) -> None:
    tokens = await accounts_app.join()
    await accounts_app.do("user.set", user="1", admin=True)
    assert await accounts_app.is_accepted(tokens.access)
    ruling = await accounts_app.ask(Refresh(refresh=tokens.refresh))
    assert payload(ruling.access)["role"] == "admin"
    await accounts_app.do("user.set", user="1", admin=False)
    assert (accounts_app.changed, accounts_app.signed_out) == ([1, 1], [1])
    assert not await accounts_app.is_accepted(ruling.access)
    assert "role" not in payload((await accounts_app.ask(Refresh(refresh=ruling.refresh))).access), "the session stays"


async def test_set_changes_what_is_named_and_nothing_else(accounts_app: AccountsApp) -> None:
    await accounts_app.join(email="ada@example.org", display="Ada")
    before = (await accounts_app.do("user.list"))[0]
    assert await accounts_app.do("user.set", user="ada", display="") == before | {"display": None}
    assert await accounts_app.do("user.set", user="ada", email="a@b.example") == before | {
        "display": None,
        "email": "a@b.example",
    }
    assert (await accounts_app.do("user.set", user="ada", email="", name="bob"))["name"] == "bob"
    tokens = await accounts_app.ask(Login(name="bob", password=WORD))
    assert tokens.user.email is None
    assert not accounts_app.signed_out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"name": "bob"}, CONFLICT),
        ({"name": "bob@example.org"}, CONFLICT),
        ({"email": "BOB@example.org"}, CONFLICT),
        ({"name": "7"}, BAD_REQUEST),
        ({"email": "nonsense"}, BAD_REQUEST),
        ({"display": "\n"}, BAD_REQUEST),
        ({"admin": "yes"}, BAD_REQUEST),
        ({"nonsense": 1}, BAD_REQUEST),
        ({"user": "unknown"}, NOT_FOUND),
        ({"user": "99999999999999999999"}, NOT_FOUND),
        ({"user": "\ud800"}, NOT_FOUND),
        ({"user": 1}, BAD_REQUEST),
    ],
)
async def test_what_set_refuses(accounts_app: AccountsApp, arguments: dict[str, Any], code: Any) -> None:
    await accounts_app.join()
    await accounts_app.join("bob", email="bob@example.org")
    with pytest.raises(Refusal) as found:
        await accounts_app.do("user.set", **{"user": "ada", **arguments})
    assert found.value.code is code
    assert not accounts_app.changed


async def test_delete_leaves_a_shell_and_frees_the_name(accounts_app: AccountsApp) -> None:
    await accounts_app.join(email="ada@example.org", display="Ada")
    assert (await accounts_app.do("user.delete", user="ada"))["name"] == "ada"
    assert await accounts_app.do("user.list") == []
    for who in ("ada", "1", "deleted-1"):
        with pytest.raises(Refusal, match="There is no user"):
            await accounts_app.do("user.set", user=who, disabled=False)
    shell = await accounts_app.database.read(lambda tx: users.find_account(tx, id=1))
    assert shell is not None
    assert (shell.user.name, shell.user.email, shell.user.display, shell.password) == ("deleted-1", None, None, None)
    assert (await accounts_app.join(email="ada@example.org")).user.ref.number == 2


async def test_a_new_password_makes_every_place_strange(accounts_app: AccountsApp) -> None:
    await accounts_app.join()
    await accounts_app.do("user.passwd", user="ada", password="another word")
    for _ in range(5):
        await refused(accounts_app, Login(name="ada", password=WORD))
    refusal = await refused(accounts_app, Login(name="ada", password="another word"))
    assert refusal.code is RATE_LIMITED, "in a familiar place the right one would work, after a while"


# Tokens for the shell


async def test_a_token_for_the_shell(accounts_app: AccountsApp) -> None:
    await accounts_app.do("user.add", name="ada")
    made = await accounts_app.do("token.make", user="ada", ttl=3600)
    assert made["expires"] == NOW + 3600
    assert await accounts_app.do("token.check", token=f"Bearer {made['token']}\n") == {
        "user": 1,
        "name": "ada",
        "admin": False,
        "expires": NOW + 3600,
    }
    assert (await accounts_app.do("token.make", user="1"))["expires"] == NOW + 900
    assert payload((await accounts_app.do("token.make", user="1", admin=True))["token"])["role"] == "admin"


async def test_no_token(accounts_app: AccountsApp) -> None:
    await accounts_app.do("user.add", name="ada")
    token = (await accounts_app.do("token.make", user="ada"))["token"]
    for ttl in (0, -1, 1e300):
        with pytest.raises(Refusal, match="ten years"):
            await accounts_app.do("token.make", user="ada", ttl=ttl)
    await accounts_app.do("user.set", user="ada", disabled=True)
    for call, arguments, why in (
        ("token.make", {"user": "ada"}, "is disabled"),
        ("token.make", {"user": "unknown"}, "There is no user unknown"),
        ("token.check", {"token": token}, "is disabled"),
        ("token.check", {"token": "nonsense"}, "token"),
        ("token.check", {"token": token[:-4] + "AAAA"}, "signature"),
    ):
        with pytest.raises(Refusal, match=why):
            await accounts_app.do(call, **arguments)
    accounts_app.now += 3600
    with pytest.raises(Refusal, match="expired"):
        await accounts_app.do("token.check", token=token)


async def test_first_steps(accounts_app: AccountsApp) -> None:
    for registration, link in (("invite", True), ("open", True), ("closed", False)):
        accounts_app.set(registration=registration)
        said = first_steps(accounts_app.accounts, 0, "chatd user add NAME --admin")
        assert said is not None
        assert "chatd user add NAME --admin" in said
        assert "\n" not in said
        assert ("http://127.0.0.1:3000/#setup=" in said) is link
    assert first_steps(accounts_app.accounts, 1, "") is None
