"""The notifier, where its own state matters: what the store could not do is done later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import outcome
import pytest

from chatd.store.sqlite.faults import unavailable
from protocol import commands as ask
from protocol.ids import Key
from tests.chatd.app import serverless_app


def refuse(unit: Any, done: Callable[[outcome.Outcome[Any]], None]) -> None:
    """The disk is full."""
    done(outcome.Error(unavailable()))


def refuse_at_once(unit: Any, done: Any) -> None:
    """Too many units wait."""
    raise unavailable()


@pytest.mark.parametrize("submit", [refuse, refuse_at_once])
async def test_what_could_not_be_done_is_done_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, submit: Any
) -> None:
    async with serverless_app(tmp_path) as app:
        romeo, juliet = await app.add_user("romeo", admin=True), await app.add_user("juliet")
        group = await app.request(romeo, ask.CreateConversation(kind="group", members=(Key(juliet.id),)))
        device = await app.connect(juliet)
        await app.settle()

        await app.request(romeo, ask.SendMessage(conversation=Key(group.ref.number), content="!"))
        await app.request(romeo, ask.Broadcast(title="All"))
        with monkeypatch.context() as full:
            full.setattr(app.database, "submit", submit)
            app.join(device, group.ref.number)
            app.leave(device, group.ref.number)
            await app.notifier.round()
        await app.broker.flush()
        assert device.last("notification:count") == {"count": 0}
        await app.settle()
        assert device.last("notification:count") == {"count": 2}
        titles = [body["title"] for name, body in device.received if name == "notification:created"]
        assert titles == ["romeo", "All"]


async def test_a_fault_is_logged_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(unit: Any, done: Callable[[outcome.Outcome[Any]], None]) -> None:
        done(outcome.Error(KeyError("a fault of this program")))

    async with serverless_app(tmp_path) as app:
        romeo, juliet = await app.add_user("romeo", admin=True), await app.add_user("juliet")
        device = await app.connect(juliet)
        await app.settle()

        await app.request(romeo, ask.Broadcast(title="Lost in the round"))
        with monkeypatch.context() as faulty:
            faulty.setattr(app.database, "submit", broken)
            await app.notifier.round()
        assert "notifications could not be published" in capsys.readouterr().err
        await app.settle()
        assert not [body for name, body in device.received if name == "notification:created"]

        await app.request(romeo, ask.Broadcast(title="The next"))
        await app.settle()
        titles = [body["title"] for name, body in device.received if name == "notification:created"]
        assert titles == ["The next"]
