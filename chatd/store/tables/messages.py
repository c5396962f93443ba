"""The tables of messages, and of what messages have."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, text

from chatd.store.tables.metadata import metadata

messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation", Integer, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("sender", Integer, ForeignKey("users.id"), nullable=False),
    Column("type", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("attached", Integer, nullable=False),
    Column("client_id", Text),
    Column("digest", Text),
    Column("created", Integer, nullable=False),
    Column("edited", Integer),
    Column("deleted", Integer),
    Column("without_content", Integer, nullable=False, server_default=text("0")),
    Column("features", Integer, nullable=False, server_default=text("0")),
    Column("reply_to", Integer),
    Column("thread", Integer),
    Column("position", Integer, nullable=False, server_default=text("0")),
    Index("ix_messages_conversation", "conversation", "id", "sender", "deleted"),
    sqlite_autoincrement=True,
)

Index(
    "ux_messages_client_id",
    messages.c.sender,
    messages.c.conversation,
    messages.c.client_id,
    unique=True,
    sqlite_where=messages.c.client_id.is_not(None),
)

Index("ix_messages_thread", messages.c.thread, messages.c.id, sqlite_where=messages.c.thread.is_not(None))

reactions = Table(
    "reactions",
    metadata,
    Column("message", Integer, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
    Column("emoji", Text, primary_key=True),
    Column("user", Integer, ForeignKey("users.id"), primary_key=True),
    Column("at", Integer, nullable=False),
    sqlite_with_rowid=False,
)

mentions = Table(
    "mentions",
    metadata,
    Column("message", Integer, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
    Column("user", Integer, primary_key=True),
    Column("conversation", Integer, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_mentions_user", "conversation", "user", "message"),
    sqlite_with_rowid=False,
)

pins = Table(
    "pins",
    metadata,
    Column("conversation", Integer, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("message", Integer, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("user", Integer, ForeignKey("users.id"), nullable=False),
    Column("at", Integer, nullable=False),
    sqlite_with_rowid=False,
)

attachments = Table(
    "attachments",
    metadata,
    Column("message", Integer, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("url", Text, nullable=False),
    Column("type", Text),
    Column("file", Integer),
    sqlite_with_rowid=False,
)

Index("ix_attachments_file", attachments.c.file, sqlite_where=attachments.c.file.is_not(None))
