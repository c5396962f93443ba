"""Passwords: hashed dearly, compared evenly, never on the loop."""

from __future__ import annotations

import threading
import unicodedata
from typing import Any

import pytest
import trio

from chatd.auth.passwords import MAX_PASSWORD_BYTES, MAX_QUEUED_HASHES, MIN_PASSWORD_BYTES, Cost, Passwords
from protocol.errors import BAD_REQUEST, UNAVAILABLE, Refusal

CHEAP = Cost(memory_kib=8, passes=1, lanes=1)


async def test_a_password_is_itself_and_no_other() -> None:
    passwords = Passwords(CHEAP)
    stored = await passwords.hash("correct horse")
    assert await passwords.verify(stored, "correct horse")
    assert not await passwords.verify(stored, "correct horsf")
    assert not await passwords.verify(stored, "")
    assert "correct" not in stored
    assert stored != await passwords.hash("correct horse"), "each has its own salt"


async def test_the_cost_is_what_the_promises_say() -> None:
    assert (await Passwords().hash("correct horse")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("password", ["x" * MIN_PASSWORD_BYTES, "x" * MAX_PASSWORD_BYTES, "é" * 4, "pass\0word"])
async def test_what_will_do(password: str) -> None:
    passwords = Passwords(CHEAP)
    assert await passwords.verify(await passwords.hash(password), password)


@pytest.mark.parametrize(
    "password", ["", "x" * 7, "é" * 3, "x" * (MAX_PASSWORD_BYTES + 1), "é" * 513, "\ud800" * 8, "x" * 1_000_000]
)
async def test_what_will_not_do_names_the_field(password: str) -> None:
    with pytest.raises(Refusal) as caught:
        await Passwords(CHEAP).hash(password, field="newPassword")
    assert caught.value.code is BAD_REQUEST
    assert caught.value.field == "newPassword"
    assert not password or password not in caught.value.message


async def test_a_keyboard_may_send_an_accent_either_way() -> None:
    passwords = Passwords(CHEAP)
    stored = await passwords.hash(unicodedata.normalize("NFD", "crème brûlée"))
    assert await passwords.verify(stored, unicodedata.normalize("NFC", "crème brûlée"))


@pytest.mark.parametrize("password", ["whatever it is", "", "x" * 2000, "\ud800"])
async def test_nobody_costs_the_same_work_as_somebody(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(CHEAP)
    stored = await passwords.hash("correct horse")
    checked: list[str] = []
    matches = passwords._matches

    def watched(encoded: str, data: bytes) -> bool:
        checked.append(encoded)
        return matches(encoded, data)

    monkeypatch.setattr(passwords, "_matches", watched)
    assert not await passwords.verify(stored, password)
    assert not await passwords.verify(None, password)
    assert [encoded.rsplit("$", 2)[0] for encoded in checked] == ["$argon2id$v=19$m=8,t=1,p=1"] * 2
    assert [len(encoded) for encoded in checked] == [len(stored)] * 2


async def test_a_dummy_is_work_that_nothing_matches() -> None:
    passwords = Passwords(CHEAP)
    assert not passwords.needs_rehash(passwords.dummy_hash())
    assert not await passwords.verify(passwords.dummy_hash(), "")


@pytest.mark.parametrize("stored", ["", "plain", "$argon2id$v=19$m=8,t=1,p=1$broken", "$2b$12$abcdefghijklmnopqrstuu"])
async def test_a_broken_hash_matches_nothing_and_wants_to_be_replaced(stored: str) -> None:
    passwords = Passwords(CHEAP)
    assert not await passwords.verify(stored, "correct horse")
    assert passwords.needs_rehash(stored)


async def test_another_cost_wants_a_new_hash() -> None:
    stored = await Passwords(CHEAP).hash("correct horse")
    dearer = Passwords(Cost(memory_kib=16, passes=1, lanes=1))
    assert await dearer.verify(stored, "correct horse")
    assert dearer.needs_rehash(stored)
    assert not Passwords(CHEAP).needs_rehash(stored)


async def test_two_at_a_time_off_the_loop_and_the_queue_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(CHEAP)
    gate, started = threading.Event(), threading.Semaphore(0)
    threads: list[int] = []
    refused: list[Refusal] = []

    def held(encoded: str, data: bytes) -> bool:
        threads.append(threading.get_ident())
        started.release()
        gate.wait()
        return False

    monkeypatch.setattr(passwords, "_matches", held)

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


def test_the_library_is_not_loaded_before_it_is_needed() -> None:
    passwords: Any = Passwords()
    assert passwords._argon2 is None
