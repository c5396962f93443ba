"""Taking seats: anew, or where one was. What chatd/connections/resume.py reads is told here, over any framing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import trio

from chatd.connections.channel import Channel, ResumePoint
from chatd.connections.connection import Connection
from chatd.connections.resume import ResumeRequest, catch_up, find_gap, remembered_rooms
from chatd.services.context import Published

DEFAULT_OUTBOX_BYTES = 1 << 20
EARLY_FRAMES = 256  # that are kept while the seats are being taken, before the client is not read from any more
EARLY_BYTES = 1 << 20

OnReady = Callable[[int, bool, str | None], None]
"""Says that the client is in: the position from which it is told, whether it was recovered, and if not, why."""


async def join(connection: Connection, channels: list[Channel], back: ResumeRequest | None, hello: OnReady) -> None:
    """Take the seats where somebody was, if that can be, and else anew."""
    connection.entering = channels
    gap = await find_gap(connection.app, channels[0].actor, back) if back is not None else None
    if back is None or gap is not None:
        await join_fresh(connection, channels, hello, gap)
    else:
        await join_resumed(connection, channels, back, hello)


async def join_fresh(connection: Connection, channels: list[Channel], hello: OnReady, gap: str | None = None) -> None:
    """Hello, then greetings, then what happens."""

    def seated() -> None:
        hello(connection.app.broker.position, False, gap)
        _greet(connection, channels)

    await connection.join(channels, seated)


async def join_resumed(connection: Connection, channels: list[Channel], back: ResumeRequest, hello: OnReady) -> None:
    """Hello, then what was missed, then greetings, then what happens. There must be no gap."""
    app, actor = connection.app, channels[0].actor
    connection.entering = channels
    rooms, known = await remembered_rooms(app, actor, back)
    if known and back.session is not None and channels[0].remembered_as not in back.names:
        connection.name = back.session
        for channel, name in zip(channels, back.names, strict=True):
            channel.remembered_as = name
    hello(back.position, True, None)
    most = (app.config.limits.outbox_bytes or DEFAULT_OUTBOX_BYTES) // 8

    async def tell(told: list[Published]) -> None:
        """As fast as the client takes it: no more than fits beside what else it may be told meanwhile."""
        size = 0
        for one in told:
            frames = list(connection.missed(channels, one, rooms))
            for data in _after(frames, back.mark) if one.position == back.position else frames:
                app.broker.send(connection, data)
                size += len(data)
            if size > most:
                await _let_take(connection)
                size = 0
        await _let_take(connection)

    reached = await catch_up(app, actor, back.position - bool(back.mark), tell)
    await connection.join(channels, partial(_greet, connection, channels), ResumePoint(back, reached))


async def _let_take(connection: Connection) -> None:
    await connection.app.broker.flush()
    await connection.drained()
    connection.progressed()


def _after(frames: list[bytes], mark: bytes) -> list[bytes]:
    """The frames behind the one that the mark begins or ends: a connection can break between two of one position."""
    heard = (place for place, data in enumerate(frames, 1) if data.startswith(mark) or data.endswith(mark))
    return frames[next(heard, len(frames)) :]


async def open_while_reading(take_seats: Callable[[], Awaitable[None]], read: Callable[[], Awaitable[None]]) -> None:
    """Take the seats while the client is read from: to send what was missed can take long, and its pongs must count.

    `read` may end; when it raises Gone, the client has left.
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
        await run(take_seats, ends=True)
    if failures:
        raise failures[0]


def _greet(connection: Connection, channels: list[Channel]) -> None:
    for channel in channels:
        connection.greet(channel)


def position_of(text: str) -> int:
    """A position as a client gave it; -1 for what is none, which is nowhere."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 17 else -1
