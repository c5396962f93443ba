"""When each login session was used last, and on which device: users see where they are signed in."""

from alembic import op

revision = "0014"
down_revision = "0013"

STATEMENTS = (
    "ALTER TABLE refresh_tokens ADD COLUMN used INTEGER",
    "ALTER TABLE refresh_tokens ADD COLUMN device TEXT",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
