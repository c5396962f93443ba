"""`submit_and_wait`: what follows a commit happens in the order of the commits."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
import trio.testing

from chatd.store.sqlite.database import Database
from protocol.errors import CONFLICT, Refusal
from tests.chatd.store.notes import SCHEMA, add, refuse


async def test_on_commit_is_called_before_later_results_are_known(tmp_path: Path) -> None:
    async with Database.open(tmp_path / "notes.db", SCHEMA) as database:
        order: list[str] = []

        async def write_first() -> None:
            assert await database.submit_and_wait(add("first"), lambda id: order.append(f"first {id}")) == 1

        async with trio.open_nursery() as nursery:
            nursery.start_soon(write_first)
            await trio.testing.wait_all_tasks_blocked()
            database.submit(add("second"), lambda result: order.append("second"))
        await database.write(add("third"))
        assert order == ["first 1", "second"]


async def test_on_commit_is_not_called_for_a_refused_unit(tmp_path: Path) -> None:
    async with Database.open(tmp_path / "notes.db", SCHEMA) as database:
        results: list[int] = []
        with pytest.raises(Refusal, match="refused"):
            await database.submit_and_wait(refuse(Refusal(CONFLICT, "refused")), results.append)
        assert results == []


async def test_an_exception_of_on_commit_is_raised_after_the_commit(tmp_path: Path) -> None:
    def on_commit(id: int) -> None:
        raise Refusal(CONFLICT, "not now")

    async with Database.open(tmp_path / "notes.db", SCHEMA) as database:
        with pytest.raises(Refusal, match="not now"):
            await database.submit_and_wait(add("note"), on_commit)
        assert database.position == 1


async def test_a_cancelled_caller_stops_neither_the_unit_nor_on_commit(tmp_path: Path) -> None:
    async with Database.open(tmp_path / "notes.db", SCHEMA) as database:
        results: list[int] = []
        with trio.CancelScope() as scope:
            scope.cancel()
            await database.submit_and_wait(add("note"), results.append)
        assert scope.cancelled_caught
        await database.write(add("another"))
        assert results == [1]
