"""`pairs`, section by section of its specification, over both framings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.scenes.chat_server import ChatServer, RegisteredUser, chat_server
from tests.scenes.clients import Client, Framing, both_framings, open_client
from tests.scenes.shapes import INTEGER, TEXT, TIME, fits

NOTICES = ("new_notification",)


async def pair(server: ChatServer) -> tuple[RegisteredUser, RegisteredUser, int]:
    ann, bob = await server.register("ann"), await server.register("bob", displayName="Bob B.")
    made = await ann.asks("POST", "/api/conversations", {"toUserId": bob.id}, status=201)
    fits(
        made,
        {
            "id": INTEGER,
            "type": "private",
            "title": None,
            "participants": [ann.id, bob.id],
            "other_user": {"id": bob.id, "username": "bob", "display_name": "Bob B."},
            "last_message": None,
            "unread_count": 0,
            "created_at": TIME,
        },
    )
    return ann, bob, made["id"]


async def connect_all(
    server: ChatServer, framing: Framing, *people: RegisteredUser, ignoring: tuple[str, ...] = NOTICES
) -> list[Client]:
    return [await open_client(server, framing, "pairs", who, "/", ignoring=ignoring) for who in people]


def message(talk: int, sender: RegisteredUser, receiver: RegisteredUser, content: str) -> dict[str, Any]:
    return {
        "id": INTEGER,
        "conversation_id": talk,
        "sender_id": sender.id,
        "receiver_id": receiver.id,
        "content": content,
        "is_read": False,
        "read_at": None,
        "created_at": TIME,
    }


def notice(of: dict[str, Any]) -> dict[str, Any]:
    return {**{key: value for key, value in of.items() if key != "read_at"}, "type": "new_message"}


@both_framings
@pytest.mark.parametrize("spell", [int, str])
async def test_join_send_and_leave(tmp_path: Path, framing: Framing, spell: type) -> None:
    async with chat_server(tmp_path) as server:
        ann, bob, talk = await pair(server)
        a, b = await connect_all(server, framing, ann, bob)
        await a.performs("join_conversation", spell(talk))
        await b.performs("join_conversation", spell(talk))
        said = {"conversationId": spell(talk), "content": "Hello world!", "toUserId": spell(bob.id)}
        await a.performs("send_message", said)
        sent = fits(await a.receives("new_message"), message(talk, ann, bob, "Hello world!"))
        await a.receives_nothing()
        assert await b.receives("new_message") == sent
        assert await b.receives("message_notification") == notice(sent)

        await b.performs("leave_conversation", spell(talk))
        await a.performs("send_message", {"conversationId": talk, "content": "without a receiver"})
        sent = fits(await a.receives("new_message"), message(talk, ann, bob, "without a receiver"))
        assert await b.receives("message_notification") == notice(sent)
        await b.receives_nothing()


@both_framings
async def test_mark_read(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        ann, bob, talk = await pair(server)
        a, b = await connect_all(server, framing, ann, bob)
        await a.performs("join_conversation", talk)
        for number in range(2):
            await a.performs("send_message", {"conversationId": talk, "content": str(number), "toUserId": bob.id})
            await a.receives("new_message")
            await b.receives("message_notification")
        assert [one["unread_count"] for one in await bob.asks("GET", "/api/conversations")] == [2]
        await b.performs("mark_read", {"conversationId": talk})
        read = fits(await a.receives("messages_read"), {"conversationId": talk, "userId": bob.id, "readAt": TIME})
        await b.receives_nothing()
        for one in await ann.asks("GET", f"/api/conversations/{talk}/messages"):
            fits(one, {**message(talk, ann, bob, one["content"]), "is_read": True, "read_at": read["readAt"]})
        assert [one["unread_count"] for one in await bob.asks("GET", "/api/conversations")] == [0]
        await b.performs("mark_read", {"conversationId": talk})
        await a.receives_nothing()


@both_framings
async def test_typing_start_and_stop(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        ann, bob, talk = await pair(server)
        a, b = await connect_all(server, framing, ann, bob)
        typing = {"conversationId": talk, "userId": ann.id}
        for event in ("typing_start", "typing_stop", "typing_start"):
            await a.performs(event, {"conversationId": talk, "toUserId": bob.id})
            assert await b.receives(event) == typing
        await a.receives_nothing()
        await a.performs("send_message", {"conversationId": talk, "content": "!", "toUserId": bob.id})
        await b.receives("message_notification")
        assert await b.receives("typing_stop") == typing


@both_framings
async def test_system_notifications(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        ann, bob, _ = await pair(server)
        root = await server.register("root")
        root.token = server.running.accounts.identity.issuer.access(root.id, ttl=600, admin=True)
        a, b = await connect_all(server, framing, ann, bob, ignoring=())
        given = {"user_id": bob.id, "title": "Project Update", "message": "You have been assigned to Project X"}
        made = await root.asks("POST", "/api/notifications", {**given, "type": "project_assigned"}, status=201)
        fits(made, {"id": INTEGER, **given, "type": "project_assigned", "created_at": TIME})
        assert await b.receives("new_notification") == made
        more = {"project": 7, "link": "https://x.example/7"}
        richer = await root.asks(
            "POST", "/api/notifications", {**given, "type": "payment_received", "data": more}, status=201
        )
        fits(richer, {"id": INTEGER, **given, "type": "payment_received", "created_at": TIME, **more})
        assert await b.receives("new_notification") == richer
        assert await bob.asks("GET", "/api/notifications") == [richer, made]
        await a.receives_nothing()


@both_framings
async def test_errors(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        _, bob, talk = await pair(server)
        [e] = await connect_all(server, framing, await server.register("eve"))
        for call, payload in (
            ("join_conversation", talk),
            ("send_message", {"conversationId": talk, "content": "!", "toUserId": bob.id}),
            ("mark_read", {"conversationId": talk}),
            ("typing_start", {"conversationId": talk, "toUserId": bob.id}),
        ):
            await e.notifies(call, payload)
            assert await e.receives("error") == {"message": "Conversation not found"}
        await e.notifies("join_conversation", "one")
        fits(await e.receives("error"), {"message": TEXT})
