"""Users of this server and users of another issuer: no token of that issuer's names a user of this server's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chatd.admin.accounts import AccountAdmin
from chatd.auth.claims import Claims
from chatd.auth.identity import open_identity
from chatd.auth.passwords import Passwords
from chatd.core.accounts import Accounts
from chatd.core.authenticator import Authenticator
from chatd.services import admission
from chatd.services.context import Actor
from chatd.store.queries import users
from chatd.store.queries.users import FIRST_LOCAL_ID
from protocol.commands import Login
from protocol.errors import AUTH_INVALID, BAD_REQUEST, CONFLICT, Refusal
from protocol.ids import MAX_SAFE_INTEGER, Ref, read_object_id, read_uuid, write_object_id, write_uuid
from tests.chatd.accounts_app import CHEAP, NOW, WORD, AccountsApp, accounts_on_a_store

SECRET = "a secret that is shared with an issuer, and long enough"
UUID = "65a1b2c3-0000-4000-9000-000000000007"


@pytest.fixture
async def accounts_app(tmp_path: Path) -> AsyncIterator[AccountsApp]:
    async with accounts_on_a_store(tmp_path) as made:
        yield made


def trust(accounts_app: AccountsApp, folder: Path) -> None:
    """From now on another issuer is configured."""
    accounts_app.set(secret=SECRET)
    accounts_app.identity = open_identity(accounts_app.config, folder, now=lambda: accounts_app.now)
    accounts_app.accounts = Accounts(
        accounts_app.config, accounts_app.database, accounts_app.identity, passwords=Passwords(CHEAP)
    )
    accounts_app.account_admin = AccountAdmin(accounts_app.accounts, accounts_app.commit)


def foreign(subject: int | str, **more: Any) -> Claims:
    return Claims(subject=subject, expires=NOW + 60, **more)


async def enter(accounts_app: AccountsApp, claims: Claims) -> Actor:
    return await accounts_app.database.write(lambda tx: admission.provision(tx, claims))


async def test_an_issuers_user_1_is_not_the_local_administrator(accounts_app: AccountsApp, tmp_path: Path) -> None:
    await accounts_app.do("user.add", name="root", admin=True)
    trust(accounts_app, tmp_path)
    with pytest.raises(Refusal, match="The id 1 belongs to another account") as found:
        await enter(accounts_app, foreign(1))
    assert found.value.code is AUTH_INVALID
    with pytest.raises(Refusal, match="The id 1 belongs to another account"):
        await accounts_app.database.read(lambda tx: admission.find_actor(tx, foreign(1)))
    assert (await enter(accounts_app, foreign(2))).id == 2


async def test_a_stranger_who_registers_gets_no_id_of_a_future_issuers_user(
    accounts_app: AccountsApp, tmp_path: Path
) -> None:
    trust(accounts_app, tmp_path)
    assert (await enter(accounts_app, foreign(5))).id == 5
    eve, mallory = await accounts_app.join("eve"), await accounts_app.join("mallory")
    assert [one.user.ref.number for one in (eve, mallory)] == [FIRST_LOCAL_ID, FIRST_LOCAL_ID + 1]
    assert (await accounts_app.do("user.add", name="ann"))["id"] == FIRST_LOCAL_ID + 2
    for number in (1, 6, 7):
        assert (await enter(accounts_app, foreign(number))).id == number
    assert (await accounts_app.ask(Login(name="eve", password=WORD))).user == eve.user
    assert await accounts_app.is_accepted(eve.access), "tokens of this server's own name any user"


async def test_a_subject_of_text_takes_no_number_either(accounts_app: AccountsApp, tmp_path: Path) -> None:
    trust(accounts_app, tmp_path)
    ann = await enter(accounts_app, foreign(UUID))
    assert ann.id == FIRST_LOCAL_ID
    assert (await enter(accounts_app, foreign(UUID))).id == ann.id
    assert (await enter(accounts_app, foreign(1))).id == 1


async def test_a_number_of_a_user_with_a_subject_of_text_is_that_users_own(accounts_app: AccountsApp) -> None:
    """Numbered by an older version of chatd."""
    await accounts_app.database.write(lambda tx: users.add(tx, name="ann", id=3, subject=UUID, local=False))
    with pytest.raises(Refusal, match="belongs to another account"):
        await enter(accounts_app, foreign(3))
    assert (await enter(accounts_app, foreign(UUID))).id == 3


@pytest.mark.parametrize("subject", [FIRST_LOCAL_ID, FIRST_LOCAL_ID + 1, MAX_SAFE_INTEGER])
async def test_an_integer_from_where_own_ids_are_is_a_subject_of_text(
    accounts_app: AccountsApp, tmp_path: Path, subject: int
) -> None:
    trust(accounts_app, tmp_path)
    await accounts_app.join("ann")
    await accounts_app.join("bob")
    eve = await enter(accounts_app, foreign(subject))
    assert (eve.id, eve.ref.subject) == (FIRST_LOCAL_ID + 2, str(subject))
    assert (await enter(accounts_app, foreign(subject))).id == eve.id
    assert (await accounts_app.join("cat")).user.ref.number == FIRST_LOCAL_ID + 3, "and ids do not run out"


async def test_a_foreign_user_with_such_an_id_of_before_stays_who_they_are(accounts_app: AccountsApp) -> None:
    await accounts_app.database.write(lambda tx: users.add(tx, name="ann", id=FIRST_LOCAL_ID + 9, local=False))
    assert (await enter(accounts_app, foreign(FIRST_LOCAL_ID + 9))).name == "ann"


def test_own_ids_fit_every_spelling() -> None:
    for number in (FIRST_LOCAL_ID, MAX_SAFE_INTEGER):
        ref = Ref(number, 1_700_000_000)
        assert read_object_id(write_object_id(ref)).matches(*ref[:2])
        assert read_uuid(write_uuid(ref)).matches(*ref[:2])


async def test_a_refused_number_is_logged_once(
    accounts_app: AccountsApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(
        "chatd.core.authenticator.log.warning", lambda line, **more: lines.append(f"{line}: {more['why']}")
    )
    await accounts_app.do("user.add", name="root", admin=True)
    trust(accounts_app, tmp_path)

    class Believes:
        async def verify_or_fetch_keys(self, token: str) -> Claims:
            return foreign(int(token))

        def cached_claims(self, token: str) -> Claims | None:
            return None

    authenticator = Authenticator(accounts_app.database, Believes(), accounts_app.bus, provision=True)
    for _ in range(3):
        with pytest.raises(Refusal, match="belongs to another account"):
            await authenticator.authenticate("1")
    assert len(lines) == 1
    assert "The id 1 belongs to another account" in lines[0]
    assert (await authenticator.authenticate("2")).id == 2
    assert (await authenticator.user_by_id(1)).name == "root", "?userId= is believed as it is"


async def test_users_whom_an_administrator_makes_for_the_issuer(accounts_app: AccountsApp, tmp_path: Path) -> None:
    trust(accounts_app, tmp_path)
    assert (await accounts_app.do("user.add", name="ann", subject="7", admin=True))["id"] == 7
    assert (await accounts_app.do("user.add", name="bob", subject=UUID))["id"] == FIRST_LOCAL_ID
    ann, bob = await enter(accounts_app, foreign(7)), await enter(accounts_app, foreign(UUID))
    assert [(one.name, one.admin) for one in (ann, bob)] == [("ann", True), ("bob", False)]
    for arguments, code in (
        ({"name": "cat", "subject": "7"}, CONFLICT),
        ({"name": "cat", "subject": UUID}, CONFLICT),
        ({"name": "ann", "subject": "8"}, CONFLICT),
        ({"name": "cat", "subject": "8", "password": WORD}, BAD_REQUEST),
        ({"name": "cat", "subject": "-7"}, AUTH_INVALID),
    ):
        with pytest.raises(Refusal) as found:
            await accounts_app.do("user.add", **arguments)
        assert found.value.code is code


# Names


async def test_no_foreign_name_is_the_address_of_another_user(accounts_app: AccountsApp, tmp_path: Path) -> None:
    ann = await accounts_app.join("ann", email="ann@example.org")
    trust(accounts_app, tmp_path)
    eve = await enter(accounts_app, foreign(9, name="ann@example.org", email="eve@example.org"))
    assert eve.name == "ann@example.org-2"
    full_width = "\uff41\uff4e\uff4e"
    assert (await enter(accounts_app, foreign(10, name=full_width))).name == "ann-2"
    assert (await accounts_app.ask(Login(name="ann@example.org", password=WORD))).user == ann.user


async def test_no_foreign_address_is_the_name_of_another_user(accounts_app: AccountsApp, tmp_path: Path) -> None:
    await accounts_app.join("ann@example.org")
    trust(accounts_app, tmp_path)
    eve = await enter(accounts_app, foreign(9, name="eve", email="ann@example.org"))
    found = await accounts_app.database.read(lambda tx: users.by_id(tx, eve.id))
    assert found is not None
    assert found.email is None
    both = await enter(accounts_app, foreign(11, name="bob@example.org", email="bob@example.org"))
    assert both.name == "bob@example.org"
