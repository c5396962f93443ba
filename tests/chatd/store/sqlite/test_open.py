"""Opening a database: what is made, what is refused, and in which words."""

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


async def fails(path: Path) -> str:
    with pytest.raises(StoreProblem) as info:
        async with Database.open(path, SCHEMA, busy_seconds=0.05):
            pass
    line = str(info.value)
    assert "\n" not in line
    return line


async def made(path: Path) -> None:
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


def spoil_header(path: Path) -> None:
    path.write_bytes(b"not a database, not at all" + path.read_bytes()[26:])


def cut(path: Path) -> None:
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
    ("harm", "says"),
    [
        (spoil_header, "is damaged or not a database"),
        (cut, "is damaged or not a database"),
        (newer, r"has schema 9999, this chatd knows 0\d+: run the newer chatd"),
        (foreign, "is a database, but not chatd's"),
        (lambda path: path.chmod(0o400), "(is read-only: chmod|can't be written)"),
        (lambda path: path.parent.chmod(0o500), "(is read-only: chmod|can't be written)"),
    ],
    ids=["header", "cut", "newer", "foreign", "read-only file", "read-only folder"],
)
async def test_what_cannot_be_served_is_refused_and_left_alone(
    path: Path, harm: Callable[[Path], None], says: str
) -> None:
    await made(path)
    harm(path)
    before = content(path)
    line = await fails(path)
    path.parent.chmod(0o700)
    assert re.search(says, line)
    assert content(path) == before


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "can't be written" in await fails(tmp_path / "file" / "data" / "chatd.db")


async def test_a_file_that_another_program_holds(path: Path) -> None:
    await made(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    assert "is locked by another program" in await fails(path)
    other.close()
    await made(path)


async def test_a_second_server_is_told_the_first_one_s_pid(path: Path) -> None:
    async with Database.open(path, SCHEMA):
        assert f"in use by another chatd (pid {os.getpid()})" in await fails(path)
    await made(path)


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
    told = []
    async with Database.open(pathlib.Path(sys.argv[1]), SCHEMA) as database:
        await database.write(add("a"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
        for text in ("x" * 400_000, "b", "y" * 400_000):
            try:
                told.append(await database.write(add(text)))
            except Refusal as refusal:
                told.append(refusal.code.code)
        told.append(len(await database.read(lambda tx: tx.all(LIST))))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        told.append(await database.write(add("z" * 400_000)))
    print(*told)

trio.run(main)
"""


def test_a_file_size_limit_refuses_writes_until_it_is_lifted(path: Path) -> None:
    command = [sys.executable, "-c", FILE_LIMIT, str(path)]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert result.stdout.split() == ["UNAVAILABLE", "2", "UNAVAILABLE", "2", "3"], result.stderr
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
