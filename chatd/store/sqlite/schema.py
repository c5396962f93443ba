"""Brings a database file to the schema that this chatd knows, before the file is used.

    no tables             the tables are created, with the newest version
    the newest version    nothing to do
    an older version      first a copy beside the file, then Alembic, in one transaction
    a newer version, another program's file, not a database: refused with one line

A version is the four digits that begin the name of a file in `migrations/versions`. So the newest version is known
without importing Alembic, which takes 0.9 s. Only migrations import Alembic and SQLAlchemy.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from chatd.store.schema import Schema
from chatd.store.sqlite.faults import StoreProblem

if TYPE_CHECKING:
    from sqlalchemy import Connection

CREATE_VERSION_TABLE = """CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)"""  # as Alembic would make it
SELECT_EPOCH = "SELECT value FROM meta WHERE key = 'epoch'"
SET_EPOCH = "INSERT OR REPLACE INTO meta (key, value) VALUES ('epoch', ?)"


def create_or_migrate(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    """Create, check or migrate the schema, or raise StoreProblem."""
    version, newest = version_of(connection, path), schema.newest
    if version == newest:
        return
    if version is None:
        _create(connection, schema)
    elif version > newest:
        raise StoreProblem(
            f"{path} has schema {version}, this chatd knows {newest}: run the newer chatd, or restore a backup"
        )
    else:
        copy = back_up(connection, path.with_name(f"{path.stem}.before-{newest}.db"))
        try:
            _upgrade(connection, schema)
        except Exception as error:
            raise StoreProblem(
                f"{path} could not be migrated from schema {version} to {newest}, and is unchanged ({error}); "
                f"a copy is at {copy}: run the older chatd, and report this"
            ) from error


def version_of(connection: sqlite3.Connection, path: Path) -> str | None:
    """The schema version of a file; None when it is empty."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    row = None
    if {"alembic_version", "meta"} <= tables:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None:
        raise StoreProblem(f"{path} is a database, but not chatd's: give chatd another data directory")
    return str(row[0])


def epoch_of(connection: sqlite3.Connection) -> str:
    """The UUID of this database, made at its first use."""
    row = connection.execute(SELECT_EPOCH).fetchone()
    return str(row[0]) if row else renew_epoch(connection)


def renew_epoch(connection: sqlite3.Connection) -> str:
    """Give the database another UUID. After a restore, positions from before are not valid."""
    epoch = str(uuid.uuid4())
    connection.execute(SET_EPOCH, (epoch,))
    return epoch


def back_up(connection: sqlite3.Connection, target: Path) -> Path:
    """Write a compact copy of the database, readable by its owner only. If the name is taken, it gets a number."""
    numbered = (target.with_stem(f"{target.stem}-{n}") for n in range(2, 1000))
    for candidate in (target, *numbered):
        try:
            file = os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            continue
        try:
            connection.execute("VACUUM INTO ?", (str(candidate),))
            os.fsync(file)
        except BaseException:
            candidate.unlink()
            raise
        finally:
            os.close(file)
        return candidate
    raise StoreProblem(f"{target.parent} is full of old copies ({target.name}): remove some")


@contextmanager
def _sqlalchemy_connection(connection: sqlite3.Connection) -> Iterator[Connection]:
    """SQLAlchemy's view of our sqlite3 connection, in one transaction."""
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    event.listen(engine, "begin", lambda core: core.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as core:
        yield core


def _create(connection: sqlite3.Connection, schema: Schema) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in (*schema.create, CREATE_VERSION_TABLE):
            connection.execute(statement)
        connection.execute("INSERT INTO alembic_version VALUES (?)", (schema.newest,))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _upgrade(connection: sqlite3.Connection, schema: Schema) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(schema.migrations).replace("%", "%%"))
    with _sqlalchemy_connection(connection) as core:
        config.attributes.update(connection=core)
        command.upgrade(config, "head")
        broken = core.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise ValueError(f"a row of {broken[0]} refers to a row of {broken[2]} that is not there")
