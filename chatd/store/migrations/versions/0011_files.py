"""Files, and the attachments that are files. No earlier version wrote to the old table."""

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS = (
    "DROP TABLE files",
    """
    CREATE TABLE files (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        owner INTEGER NOT NULL,
        digest TEXT NOT NULL,
        name TEXT NOT NULL,
        type TEXT NOT NULL,
        size INTEGER NOT NULL,
        width INTEGER,
        height INTEGER,
        locked INTEGER NOT NULL,
        price TEXT,
        attached INTEGER NOT NULL,
        created INTEGER NOT NULL,
        CONSTRAINT fk_files_owner FOREIGN KEY(owner) REFERENCES users (id)
    )
    """,
    "CREATE INDEX ix_files_digest ON files (digest)",
    "CREATE INDEX ix_files_owner ON files (owner, id)",
    """
    CREATE TABLE file_unlocks (
        file INTEGER NOT NULL,
        user INTEGER NOT NULL,
        at INTEGER NOT NULL,
        CONSTRAINT pk_file_unlocks PRIMARY KEY (file, user),
        CONSTRAINT fk_file_unlocks_file FOREIGN KEY(file) REFERENCES files (id)
            ON DELETE CASCADE
    )
     WITHOUT ROWID
    """,
    """
    CREATE TABLE unused_contents (
        digest TEXT NOT NULL,
        CONSTRAINT pk_unused_contents PRIMARY KEY (digest)
    )
    """,
    "ALTER TABLE attachments ADD COLUMN file INTEGER",
    "CREATE INDEX ix_attachments_file ON attachments (file) WHERE file IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
