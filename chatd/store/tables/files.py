"""The tables of files."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from chatd.store.tables.metadata import metadata

files = Table(
    "files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner", Integer, ForeignKey("users.id"), nullable=False),
    Column("digest", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("locked", Integer, nullable=False),
    Column("price", Text),
    Column("attached", Integer, nullable=False),
    Column("created", Integer, nullable=False),
    Index("ix_files_owner", "owner", "id"),
    sqlite_autoincrement=True,
)

file_unlocks = Table(
    "file_unlocks",
    metadata,
    Column("file", Integer, ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    Column("user", Integer, primary_key=True),
    Column("at", Integer, nullable=False),
    sqlite_with_rowid=False,
)

unused_contents = Table("unused_contents", metadata, Column("digest", Text, primary_key=True))

upload_hours = Table(
    "upload_hours",
    metadata,
    Column("owner", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("hour", Integer, primary_key=True),
    Column("size", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""How many bytes a user has uploaded in an hour (hours since 1970), also of files that are deleted by now."""

uploads = Table(
    "uploads",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Integer, ForeignKey("users.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("expires", Integer, nullable=False, index=True),
    Column("file", Integer),
    Column("checked", Integer),
    Index("ix_uploads_owner", "owner"),
)
