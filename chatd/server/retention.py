"""The janitor: forgets events and sessions that are too old, in small steps between everybody's writes."""

from __future__ import annotations

from functools import partial

import trio

from chatd.core.app import App
from chatd.store.queries import event_log, sessions
from chatd.store.sqlite.transaction import Transaction
from chatd.telemetry.log import log as lines
from protocol.errors import Refusal

EVERY = 60.0
KEPT_EVERY = 3_600.0  # sessions in use are said to be, twice as often as chatd/connections/resume.py takes for granted
STEP = 500  # rows in one unit of work
PAUSE = 0.05
DAY = 86_400_000


async def keep_clean(app: App) -> None:
    """Run it for as long as the server runs."""
    kept = trio.current_time()
    while True:
        await trio.sleep(EVERY)
        try:
            if trio.current_time() - kept >= KEPT_EVERY:
                await keep_sessions(app)
                kept = trio.current_time()
            await clean(app)
        except Refusal as refusal:  # the disk is full, say: later
            lines.warning("nothing could be cleaned up", why=refusal.message)


async def keep_sessions(app: App) -> None:
    """Say of every session that somebody is connected in that it is still in use."""
    names = sorted(name for connection in app.connections for name in connection.sessions)
    for start in range(0, len(names), STEP):
        await app.database.write(partial(sessions.touch, names=names[start : start + STEP]))
        await trio.sleep(PAUSE)


async def clean(app: App) -> int:
    """Forget everything that is too old by now; how many rows."""
    gone = 0
    while step := await app.database.write(lambda tx: _step(tx, app)):
        gone += step
        await trio.sleep(PAUSE)
    return gone


def _step(tx: Transaction, app: App) -> int:
    keep = app.config.events
    before = tx.now - keep.keep_days * DAY if keep.keep_days else 0
    position = tx.sequences["position"] - keep.keep_count if keep.keep_count else 0
    return event_log.trim(tx, before=before, position=position, limit=STEP) + sessions.delete_unused(tx, before, STEP)
