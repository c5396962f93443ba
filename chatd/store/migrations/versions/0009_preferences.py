"""Preferences of members, blocked users, reported messages, and what administrators and owners did."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    "ALTER TABLE conversations ADD COLUMN blocked INTEGER DEFAULT 0 NOT NULL",
    """
    CREATE TABLE audit (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        actor INTEGER NOT NULL,
        action TEXT NOT NULL,
        conversation INTEGER,
        user INTEGER,
        detail TEXT
    )
    """,
    """
    CREATE TABLE blocks (
        user INTEGER NOT NULL,
        blocked INTEGER NOT NULL,
        at INTEGER NOT NULL,
        CONSTRAINT pk_blocks PRIMARY KEY (user, blocked),
        CONSTRAINT fk_blocks_user FOREIGN KEY(user) REFERENCES users (id)
            ON DELETE CASCADE,
        CONSTRAINT fk_blocks_blocked FOREIGN KEY(blocked) REFERENCES users (id)
            ON DELETE CASCADE
    )
     WITHOUT ROWID
    """,
    """
    CREATE TABLE reports (
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
    )
    """,
    """
    CREATE UNIQUE INDEX ux_reports_message ON reports (message, reporter)
    """,
    """
    CREATE TABLE preferences (
        user INTEGER NOT NULL,
        conversation INTEGER NOT NULL,
        level TEXT NOT NULL,
        muted_until INTEGER NOT NULL,
        archived INTEGER NOT NULL,
        draft TEXT NOT NULL,
        CONSTRAINT pk_preferences PRIMARY KEY (user, conversation),
        CONSTRAINT fk_preferences_user FOREIGN KEY(user) REFERENCES users (id)
            ON DELETE CASCADE,
        CONSTRAINT fk_preferences_conversation FOREIGN KEY(conversation) REFERENCES conversations (id)
            ON DELETE CASCADE
    )
     WITHOUT ROWID
    """,
    """
    CREATE INDEX ix_preferences_conversation ON preferences (conversation)
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
