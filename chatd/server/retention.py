"""Retention: old events and sessions are removed, in small steps between the writes of clients."""

from __future__ import annotations

from functools import partial

import trio

from chatd.core.app import App
from chatd.store.queries import event_log, sessions
from chatd.store.sqlite.transaction import Transaction
from chatd.telemetry.log import log as lines
from protocol.errors import Refusal

CLEANING_SECONDS = 60.0
TOUCH_SECONDS = 3_600.0  # how often sessions in use are marked: twice as often as chatd/connections/resume.py needs
STEP_ROWS = 500  # rows in one unit of work
PAUSE_SECONDS = 0.05
DAY_MILLISECONDS = 86_400_000


async def keep_clean(app: App) -> None:
    """Remove old rows, again and again. Run it as long as the server runs."""
    kept = trio.current_time()
    while True:
        await trio.sleep(CLEANING_SECONDS)
        try:
            if trio.current_time() - kept >= TOUCH_SECONDS:
                await keep_sessions(app)
                kept = trio.current_time()
            await clean(app)
        except Refusal as refusal:  # for example, the disk is full: try again later
            lines.warning("nothing could be cleaned up", why=refusal.message)


async def keep_sessions(app: App) -> None:
    """Mark every session of an open connection as in use."""
    names = sorted(name for connection in app.connections for name in connection.sessions)
    for start in range(0, len(names), STEP_ROWS):
        await app.database.write(partial(sessions.touch, names=names[start : start + STEP_ROWS]))
        await trio.sleep(PAUSE_SECONDS)


async def clean(app: App) -> int:
    """Remove everything that is too old by now; the number of rows."""
    gone = 0
    while step := await app.database.write(lambda tx: _step(tx, app)):
        gone += step
        await trio.sleep(PAUSE_SECONDS)
    return gone


def _step(tx: Transaction, app: App) -> int:
    settings = app.config.events
    before = tx.now - settings.keep_days * DAY_MILLISECONDS if settings.keep_days else 0
    position = tx.sequences["position"] - settings.keep_count if settings.keep_count else 0
    events = event_log.trim(tx, before=before, position=position, limit=STEP_ROWS)
    return events + sessions.delete_unused(tx, before, STEP_ROWS)
