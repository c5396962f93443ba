"""View intervals (`watches`), broadcasts, and tokens of services."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    """
    CREATE TABLE broadcasts (
        id INTEGER NOT NULL,
        type TEXT NOT NULL,
        title TEXT NOT NULL,
        content TEXT NOT NULL,
        related TEXT,
        created INTEGER NOT NULL,
        CONSTRAINT pk_broadcasts PRIMARY KEY (id)
    )
    """,
    """
    CREATE INDEX ix_broadcasts_created ON broadcasts (created)
    """,
    """
    CREATE TABLE service_tokens (
        name TEXT NOT NULL,
        hash TEXT NOT NULL,
        scopes TEXT NOT NULL,
        created INTEGER NOT NULL,
        CONSTRAINT pk_service_tokens PRIMARY KEY (name),
        CONSTRAINT uq_service_tokens_hash UNIQUE (hash)
    )
     WITHOUT ROWID
    """,
    """
    CREATE TABLE broadcast_marks (
        user INTEGER NOT NULL,
        broadcast INTEGER NOT NULL,
        deleted INTEGER NOT NULL,
        CONSTRAINT pk_broadcast_marks PRIMARY KEY (user, broadcast),
        CONSTRAINT fk_broadcast_marks_user FOREIGN KEY(user) REFERENCES users (id)
            ON DELETE CASCADE,
        CONSTRAINT fk_broadcast_marks_broadcast FOREIGN KEY(broadcast) REFERENCES broadcasts (id)
            ON DELETE CASCADE
    )
     WITHOUT ROWID
    """,
    """
    CREATE INDEX ix_notifications_conversation ON notifications (conversation)
    """,
    """
    CREATE TABLE watches (
        conversation INTEGER NOT NULL,
        user INTEGER NOT NULL,
        noticed INTEGER NOT NULL,
        since INTEGER NOT NULL,
        until INTEGER NOT NULL,
        CONSTRAINT pk_watches PRIMARY KEY (conversation, user),
        CONSTRAINT fk_watches_conversation FOREIGN KEY(conversation) REFERENCES conversations (id)
            ON DELETE CASCADE,
        CONSTRAINT fk_watches_user FOREIGN KEY(user) REFERENCES users (id)
    )
     WITHOUT ROWID
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
