"""The tables of notifications and view intervals."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, text

from chatd.store.tables.metadata import metadata

notifications = Table(
    "notifications",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("type", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("read", Integer),
    Column("conversation", Integer, ForeignKey("conversations.id", ondelete="CASCADE")),
    Column("related", Text),
    Column("extra", Text),
    Column("created", Integer, nullable=False),
    Index("ix_notifications_user", "user", "id"),
    sqlite_autoincrement=True,
)

Index("ix_notifications_conversation", notifications.c.conversation)

Index("ix_notifications_unread", notifications.c.user, sqlite_where=notifications.c.read.is_(None))

Index(
    "ux_notifications_message",
    notifications.c.user,
    notifications.c.conversation,
    unique=True,
    sqlite_where=text("type = 'message' AND read IS NULL AND conversation IS NOT NULL"),
)

watches = Table(
    "watches",
    metadata,
    Column("conversation", Integer, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("user", Integer, ForeignKey("users.id"), primary_key=True),
    Column("noticed", Integer, nullable=False),
    Column("since", Integer, nullable=False),
    Column("until", Integer, nullable=False),
    sqlite_with_rowid=False,
)

broadcasts = Table(
    "broadcasts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("type", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("related", Text),
    Column("created", Integer, nullable=False, index=True),
)

broadcast_marks = Table(
    "broadcast_marks",
    metadata,
    Column("user", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("broadcast", Integer, ForeignKey("broadcasts.id", ondelete="CASCADE"), primary_key=True),
    Column("deleted", Integer, nullable=False),
    sqlite_with_rowid=False,
)
