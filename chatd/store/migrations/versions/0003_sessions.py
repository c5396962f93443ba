"""Sessions: connections that may resume, and the rooms that they had joined."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    """
    CREATE TABLE sessions (
        name TEXT NOT NULL,
        user INTEGER NOT NULL,
        at INTEGER NOT NULL,
        CONSTRAINT pk_sessions PRIMARY KEY (name),
        CONSTRAINT fk_sessions_user FOREIGN KEY(user) REFERENCES users (id)
            ON DELETE CASCADE
    )
     WITHOUT ROWID
    """,
    """
    CREATE INDEX ix_sessions_user ON sessions (user)
    """,
    """
    CREATE INDEX ix_sessions_at ON sessions (at)
    """,
    """
    CREATE TABLE session_rooms (
        session TEXT NOT NULL,
        conversation INTEGER NOT NULL,
        CONSTRAINT pk_session_rooms PRIMARY KEY (session, conversation),
        CONSTRAINT fk_session_rooms_session FOREIGN KEY(session) REFERENCES sessions (name)
            ON DELETE CASCADE,
        CONSTRAINT fk_session_rooms_conversation FOREIGN KEY(conversation) REFERENCES conversations (id)
            ON DELETE CASCADE
    )
     WITHOUT ROWID
    """,
    """
    CREATE INDEX ix_session_rooms_conversation ON session_rooms (conversation)
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
