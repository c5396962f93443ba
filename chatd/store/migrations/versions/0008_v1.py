"""Replies, threads, reactions, mentions, pins; topics and pictures of groups, public groups, bans; unread marks."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    "ALTER TABLE conversations ADD COLUMN topic TEXT",
    "ALTER TABLE conversations ADD COLUMN avatar TEXT",
    "ALTER TABLE conversations ADD COLUMN public INTEGER DEFAULT 0 NOT NULL",
    "ALTER TABLE members ADD COLUMN marked INTEGER",
    "ALTER TABLE messages ADD COLUMN features INTEGER DEFAULT 0 NOT NULL",
    "ALTER TABLE messages ADD COLUMN reply_to INTEGER",
    "ALTER TABLE messages ADD COLUMN thread INTEGER",
    "ALTER TABLE messages ADD COLUMN position INTEGER DEFAULT 0 NOT NULL",
    """
    UPDATE messages SET position = events.position FROM events
    WHERE events.kind = 'message' AND events.about = messages.id
    """,
    """
    CREATE INDEX ix_conversations_public ON conversations (id)
    WHERE public = 1
    """,
    """
    CREATE INDEX ix_messages_thread ON messages (thread, id)
    WHERE thread IS NOT NULL
    """,
    """
    CREATE TABLE bans (
        conversation INTEGER NOT NULL,
        user INTEGER NOT NULL,
        maker INTEGER NOT NULL,
        at INTEGER NOT NULL,
        CONSTRAINT pk_bans PRIMARY KEY (conversation, user),
        CONSTRAINT fk_bans_conversation FOREIGN KEY(conversation) REFERENCES conversations (id)
            ON DELETE CASCADE,
        CONSTRAINT fk_bans_user FOREIGN KEY(user) REFERENCES users (id)
            ON DELETE CASCADE,
        CONSTRAINT fk_bans_maker FOREIGN KEY(maker) REFERENCES users (id)
    )
     WITHOUT ROWID
    """,
    """
    CREATE TABLE reactions (
        message INTEGER NOT NULL,
        emoji TEXT NOT NULL,
        user INTEGER NOT NULL,
        at INTEGER NOT NULL,
        CONSTRAINT pk_reactions PRIMARY KEY (message, emoji, user),
        CONSTRAINT fk_reactions_message FOREIGN KEY(message) REFERENCES messages (id)
            ON DELETE CASCADE,
        CONSTRAINT fk_reactions_user FOREIGN KEY(user) REFERENCES users (id)
    )
     WITHOUT ROWID
    """,
    """
    CREATE TABLE mentions (
        message INTEGER NOT NULL,
        user INTEGER NOT NULL,
        conversation INTEGER NOT NULL,
        text TEXT NOT NULL,
        CONSTRAINT pk_mentions PRIMARY KEY (message, user),
        CONSTRAINT fk_mentions_message FOREIGN KEY(message) REFERENCES messages (id)
            ON DELETE CASCADE,
        CONSTRAINT fk_mentions_conversation FOREIGN KEY(conversation) REFERENCES conversations (id)
            ON DELETE CASCADE
    )
     WITHOUT ROWID
    """,
    """
    CREATE INDEX ix_mentions_user ON mentions (conversation, user, message)
    """,
    """
    CREATE TABLE pins (
        conversation INTEGER NOT NULL,
        message INTEGER NOT NULL,
        user INTEGER NOT NULL,
        at INTEGER NOT NULL,
        CONSTRAINT pk_pins PRIMARY KEY (conversation, message),
        CONSTRAINT fk_pins_conversation FOREIGN KEY(conversation) REFERENCES conversations (id)
            ON DELETE CASCADE,
        CONSTRAINT fk_pins_message FOREIGN KEY(message) REFERENCES messages (id)
            ON DELETE CASCADE,
        CONSTRAINT fk_pins_user FOREIGN KEY(user) REFERENCES users (id)
    )
     WITHOUT ROWID
    """,
    """
    CREATE INDEX ix_pins_message ON pins (message)
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
