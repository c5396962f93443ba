"""Taking seats: anew, or where one was. What chatd/resume.py reads is told here, over any framing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from chatd.connection import Chair, Comeback, Connection
from chatd.resume import Back, catch_up, find_gap, rooms_of
from chatd.services.work import Told

Hello = Callable[[int, bool, str | None], None]
"""Says that the client is in: the position from which it is told, whether it was recovered, and if not, why."""


async def begin(connection: Connection, chairs: list[Chair], back: Back | None, hello: Hello) -> None:
    """Take the seats where somebody was, if that can be, and else anew."""
    gap = await find_gap(connection.house, chairs[0].actor, back) if back is not None else None
    if back is None or gap is not None:
        await begin_anew(connection, chairs, hello, gap)
    else:
        await go_on(connection, chairs, back, hello)


async def begin_anew(connection: Connection, chairs: list[Chair], hello: Hello, gap: str | None = None) -> None:
    """Hello, then greetings, then what happens."""

    def seated() -> None:
        hello(connection.house.broker.position, False, gap)
        _greet(connection, chairs)

    await connection.enter(chairs, seated)


async def go_on(connection: Connection, chairs: list[Chair], back: Back, hello: Hello) -> None:
    """Hello, then what was missed, then greetings, then what happens. There must be no gap."""
    house, actor = connection.house, chairs[0].actor
    hello(back.position, True, None)
    rooms = await rooms_of(house, actor, back)

    async def tell(told: list[Told]) -> None:
        connection.retell(chairs, told, rooms)
        await house.broker.flush()
        await connection.drained()

    reached = await catch_up(house, actor, back.position, tell)
    await connection.enter(chairs, partial(_greet, connection, chairs), Comeback(back, reached))


def _greet(connection: Connection, chairs: list[Chair]) -> None:
    for chair in chairs:
        connection.greet(chair)


def position_of(text: str) -> int:
    """A position as a client gave it; -1 for what is none, which is nowhere."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 17 else -1
