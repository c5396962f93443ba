"""What SQLite's errors mean: a failure outside the program, which passes, or a bug in this program.

After a failure outside the program (disk full, file locked, I/O error) the caller gets UNAVAILABLE and may try again.
After a bug (an unexpected constraint, wrong SQL) the caller gets INTERNAL, and the log has a traceback.
"""

from __future__ import annotations

import logging
import sqlite3

from protocol.errors import INTERNAL, UNAVAILABLE, Refusal

LOG = logging.getLogger(__name__)

OUTSIDE_CODES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_ABORT,
    }
)

FAILED_FSYNC_CODES = frozenset({sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC})
"""After these codes, the kernel may treat pages as written that are not on the disk."""


class StoreProblem(Exception):
    """The database can't be opened. The message is one line: what is wrong, and what to do."""


def is_outside_failure(error: BaseException) -> bool:
    """Whether the whole transaction failed for a reason outside this program."""
    return isinstance(error, sqlite3.Error) and (_code(error) & 0xFF) in OUTSIDE_CODES


def is_failed_fsync(error: sqlite3.Error) -> bool:
    """Whether an fsync failed."""
    return _code(error) in FAILED_FSYNC_CODES


def error_for_caller(error: BaseException, *, reading: bool = False) -> BaseException:
    """The error that a unit's caller gets: a Refusal in place of SQLite's errors, every other error unchanged."""
    if not isinstance(error, sqlite3.Error | sqlite3.Warning):
        return error
    forbidden = reading and isinstance(error, sqlite3.Error) and _code(error) == sqlite3.SQLITE_READONLY
    if is_outside_failure(error) and not forbidden:
        return unavailable()
    LOG.error("a statement failed: %s", error, exc_info=error)
    return Refusal(INTERNAL)


def unavailable() -> Refusal:
    """The store can't do this now; the caller may try again."""
    return Refusal(UNAVAILABLE, retry_after=1.0)


def _code(error: sqlite3.Error) -> int:
    # Errors of the sqlite3 module itself (a missing parameter) have no code.
    return getattr(error, "sqlite_errorcode", 0)
