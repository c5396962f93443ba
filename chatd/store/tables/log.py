"""The tables of the event log, and of what administrators see."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from chatd.store.tables.metadata import metadata

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

blocks = Table(
    "blocks",
    metadata,
    Column("user", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("blocked", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("at", Integer, nullable=False),
    sqlite_with_rowid=False,
)

reports = Table(
    "reports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message", Integer, nullable=False),
    Column("conversation", Integer, nullable=False),
    Column("reporter", Integer, ForeignKey("users.id"), nullable=False),
    Column("sender", Integer, ForeignKey("users.id"), nullable=False),
    Column("content", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created", Integer, nullable=False),
    Column("closed", Integer),
    Index("ux_reports_message", "message", "reporter", unique=True),
    sqlite_autoincrement=True,
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Integer, nullable=False),
    Column("actor", Integer, nullable=False),
    Column("action", Text, nullable=False),
    Column("conversation", Integer),
    Column("user", Integer),
    Column("detail", Text),
    sqlite_autoincrement=True,
)

events = Table(
    "events",
    metadata,
    Column("position", Integer, primary_key=True),
    Column("at", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("conversation", Integer),
    Column("user", Integer),
    Column("about", Integer),
    Column("detail", Text),
)
