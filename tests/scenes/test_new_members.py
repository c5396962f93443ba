"""New members of a group: earlier messages are neither unread nor read for a new member."""

from __future__ import annotations

from pathlib import Path

from tests.scenes.chat_server import RegisteredUser, chat_server
from tests.scenes.clients import open_client
from tests.scenes.test_colon_chat import group


async def seen_by(who: RegisteredUser, message: str) -> list[int]:
    found: list[int] = (await who.asks("GET", f"/messages/{message}"))["seen_by"]
    return found


async def test_a_newcomer_has_not_seen_what_was_there_before(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, nurse = [await server.register(name) for name in ("romeo", "juliet", "nurse")]
        verona = await group(romeo, juliet)
        path = f"/conversations/{verona}/messages"
        old = [(await romeo.asks("POST", path, {"content": str(n)}, status=201))["_id"] for n in range(3)]
        n = await open_client(server, "jsonrpc", "colon", nurse, ignoring=["unread:count", "conversation:created"])
        await romeo.asks("POST", f"/conversations/{verona}/members", {"userId": nurse.id}, status=204)
        nothing = {"total": 0, "byConversation": {}}
        assert await nurse.asks("GET", "/unread") == nothing
        assert [await seen_by(romeo, one) for one in old] == [[], [], []]
        invited = await nurse.asks("GET", "/notifications")
        assert [one["type"] for one in invited] == ["group_invite"]

        new = (await romeo.asks("POST", path, {"content": "new"}, status=201))["_id"]
        counts = {"total": 1, "byConversation": {verona: 1}}
        assert await nurse.asks("GET", "/unread") == counts

        r = await open_client(server, "jsonrpc", "colon", romeo, ignoring=["unread:count"])
        assert await r.asks("conversation:join", {"conversationId": verona}) == {"ok": True}
        assert await n.asks("message:read", {"messageId": old[1]}) == {"ok": True}
        assert (await r.receives("message:read"))["messageId"] == old[1]
        assert [await seen_by(romeo, one) for one in old] == [[nurse.id], [nurse.id], []]
        assert await nurse.asks("GET", "/unread") == counts  # from memory
        await romeo.asks("DELETE", f"/messages/{old[2]}", status=204)
        assert await nurse.asks("GET", "/unread") == counts
        await n.leaves()
        await server.running.app.dispatch.settled()
        [listed] = await nurse.asks("GET", "/api/conversations")
        assert listed["unread_count"] == 1  # from the store

        await nurse.asks("POST", f"/messages/{new}/read", status=204)
        assert [await seen_by(romeo, one) for one in (*old[:2], new)] == [[nurse.id]] * 3
        assert await nurse.asks("GET", "/unread") == nothing


async def test_only_the_sender_deletes_a_message_of_a_private_conversation(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        private = {"type": "private", "participants": [juliet.id]}
        talk = (await romeo.asks("POST", "/conversations", private, status=201))["_id"]
        for sender, other in ((romeo, juliet), (juliet, romeo)):
            sent = await sender.asks("POST", f"/conversations/{talk}/messages", {"content": "x"}, status=201)
            await other.asks("DELETE", f"/messages/{sent['_id']}", status=403)
            await sender.asks("DELETE", f"/messages/{sent['_id']}", status=204)
        verona = await group(romeo, juliet)
        sent = await juliet.asks("POST", f"/conversations/{verona}/messages", {"content": "x"}, status=201)
        await romeo.asks("DELETE", f"/messages/{sent['_id']}", status=204)


async def test_a_profile_takes_what_registration_takes(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo = await server.register("romeo")
        family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
        for field in ("display_name", "avatar_url", "status"):
            for bad in ("a\nb", "a\x1bb", "a\u202eb", "a\x00b", "a\u2028b"):
                said = await romeo.asks("PATCH", "/users/me", {field: bad}, status=400)
                assert said["code"] == "BAD_REQUEST"
            await romeo.asks("PATCH", "/users/me", {field: family}, status=200)
            await romeo.asks("PATCH", "/users/me", {field: None}, status=200)
        account = {"username": "juliet", "password": "correct horse", "displayName": "a\nb"}
        assert (await server.rest.ask("POST", "/auth/register", account))[0] == 400
