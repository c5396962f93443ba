"""How the channels of a connection join: for the first time, or where the client was before.

This is the same for every framing. chatd/connections/resume.py reads what was missed; it is sent from here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import trio

from chatd.connections.channel import Channel, ResumePoint
from chatd.connections.connection import Connection
from chatd.connections.resume import ResumeRequest, catch_up, find_gap, read_session_rooms
from chatd.services.context import Published

DEFAULT_OUTBOX_BYTES = 1 << 20
MAX_EARLY_FRAMES = 256
"""Frames that are kept while the channels join. Above that the server stops reading from the client."""
MAX_EARLY_BYTES = 1 << 20

OnReady = Callable[[int, bool, str | None], None]
"""Sends "ready": the position from which events follow, whether the client was recovered, and if not, the reason."""


async def join(
    connection: Connection, channels: list[Channel], resume: ResumeRequest | None, on_ready: OnReady
) -> None:
    """Join where the client was before, if that is possible. Otherwise join as a new client."""
    connection.joining = channels
    connection.app.check_soon(connection)
    gap = await find_gap(connection.app, channels[0].actor, resume) if resume is not None else None
    if resume is None or gap is not None:
        await join_fresh(connection, channels, on_ready, gap)
    else:
        await join_resumed(connection, channels, resume, on_ready)


async def join_fresh(
    connection: Connection, channels: list[Channel], on_ready: OnReady, gap: str | None = None
) -> None:
    """Send "ready", then the greetings, then new events."""

    def on_joined() -> None:
        on_ready(connection.app.broker.position, False, gap)
        _greet(connection, channels)

    await connection.join(channels, on_joined)


async def join_resumed(
    connection: Connection, channels: list[Channel], resume: ResumeRequest, on_ready: OnReady
) -> None:
    """Send "ready", then what was missed, then the greetings, then new events. There must be no gap."""
    app, actor = connection.app, channels[0].actor
    connection.joining = channels
    connection.app.check_soon(connection)
    rooms, is_stored = await read_session_rooms(app, actor, resume)
    if is_stored and resume.session is not None and channels[0].session not in resume.session_names:
        connection.name = resume.session
        for channel, name in zip(channels, resume.session_names, strict=True):
            channel.session = name
    on_ready(resume.position, True, None)
    limit_bytes = (app.config.limits.outbox_bytes or DEFAULT_OUTBOX_BYTES) // 8

    async def send(missed: list[Published]) -> None:
        """Send as fast as the client receives: other events must fit into the outbox too."""
        size = 0
        for published in missed:
            frames = list(connection.encode_missed(channels, published, rooms))
            for data in _after(frames, resume.mark) if published.position == resume.position else frames:
                app.broker.send(connection, data)
                size += len(data)
            if size > limit_bytes:
                await _drain(connection)
                size = 0
        await _drain(connection)

    reached = await catch_up(app, actor, resume.position - bool(resume.mark), send)
    await connection.join(channels, partial(_greet, connection, channels), ResumePoint(resume, reached))


async def _drain(connection: Connection) -> None:
    await connection.app.broker.flush()
    await connection.drained()
    connection.progressed()


def _after(frames: list[bytes], mark: bytes) -> list[bytes]:
    """The frames after the one that the mark begins or ends.

    A connection can break between two frames of one position.
    """
    received = (count for count, data in enumerate(frames, 1) if data.startswith(mark) or data.endswith(mark))
    return frames[next(received, len(frames)) :]


async def join_while_reading(join_channels: Callable[[], Awaitable[None]], read: Callable[[], Awaitable[None]]) -> None:
    """Join while the server reads from the client: the replay can take long, and the client's pongs must count.

    `read` may end before the join does. It raises Gone when the client has left.
    """
    failures: list[Exception] = []
    async with trio.open_nursery() as nursery:

        async def run(task: Callable[[], Awaitable[None]], *, ends: bool) -> None:
            try:
                await task()
            except Exception as failure:
                failures.append(failure)
                ends = True
            if ends:
                nursery.cancel_scope.cancel()

        nursery.start_soon(partial(run, read, ends=False))
        await run(join_channels, ends=True)
    if failures:
        raise failures[0]


def _greet(connection: Connection, channels: list[Channel]) -> None:
    for channel in channels:
        connection.greet(channel)


def position_of(text: str) -> int:
    """A position as a client wrote it; -1, which is no position, when the text is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 17 else -1
