"""Search: its language, what each user may find, and that the index follows what happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.scenes.chat_server import ChatServer, chat_server
from tests.scenes.v1_clients import QUIET_EVENTS, V1, Wire, every_wire, v1

QUIET = (*QUIET_EVENTS, "message.created", "message.updated", "message.deleted", "conversation.created", "member.added")
TEXTS = {
    "A quick brown fox": "plain",
    "The FOX ran flag_check.exe": "file name",
    "Crème brûlée for two": "accents",
    "你好世界": "Chinese",
    "東京タワーへ行く": "Japanese",
    "see https://a.example/x": "link",
    'He said "to be or not" twice': "quotation",
}
FOUND: dict[str, list[str]] = {
    "fox": ["A quick brown fox", "The FOX ran flag_check.exe"],
    "fox brown": ["A quick brown fox"],
    '"brown fox"': ["A quick brown fox"],
    '"fox brown"': [],
    "fox -brown": ["The FOX ran flag_check.exe"],
    'fox -"quick brown"': ["The FOX ran flag_check.exe"],
    "qui": ["A quick brown fox"],
    "qu": ["A quick brown fox"],
    "check": ["The FOX ran flag_check.exe"],
    "lag_che": ["The FOX ran flag_check.exe"],
    "creme BRULEE": ["Crème brûlée for two"],
    "你好": ["你好世界"],
    "世界": ["你好世界"],
    "タワー": ["東京タワーへ行く"],
    "has:link": ["see https://a.example/x"],
    "to be or not": ['He said "to be or not" twice'],
    "NEAR(": [],
    "fox AND": [],
    "quick*": ["A quick brown fox"],
    "before:2000-01-01": [],
    "fox after:2000-01-01": ["A quick brown fox", "The FOX ran flag_check.exe"],
}


async def indexed(server: ChatServer) -> None:
    """Wait until the index has everything."""
    await server.running.search.catch_up()


async def finds(user: V1, query: str, **more: Any) -> list[str]:
    hits = (await user.does("search", q=query, **more))["items"]
    return [hit["message"]["content"] for hit in hits]


@pytest.fixture
async def world(tmp_path: Path) -> Any:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await v1(server, "jsonrpc", "romeo", "juliet", ignoring=QUIET)
        talk = (await romeo.does("conversation.create", type="group", title="Verona", memberIds=[juliet.id]))["id"]
        for text in TEXTS:
            await romeo.does("message.send", conversationId=talk, content=text)
        await indexed(server)
        yield server, romeo, juliet, talk


async def test_the_language(world: Any) -> None:
    _, _, juliet, _ = world
    for query, texts in FOUND.items():
        assert sorted(await finds(juliet, query)) == sorted(texts), query


async def test_the_marks_are_places_in_the_snippet(world: Any) -> None:
    _, romeo, juliet, talk = world
    [hit] = (await juliet.does("search", q="brulee"))["items"]
    assert hit["snippet"] == "Crème brûlée for two"
    assert [hit["snippet"][mark["start"] : mark["end"]] for mark in hit["marks"]] == ["brûlée"]
    await romeo.does("message.send", conversationId=talk, content="x" * 300 + " needle " + "y" * 300)
    await indexed(world[0])
    [hit] = (await juliet.does("search", q="needle"))["items"]
    assert len(hit["snippet"]) == 200
    assert [hit["snippet"][mark["start"] : mark["end"]] for mark in hit["marks"]] == ["needle"]


async def test_filters(world: Any) -> None:
    server, romeo, juliet, talk = world
    other = (await juliet.does("conversation.create", type="group", title="Mantua", memberIds=[]))["id"]
    await juliet.does("message.send", conversationId=other, content="fox in Mantua")
    pinned = await juliet.does("message.send", conversationId=talk, content="a pinned fox for @romeo")
    await juliet.does("pin.add", messageId=pinned["id"])
    await indexed(server)
    assert await finds(juliet, "fox in:Mantua") == ["fox in Mantua"]
    assert await finds(juliet, f"fox in:{other}") == ["fox in Mantua"]
    assert await finds(juliet, "fox from:me") == ["a pinned fox for @romeo", "fox in Mantua"]
    assert await finds(romeo, "fox from:Juliet") == ["a pinned fox for @romeo"]
    assert await finds(romeo, "is:pinned") == ["a pinned fox for @romeo"]
    assert await finds(romeo, "is:mention fox") == ["a pinned fox for @romeo"]
    assert await finds(romeo, "is:unread") == ["a pinned fox for @romeo"]
    assert await finds(juliet, "is:mention") == []
    first = await juliet.does("search", q="fox", limit=1)
    assert first["next"] == {"before": pinned["id"]}
    assert len(await finds(juliet, "fox", before=pinned["id"])) == 3


INVALID = (
    "",
    "x" * 501,
    "x" * 10_000,
    '"unbalanced',
    "-fox",
    " ".join(f"w{n}" for n in range(40)),
    "before:tomorrow",
    "after:2026-13-40",
    "from:tybalt",
    "in:999999",
    "in:Atlantis",
    "has:legs",
    "is:late",
)


@every_wire
async def test_what_is_no_query(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        [romeo] = await v1(server, framing, "romeo", ignoring=QUIET)
        for query in INVALID:
            assert await romeo.fails("search", q=query) == ("BAD_REQUEST", "q"), query


async def test_who_finds_what(world: Any) -> None:
    server, romeo, juliet, talk = world
    [nurse] = await v1(server, "jsonrpc", "nurse", ignoring=QUIET)
    assert await finds(nurse, "fox") == []
    await romeo.does("member.add", conversationId=talk, userId=nurse.id)
    assert len(await finds(nurse, "fox")) == 2
    await nurse.does("block.add", userId=romeo.id)
    assert await finds(nurse, "fox") == []
    await romeo.does("member.remove", conversationId=talk, userId=juliet.id)
    assert await finds(juliet, "fox") == []


async def test_the_index_follows_edits_and_deletions(world: Any) -> None:
    server, romeo, juliet, _ = world
    [hit] = (await juliet.does("search", q="brown"))["items"]
    await romeo.does("message.edit", messageId=hit["id"], content="A slow red hen")
    await indexed(server)
    assert await finds(juliet, "brown") == []
    assert await finds(juliet, "hen") == ["A slow red hen"]
    await romeo.does("message.delete", messageId=hit["id"])
    assert await finds(juliet, "hen") == []
    await indexed(server)
    assert await finds(juliet, "hen") == []


def damage(folder: Path) -> None:
    for file in folder.rglob("search.db*"):
        file.write_bytes(b"this is no database" * 1000)


async def test_a_restart_and_a_rebuild(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        [romeo] = await v1(server, "jsonrpc", "romeo", ignoring=QUIET)
        talk = (await romeo.does("conversation.create", type="group", memberIds=[]))["id"]
        await romeo.does("message.send", conversationId=talk, content="before the restart")
    async with chat_server(tmp_path) as server:
        await indexed(server)
        token = romeo.user.token
        status, found, _ = await server.rest.ask("GET", "/v1/search?q=restart", token=token)
        assert (status, len(found["items"])) == (200, 1)
        await server.running.search.rebuild()
        await indexed(server)
        assert (await server.rest.ask("GET", "/v1/search?q=restart", token=token))[1] == found
    damage(tmp_path)
    async with chat_server(tmp_path) as server:
        await indexed(server)
        assert (await server.rest.ask("GET", "/v1/search?q=restart", token=token))[1] == found


async def test_long_messages_are_indexed_in_several_steps(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server, romeo, juliet, talk = world
    monkeypatch.setattr("chatd.core.search_follower.CHARACTERS_PER_STEP", 20)
    monkeypatch.setattr("chatd.core.search_follower.MESSAGES_PER_READ", 2)
    sent = [
        (await romeo.does("message.send", conversationId=talk, content=f"lark {number} is long"))["id"]
        for number in range(7)
    ]
    await romeo.does("message.edit", messageId=sent[0], content="nightingale 0")
    await romeo.does("message.delete", messageId=sent[1])
    await indexed(server)
    expected = ["nightingale 0", *(f"lark {number} is long" for number in range(2, 7))]
    assert sorted([*await finds(juliet, "lark"), *await finds(juliet, "nightingale")]) == sorted(expected)
    await server.running.search.rebuild()
    await indexed(server)
    assert sorted([*await finds(juliet, "lark"), *await finds(juliet, "nightingale")]) == sorted(expected)
    assert await finds(juliet, "fox brown") == ["A quick brown fox"]
