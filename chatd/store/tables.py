"""The tables. Times are milliseconds since 1970. The number of a noun is its id, which each dialect writes in its way.

**Users.** Names and email addresses are unique without regard to case (for the letters A to Z only). A `local` user
was made here. The other users belong to another issuer. The issuer's tokens name them by their id or their subject,
and never name a local user.

**Digests.** The tokens of invites, and the addresses from which users have signed in (`known_places`), are kept only
as digests.

**Cursors.** Each member of a conversation has a cursor: the last message that the member has read. `read_marks` has the
history of the cursors. The readers of a message, the unread messages and the times of reading are derived from both,
and never counted separately. `began` is the last message from before the member joined. The member has not read it,
but messages up to it do not count as unread.

**Messages.** A message may be sent with null as content, and an attachment. Then its content is empty, and
`without_content` is 1.

`features` says which of the rows that few messages have exist for this one (chatd/store/queries/features.py): so the
others cost no query. `thread` is the message that began the thread, `position` that of the message's event.

**Marked as unread.** `marked` is the message before the first one that its member has marked as unread. It counts in
place of the cursor, and the cursor stays: what others know of it does not change.

**Mentions.** A mention of the user 0 is a mention of all members.

**Event log.** It has the events in commit order; `position` is the only order. The rows are short: they refer to the
rows that they are about. `detail` has only what no other row can show later.

**Deleted conversations.** A deleted conversation has no members, so no user can see it. Its content is removed in
small steps. `removals` has the conversations of which rows are left.

**Sessions.** A session is a connection that may resume. The rooms that it joined are kept when it ends, and when the
server ends.

**Notifications.** A message makes no rows for its recipients. The notifications of a member are derived from the
conversation's messages, the member's cursor and the member's view interval (`watches`). A broadcast is one row for all
users. Only a user who has read or deleted it has a row of marks. Notifications and broadcasts share one
sequence of numbers.

**Numbers** of deleted rows are never given out again (AUTOINCREMENT) in tables whose newest rows can be deleted: a
client may still remember them.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, MetaData, Table, Text, text

from chatd.store.dialect_functions import greatest, least

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
    Column("topic", Text),
    Column("avatar", Text),
    Column("public", Integer, nullable=False, server_default=text("0")),
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

bans = Table(
    "bans",
    metadata,
    Column("conversation", Integer, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("user", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("maker", Integer, ForeignKey("users.id"), nullable=False),
    Column("at", Integer, nullable=False),
    sqlite_with_rowid=False,
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
