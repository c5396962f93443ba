"""Quiet hours of users, and the threads that members follow or mute."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = (
    """
    CREATE TABLE attention (
        user INTEGER NOT NULL,
        quiet_from INTEGER,
        quiet_until INTEGER,
        time_zone TEXT,
        do_not_disturb_until INTEGER,
        CONSTRAINT pk_attention PRIMARY KEY (user),
        CONSTRAINT fk_attention_user FOREIGN KEY(user) REFERENCES users (id)
            ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE thread_levels (
        user INTEGER NOT NULL,
        conversation INTEGER NOT NULL,
        thread INTEGER NOT NULL,
        level TEXT NOT NULL,
        CONSTRAINT pk_thread_levels PRIMARY KEY (user, conversation, thread),
        CONSTRAINT fk_thread_levels_user FOREIGN KEY(user) REFERENCES users (id)
            ON DELETE CASCADE,
        CONSTRAINT fk_thread_levels_conversation FOREIGN KEY(conversation) REFERENCES conversations (id)
            ON DELETE CASCADE
    )
     WITHOUT ROWID
    """,
    """
    CREATE INDEX ix_thread_levels_conversation ON thread_levels (conversation)
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
