"""Uploads that may go on after a break."""

from alembic import op

revision = "0012"
down_revision = "0011"

STATEMENTS = (
    """
    CREATE TABLE uploads (
        id TEXT NOT NULL,
        owner INTEGER NOT NULL,
        name TEXT NOT NULL,
        size INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        file INTEGER,
        checked INTEGER,
        CONSTRAINT pk_uploads PRIMARY KEY (id),
        CONSTRAINT fk_uploads_owner FOREIGN KEY(owner) REFERENCES users (id)
    )
    """,
    "CREATE INDEX ix_uploads_expires ON uploads (expires)",
    "CREATE INDEX ix_uploads_owner ON uploads (owner)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
