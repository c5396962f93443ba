"""Sessions keep the position at which their user was removed from a room."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    """
    ALTER TABLE session_rooms ADD COLUMN removed INTEGER
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
