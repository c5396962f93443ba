"""The schema: created, or migrated with a copy beside the file; both ways give the same schema."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from chatd.store.compiled.schema import SCHEMA
from chatd.store.compiler import create_statements, schema_of
from chatd.store.schema import MIGRATIONS_FOLDER, Schema
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.faults import StoreProblem
from chatd.store.sqlite.schema import (
    _upgrade,
    create_or_migrate,
    epoch_of,
    renew_epoch,
    version_of,
)

CREATE = """
from alembic import op
revision, down_revision = "0001", None
def upgrade():
    op.get_bind().exec_driver_sql("CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)")
    op.get_bind().exec_driver_sql("CREATE TABLE dogs (id INTEGER NOT NULL PRIMARY KEY)")
"""
ALTER = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "0002", "0001"
def upgrade():
    op.add_column("dogs", sa.Column("name", sa.Text))
"""
BROKEN = ALTER + '    raise ValueError("no such luck")\n'


def dogs(*more: Column[str]) -> MetaData:
    metadata = MetaData()
    Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))
    Table("dogs", metadata, Column("id", Integer, primary_key=True), *more)
    return metadata


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    folder = tmp_path / "100% mine"
    (folder / "versions").mkdir(parents=True)
    shutil.copy(MIGRATIONS_FOLDER / "env.py", folder)
    (folder / "versions" / "0001_first.py").write_text(CREATE)
    return folder


@pytest.fixture
async def old(path: Path, migrations: Path) -> Schema:
    """A database of version 1 with a dog in it, and the schema of version 2."""
    async with Database.open(path, Schema(create_statements(dogs()), migrations=migrations)) as database:
        await database.write(lambda tx: tx._execute("INSERT INTO dogs VALUES (7)"))
    (migrations / "versions" / "0002_names.py").write_text(ALTER)
    return Schema(create_statements(dogs(Column("name", Text))), migrations=migrations)


def rows(path: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT * FROM dogs").fetchall()
    finally:
        connection.close()


async def test_an_older_schema_is_migrated_and_a_copy_kept(path: Path, old: Schema) -> None:
    async with Database.open(path, old):
        pass
    assert rows(path) == [(7, None)]
    copy = path.with_name("chatd.before-0002.db")
    assert rows(copy) == [(7,)]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    async with Database.open(path, old):  # a second time there is nothing to do
        pass
    assert len(list(path.parent.glob("*before*"))) == 1


async def test_a_migration_that_fails_changes_nothing(path: Path, old: Schema) -> None:
    (old.migrations / "versions" / "0002_names.py").write_text(BROKEN)
    for _ in range(2):
        with pytest.raises(StoreProblem, match=r"could not be migrated .* and is unchanged \(no such luck\)"):
            async with Database.open(path, old):
                pass
    assert rows(path) == [(7,)]
    assert sorted(copy.name for copy in path.parent.glob("*before*")) == [
        "chatd.before-0002-2.db",
        "chatd.before-0002.db",
    ]


def objects(connection: sqlite3.Connection) -> dict[str, str]:
    """Every table and index with its definition, without white space and quotes (SQLite quotes a renamed table)."""
    found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: " ".join(sql.replace('"', "").replace("(", " ( ").replace(")", " ) ").split()) for name, sql in found}


def test_migrating_an_empty_file_gives_what_create_all_gives(tmp_path: Path) -> None:
    """When this fails, the tables have changed: write a new migration (see draft_next.py)."""
    schema = SCHEMA
    created = sqlite3.connect(":memory:", isolation_level=None)
    create_or_migrate(created, tmp_path / "x.db", schema)
    migrated = sqlite3.connect(":memory:", isolation_level=None)
    _upgrade(migrated, schema)
    assert objects(migrated) == objects(created)
    assert version_of(migrated, tmp_path) == version_of(created, tmp_path) == schema.newest
    created.close()
    migrated.close()


def statements(version: str) -> tuple[str, ...]:
    found: tuple[str, ...] = import_module(f"chatd.store.migrations.versions.{version}").STATEMENTS
    return found


