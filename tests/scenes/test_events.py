"""GET /events: a list, a list that waits, and Server-Sent Events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import trio
import trio.testing

from chatd.server.retention import clean
from tests.scenes.chat_server import ChatServer, RegisteredUser, chat_server
from tests.scenes.test_colon_chat import group


class Stream:
    """An event stream, as `curl -N` shows it."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._text = b""

    @classmethod
    async def of(cls, server: ChatServer, who: RegisteredUser, query: str = "", last: str = "") -> Stream:
        return await cls.at(server.address, who, query, last)

    @classmethod
    async def at(cls, address: str, who: RegisteredUser, query: str = "", last: str = "") -> Stream:
        host, _, port = address.rpartition(":")
        stream = await trio.open_tcp_stream(host, int(port))
        head = f"GET /events{query} HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\nConnection: close\r\n"
        head += f"Authorization: Bearer {who.token}\r\n" + (f"Last-Event-ID: {last}\r\n" if last else "") + "\r\n"
        made = cls(stream)
        try:
            await stream.send_all(head.encode())
            await made._until(b"\r\n\r\n")
        except BaseException:
            await made.leaves()
            raise
        return made

    async def _until(self, end: bytes) -> bytes:
        with trio.fail_after(20):
            while end not in self._text:
                got = await self._stream.receive_some()
                assert got, self._text
                self._text += got
        found, _, self._text = self._text.partition(end)
        return found

    async def receives(self) -> tuple[str, str, Any]:
        """The next event: its id, its name, its payload."""
        while True:
            lines = [line for line in (await self._until(b"\n\n")).decode().split("\n") if ": " in line]
            said = dict(line.split(": ", 1) for line in lines if line[0].isalpha())
            if "event" in said:
                return said.get("id", ""), said["event"], json.loads(said["data"])["params"]

    async def skips_to(self, name: str) -> tuple[str, Any]:
        while True:
            id, received, params = await self.receives()
            if received == name:
                return id, params

    async def leaves(self) -> None:
        await trio.aclose_forcefully(self._stream)


async def test_a_script_reads_what_happened_and_waits_for_what_will(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, tybalt = [await server.register(name) for name in ("romeo", "juliet", "tybalt")]
        start = await juliet.asks("GET", "/events")
        assert (start["recovered"], start["events"]) == (False, [])
        where = f"/events?epoch={start['epoch']}&pos="
        verona = await group(romeo, juliet)
        sent = [
            await romeo.asks("POST", f"/conversations/{verona}/messages", {"content": str(n)}, status=201)
            for n in range(5)
        ]
        first = await juliet.asks("GET", f"{where}{start['pos']}&limit=3")
        assert [one["method"] for one in first["events"]] == ["conversation:created", *["message:created"] * 2]
        assert first["more"] is True
        rest = await juliet.asks("GET", f"{where}{first['pos']}")
        assert [one["params"] for one in first["events"][1:] + rest["events"]] == sent
        assert rest["events"][0]["room"] == f"conversation:{verona}"
        assert rest["more"] is False
        assert (await tybalt.asks("GET", f"{where}{start['pos']}"))["events"] == []
        assert (await juliet.asks("GET", "/events?epoch=x&pos=1"))["reason"] == "epoch"

        async def send_later() -> None:
            await trio.testing.wait_all_tasks_blocked(0.05)
            await romeo.asks("POST", f"/conversations/{verona}/messages", {"content": "late"}, status=201)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send_later)
            waited = await juliet.asks("GET", f"{where}{rest['pos']}&wait=15")
        assert [one["params"]["content"] for one in waited["events"]] == ["late"]


async def test_a_stream_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = [await server.register(name) for name in ("romeo", "juliet")]
        verona = await group(romeo, juliet)
        stream = await Stream.of(server, juliet)
        assert (await stream.receives())[1] == "ready"
        await romeo.asks("POST", f"/conversations/{verona}/messages", {"content": "1"}, status=201)
        last, one = await stream.skips_to("message:created")
        assert one["content"] == "1"
        await stream.leaves()
        for number in ("2", "3"):
            await romeo.asks("POST", f"/conversations/{verona}/messages", {"content": number}, status=201)
        again = await Stream.of(server, juliet, last=last)
        assert (await again.receives())[2]["recovered"] is True
        assert [(await again.skips_to("message:created"))[1]["content"] for _ in range(2)] == ["2", "3"]
        mantua = await group(romeo, juliet)
        await romeo.asks("POST", f"/conversations/{mantua}/messages", {"content": "elsewhere"}, status=201)
        assert (await again.skips_to("conversation:created"))[1]["_id"] == mantua
        assert (await again.skips_to("message:created"))[1]["content"] == "elsewhere"
        await again.leaves()


async def test_what_is_trimmed_is_said_to_be(tmp_path: Path) -> None:
    async with chat_server(tmp_path, events__keep_count="3") as server:
        romeo, juliet = [await server.register(name) for name in ("romeo", "juliet")]
        start = await juliet.asks("GET", "/events")
        verona = await group(romeo, juliet)
        for number in range(10):
            await romeo.asks("POST", f"/conversations/{verona}/messages", {"content": str(number)}, status=201)
        now = await juliet.asks("GET", "/events")
        assert await clean(server.running.app) == now["pos"] - 3
        where = f"/events?epoch={start['epoch']}&pos="
        assert (await juliet.asks("GET", f"{where}{start['pos']}"))["reason"] == "trimmed"
        kept = await juliet.asks("GET", f"{where}{now['pos'] - 3}")
        assert kept["recovered"] is True
        assert [one["params"]["content"] for one in kept["events"]] == ["7", "8", "9"]
