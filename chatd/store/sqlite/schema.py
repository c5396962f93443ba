"""Brings a database file to the schema that this chatd knows, before anyone uses it.

    no tables             created from the metadata and stamped with the newest version; Alembic is not imported
    the newest version    nothing to do
    an older version      a copy beside the file first, then Alembic, in one transaction
    a newer version, another program's file, not a database: refused with one line

Versions are the four digits that begin the name of a file in `migrations/versions`, so the newest is known without
importing Alembic (0.9 s).
"""

from __future__ import annotations

import os
import re
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, MetaData, column, create_engine, event, func, select, table
from sqlalchemy.pool import StaticPool

from chatd.store.sqlite.faults import StoreProblem
from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.transaction import POSITION

MIGRATIONS = Path(__file__).parent.parent / "migrations"
VERSION = re.compile(r"\d{4}_\w+\.py$")

VERSIONS = """CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)"""  # as Alembic would make it
EPOCH = "SELECT value FROM meta WHERE key = 'epoch'"
SET_EPOCH = "INSERT OR REPLACE INTO meta (key, value) VALUES ('epoch', ?)"


@dataclass(frozen=True)
class Schema:
    """What a database holds. It must have a table `meta (key, value)`, where the engine keeps the epoch.

    `seeds` has for each noun, and for "position", a statement for the last number that was given out.
    """

    metadata: MetaData
    seeds: Mapping[str, Prepared] = field(default_factory=dict)
    migrations: Path = MIGRATIONS

    @classmethod
    def of(cls, metadata: MetaData) -> Schema:
        """Every table with a column `id` is a noun by its own name; a key `position` is the event log's.

        Where the newest rows can be deleted, `sqlite_autoincrement=True` keeps their numbers from coming back.
        """
        seeds: dict[str, Prepared] = {}
        for name, noun in metadata.tables.items():
            for key in noun.primary_key:
                if key.name in ("id", POSITION):
                    seeds[POSITION if key.name == POSITION else name] = _seed(key)
        return cls(metadata, seeds)

    @property
    def newest(self) -> str:
        """The version that this program knows."""
        return max(name[:4] for name in os.listdir(self.migrations / "versions") if VERSION.match(name))


def _seed(key: Column[Any]) -> Prepared:
    if key.table.dialect_options["sqlite"]["autoincrement"]:
        given = table("sqlite_sequence", column("name"), column("seq"))
        return Prepared(select(given.c.seq).where(given.c.name == key.table.name))
    return Prepared(select(func.max(key)))


def bring_up(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    """Create, check or migrate the schema, or raise StoreProblem."""
    version, newest = version_of(connection, path), schema.newest
    if version == newest:
        return
    if version is None:
        with _core(connection) as core:
            _create(core, schema)
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
    row = connection.execute(EPOCH).fetchone()
    return str(row[0]) if row else renew_epoch(connection)


def renew_epoch(connection: sqlite3.Connection) -> str:
    """Give the database another UUID: after a restore, no position of before means anything."""
    epoch = str(uuid.uuid4())
    connection.execute(SET_EPOCH, (epoch,))
    return epoch


def back_up(connection: sqlite3.Connection, target: Path) -> Path:
    """Write a compact copy of the database, readable by its owner only; a name that is taken gets a number."""
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
def _core(connection: sqlite3.Connection) -> Iterator[Connection]:
    """SQLAlchemy on a sqlite3 connection that is ours, in one transaction."""
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    event.listen(engine, "begin", lambda core: core.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as core:
        yield core


def _create(core: Connection, schema: Schema) -> None:
    schema.metadata.create_all(core)
    core.exec_driver_sql(VERSIONS)
    core.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (schema.newest,))


def _upgrade(connection: sqlite3.Connection, schema: Schema) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(schema.migrations).replace("%", "%%"))
    with _core(connection) as core:
        config.attributes.update(connection=core, metadata=schema.metadata)
        command.upgrade(config, "head")
        broken = core.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise ValueError(f"a row of {broken[0]} refers to a row of {broken[2]} that is not there")
