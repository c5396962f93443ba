"""`chatd search` on real data, without a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trio

from chatd.cli import main
from chatd.store.compiled.schema import SCHEMA
from chatd.store.queries import conversations, messages, users
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import Transaction

MESSAGES = 1_234


def make_messages(tx: Transaction) -> None:
    ann = users.add(tx, name="ann")
    talk = conversations.add(tx, "group", None, ann.ref.number, None)
    conversations.add_member(tx, talk, ann.ref.number, "owner", 0)
    place = conversations.membership(tx, talk, ann.ref.number)
    assert place is not None
    for number in range(MESSAGES):
        messages.add(tx, place, ann, "text", f"message {number}", (), None, None, without_content=False)


async def fill(path: Path) -> None:
    async with Database.open(path, SCHEMA) as database:
        await database.write(make_messages)


def test_rebuild_and_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    trio.run(fill, tmp_path / "data" / "chatd.db")
    capsys.readouterr()
    assert main(["search", "check"]) == 1
    assert capsys.readouterr().out.startswith("0 of 1,234 messages")
    assert main(["search", "rebuild"]) == 0
    assert capsys.readouterr().out == "1,234 of 1,234 messages are in the index; 0 events behind\n"
    assert main(["search", "check", "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["indexed"], status["messages"], status["complete"]) == (MESSAGES, MESSAGES, True)


def test_without_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["search", "check"]) == 1
    assert "no data in" in capsys.readouterr().err
