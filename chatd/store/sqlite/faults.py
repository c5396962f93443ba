"""What SQLite's failures mean: the world's fault, which passes, or this program's, which is a bug.

The world's (disk full, file locked, I/O error) are answered UNAVAILABLE and tried again by whoever likes; a
program's (a constraint that nobody foresaw, wrong SQL) INTERNAL, with a traceback in the log.
"""

from __future__ import annotations

import logging
import sqlite3

from protocol.errors import INTERNAL, UNAVAILABLE, Refusal

LOG = logging.getLogger(__name__)

WORLD = frozenset(
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

UNSYNCED = frozenset({sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC})
"""Codes after which the kernel may hold pages that it believes written and that are not."""


class StoreProblem(Exception):
    """The database can't be opened: one line that says what is wrong and how to mend it."""


def is_of_the_world(error: BaseException) -> bool:
    """Whether the whole transaction failed for a reason outside this program."""
    return isinstance(error, sqlite3.Error) and (_code(error) & 0xFF) in WORLD


def is_unsynced(error: sqlite3.Error) -> bool:
    """Whether an fsync failed."""
    return _code(error) in UNSYNCED


def refusal(error: BaseException, *, reading: bool = False) -> BaseException:
    """What a unit's caller gets for an error: Refusals and foreign errors as they are, SQLite's as a Refusal."""
    if not isinstance(error, sqlite3.Error | sqlite3.Warning):
        return error
    forbidden = reading and isinstance(error, sqlite3.Error) and _code(error) == sqlite3.SQLITE_READONLY
    if is_of_the_world(error) and not forbidden:
        return unavailable()
    LOG.error("a statement failed: %s", error, exc_info=error)
    return Refusal(INTERNAL)


def unavailable() -> Refusal:
    """The store can't do that just now."""
    return Refusal(UNAVAILABLE, retry_after=1.0)


def _code(error: sqlite3.Error) -> int:
    # Errors that the sqlite3 module raises by itself (a missing parameter) have no code.
    return getattr(error, "sqlite_errorcode", 0)
