"""The tables of conversations: members, cursors, preferences, bans."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, text

from chatd.store.dialect_functions import greatest, least
from chatd.store.tables.metadata import metadata

conversations = Table(
    "conversations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("title", Text),
    Column("creator", Integer, ForeignKey("users.id"), nullable=False),
    Column("peer", Integer, ForeignKey("users.id")),
    Column("created", Integer, nullable=False),
    Column("topic", Text),
    Column("avatar", Text),
    Column("public", Integer, nullable=False, server_default=text("0")),
    Column("blocked", Integer, nullable=False, server_default=text("0")),
    CheckConstraint("(kind = 'private') = (peer IS NOT NULL)", name="private_has_peer"),
    Index("ix_conversations_public", "id", sqlite_where=text("public = 1")),
    sqlite_autoincrement=True,
)

Index(
    "ux_conversations_pair",
    least(conversations.c.creator, conversations.c.peer),
    greatest(conversations.c.creator, conversations.c.peer),
    unique=True,
    sqlite_where=conversations.c.peer.is_not(None),
)

removals = Table(
    "removals",
    metadata,
    Column("conversation", Integer, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("at", Integer, nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("conversation", Integer, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("user", Integer, ForeignKey("users.id"), primary_key=True),
    Column("role", Text, nullable=False),
    Column("joined", Integer, nullable=False),
    Column("cursor", Integer, nullable=False),
    Column("began", Integer, nullable=False, server_default=text("0")),
    Column("marked", Integer),
    Index("ix_members_user", "user", "conversation"),
    sqlite_with_rowid=False,
)

read_marks = Table(
    "read_marks",
    metadata,
    Column("conversation", Integer, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("user", Integer, ForeignKey("users.id"), primary_key=True),
    Column("message", Integer, primary_key=True),
    Column("at", Integer, nullable=False),
    sqlite_with_rowid=False,
)

preferences = Table(
    "preferences",
    metadata,
    Column("user", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("conversation", Integer, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("level", Text, nullable=False),
    Column("muted_until", Integer, nullable=False),
    Column("archived", Integer, nullable=False),
    Column("draft", Text, nullable=False),
    sqlite_with_rowid=False,
)

thread_levels = Table(
    "thread_levels",
    metadata,
    Column("user", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("conversation", Integer, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("thread", Integer, primary_key=True),
    Column("level", Text, nullable=False),
    sqlite_with_rowid=False,
)

bans = Table(
    "bans",
    metadata,
    Column("conversation", Integer, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("user", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("maker", Integer, ForeignKey("users.id"), nullable=False),
    Column("at", Integer, nullable=False),
    sqlite_with_rowid=False,
)
