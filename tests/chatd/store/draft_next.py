"""Prints the next migration: the tables and indexes that the migrations so far do not make.

    python -m tests.chatd.store.draft_next > chatd/store/migrations/versions/0003_WHAT.py

It finds only new tables and indexes; write the changes of an existing table by hand. After that, `test_schema.py`
checks that the migrations make exactly the tables.
"""

from __future__ import annotations

import re
import sqlite3

from sqlalchemy import MetaData, create_engine
from sqlalchemy.pool import StaticPool

from chatd.store.compiler import schema_of
from chatd.store.schema import Schema
from chatd.store.sqlite.schema import _upgrade

HEAD = '''"""What the migration is for."""

from alembic import op

revision = "{next}"
down_revision = "{newest}"

STATEMENTS = (
'''
TAIL = """)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
"""
NAME = re.compile(r"CREATE (?:UNIQUE )?(?:TABLE|INDEX) (\w+)")


def draft(metadata: MetaData) -> str:
    """The migration's text: the statements of `create_all` for new tables and indexes."""
    schema = schema_of(metadata)
    known = migrated(schema)
    new = [_tidy(sql) for sql in created(metadata) if (found := NAME.search(sql)) and found[1] not in known]
    head = HEAD.format(next=f"{int(schema.newest) + 1:04d}", newest=schema.newest)
    return head + "".join(f'    """\n{sql}\n    """,\n' for sql in new) + TAIL


def migrated(schema: Schema) -> set[str]:
    """The names of the tables and indexes that the migrations make."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    _upgrade(connection, schema)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    return names


def created(metadata: MetaData) -> list[str]:
    connection = sqlite3.connect(":memory:")
    sent: list[str] = []
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    connection.set_trace_callback(sent.append)
    metadata.create_all(engine)
    connection.set_trace_callback(None)
    connection.close()
    return [sql.strip() for sql in sent]


def _tidy(sql: str) -> str:
    short = sql.replace(" WHERE ", "\nWHERE ").replace(" ON DELETE", "\n\t\tON DELETE")
    return "\n".join("    " + line.replace("\t", "    ").rstrip() for line in short.splitlines())


if __name__ == "__main__":
    from chatd.store.tables import metadata

    print(draft(metadata), end="")
