"""Check and copy, beside a running server."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from chatd.store.sqlite.database import Database
from chatd.store.sqlite.faults import StoreProblem
from chatd.store.sqlite.maintenance import copy, find_problems
from tests.chatd.store.notes import LIST, add


async def test_a_copy_beside_a_running_server(database: Database, path: Path, tmp_path: Path) -> None:
    await database.write(add("a"))
    assert find_problems(path) == []
    target = copy(path, tmp_path / "copy.db")
    assert find_problems(target) == []
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    connection = sqlite3.connect(target)
    assert connection.execute(LIST.sql).fetchall() == [(1, 1, "a")]
    connection.close()
    await database.write(add("b"))


async def test_it_reports_what_is_wrong(database: Database, path: Path) -> None:
    def orphan() -> None:
        connection = sqlite3.connect(path)
        connection.execute("INSERT INTO notes VALUES (1, 1, 'x', 99)")
        connection.commit()
        connection.close()

    orphan()
    assert find_problems(path) == ["row 1 of notes refers to a row of notes that is not there"]


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StoreProblem, match="is not there"):
        find_problems(tmp_path / "x.db")
