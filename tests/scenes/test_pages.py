"""Lists: a cursor names a row, never a time; the last page has no link to a next page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from protocol.ids import UUID, Ref
from tests.scenes.chat_server import ChatServer, RegisteredUser, chat_server
from tests.scenes.test_colon_chat import group

NEXT = re.compile(r'<([^>]+)>; rel="next"')
LIMIT = 3


async def walk(server: ChatServer, who: RegisteredUser, path: str) -> list[list[str]]:
    """The ids of each page, up to the page without a link to the next."""
    pages: list[list[str]] = []
    while True:
        status, page, headers = await server.rest.ask("GET", path, token=who.token)
        assert status == 200, page
        pages.append([str(one.get("_id") or one["id"]) for one in page])
        link = NEXT.fullmatch(headers.get("Link", ""))
        if link is None:
            assert "Link" not in headers
            return pages
        path = link[1]


async def fill(server: ChatServer, romeo: RegisteredUser, juliet: RegisteredUser, count: int) -> str:
    """Make so many of everything; the conversation with the messages."""
    places = [await group(romeo, juliet) for _ in range(count)]
    for number in range(count):
        await romeo.asks("POST", f"/conversations/{places[0]}/messages", {"content": f"{number}"}, status=201)
    for number in range(count - 2):
        await server.register(f"user-{number}")
    return places[0]


@pytest.mark.parametrize("count", [3, 4, 6, 7])
async def test_the_last_page_has_no_link_and_is_not_empty(tmp_path: Path, count: int) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        verona = await fill(server, romeo, juliet, count)
        for _ in range(count):
            await group(juliet, romeo)  # each notifies no one, and is one conversation more
        await romeo.asks("POST", "/conversations", {"type": "private", "participants": [juliet.id]}, status=201)
        for path, total in (
            (f"/conversations/{verona}/messages", count),
            ("/conversations", 2 * count + 1),
            ("/api/chats/conversations", 2 * count + 1),
            ("/api/messages/conversations", 2 * count + 1),
            ("/api/conversations", 2 * count + 1),
            ("/chat/rooms", 2 * count + 1),
            (f"/api/conversations/{int(verona[8:], 16)}/messages", count),
            (f"/chat/rooms/{verona}/messages", count),
            ("/users", count),
        ):
            whole = (await walk(server, romeo, f"{path}?limit=200"))[0]
            assert len(whole) == total
            pages = await walk(server, romeo, f"{path}?limit={LIMIT}")
            assert [len(page) for page in pages[:-1]] == [LIMIT] * (len(pages) - 1)
            assert 0 < len(pages[-1]) <= LIMIT
            assert sorted(id for page in pages for id in page) == sorted(whole), path
            edge = min(whole) if path.endswith("messages") or path == "/users" else whole[-1]
            forward = await walk(server, romeo, f"{path}?limit={LIMIT}&after={edge}")
            assert all(forward), path
            assert sorted(id for page in forward for id in page) == sorted(set(whole) - {edge}), path


@pytest.mark.parametrize("count", [3, 6, 7])
async def test_notifications_too(tmp_path: Path, count: int) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        for _ in range(count):
            verona = await group(romeo)
            await romeo.asks("POST", f"/conversations/{verona}/members", {"userId": juliet.id}, status=204)
        whole = (await walk(server, juliet, "/notifications?limit=200"))[0]
        assert len(whole) == count
        pages = await walk(server, juliet, f"/notifications?limit={LIMIT}")
        assert [id for page in pages for id in page] == whole
        assert all(pages)
        forward = await walk(server, juliet, f"/notifications?limit={LIMIT}&after={whole[-1]}")
        assert sorted(id for page in forward for id in page) == sorted(whole[:-1])


async def test_a_cursor_that_is_gone_is_not_the_end(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo = await server.register("romeo")
        places = [await group(romeo) for _ in range(4)]
        await romeo.asks("DELETE", f"/conversations/{places[2]}", status=204)
        for gone in (places[2], "0" * 22 + "63"):
            said = await romeo.asks("GET", f"/conversations?limit=1&before={gone}", status=404)
            assert said["message"] == "Conversation not found"


async def test_cursors_are_never_times(tmp_path: Path) -> None:
    """Everything happens in one millisecond, then with the clock set back. The order is that of the commits."""
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        verona = await group(romeo, juliet)
        now = server.running.app.database.clock()
        for number in range(9):
            server.running.app.database.clock = lambda number=number: now - 60_000 * (number // 3)  # type: ignore[misc]
            await romeo.asks("POST", f"/conversations/{verona}/messages", {"content": f"{number}"}, status=201)
        pages: list[Any] = []
        path = f"/conversations/{verona}/messages?limit=2"
        while path:
            _, page, headers = await server.rest.ask("GET", path, token=juliet.token)
            pages = [one["content"] for one in page] + pages
            link = NEXT.fullmatch(headers.get("Link", ""))
            path = link[1] if link else ""
        assert pages == [f"{number}" for number in range(9)]


async def test_numbered_pages_say_how_many_there_are(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        made = await romeo.asks("POST", "/conversations", {"type": "private", "participants": [juliet.id]}, status=201)
        number = int(made["_id"][8:], 16)
        for content in range(6):
            await romeo.asks("POST", f"/conversations/{made['_id']}/messages", {"content": f"{content}"}, status=201)
        for path in (f"/api/chats/conversations/{number}/messages", f"/api/messages/with/{uuid_of(juliet)}"):
            shown = [await romeo.asks("GET", f"{path}?page={page}&limit=3") for page in (1, 2, 3)]
            assert [(one["page"], one["limit"], one["total"]) for one in shown] == [(n, 3, 6) for n in (1, 2, 3)]
            assert [len(one["data"]) for one in shown] == [3, 3, 0]
            contents = [[said["content"] for said in one["data"]] for one in shown]
            assert contents == [["3", "4", "5"], ["0", "1", "2"], []]
            assert set(shown[0]) == {"data", "page", "limit", "total"}


def uuid_of(who: RegisteredUser) -> str:
    """A user's id in `inbox`."""
    return str(UUID.write(Ref(who.id, int(who.object_id[:8], 16))))


async def test_a_page_ends_where_its_bytes_do_and_links_to_the_rest(tmp_path: Path) -> None:
    """In both directions, each row comes once. A row that is larger than a page is a page of its own."""
    async with chat_server(tmp_path, limits__page_bytes="4096") as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        where = await group(romeo, juliet)
        path = f"/conversations/{where}/messages"
        for size in (1, 1_000, 1_000, 1_000, 1_000, 10_000, 1, 1):
            await romeo.asks("POST", path, {"content": "é" * (size // 2) or "x"}, status=201)
        all_of_them = [one for page in await walk(server, romeo, f"{path}?limit=1") for one in page][::-1]
        newest_first = await walk(server, romeo, f"{path}?limit=50")
        assert [len(page) for page in newest_first] == [2, 1, 2, 3]
        assert [one for page in reversed(newest_first) for one in page] == all_of_them
        oldest_first = await walk(server, romeo, f"{path}?limit=50&after={all_of_them[0]}")
        assert [one for page in oldest_first for one in page] == all_of_them[1:]
        assert [len(page) for page in oldest_first] == [2, 2, 1, 2]
        assert sum(len(page) for page in await walk(server, romeo, "/conversations?limit=50")) == 1
