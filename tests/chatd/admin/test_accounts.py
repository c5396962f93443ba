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
from tests.chatd.services_app import NOW, WORD, World, accounts_on_a_store, payload, refused


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
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
async def test_signed_out_at_once(world: World, call: str, arguments: dict[str, Any]) -> None:
    tokens, other = await world.join(), await world.join("bob")
    world.now += 0.4
    assert await world.is_accepted(tokens.access)
    await world.do(call, user="ada", **arguments)
    assert not await world.is_accepted(tokens.access), "even one of the same second"
    assert (await refused(world, Refresh(refresh=tokens.refresh))).code is AUTH_INVALID
    assert (world.changed, world.signed_out) == ([1], [1])
    assert await world.is_accepted(other.access)
    assert await world.ask(Refresh(refresh=other.refresh))


async def test_a_token_of_the_same_second_as_a_new_password_is_good_until_the_next_one(world: World) -> None:
    await world.join()
    kept: list[str] = []
    for number in range(4):
        await world.do("user.passwd", user="ada", password=f"password {number}")
        for token in kept:
            assert not await world.is_accepted(token)
        kept.append((await world.ask(Login(name="ada", password=f"password {number}"))).access)
        assert await world.is_accepted(kept[-1])


async def test_enabled_again_old_tokens_stay_worthless(world: World) -> None:
    tokens = await world.join()
    await world.do("user.set", user="ada", disabled=True)
    await world.do("user.set", user="ada", disabled=False)
    assert not await world.is_accepted(tokens.access)
    assert (await refused(world, Refresh(refresh=tokens.refresh))).code is AUTH_INVALID
    assert await world.is_accepted((await world.ask(Login(name="ada", password=WORD))).access)


async def test_administrators_come_and_go(world: World) -> None:
    tokens = await world.join()
    await world.do("user.set", user="1", admin=True)
    assert await world.is_accepted(tokens.access)
    ruling = await world.ask(Refresh(refresh=tokens.refresh))
    assert payload(ruling.access)["role"] == "admin"
    await world.do("user.set", user="1", admin=False)
    assert (world.changed, world.signed_out) == ([1, 1], [1])
    assert not await world.is_accepted(ruling.access)
    assert "role" not in payload((await world.ask(Refresh(refresh=ruling.refresh))).access), "the session stays"


async def test_set_changes_what_is_named_and_nothing_else(world: World) -> None:
    await world.join(email="ada@example.org", display="Ada")
    before = (await world.do("user.list"))[0]
    assert await world.do("user.set", user="ada", display="") == before | {"display": None}
    assert await world.do("user.set", user="ada", email="a@b.example") == before | {
        "display": None,
        "email": "a@b.example",
    }
    assert (await world.do("user.set", user="ada", email="", name="bob"))["name"] == "bob"
    tokens = await world.ask(Login(name="bob", password=WORD))
    assert tokens.user.email is None
    assert not world.signed_out


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
async def test_what_set_refuses(world: World, arguments: dict[str, Any], code: Any) -> None:
    await world.join()
    await world.join("bob", email="bob@example.org")
    with pytest.raises(Refusal) as found:
        await world.do("user.set", **{"user": "ada", **arguments})
    assert found.value.code is code
    assert not world.changed


async def test_delete_leaves_a_shell_and_frees_the_name(world: World) -> None:
    await world.join(email="ada@example.org", display="Ada")
    assert (await world.do("user.delete", user="ada"))["name"] == "ada"
    assert await world.do("user.list") == []
    for who in ("ada", "1", "deleted-1"):
        with pytest.raises(Refusal, match="There is no user"):
            await world.do("user.set", user=who, disabled=False)
    shell = await world.database.read(lambda tx: users.find_account(tx, id=1))
    assert shell is not None
    assert (shell.user.name, shell.user.email, shell.user.display, shell.password) == ("deleted-1", None, None, None)
    assert (await world.join(email="ada@example.org")).user.ref.number == 2


async def test_a_new_password_makes_every_place_strange(world: World) -> None:
    await world.join()
    await world.do("user.passwd", user="ada", password="another word")
    for _ in range(5):
        await refused(world, Login(name="ada", password=WORD))
    refusal = await refused(world, Login(name="ada", password="another word"))
    assert refusal.code is RATE_LIMITED, "in a familiar place the right one would work, after a while"


# Tokens for the shell


async def test_a_token_for_the_shell(world: World) -> None:
    await world.do("user.add", name="ada")
    made = await world.do("token.make", user="ada", ttl=3600)
    assert made["expires"] == NOW + 3600
    assert await world.do("token.check", token=f"Bearer {made['token']}\n") == {
        "user": 1,
        "name": "ada",
        "admin": False,
        "expires": NOW + 3600,
    }
    assert (await world.do("token.make", user="1"))["expires"] == NOW + 900
    assert payload((await world.do("token.make", user="1", admin=True))["token"])["role"] == "admin"


async def test_no_token(world: World) -> None:
    await world.do("user.add", name="ada")
    token = (await world.do("token.make", user="ada"))["token"]
    for ttl in (0, -1, 1e300):
        with pytest.raises(Refusal, match="ten years"):
            await world.do("token.make", user="ada", ttl=ttl)
    await world.do("user.set", user="ada", disabled=True)
    for call, arguments, why in (
        ("token.make", {"user": "ada"}, "is disabled"),
        ("token.make", {"user": "unknown"}, "There is no user unknown"),
        ("token.check", {"token": token}, "is disabled"),
        ("token.check", {"token": "nonsense"}, "token"),
        ("token.check", {"token": token[:-4] + "AAAA"}, "signature"),
    ):
        with pytest.raises(Refusal, match=why):
            await world.do(call, **arguments)
    world.now += 3600
    with pytest.raises(Refusal, match="expired"):
        await world.do("token.check", token=token)


async def test_first_steps(world: World) -> None:
    for registration, link in (("invite", True), ("open", True), ("closed", False)):
        world.set(registration=registration)
        said = first_steps(world.accounts, 0, "chatd user add NAME --admin")
        assert said is not None
        assert "chatd user add NAME --admin" in said
        assert "\n" not in said
        assert ("http://127.0.0.1:3000/#setup=" in said) is link
    assert first_steps(world.accounts, 1, "") is None
