"""Deleted conversations of which rows are left to remove."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    """
    CREATE TABLE removals (
        conversation INTEGER NOT NULL,
        at INTEGER NOT NULL,
        CONSTRAINT pk_removals PRIMARY KEY (conversation),
        CONSTRAINT fk_removals_conversation FOREIGN KEY(conversation) REFERENCES conversations (id)
            ON DELETE CASCADE
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
