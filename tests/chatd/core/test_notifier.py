"""The notifier, where its own state matters: what the store could not do is done when it can be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import outcome
import pytest

from chatd.store.sqlite.faults import unavailable
from protocol import commands as ask
from protocol.ids import Key
from tests.chatd.app import doorless


def refuse(unit: Any, done: Callable[[outcome.Outcome[Any]], None]) -> None:
    """The disk is full."""
    done(outcome.Error(unavailable()))


def refuse_at_once(unit: Any, done: Any) -> None:
    """Too many wait."""
    raise unavailable()


@pytest.mark.parametrize("submit", [refuse, refuse_at_once])
async def test_what_could_not_be_done_is_done_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, submit: Any
) -> None:
    async with doorless(tmp_path) as app:
        romeo, juliet = await app.person("romeo", admin=True), await app.person("juliet")
        group = await app.does(romeo, ask.CreateConversation(kind="group", members=(Key(juliet.id),)))
        device = await app.enters(juliet)
        await app.settles()

        await app.does(romeo, ask.SendMessage(conversation=Key(group.ref.number), content="!"))
        await app.does(romeo, ask.Broadcast(title="All"))
        with monkeypatch.context() as full:
            full.setattr(app.database, "submit", submit)
            app.joins(device, group.ref.number)
            app.parts(device, group.ref.number)
            await app.notifier.round()
        await app.broker.flush()
        assert device.last("notification:count") == {"count": 0}
        await app.settles()
        assert device.last("notification:count") == {"count": 2}
        told = [body["title"] for name, body in device.heard if name == "notification:created"]
        assert told == ["romeo", "All"]
