"""A write that tells whether the database can be written to.

It must need room on the disk, or it would succeed on a full one: a commit of one page can fit where the last commit
that failed left half of its pages. So a row of PROBE_BYTES is written and deleted again; what is deleted is overwritten
(`secure_delete`), so all its pages go through the log, and nothing of it stays.
"""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert

from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.transaction import Transaction
from chatd.store.tables import meta

PROBE_BYTES = 64 * 1024
KEY = "probe"

_ADD = Prepared(insert(meta))
_REMOVE = Prepared(delete(meta).where(meta.c.key == bindparam("of")))


def write(tx: Transaction) -> None:
    tx.run(_ADD, key=KEY, value="x" * PROBE_BYTES)
    tx.run(_REMOVE, of=KEY)
