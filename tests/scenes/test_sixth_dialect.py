"""A sixth dialect is one file of tables beside the others. It works over both framings and REST."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatd.cli import main
from protocol import dialects
from tests.scenes.chat_server import chat_server
from tests.scenes.clients import Client, Framing, both_framings, open_client
from tests.scenes.shapes import INTEGER, TIME, UUID, fits

FOLDER = Path(__file__).parent / "dialects"


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """tests/scenes/dialects/ is a part of protocol/dialects/ during a test."""

    def forget() -> None:
        sys.modules.pop("protocol.dialects.relay", None)
        dialects.names.cache_clear()
        dialects.dialect.cache_clear()

    monkeypatch.setattr(dialects, "__path__", [*dialects.__path__, str(FOLDER)])
    forget()
    yield
    monkeypatch.undo()
    forget()


def line(channel: str, who: str, text: str) -> dict[str, object]:
    return {"v": 6, "no": INTEGER, "channel": channel, "who": who, "text": text, "at": TIME}


@both_framings
@pytest.mark.parametrize("table", [True, False])
@pytest.mark.usefixtures("relay")
async def test_it_is_spoken_at_once(tmp_path: Path, framing: Framing, table: bool) -> None:
    async with chat_server(tmp_path, **({"dialects__/relay": "relay"} if table else {})) as server:
        ann, bob = await server.register("ann"), await server.register("bob")
        made = fits(await ann.asks("POST", "/relay", {"with": [bob.id]}, status=201), {"channel": UUID})
        channel = made["channel"]
        a = await open_client(server, framing, "relay", ann, "/relay")
        b = await open_client(server, framing, "relay", bob, "/relay")
        sent = await a.asks("SAY", channel, "hello")
        fits(sent, line(channel, "ann", "hello"))
        assert await a.receives("LINE") == sent
        assert await b.receives("LINE") == sent
        await b.performs("JOIN", channel)
        await a.notifies("BUSY", channel)
        assert await b.receives("BUSY") == {"who": ann.id}

        second = await bob.asks("POST", f"/relay/{channel}", {"text": "by REST"}, status=201)
        assert await a.receives("LINE") == second
        assert await ann.asks("GET", f"/relay/{channel}") == [sent, second]

        await refused(a, channel)
        colon = await open_client(server, framing, "colon", bob, ignoring=("unread:count", "notification:created"))
        [talk] = await bob.asks("GET", "/conversations")
        await colon.asks("conversation:join", {"conversationId": talk["_id"]})
        await a.asks("SAY", channel, "to all the others")
        assert (await colon.receives("message:created"))["content"] == "to all the others"


async def refused(client: Client, channel: str) -> None:
    assert await client.asks("SAY", channel) == ["NO", "BAD_REQUEST"]
    assert await client.asks("SAY", channel[:-1] + "9", "x") == ["NO", "NOT_FOUND"]
    await client.notifies("SAY")
    assert await client.receives("error") == {"message": "461 channel, 461 text"}


@pytest.mark.usefixtures("relay")
def test_the_shell_prints_its_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dialects", "relay"]) == 0
    printed = capsys.readouterr().out
    assert "SAY" in printed
    assert "/relay/{channel}" in printed


def test_without_its_file_it_is_not_there() -> None:
    assert "relay" not in dialects.names()
