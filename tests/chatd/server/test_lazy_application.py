"""The REST application is imported at the first request for it."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import trio
import trio.testing

from chatd.net.http_connection import Reject
from chatd.rest.unsent import Unsent
from chatd.server import main

APP: Any = SimpleNamespace()


async def answer_lifespan(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "lifespan"
    for step in ("startup", "shutdown"):
        assert await receive() == {"type": f"lifespan.{step}"}
        await send({"type": f"lifespan.{step}.complete"})


async def test_nothing_is_imported_before(monkeypatch: pytest.MonkeyPatch, nursery: trio.Nursery) -> None:
    imported: list[str] = []

    def import_module(name: str) -> Any:
        imported.append(name)
        return SimpleNamespace(make_app=lambda app, unsent: answer_lifespan)

    monkeypatch.setattr(main, "import_module", import_module)
    application = main.LazyApplication(APP, Unsent())
    nursery.start_soon(application.run)
    await trio.testing.wait_all_tasks_blocked()
    assert imported == []
    assert await application.get() is answer_lifespan
    assert await application.get() is answer_lifespan
    assert imported == ["chatd.rest.app"]
    await application.stop()


async def test_a_failed_import_is_an_answer_and_not_the_end(
    monkeypatch: pytest.MonkeyPatch, nursery: trio.Nursery
) -> None:
    def import_module(name: str) -> ModuleType:
        raise ImportError("cannot import name 'Actor'")

    monkeypatch.setattr(main, "import_module", import_module)
    application = main.LazyApplication(APP, Unsent())
    nursery.start_soon(application.run)
    for _ in range(2):
        with pytest.raises(Reject) as caught:
            await application.get()
        assert caught.value.answer is not None
        assert caught.value.answer.status == 503
    await application.stop()
