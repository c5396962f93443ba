"""The tables of users: accounts, invites, login sessions, service tokens, and the sessions of connections."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from chatd.store.tables.metadata import metadata

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text(collation="NOCASE"), nullable=False, unique=True),
    Column("subject", Text, unique=True),
    Column("email", Text(collation="NOCASE"), unique=True),
    Column("display", Text),
    Column("avatar", Text),
    Column("status", Text),
    Column("password", Text),
    Column("admin", Integer, nullable=False),
    Column("disabled", Integer, nullable=False),
    Column("valid_from", Integer, nullable=False),
    Column("created", Integer, nullable=False),
    Column("local", Integer, nullable=False),
)

attention = Table(
    "attention",
    metadata,
    Column("user", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("quiet_from", Integer),
    Column("quiet_until", Integer),
    Column("time_zone", Text),
    Column("do_not_disturb_until", Integer),
)

known_places = Table(
    "known_places",
    metadata,
    Column("user", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Text, primary_key=True),
    Column("at", Integer, nullable=False),
    sqlite_with_rowid=False,
)

invites = Table(
    "invites",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hash", Text, nullable=False, unique=True),
    Column("admin", Integer, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("expires", Integer, nullable=False, index=True),
    Column("maker", Text, nullable=False),
    Column("created", Integer, nullable=False),
    sqlite_autoincrement=True,
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("family", Text, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("user", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created", Integer, nullable=False),
    Column("expires", Integer, nullable=False, index=True),
    Column("used", Integer),
    Column("device", Text),
    sqlite_with_rowid=False,
)

service_tokens = Table(
    "service_tokens",
    metadata,
    Column("name", Text, primary_key=True),
    Column("hash", Text, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("created", Integer, nullable=False),
    sqlite_with_rowid=False,
)

sessions = Table(
    "sessions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("user", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", Integer, nullable=False, index=True),
    sqlite_with_rowid=False,
)

session_rooms = Table(
    "session_rooms",
    metadata,
    Column("session", Text, ForeignKey("sessions.name", ondelete="CASCADE"), primary_key=True),
    Column("conversation", Integer, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("removed", Integer),
    sqlite_with_rowid=False,
)
