"""How many bytes each user has uploaded in which hour: a limit by the day also counts files that are deleted by now."""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    """
    CREATE TABLE upload_hours (
        owner INTEGER NOT NULL,
        hour INTEGER NOT NULL,
        size INTEGER NOT NULL,
        CONSTRAINT pk_upload_hours PRIMARY KEY (owner, hour),
        CONSTRAINT fk_upload_hours_owner FOREIGN KEY(owner) REFERENCES users (id) ON DELETE CASCADE
    ) WITHOUT ROWID
    """,
    """
    INSERT INTO upload_hours (owner, hour, size)
    SELECT owner, created / 3600000, sum(size) FROM files GROUP BY owner, created / 3600000
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
