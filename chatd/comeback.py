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
    """Hello, then what was missed, then greetings, then what happens."""
    house, actor = connection.house, chairs[0].actor

    def greet() -> None:
        for chair in chairs:
            connection.greet(chair)

    def anew(gap: str | None) -> None:
        hello(house.broker.position, False, gap)
        greet()

    gap = await find_gap(house, actor, back) if back is not None else None
    if back is None or gap is not None:
        await connection.enter(chairs, partial(anew, gap))
        return
    hello(back.position, True, None)
    rooms = await rooms_of(house, actor, back)

    async def tell(told: list[Told]) -> None:
        connection.retell(chairs, told, rooms)
        await house.broker.flush()
        await connection.wire.drained()

    reached = await catch_up(house, actor, back.position, tell)
    await connection.enter(chairs, greet, Comeback(back, reached))


def position_of(text: str) -> int:
    """A position as a client gave it; -1 for what is none, which is nowhere."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 17 else -1
