"""The lifespan of an ASGI application: its start, its end, and applications without one."""

from __future__ import annotations

import pytest
import trio
from quart_trio import QuartTrio

from chatd.net.asgi import (
    Application,
    Event,
    Lifespan,
    LifespanFailed,
    Receive,
    Send,
)


def lifespan_app(seen: list[str], answer: str = "complete") -> Application:
    async def app(scope: Event, receive: Receive, send: Send) -> None:
        for chat_server in ("startup", "shutdown"):
            event = await receive()
            seen.append(event["type"])
            await send({"type": f"lifespan.{chat_server}.{answer}", "message": "no database"})

    return app


async def test_lifespan(nursery: trio.Nursery) -> None:
    seen: list[str] = []
    lifespan = Lifespan(lifespan_app(seen))
    await nursery.start(lifespan.run)
    assert seen == ["lifespan.startup"]
    await lifespan.stop()
    assert seen == ["lifespan.startup", "lifespan.shutdown"]


async def test_an_application_that_cannot_start() -> None:
    with pytest.RaisesGroup(pytest.RaisesExc(LifespanFailed, match="no database"), flatten_subgroups=True):
        async with trio.open_nursery() as nursery:
            await nursery.start(Lifespan(lifespan_app([], "failed")).run)


async def test_an_application_without_lifespan(nursery: trio.Nursery) -> None:
    async def app(scope: Event, receive: Receive, send: Send) -> None:
        return

    lifespan = Lifespan(app)
    await nursery.start(lifespan.run)
    await lifespan.stop()


async def test_quarts_lifespan(nursery: trio.Nursery) -> None:
    app, seen = QuartTrio(__name__), []

    @app.before_serving
    async def begin() -> None:
        seen.append("begin")

    @app.after_serving
    async def end() -> None:
        seen.append("end")

    lifespan = Lifespan(app)
    await nursery.start(lifespan.run)
    await lifespan.stop()
    assert seen == ["begin", "end"]
