"""Opening a database: what is make_database, what is refused, and the texts of the errors."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chatd.store.sqlite.database import Database
from chatd.store.sqlite.faults import StoreProblem
from chatd.store.sqlite.lock import hold_lock
from tests.chatd.store.notes import SCHEMA, add


async def open_error(path: Path) -> str:
    with pytest.raises(StoreProblem) as info:
        async with Database.open(path, SCHEMA, busy_seconds=0.05):
            pass
    line = str(info.value)
    assert "\n" not in line
    return line


async def make_database(path: Path) -> None:
    async with Database.open(path, SCHEMA) as database:
        await database.write(add("a"))


def content(path: Path) -> bytes:
    return path.read_bytes()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_files_are_the_owner_s_alone(path: Path) -> None:
    umask = os.umask(0)
    try:
        async with Database.open(path, SCHEMA) as database:
            await database.write(add("a"))
            assert mode(path.parent) == 0o700
            assert {mode(file) for file in path.parent.iterdir()} == {0o600}
            assert path.with_name("chatd.db-wal").exists()
    finally:
        os.umask(umask)


def overwrite_header(path: Path) -> None:
    path.write_bytes(b"not a database, not at all" + path.read_bytes()[26:])


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def newer(path: Path) -> None:
    change(path, "UPDATE alembic_version SET version_num = '9999'")


def foreign(path: Path) -> None:
    path.unlink()
    change(path, "CREATE TABLE other (x)")


def change(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(sql)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (overwrite_header, "is damaged or not a database"),
        (truncate, "is damaged or not a database"),
        (newer, r"has schema 9999, this chatd knows 0\d+: run the newer chatd"),
        (foreign, "is a database, but not chatd's"),
        (lambda path: path.chmod(0o400), "(is read-only: chmod|can't be written)"),
        (lambda path: path.parent.chmod(0o500), "(is read-only: chmod|can't be written)"),
    ],
    ids=["header", "cut", "newer", "foreign", "read-only file", "read-only folder"],
)
async def test_a_file_that_cannot_be_served_is_refused_and_not_changed(
    path: Path, damage: Callable[[Path], None], expected: str
) -> None:
    await make_database(path)
    damage(path)
    before = content(path)
    line = await open_error(path)
    path.parent.chmod(0o700)
    assert re.search(expected, line)
    assert content(path) == before


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "can't be written" in await open_error(tmp_path / "file" / "data" / "chatd.db")


async def test_a_file_that_another_program_has_locked(path: Path) -> None:
    await make_database(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    assert "is locked by another program" in await open_error(path)
    other.close()
    await make_database(path)


async def test_a_second_server_gets_the_pid_of_the_first(path: Path) -> None:
    async with Database.open(path, SCHEMA):
        assert f"in use by another chatd (pid {os.getpid()})" in await open_error(path)
    await make_database(path)


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    lock = tmp_path / "chatd.lock"
    script = (
        "import os, sys, pathlib; from chatd.store.sqlite.lock import hold_lock\n"
        "with hold_lock(pathlib.Path(sys.argv[1])):\n"
        "    os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(lock)], check=False)
    assert lock.read_text().strip().isdigit()
    with hold_lock(lock):
        assert lock.read_text() == f"{os.getpid()}\n"


FILE_LIMIT = """
import resource, sys, trio, pathlib
from chatd.store.sqlite.database import Database
from protocol.errors import Refusal
from tests.chatd.store.notes import LIST, SCHEMA, add

async def main():
    results = []
    async with Database.open(pathlib.Path(sys.argv[1]), SCHEMA) as database:
        await database.write(add("a"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
        for text in ("x" * 400_000, "b", "y" * 400_000):
            try:
                results.append(await database.write(add(text)))
            except Refusal as refusal:
                results.append(refusal.code.code)
        results.append(len(await database.read(lambda tx: tx.all(LIST))))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        results.append(await database.write(add("z" * 400_000)))
    print(*results)

trio.run(main)
"""


def test_a_file_size_limit_refuses_writes_until_it_is_lifted(path: Path) -> None:
    command = [sys.executable, "-c", FILE_LIMIT, str(path)]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert result.stdout.split() == ["UNAVAILABLE", "2", "UNAVAILABLE", "2", "3"], result.stderr
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
