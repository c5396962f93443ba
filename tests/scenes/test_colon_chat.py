"""The `colon` chat, section by section of its specification: each call, and the events that it causes."""

from __future__ import annotations

import re
from pathlib import Path

from tests.scenes.chat_server import ChatServer, RegisteredUser, chat_server

OBJECT_ID = re.compile(r"[0-9a-f]{24}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


async def group(owner: RegisteredUser, *others: RegisteredUser, title: str | None = None) -> str:
    """A group; its id."""
    body = {"type": "group", "participants": [other.id for other in others]}
    made = await owner.asks("POST", "/conversations", body | ({"title": title} if title else {}), status=201)
    found: str = made["_id"]
    return found


async def romeo_and_juliet(server: ChatServer) -> tuple[RegisteredUser, RegisteredUser]:
    return await server.register("romeo"), await server.register("juliet")


async def test_romeo_sends_and_juliet_receives_it_once_she_has_joined(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await romeo_and_juliet(server)
        r, j = await server.rpc(romeo), await server.rpc(juliet)
        assert await r.receives("unread:count") == {"total": 0, "byConversation": {}}
        assert await j.receives("unread:count") == {"total": 0, "byConversation": {}}

        talk = await romeo.asks("POST", "/conversations", {"type": "private", "participants": [juliet.id]}, status=201)
        assert set(talk) == {"_id", "type", "participants", "created_at"}
        assert talk["type"] == "private"
        assert talk["participants"] == [romeo.id, juliet.id]
        assert OBJECT_ID.fullmatch(talk["_id"])
        assert TIME.fullmatch(talk["created_at"])
        for client in (r, j):
            assert await client.receives("conversation:created") == talk

        where = {"conversationId": talk["_id"]}
        assert await r.asks("conversation:join", where) == {"ok": True}
        assert await j.asks("conversation:join", where) == {"ok": True}
        sent = await r.asks("message:send", {**where, "content": "But soft!", "clientId": "balcony-1"})
        message = sent["data"]
        assert sent["ok"] is True
        assert set(message) == {"_id", "sender_id", "content", "attachments", "seen_by", "created_at", "clientId"}
        assert (message["sender_id"], message["content"], message["clientId"]) == (romeo.id, "But soft!", "balcony-1")
        assert (message["attachments"], message["seen_by"]) == ([], [])
        assert await r.receives("message:created") == message
        assert await j.receives("message:created") == message
        assert await j.receives("unread:count") == {"total": 1, "byConversation": {talk["_id"]: 1}}

        again = await r.asks("message:send", {**where, "content": "But soft!", "clientId": "balcony-1"})
        assert again == sent
        await r.is_refused("message:send", {**where, "content": "Otherwise", "clientId": "balcony-1"}, -32009)
        await r.receives_nothing()
        await j.receives_nothing()


async def test_reading_editing_and_deleting(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await romeo_and_juliet(server)
        verona = await group(romeo, juliet, title="Verona")
        r, j = await server.rpc(romeo), await server.rpc(juliet)
        where = {"conversationId": verona}
        for client in (r, j):
            await client.receives("unread:count")
            await client.asks("conversation:join", where)
        message = (await r.asks("message:send", {**where, "content": "Good morrow"}))["data"]
        await r.receives("message:created")
        await j.receives("message:created")

        assert await j.asks("message:read", {"messageId": message["_id"]}) == {"ok": True}
        for client in (r, j):
            read = await client.skips_to("message:read")
            assert read["messageId"] == message["_id"]
            assert read["readerId"] == juliet.id
            assert TIME.fullmatch(read["readAt"])
        assert (await juliet.asks("GET", "/unread")) == {"total": 0, "byConversation": {}}
        assert (await romeo.asks("GET", f"/messages/{message['_id']}"))["seen_by"] == [juliet.id]

        edited = (await r.asks("message:edit", {"messageId": message["_id"], "content": "Good night"}))["data"]
        assert edited == {**message, "content": "Good night", "seen_by": [juliet.id]}
        assert await r.receives("message:updated") == edited
        assert await j.skips_to("message:updated") == edited
        error = await j.is_refused("message:edit", {"messageId": message["_id"], "content": "Mine"}, -32003)
        assert error["data"] == {"ok": False, "error": {"code": "FORBIDDEN", "message": error["message"]}}

        assert await r.asks("message:delete", {"messageId": message["_id"]}) == {"ok": True}
        for client in (r, j):
            assert await client.skips_to("message:deleted") == {"messageId": message["_id"]}
        assert await romeo.asks("GET", f"/conversations/{verona}/messages") == []
        await r.is_refused("message:read", {"messageId": message["_id"]}, -32004)


async def test_typing_goes_to_the_others_and_ends_when_the_message_is_sent(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await romeo_and_juliet(server)
        verona = await group(romeo, juliet)
        r, r2, j = await server.rpc(romeo), await server.rpc(romeo), await server.rpc(juliet)
        where = {"conversationId": verona}
        for client in (r, r2, j):
            await client.receives("unread:count")
            await client.asks("conversation:join", where)
        await r.notifies("typing", {**where, "isTyping": True})
        typing = {**where, "userId": romeo.id, "isTyping": True}
        assert await j.receives("typing") == typing
        await r2.receives_nothing()
        await r.asks("message:send", {**where, "content": "!"})
        assert await j.receives("message:created")
        assert await j.receives("typing") == {**typing, "isTyping": False}
        await r.asks("typing", {**where, "isTyping": True})
        assert await j.receives("typing") == typing
        await r.asks("typing", {**where, "isTyping": False})
        assert await j.receives("typing") == {**typing, "isTyping": False}


async def test_members_come_and_go_while_all_watches(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await romeo_and_juliet(server)
        nurse = await server.register("nurse")
        verona = await group(romeo, juliet)
        where = {"conversationId": verona}
        r, j, n = [await server.rpc(person) for person in (romeo, juliet, nurse)]
        for client in (r, j):
            await client.receives("unread:count")
            await client.asks("conversation:join", where)
        await n.receives("unread:count")
        for call in ("conversation:join", "typing"):
            await n.is_refused(call, {**where, **({"isTyping": True} if call == "typing" else {})}, -32003)
        await j.is_refused("members:add", {**where, "userId": nurse.id}, -32003)

        assert await r.asks("members:add", {**where, "userId": nurse.id}) == {"ok": True}
        for client in (r, j):
            assert await client.receives("members:added") == {"userId": nurse.id}
        opened = await n.receives("conversation:created")
        assert opened["_id"] == verona
        assert opened["participants"] == [romeo.id, juliet.id, nurse.id]
        assert await n.asks("conversation:join", where) == {"ok": True}
        assert await r.asks("members:add", {**where, "userId": nurse.id}) == {"ok": True}
        await j.receives_nothing()

        assert await r.asks("members:remove", {**where, "userId": nurse.id}) == {"ok": True}
        for client in (r, j, n):
            assert await client.skips_to("members:removed") == {"userId": nurse.id}
        await r.asks("message:send", {**where, "content": "She is gone"})
        assert await j.receives("message:created")
        assert [name for name, _ in await n.receives_all() if name != "unread:count"] == []
        await n.is_refused("message:send", {**where, "content": "I am not"}, -32003)

        await j.is_refused("members:remove", {**where, "userId": romeo.id}, -32003)
        members = await juliet.asks("GET", f"/conversations/{verona}/members")
        assert [(one["user_id"], one["role"]) for one in members] == [(romeo.id, "owner"), (juliet.id, "member")]
        assert members[1]["user"]["username"] == "juliet"

        await romeo.asks("DELETE", f"/conversations/{verona}", status=204)
        for client in (r, j):
            assert await client.skips_to("conversation:deleted") == where
        await juliet.asks("GET", f"/conversations/{verona}", status=404)


async def test_what_is_anothers_is_forbidden_and_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await romeo_and_juliet(server)
        tybalt = await server.register("tybalt")
        secret = await group(romeo, juliet)
        r, t = await server.rpc(romeo), await server.rpc(tybalt)
        message = (await r.asks("message:send", {"conversationId": secret, "content": "Hush"}))["data"]["_id"]
        nowhere = secret[:-1] + "9"
        for call, there, not_there in (
            ("conversation:join", {"conversationId": secret}, {"conversationId": nowhere}),
            ("message:send", {"conversationId": secret, "content": "?"}, {"conversationId": nowhere, "content": "?"}),
            ("message:read", {"messageId": message}, {"messageId": message[:-1] + "9"}),
            ("message:edit", {"messageId": message, "content": "x"}, {"messageId": "f" * 24, "content": "x"}),
            ("message:delete", {"messageId": message}, {"messageId": "0" * 24}),
            ("members:add", {"conversationId": secret, "userId": 3}, {"conversationId": nowhere, "userId": 3}),
        ):
            await t.is_refused(call, there, -32003)
            await t.is_refused(call, not_there, -32004)
        for path in ("/conversations/{}", "/conversations/{}/messages", "/conversations/{}/members"):
            await tybalt.asks("GET", path.format(secret), status=403)
            await tybalt.asks("GET", path.format(nowhere), status=404)


async def test_the_same_by_rest_alone(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await romeo_and_juliet(server)
        verona = await group(romeo, juliet)
        j = await server.rpc(juliet)
        await j.receives("unread:count")
        await j.asks("conversation:join", {"conversationId": verona})
        numbers = range(5)
        sent = [
            await romeo.asks("POST", f"/conversations/{verona}/messages", {"content": f"{n}"}, status=201)
            for n in numbers
        ]
        assert [await j.skips_to("message:created") for _ in numbers] == sent
        assert await juliet.asks("GET", f"/conversations/{verona}/messages") == sent
        _, page, headers = await server.rest.ask("GET", f"/conversations/{verona}/messages?limit=2", token=juliet.token)
        assert page == sent[3:]
        following = headers["Link"].split(">")[0].removeprefix("<")
        assert await juliet.asks("GET", following) == sent[1:3]
        after = f"/conversations/{verona}/messages?limit=2&after={sent[0]['_id']}"
        assert await juliet.asks("GET", after) == sent[1:3]
        assert (await juliet.asks("GET", "/unread"))["total"] == 5
        await juliet.asks("POST", f"/messages/{sent[4]['_id']}/read", status=204)
        assert (await juliet.asks("GET", "/unread"))["total"] == 0
        changed = await romeo.asks("PATCH", f"/messages/{sent[0]['_id']}", {"content": "zero"})
        assert await j.skips_to("message:updated") == changed
        await romeo.asks("DELETE", f"/messages/{sent[0]['_id']}", status=204)
        assert await j.skips_to("message:deleted") == {"messageId": sent[0]["_id"]}
        assert [one["_id"] for one in await juliet.asks("GET", "/conversations")] == [verona]
