"""Local and foreign users, the places from which users sign in, and invites.

Existing users are local if they have a password and no subject. Before this version, an administrator made users for
another issuer with `chatd user add --no-password`. A token that named an unknown user also made a user without a
password.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    """
    CREATE TABLE users_new (
        id INTEGER NOT NULL,
        name TEXT COLLATE "NOCASE" NOT NULL,
        subject TEXT,
        email TEXT COLLATE "NOCASE",
        display TEXT,
        avatar TEXT,
        status TEXT,
        password TEXT,
        admin INTEGER NOT NULL,
        disabled INTEGER NOT NULL,
        valid_from INTEGER NOT NULL,
        created INTEGER NOT NULL,
        local INTEGER NOT NULL,
        CONSTRAINT pk_users PRIMARY KEY (id),
        CONSTRAINT uq_users_name UNIQUE (name),
        CONSTRAINT uq_users_subject UNIQUE (subject),
        CONSTRAINT uq_users_email UNIQUE (email)
    )
    """,
    """
    INSERT INTO users_new
    SELECT id, name, subject, email, display, avatar, status, password, admin, disabled, valid_from, created,
        password IS NOT NULL AND subject IS NULL
    FROM users
    """,
    "DROP TABLE users",
    "ALTER TABLE users_new RENAME TO users",
    """
    CREATE TABLE invites (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        hash TEXT NOT NULL,
        admin INTEGER NOT NULL,
        uses INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        maker TEXT NOT NULL,
        created INTEGER NOT NULL,
        CONSTRAINT uq_invites_hash UNIQUE (hash)
    )
    """,
    """
    CREATE INDEX ix_invites_expires ON invites (expires)
    """,
    """
    CREATE TABLE known_places (
        user INTEGER NOT NULL,
        place TEXT NOT NULL,
        at INTEGER NOT NULL,
        CONSTRAINT pk_known_places PRIMARY KEY (user, place),
        CONSTRAINT fk_known_places_user FOREIGN KEY(user) REFERENCES users (id)
            ON DELETE CASCADE
    )
     WITHOUT ROWID
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