def test_a_member_who_never_read_has_read_nothing_after_the_migration() -> None:
    """Old versions set a new member's cursor to the last message. Only a mark shows that the member has read it."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    for version in ("0001_first", "0002_notifications", "0003_sessions"):
        for statement in statements(version):
            database.execute(statement)
    member = "INSERT INTO members (conversation, user, role, joined, cursor) VALUES (1, ?, 'member', 0, ?)"
    database.executemany(member, [(1, 0), (2, 7), (3, 9)])
    database.execute("INSERT INTO read_marks (conversation, user, message, at) VALUES (1, 3, 9, 0)")
    for statement in statements("0007_joined_and_null"):
        database.execute(statement)
    found = database.execute("SELECT user, cursor, began FROM members ORDER BY user").fetchall()
    assert found == [(1, 0, 0), (2, 0, 7), (3, 9, 0)]
    database.close()


def test_alembic_finds_the_same_newest_version() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_FOLDER))
    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA.newest


def test_neither_alembic_nor_sqlalchemy_is_imported_for_a_database_that_is_new_or_current(path: Path) -> None:
    script = (
        "import sys, pathlib, trio\n"
        "from chatd.server import main as _\n"
        "from chatd.store.compiled.schema import SCHEMA\n"
        "from chatd.store.sqlite.database import Database\n"
        "async def main():\n"
        "    for _ in range(2):\n"
        "        async with Database.open(pathlib.Path(sys.argv[1]), SCHEMA): pass\n"
        "    assert not {'alembic', 'sqlalchemy'} & set(sys.modules)\n"
        "trio.run(main)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)


async def test_every_noun_has_its_own_numbers(path: Path) -> None:
    async with Database.open(path, SCHEMA) as database:
        assert await database.write(lambda tx: (tx.next_id("users"), tx.next_id("messages"))) == (1, 1)
        assert await database.write(lambda tx: (tx.next_id("users"), tx.next_position())) == (2, 1)


async def test_numbers_of_deleted_rows_are_not_given_out_again_with_autoincrement(path: Path, migrations: Path) -> None:
    metadata = MetaData()
    Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))
    Table("cats", metadata, Column("id", Integer, primary_key=True), sqlite_autoincrement=True)
    schema = replace(schema_of(metadata), migrations=migrations)
    async with Database.open(path, schema) as database:
        assert await database.write(lambda tx: tx.next_id("cats")) == 1
        await database.write(lambda tx: tx._execute("INSERT INTO cats (id) VALUES (5)"))
        await database.write(lambda tx: tx._execute("DELETE FROM cats"))
    async with Database.open(path, schema) as database:
        assert await database.write(lambda tx: tx.next_id("cats")) == 6


def test_the_epoch_stays_until_it_is_renewed(tmp_path: Path) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    create_or_migrate(connection, tmp_path / "x.db", SCHEMA)
    first = epoch_of(connection)
    assert epoch_of(connection) == first
    assert renew_epoch(connection) != first
    assert epoch_of(connection) != first
    connection.close()


def test_old_users_are_local_if_they_have_a_password(tmp_path: Path) -> None:
    """Migration 0004, with rows that other rows refer to."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS_FOLDER, folder)
    for file in (folder / "versions").glob("0*.py"):
        if file.name >= "0004":
            file.unlink()
    _upgrade(connection, replace(SCHEMA, migrations=folder))
    people = ((1, "ann", None, "$argon2id$"), (2, "bob", None, None), (3, "cat", "uuid", None), (4, "dan", "x", "$"))
    for person in people:
        connection.execute("INSERT INTO users VALUES (?, ?, ?, NULL, NULL, NULL, NULL, ?, 0, 0, 0, 0)", person)
    connection.execute("INSERT INTO conversations VALUES (1, 'private', NULL, 1, 2, 0)")
    connection.execute("INSERT INTO members VALUES (1, 1, 'owner', 0, 0)")
    _upgrade(connection, SCHEMA)
    assert connection.execute("SELECT name, local FROM users").fetchall() == [
        ("ann", 1),
        ("bob", 0),
        ("cat", 0),
        ("dan", 0),
    ]
    assert connection.execute("SELECT count(*) FROM members").fetchone() == (1,)
    connection.close()
