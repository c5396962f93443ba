"""The tables. Times are milliseconds since 1970; a number of a noun is its id in every dialect's spelling.

A user's name and address are unique whatever the case of their letters (A to Z, that is). A `local` user was made here;
the others belong to another issuer, whose tokens name them by their id or their subject and never name a local user.

Of an invite, and of an address from which a user has signed in (`known_places`), only digests are kept.

A conversation's members each have a cursor: the last message that they have read. Who has seen a message, what is
unread and when something was read are derived from it and from its history (`read_marks`), never counted apart.
`began` is the last message that was there when they joined: they have not read it, but nothing up to it is unread.

The content of a message that was sent with null (and an attachment) is empty, and `without_content` is 1.

The event log says what happened in the order in which it was committed: `position` is the only order there is. Its
rows are short, for they refer to what they are about; `detail` holds only what no other row can tell later.

A conversation that is deleted has no members from then on, so nobody can see it. Its content is removed in small steps:
`removals` has the conversations of which there is still something.

A session is a connection that may come back: which rooms it had joined outlives it, and the server.

A message makes no row for those whom it concerns: whether somebody is to be notified of a conversation is derived from
its messages, their cursor and what they have watched (`watches`). A broadcast is one row, whoever reads it; only who
has read or deleted it gets a row of marks. Notifications and broadcasts share their numbers.

Numbers never come back (AUTOINCREMENT), where the newest rows of a table can be deleted: a client may remember them.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, MetaData, Table, Text, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

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
    sqlite_with_rowid=False,
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("title", Text),
    Column("creator", Integer, ForeignKey("users.id"), nullable=False),
    Column("peer", Integer, ForeignKey("users.id")),
    Column("created", Integer, nullable=False),
    CheckConstraint("(kind = 'private') = (peer IS NOT NULL)", name="private_has_peer"),
    sqlite_autoincrement=True,
)

Index(
    "ux_conversations_pair",
    text("min(creator, peer)"),
    text("max(creator, peer)"),
    unique=True,
    sqlite_where=conversations.c.peer.is_not(None),
    _table=conversations,
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

attachments = Table(
    "attachments",
    metadata,
    Column("message", Integer, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("url", Text, nullable=False),
    Column("type", Text),
    sqlite_with_rowid=False,
)

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

service_tokens = Table(
    "service_tokens",
    metadata,
    Column("name", Text, primary_key=True),
    Column("hash", Text, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("created", Integer, nullable=False),
    sqlite_with_rowid=False,
)

files = Table(
    "files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner", Integer, ForeignKey("users.id"), nullable=False),
    Column("conversation", Integer, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("stored", Text, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("locked", Integer, nullable=False),
    Column("created", Integer, nullable=False),
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
