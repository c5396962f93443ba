"""Unread counts begin when a member joins, independent of the cursor; the content of a message may be null."""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    "ALTER TABLE members ADD COLUMN began INTEGER DEFAULT 0 NOT NULL",
    "ALTER TABLE messages ADD COLUMN without_content INTEGER DEFAULT 0 NOT NULL",
    # Before this version, a new member's cursor was set to the last message. A member without a mark has not read it.
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
