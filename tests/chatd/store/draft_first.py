"""Prints migration 0001 from the tables as they are: `python -m tests.chatd.store.draft_first`.

Only until the first release; after that, a change of the tables is a migration of its own.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy import MetaData, create_engine
from sqlalchemy.pool import StaticPool

HEAD = '''"""The first schema."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
'''
TAIL = """)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
"""


def draft(metadata: MetaData) -> str:
    """The migration's text: what `create_all` sends, statement by statement."""
    connection = sqlite3.connect(":memory:")
    sent: list[str] = []
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    connection.set_trace_callback(sent.append)
    metadata.create_all(engine)
    connection.set_trace_callback(None)
    connection.close()
    made = [_tidy(sql) for sql in sent if sql.lstrip().startswith(("CREATE", "INSERT"))]
    return HEAD + "".join(f'    """\n{sql}\n    """,\n' for sql in made) + TAIL


def _tidy(sql: str) -> str:
    short = sql.strip().replace(" WHERE ", "\nWHERE ").replace(" ON DELETE", "\n\t\tON DELETE")
    return "\n".join("    " + line.replace("\t", "    ").rstrip() for line in short.splitlines())


if __name__ == "__main__":
    from chatd.store.tables import metadata

    print(draft(metadata), end="")
