"""P2: a message that is sent again with its clientId is the stored message, at any time and over any wire."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import trio

from protocol.ids import UUID, Ref
from tests.scenes.chat_server import chat_server
from tests.scenes.test_pages import uuid_of

CONFLICT = -32009


async def test_again_from_another_device_dialect_and_server(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        made = await romeo.asks("POST", "/conversations", {"type": "private", "participants": [juliet.id]}, status=201)
        said = {"conversationId": made["_id"], "content": "But soft!", "clientId": "balcony"}
        first, second = await server.rpc(romeo), await server.rpc(romeo)
        answers = []

        async def send() -> None:
            answers.append((await second.asks("message:send", said))["data"]["_id"])

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            answers.append((await first.asks("message:send", said))["data"]["_id"])
        assert len(set(answers)) == 1
        body = {"content": "But soft!", "clientId": "balcony"}
        path = f"/conversations/{made['_id']}/messages"
        assert (await romeo.asks("POST", path, body, status=201))["_id"] == answers[0]
        number, message = int(made["_id"][8:], 16), int(answers[0][8:], 16)
        kebab = {**body, "sender_id": romeo.id, "message_type": "text"}
        assert (await romeo.asks("POST", f"/api/chats/conversations/{number}/messages", kebab))["id"] == message
        pairs = {**body, "toUserId": juliet.id}
        assert (await romeo.asks("POST", f"/api/conversations/{number}/messages", pairs))["id"] == message
        inbox = {**body, "otherUserId": uuid_of(juliet)}
        uuid = str(UUID.write(Ref(message, int(answers[0][:8], 16))))
        assert (await romeo.asks("POST", "/api/messages", inbox))["id"] == uuid
        assert (await romeo.asks("POST", f"/chat/rooms/{made['_id']}/messages", body))["id"] == answers[0]
        await first.is_refused("message:send", {**said, "content": "Otherwise"}, CONFLICT)
        await first.is_refused("message:send", {**said, "attachments": ["https://verona.example/a.png"]}, CONFLICT)
        others = await server.rpc(juliet)
        assert (await others.asks("message:send", said))["data"]["_id"] != answers[0]  # a name of her own
    async with chat_server(tmp_path) as server:
        again = await server.rpc(romeo.token)
        assert (await again.asks("message:send", said))["data"]["_id"] == answers[0]
        await again.is_refused("message:send", {**said, "content": "Otherwise"}, CONFLICT)
        assert await stored(server.running.app.config.data.directory) == 2


async def test_again_after_it_was_edited_or_deleted(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        made = await romeo.asks("POST", "/conversations", {"type": "private", "participants": [juliet.id]}, status=201)
        said = {"conversationId": made["_id"], "content": "But soft!", "clientId": "balcony"}
        r = await server.rpc(romeo)
        first = (await r.asks("message:send", said))["data"]
        await r.asks("message:edit", {"messageId": first["_id"], "content": "But loud!"})
        again = (await r.asks("message:send", said))["data"]
        assert (again["_id"], again["content"]) == (first["_id"], "But loud!")
        await r.is_refused("message:send", {**said, "content": "But loud!"}, CONFLICT)
        await r.asks("message:delete", {"messageId": first["_id"]})
        again = (await r.asks("message:send", said))["data"]
        assert (again["_id"], again["content"]) == (first["_id"], "")
        await r.is_refused("message:send", {**said, "content": "Otherwise"}, CONFLICT)
        assert (await juliet.asks("GET", f"/conversations/{made['_id']}/messages")) == []
        assert await stored(server.running.app.config.data.directory) == 1


async def stored(folder: str) -> int:
    def count() -> int:
        with closing(sqlite3.connect(f"file:{folder}/chatd.db?mode=ro", uri=True)) as database:
            found: int = database.execute("SELECT count(*) FROM messages").fetchone()[0]
        database.close()
        return found

    return await trio.to_thread.run_sync(count)
