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

**Blocks.** A private conversation of two users of whom one blocks the other is `blocked`: so a send in any other one
need not look.

**Threads.** `thread_levels` has the threads that a member follows ("all") or mutes ("mentions").

**Files.** The content of a file is on the disk, under its digest, once for all files with that content. A file is a
draft until a message has it (`attached`). `unused_contents` are digests of contents that may have no file any more:
they are removed from the disk after the commit. The user 0 in `file_unlocks` is every user.
`upload_hours` is for the limit by the day, which deletions do not raise.

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

from chatd.store.tables.conversations import (
    bans,
    conversations,
    members,
    preferences,
    read_marks,
    removals,
    thread_levels,
)
from chatd.store.tables.files import file_unlocks, files, unused_contents, upload_hours, uploads
from chatd.store.tables.log import audit, blocks, events, meta, reports
from chatd.store.tables.messages import attachments, mentions, messages, pins, reactions
from chatd.store.tables.metadata import metadata
from chatd.store.tables.notifications import broadcast_marks, broadcasts, notifications, watches
from chatd.store.tables.users import (
    attention,
    invites,
    known_places,
    refresh_tokens,
    service_tokens,
    session_rooms,
    sessions,
    users,
)

__all__ = [
    "attachments",
    "attention",
    "audit",
    "bans",
    "blocks",
    "broadcast_marks",
    "broadcasts",
    "conversations",
    "events",
    "file_unlocks",
    "files",
    "invites",
    "known_places",
    "members",
    "mentions",
    "messages",
    "meta",
    "metadata",
    "notifications",
    "pins",
    "preferences",
    "reactions",
    "read_marks",
    "refresh_tokens",
    "removals",
    "reports",
    "service_tokens",
    "session_rooms",
    "sessions",
    "thread_levels",
    "unused_contents",
    "upload_hours",
    "uploads",
    "users",
    "watches",
]
