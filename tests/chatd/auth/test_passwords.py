"""Passwords: expensive hashes, checks of equal duration, no work in the event loop."""

from __future__ import annotations

import threading
import unicodedata
from typing import Any

import pytest
import trio

from chatd.auth.passwords import MAX_PASSWORD_BYTES, MAX_QUEUED_HASHES, MIN_PASSWORD_BYTES, Cost, Passwords
from protocol.errors import BAD_REQUEST, UNAVAILABLE, Refusal

CHEAP = Cost(memory_kib=8, passes=1, lanes=1)


async def test_only_the_right_password_matches() -> None:
    passwords = Passwords(CHEAP)
    stored = await passwords.hash("correct horse")
    assert await passwords.verify(stored, "correct horse")
    assert not await passwords.verify(stored, "correct horsf")
    assert not await passwords.verify(stored, "")
    assert "correct" not in stored
    assert stored != await passwords.hash("correct horse"), "each hash has its own salt"


async def test_the_default_cost_is_as_documented() -> None:
    assert (await Passwords().hash("correct horse")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("password", ["x" * MIN_PASSWORD_BYTES, "x" * MAX_PASSWORD_BYTES, "é" * 4, "pass\0word"])
async def test_valid_passwords(password: str) -> None:
    passwords = Passwords(CHEAP)
    assert await passwords.verify(await passwords.hash(password), password)


@pytest.mark.parametrize(
    "password", ["", "x" * 7, "é" * 3, "x" * (MAX_PASSWORD_BYTES + 1), "é" * 513, "\ud800" * 8, "x" * 1_000_000]
)
async def test_the_refusal_of_an_unsuitable_password_names_the_field(password: str) -> None:
    with pytest.raises(Refusal) as caught:
        await Passwords(CHEAP).hash(password, field="newPassword")
    assert caught.value.code is BAD_REQUEST
    assert caught.value.field == "newPassword"
    assert not password or password not in caught.value.message


async def test_both_unicode_forms_of_an_accent_are_the_same_password() -> None:
    passwords = Passwords(CHEAP)
    stored = await passwords.hash(unicodedata.normalize("NFD", "crème brûlée"))
    assert await passwords.verify(stored, unicodedata.normalize("NFC", "crème brûlée"))


@pytest.mark.parametrize("password", ["whatever it is", "", "x" * 2000, "\ud800"])
async def test_an_unknown_user_costs_the_same_work_as_a_known_one(
    password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = Passwords(CHEAP)
    stored = await passwords.hash("correct horse")
    checked: list[str] = []
    matches = passwords._matches

    def recorded(encoded: str, data: bytes) -> bool:
        checked.append(encoded)
        return matches(encoded, data)

    monkeypatch.setattr(passwords, "_matches", recorded)
    assert not await passwords.verify(stored, password)
    assert not await passwords.verify(None, password)
    assert [encoded.rsplit("$", 2)[0] for encoded in checked] == ["$argon2id$v=19$m=8,t=1,p=1"] * 2
    assert [len(encoded) for encoded in checked] == [len(stored)] * 2


async def test_no_password_matches_a_dummy_hash() -> None:
    passwords = Passwords(CHEAP)
    assert not passwords.needs_rehash(passwords.dummy_hash())
    assert not await passwords.verify(passwords.dummy_hash(), "")


@pytest.mark.parametrize("stored", ["", "plain", "$argon2id$v=19$m=8,t=1,p=1$broken", "$2b$12$abcdefghijklmnopqrstuu"])
async def test_a_broken_hash_matches_no_password_and_needs_a_rehash(stored: str) -> None:
    passwords = Passwords(CHEAP)
    assert not await passwords.verify(stored, "correct horse")
    assert passwords.needs_rehash(stored)


async def test_another_cost_needs_a_rehash() -> None:
    stored = await Passwords(CHEAP).hash("correct horse")
    expensive = Passwords(Cost(memory_kib=16, passes=1, lanes=1))
    assert await expensive.verify(stored, "correct horse")
    assert expensive.needs_rehash(stored)
    assert not Passwords(CHEAP).needs_rehash(stored)


async def test_two_threads_hash_at_a_time_and_the_queue_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(CHEAP)
    gate, started = threading.Event(), threading.Semaphore(0)
    threads: list[int] = []
    refused: list[Refusal] = []

    def blocked(encoded: str, data: bytes) -> bool:
        threads.append(threading.get_ident())
        started.release()
        gate.wait()
        return False

    monkeypatch.setattr(passwords, "_matches", blocked)

    async def login() -> None:
        try:
            await passwords.verify(None, "correct horse")
        except Refusal as refusal:
            refused.append(refusal)

    async with trio.open_nursery() as nursery:
        for _ in range(2 + MAX_QUEUED_HASHES + 3):
            nursery.start_soon(login)
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(2):
            await trio.to_thread.run_sync(started.acquire)
        assert len(threads) == 2
        assert threading.get_ident() not in threads
        assert [refusal.code for refusal in refused] == [UNAVAILABLE] * 3
        gate.set()
    assert len(threads) == 2 + MAX_QUEUED_HASHES


def test_the_library_is_not_loaded_before_its_first_use() -> None:
    passwords: Any = Passwords()
    assert passwords._argon2 is None
