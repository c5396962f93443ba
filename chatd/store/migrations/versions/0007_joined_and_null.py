"""Unread counts begin at joining, apart from what has been read; the content of a message may be null."""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    "ALTER TABLE members ADD COLUMN began INTEGER DEFAULT 0 NOT NULL",
    "ALTER TABLE messages ADD COLUMN without_content INTEGER DEFAULT 0 NOT NULL",
    # Before this a newcomer's cursor was put behind the last message. No mark says that they read as far: they did not.
    """
    UPDATE members SET began = cursor, cursor = 0 WHERE cursor > 0 AND NOT EXISTS (
        SELECT 1 FROM read_marks
        WHERE read_marks.conversation = members.conversation
            AND read_marks.user = members.user
            AND read_marks.message = members.cursor
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
