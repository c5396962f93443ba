"""A write that shows whether the database can be written to.

The write must need room on the disk. Otherwise it could succeed on a full disk: a commit of one page can fit where a
failed commit left half of its pages. So a row of PROBE_BYTES is written and deleted. Deleted content is overwritten
(`secure_delete`). So all pages of the row go through the log, and none of its content stays.
"""

from __future__ import annotations

from chatd.store.compiled import probe as sql
from chatd.store.sqlite.transaction import Transaction

PROBE_BYTES = 64 * 1024
PROBE_KEY = "probe"


def write(tx: Transaction) -> None:
    """The unit that makes the write."""
    tx.run(sql.ADD, key=PROBE_KEY, value="x" * PROBE_BYTES)
    tx.run(sql.REMOVE, of=PROBE_KEY)
