"""Printed from chatd/store/tables by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared
from chatd.store.schema import Schema

CREATE = (
    """CREATE TABLE audit (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor INTEGER NOT NULL,
    action TEXT NOT NULL,
    conversation INTEGER,
    user INTEGER,
    detail TEXT
)""",
    """CREATE TABLE broadcasts (
    id INTEGER NOT NULL,
    type TEXT NOT NULL,
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    related TEXT,
    created INTEGER NOT NULL,
    CONSTRAINT pk_broadcasts PRIMARY KEY (id)
)""",
    "CREATE INDEX ix_broadcasts_created ON broadcasts (created)",
    """CREATE TABLE events (
    position INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    conversation INTEGER,
    user INTEGER,
    about INTEGER,
    detail TEXT,
    CONSTRAINT pk_events PRIMARY KEY (position)
)""",
    """CREATE TABLE invites (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL,
    admin INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    maker TEXT NOT NULL,
    created INTEGER NOT NULL,
    CONSTRAINT uq_invites_hash UNIQUE (hash)
)""",
    "CREATE INDEX ix_invites_expires ON invites (expires)",
    """CREATE TABLE meta (
    "key" TEXT NOT NULL,
    value TEXT NOT NULL,
    CONSTRAINT pk_meta PRIMARY KEY ("key")
)
 WITHOUT ROWID""",
    """CREATE TABLE service_tokens (
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created INTEGER NOT NULL,
    CONSTRAINT pk_service_tokens PRIMARY KEY (name),
    CONSTRAINT uq_service_tokens_hash UNIQUE (hash)
)
 WITHOUT ROWID""",
    """CREATE TABLE unused_contents (
    digest TEXT NOT NULL,
    CONSTRAINT pk_unused_contents PRIMARY KEY (digest)
)""",
    """CREATE TABLE users (
    id INTEGER NOT NULL,
    name TEXT COLLATE "NOCASE" NOT NULL,
    subject TEXT,
    email TEXT COLLATE "NOCASE",
    display TEXT,
    avatar TEXT,
    status TEXT,
    password TEXT,
    admin INTEGER NOT NULL,
    disabled INTEGER NOT NULL,
    valid_from INTEGER NOT NULL,
    created INTEGER NOT NULL,
    local INTEGER NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_name UNIQUE (name),
    CONSTRAINT uq_users_subject UNIQUE (subject),
    CONSTRAINT uq_users_email UNIQUE (email)
)""",
    """CREATE TABLE attention (
    user INTEGER NOT NULL,
    quiet_from INTEGER,
    quiet_until INTEGER,
    time_zone TEXT,
    do_not_disturb_until INTEGER,
    CONSTRAINT pk_attention PRIMARY KEY (user),
    CONSTRAINT fk_attention_user FOREIGN KEY(user) REFERENCES users (id) ON DELETE CASCADE
)""",
    """CREATE TABLE blocks (
    user INTEGER NOT NULL,
    blocked INTEGER NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_blocks PRIMARY KEY (user, blocked),
    CONSTRAINT fk_blocks_user FOREIGN KEY(user) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_blocks_blocked FOREIGN KEY(blocked) REFERENCES users (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    """CREATE TABLE broadcast_marks (
    user INTEGER NOT NULL,
    broadcast INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    CONSTRAINT pk_broadcast_marks PRIMARY KEY (user, broadcast),
    CONSTRAINT fk_broadcast_marks_user FOREIGN KEY(user) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_broadcast_marks_broadcast FOREIGN KEY(broadcast) REFERENCES broadcasts (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    """CREATE TABLE conversations (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    title TEXT,
    creator INTEGER NOT NULL,
    peer INTEGER,
    created INTEGER NOT NULL,
    topic TEXT,
    avatar TEXT,
    public INTEGER DEFAULT 0 NOT NULL,
    blocked INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT ck_conversations_private_has_peer CHECK ((kind = 'private') = (peer IS NOT NULL)),
    CONSTRAINT fk_conversations_creator FOREIGN KEY(creator) REFERENCES users (id),
    CONSTRAINT fk_conversations_peer FOREIGN KEY(peer) REFERENCES users (id)
)""",
    "CREATE INDEX ix_conversations_public ON conversations (id) WHERE public = 1",
    "CREATE UNIQUE INDEX ux_conversations_pair ON conversations (min(creator, peer), max(creator, peer)) WHERE peer IS NOT NULL",
    """CREATE TABLE files (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    owner INTEGER NOT NULL,
    digest TEXT NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    size INTEGER NOT NULL,
    width INTEGER,
    height INTEGER,
    locked INTEGER NOT NULL,
    price TEXT,
    attached INTEGER NOT NULL,
    created INTEGER NOT NULL,
    CONSTRAINT fk_files_owner FOREIGN KEY(owner) REFERENCES users (id)
)""",
    "CREATE INDEX ix_files_digest ON files (digest)",
    "CREATE INDEX ix_files_owner ON files (owner, id)",
    """CREATE TABLE known_places (
    user INTEGER NOT NULL,
    place TEXT NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_known_places PRIMARY KEY (user, place),
    CONSTRAINT fk_known_places_user FOREIGN KEY(user) REFERENCES users (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    """CREATE TABLE refresh_tokens (
    family TEXT NOT NULL,
    hash TEXT NOT NULL,
    user INTEGER NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    used INTEGER,
    device TEXT,
    CONSTRAINT pk_refresh_tokens PRIMARY KEY (family),
    CONSTRAINT fk_refresh_tokens_user FOREIGN KEY(user) REFERENCES users (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    "CREATE INDEX ix_refresh_tokens_expires ON refresh_tokens (expires)",
    "CREATE INDEX ix_refresh_tokens_user ON refresh_tokens (user)",
    """CREATE TABLE reports (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL,
    conversation INTEGER NOT NULL,
    reporter INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    content TEXT NOT NULL,
    reason TEXT NOT NULL,
    created INTEGER NOT NULL,
    closed INTEGER,
    CONSTRAINT fk_reports_reporter FOREIGN KEY(reporter) REFERENCES users (id),
    CONSTRAINT fk_reports_sender FOREIGN KEY(sender) REFERENCES users (id)
)""",
    "CREATE UNIQUE INDEX ux_reports_message ON reports (message, reporter)",
    """CREATE TABLE sessions (
    name TEXT NOT NULL,
    user INTEGER NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_sessions PRIMARY KEY (name),
    CONSTRAINT fk_sessions_user FOREIGN KEY(user) REFERENCES users (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    "CREATE INDEX ix_sessions_at ON sessions (at)",
    "CREATE INDEX ix_sessions_user ON sessions (user)",
    """CREATE TABLE upload_hours (
    owner INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    size INTEGER NOT NULL,
    CONSTRAINT pk_upload_hours PRIMARY KEY (owner, hour),
    CONSTRAINT fk_upload_hours_owner FOREIGN KEY(owner) REFERENCES users (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    """CREATE TABLE uploads (
    id TEXT NOT NULL,
    owner INTEGER NOT NULL,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    file INTEGER,
    checked INTEGER,
    CONSTRAINT pk_uploads PRIMARY KEY (id),
    CONSTRAINT fk_uploads_owner FOREIGN KEY(owner) REFERENCES users (id)
)""",
    "CREATE INDEX ix_uploads_expires ON uploads (expires)",
    "CREATE INDEX ix_uploads_owner ON uploads (owner)",
    """CREATE TABLE bans (
    conversation INTEGER NOT NULL,
    user INTEGER NOT NULL,
    maker INTEGER NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_bans PRIMARY KEY (conversation, user),
    CONSTRAINT fk_bans_conversation FOREIGN KEY(conversation) REFERENCES conversations (id) ON DELETE CASCADE,
    CONSTRAINT fk_bans_user FOREIGN KEY(user) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_bans_maker FOREIGN KEY(maker) REFERENCES users (id)
)
 WITHOUT ROWID""",
    """CREATE TABLE file_unlocks (
    file INTEGER NOT NULL,
    user INTEGER NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_file_unlocks PRIMARY KEY (file, user),
    CONSTRAINT fk_file_unlocks_file FOREIGN KEY(file) REFERENCES files (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    """CREATE TABLE members (
    conversation INTEGER NOT NULL,
    user INTEGER NOT NULL,
    role TEXT NOT NULL,
    joined INTEGER NOT NULL,
    cursor INTEGER NOT NULL,
    began INTEGER DEFAULT 0 NOT NULL,
    marked INTEGER,
    CONSTRAINT pk_members PRIMARY KEY (conversation, user),
    CONSTRAINT fk_members_conversation FOREIGN KEY(conversation) REFERENCES conversations (id) ON DELETE CASCADE,
    CONSTRAINT fk_members_user FOREIGN KEY(user) REFERENCES users (id)
)
 WITHOUT ROWID""",
    "CREATE INDEX ix_members_user ON members (user, conversation)",
    """CREATE TABLE messages (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    type TEXT NOT NULL,
    content TEXT NOT NULL,
    attached INTEGER NOT NULL,
    client_id TEXT,
    digest TEXT,
    created INTEGER NOT NULL,
    edited INTEGER,
    deleted INTEGER,
    without_content INTEGER DEFAULT 0 NOT NULL,
    features INTEGER DEFAULT 0 NOT NULL,
    reply_to INTEGER,
    thread INTEGER,
    position INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT fk_messages_conversation FOREIGN KEY(conversation) REFERENCES conversations (id) ON DELETE CASCADE,
    CONSTRAINT fk_messages_sender FOREIGN KEY(sender) REFERENCES users (id)
)""",
    "CREATE INDEX ix_messages_conversation ON messages (conversation, id, sender, deleted)",
    "CREATE INDEX ix_messages_thread ON messages (thread, id) WHERE thread IS NOT NULL",
    "CREATE UNIQUE INDEX ux_messages_client_id ON messages (sender, conversation, client_id) WHERE client_id IS NOT NULL",
    """CREATE TABLE notifications (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    user INTEGER NOT NULL,
    type TEXT NOT NULL,
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    read INTEGER,
    conversation INTEGER,
    related TEXT,
    extra TEXT,
    created INTEGER NOT NULL,
    CONSTRAINT fk_notifications_user FOREIGN KEY(user) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_notifications_conversation FOREIGN KEY(conversation) REFERENCES conversations (id) ON DELETE CASCADE
)""",
    "CREATE INDEX ix_notifications_conversation ON notifications (conversation)",
    "CREATE INDEX ix_notifications_unread ON notifications (user) WHERE read IS NULL",
    "CREATE INDEX ix_notifications_user ON notifications (user, id)",
    "CREATE UNIQUE INDEX ux_notifications_message ON notifications (user, conversation) WHERE type = 'message' AND read IS NULL AND conversation IS NOT NULL",
    """CREATE TABLE preferences (
    user INTEGER NOT NULL,
    conversation INTEGER NOT NULL,
    level TEXT NOT NULL,
    muted_until INTEGER NOT NULL,
    archived INTEGER NOT NULL,
    draft TEXT NOT NULL,
    CONSTRAINT pk_preferences PRIMARY KEY (user, conversation),
    CONSTRAINT fk_preferences_user FOREIGN KEY(user) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_preferences_conversation FOREIGN KEY(conversation) REFERENCES conversations (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    "CREATE INDEX ix_preferences_conversation ON preferences (conversation)",
    """CREATE TABLE read_marks (
    conversation INTEGER NOT NULL,
    user INTEGER NOT NULL,
    message INTEGER NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_read_marks PRIMARY KEY (conversation, user, message),
    CONSTRAINT fk_read_marks_conversation FOREIGN KEY(conversation) REFERENCES conversations (id) ON DELETE CASCADE,
    CONSTRAINT fk_read_marks_user FOREIGN KEY(user) REFERENCES users (id)
)
 WITHOUT ROWID""",
    """CREATE TABLE removals (
    conversation INTEGER NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_removals PRIMARY KEY (conversation),
    CONSTRAINT fk_removals_conversation FOREIGN KEY(conversation) REFERENCES conversations (id) ON DELETE CASCADE
)""",
    """CREATE TABLE session_rooms (
    session TEXT NOT NULL,
    conversation INTEGER NOT NULL,
    removed INTEGER,
    CONSTRAINT pk_session_rooms PRIMARY KEY (session, conversation),
    CONSTRAINT fk_session_rooms_session FOREIGN KEY(session) REFERENCES sessions (name) ON DELETE CASCADE,
    CONSTRAINT fk_session_rooms_conversation FOREIGN KEY(conversation) REFERENCES conversations (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    "CREATE INDEX ix_session_rooms_conversation ON session_rooms (conversation)",
    """CREATE TABLE thread_levels (
    user INTEGER NOT NULL,
    conversation INTEGER NOT NULL,
    thread INTEGER NOT NULL,
    level TEXT NOT NULL,
    CONSTRAINT pk_thread_levels PRIMARY KEY (user, conversation, thread),
    CONSTRAINT fk_thread_levels_user FOREIGN KEY(user) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_thread_levels_conversation FOREIGN KEY(conversation) REFERENCES conversations (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    "CREATE INDEX ix_thread_levels_conversation ON thread_levels (conversation)",
    """CREATE TABLE watches (
    conversation INTEGER NOT NULL,
    user INTEGER NOT NULL,
    noticed INTEGER NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    CONSTRAINT pk_watches PRIMARY KEY (conversation, user),
    CONSTRAINT fk_watches_conversation FOREIGN KEY(conversation) REFERENCES conversations (id) ON DELETE CASCADE,
    CONSTRAINT fk_watches_user FOREIGN KEY(user) REFERENCES users (id)
)
 WITHOUT ROWID""",
    """CREATE TABLE attachments (
    message INTEGER NOT NULL,
    place INTEGER NOT NULL,
    url TEXT NOT NULL,
    type TEXT,
    file INTEGER,
    CONSTRAINT pk_attachments PRIMARY KEY (message, place),
    CONSTRAINT fk_attachments_message FOREIGN KEY(message) REFERENCES messages (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    "CREATE INDEX ix_attachments_file ON attachments (file) WHERE file IS NOT NULL",
    """CREATE TABLE mentions (
    message INTEGER NOT NULL,
    user INTEGER NOT NULL,
    conversation INTEGER NOT NULL,
    text TEXT NOT NULL,
    CONSTRAINT pk_mentions PRIMARY KEY (message, user),
    CONSTRAINT fk_mentions_message FOREIGN KEY(message) REFERENCES messages (id) ON DELETE CASCADE,
    CONSTRAINT fk_mentions_conversation FOREIGN KEY(conversation) REFERENCES conversations (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    "CREATE INDEX ix_mentions_user ON mentions (conversation, user, message)",
    """CREATE TABLE pins (
    conversation INTEGER NOT NULL,
    message INTEGER NOT NULL,
    user INTEGER NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_pins PRIMARY KEY (conversation, message),
    CONSTRAINT fk_pins_conversation FOREIGN KEY(conversation) REFERENCES conversations (id) ON DELETE CASCADE,
    CONSTRAINT fk_pins_message FOREIGN KEY(message) REFERENCES messages (id) ON DELETE CASCADE,
    CONSTRAINT fk_pins_user FOREIGN KEY(user) REFERENCES users (id)
)
 WITHOUT ROWID""",
    "CREATE INDEX ix_pins_message ON pins (message)",
    """CREATE TABLE reactions (
    message INTEGER NOT NULL,
    emoji TEXT NOT NULL,
    user INTEGER NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_reactions PRIMARY KEY (message, emoji, user),
    CONSTRAINT fk_reactions_message FOREIGN KEY(message) REFERENCES messages (id) ON DELETE CASCADE,
    CONSTRAINT fk_reactions_user FOREIGN KEY(user) REFERENCES users (id)
)
 WITHOUT ROWID""",
)
LAST_NUMBERS = {
    "conversations": Prepared("""SELECT sqlite_sequence.seq
FROM sqlite_sequence
WHERE sqlite_sequence.name = :name_1""", '', {'name_1': 'conversations'}),
    "files": Prepared("""SELECT sqlite_sequence.seq
FROM sqlite_sequence
WHERE sqlite_sequence.name = :name_1""", '', {'name_1': 'files'}),
    "uploads": Prepared("""SELECT max(uploads.id) AS max_1
FROM uploads"""),
    "reports": Prepared("""SELECT sqlite_sequence.seq
FROM sqlite_sequence
WHERE sqlite_sequence.name = :name_1""", '', {'name_1': 'reports'}),
    "audit": Prepared("""SELECT sqlite_sequence.seq
FROM sqlite_sequence
WHERE sqlite_sequence.name = :name_1""", '', {'name_1': 'audit'}),
    "position": Prepared("""SELECT max(events.position) AS max_1
FROM events"""),
    "messages": Prepared("""SELECT sqlite_sequence.seq
FROM sqlite_sequence
WHERE sqlite_sequence.name = :name_1""", '', {'name_1': 'messages'}),
    "notifications": Prepared("""SELECT sqlite_sequence.seq
FROM sqlite_sequence
WHERE sqlite_sequence.name = :name_1""", '', {'name_1': 'notifications'}),
    "broadcasts": Prepared("""SELECT max(broadcasts.id) AS max_1
FROM broadcasts"""),
    "users": Prepared("""SELECT max(users.id) AS max_1
FROM users"""),
    "invites": Prepared("""SELECT sqlite_sequence.seq
FROM sqlite_sequence
WHERE sqlite_sequence.name = :name_1""", '', {'name_1': 'invites'}),
}
SCHEMA = Schema(CREATE, LAST_NUMBERS)
