"""`pairs`, section by section of its specification, over both framings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.scenes.players import Player, Way, both_ways, play
from tests.scenes.shapes import INTEGER, TEXT, TIME, fits
from tests.scenes.stage import Person, Stage, stage

NOTICES = ("new_notification",)


async def pair(on: Stage) -> tuple[Person, Person, int]:
    ann, bob = await on.person("ann"), await on.person("bob", displayName="Bob B.")
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


async def connect_all(on: Stage, way: Way, *people: Person, ignoring: tuple[str, ...] = NOTICES) -> list[Player]:
    return [await play(on, way, "pairs", who, "/", ignoring=ignoring) for who in people]


def message(talk: int, sender: Person, receiver: Person, content: str) -> dict[str, Any]:
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


@both_ways
@pytest.mark.parametrize("spell", [int, str])
async def test_join_send_and_leave(tmp_path: Path, way: Way, spell: type) -> None:
    async with stage(tmp_path) as on:
        ann, bob, talk = await pair(on)
        a, b = await connect_all(on, way, ann, bob)
        await a.does("join_conversation", spell(talk))
        await b.does("join_conversation", spell(talk))
        said = {"conversationId": spell(talk), "content": "Hello world!", "toUserId": spell(bob.id)}
        await a.does("send_message", said)
        sent = fits(await a.hears("new_message"), message(talk, ann, bob, "Hello world!"))
        await a.hears_nothing()
        assert await b.hears("new_message") == sent
        assert await b.hears("message_notification") == notice(sent)

        await b.does("leave_conversation", spell(talk))
        await a.does("send_message", {"conversationId": talk, "content": "without a receiver"})
        sent = fits(await a.hears("new_message"), message(talk, ann, bob, "without a receiver"))
        assert await b.hears("message_notification") == notice(sent)
        await b.hears_nothing()


@both_ways
async def test_mark_read(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        ann, bob, talk = await pair(on)
        a, b = await connect_all(on, way, ann, bob)
        await a.does("join_conversation", talk)
        for number in range(2):
            await a.does("send_message", {"conversationId": talk, "content": str(number), "toUserId": bob.id})
            await a.hears("new_message")
            await b.hears("message_notification")
        assert [one["unread_count"] for one in await bob.asks("GET", "/api/conversations")] == [2]
        await b.does("mark_read", {"conversationId": talk})
        read = fits(await a.hears("messages_read"), {"conversationId": talk, "userId": bob.id, "readAt": TIME})
        await b.hears_nothing()
        for one in await ann.asks("GET", f"/api/conversations/{talk}/messages"):
            fits(one, {**message(talk, ann, bob, one["content"]), "is_read": True, "read_at": read["readAt"]})
        assert [one["unread_count"] for one in await bob.asks("GET", "/api/conversations")] == [0]
        await b.does("mark_read", {"conversationId": talk})
        await a.hears_nothing()


@both_ways
async def test_typing_start_and_stop(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        ann, bob, talk = await pair(on)
        a, b = await connect_all(on, way, ann, bob)
        typing = {"conversationId": talk, "userId": ann.id}
        for event in ("typing_start", "typing_stop", "typing_start"):
            await a.does(event, {"conversationId": talk, "toUserId": bob.id})
            assert await b.hears(event) == typing
        await a.hears_nothing()
        await a.does("send_message", {"conversationId": talk, "content": "!", "toUserId": bob.id})
        await b.hears("message_notification")
        assert await b.hears("typing_stop") == typing


@both_ways
async def test_system_notifications(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        ann, bob, _ = await pair(on)
        root = await on.person("root")
        root.token = on.server.accounts.identity.issuer.access(root.id, ttl=600, admin=True)
        a, b = await connect_all(on, way, ann, bob, ignoring=())
        given = {"user_id": bob.id, "title": "Project Update", "message": "You have been assigned to Project X"}
        made = await root.asks("POST", "/api/notifications", {**given, "type": "project_assigned"}, status=201)
        fits(made, {"id": INTEGER, **given, "type": "project_assigned", "created_at": TIME})
        assert await b.hears("new_notification") == made
        more = {"project": 7, "link": "https://x.example/7"}
        richer = await root.asks(
            "POST", "/api/notifications", {**given, "type": "payment_received", "data": more}, status=201
        )
        fits(richer, {"id": INTEGER, **given, "type": "payment_received", "created_at": TIME, **more})
        assert await b.hears("new_notification") == richer
        assert await bob.asks("GET", "/api/notifications") == [richer, made]
        await a.hears_nothing()


@both_ways
async def test_errors(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        _, bob, talk = await pair(on)
        [e] = await connect_all(on, way, await on.person("eve"))
        for call, payload in (
            ("join_conversation", talk),
            ("send_message", {"conversationId": talk, "content": "!", "toUserId": bob.id}),
            ("mark_read", {"conversationId": talk}),
            ("typing_start", {"conversationId": talk, "toUserId": bob.id}),
        ):
            await e.tells(call, payload)
            assert await e.hears("error") == {"message": "Conversation not found"}
        await e.tells("join_conversation", "one")
        fits(await e.hears("error"), {"message": TEXT})
