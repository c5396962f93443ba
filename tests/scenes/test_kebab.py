"""`kebab`, section by section of its specification, over both framings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.scenes.players import Player, Way, both_ways, play
from tests.scenes.shapes import INTEGER, TEXT, TIME, fits
from tests.scenes.stage import Person, Stage, stage

PRESENCE = ("user:online", "user:offline")


async def pair(on: Stage) -> tuple[Person, Person, int]:
    """User 1, user 2 and their conversation 1, as in all examples of the specification."""
    one, two = await on.person("one"), await on.person("two")
    body = {"sender_id": one.id, "receiver_id": two.id}
    made = await one.asks("POST", "/api/chats/conversations", body, status=201)
    assert made == {"id": 1, "sender_id": 1, "receiver_id": 2}
    return one, two, made["id"]


async def connect_all(on: Stage, way: Way, *people: Person, ignoring: tuple[str, ...] = PRESENCE) -> list[Player]:
    return [await play(on, way, "kebab", who, userId=str(who.id), ignoring=ignoring) for who in people]


async def join(player: Player, who: Person, conversation: int) -> None:
    done = {"success": True, "conversationId": conversation}
    assert await player.asks("join-conversation", {"conversationId": conversation, "userId": who.id}) == done
    assert await player.hears("joined-conversation") == done


def message(sender: int, content: str, type: str = "text") -> dict[str, Any]:
    return {
        "id": INTEGER,
        "sender_id": sender,
        "conversation_id": 1,
        "timestamp": TIME,
        "message_type": type,
        "content": content,
        "conversation": {"id": 1, "sender_id": 1, "receiver_id": 2},
    }


@both_ways
async def test_send_message(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        one, two, talk = await pair(on)
        o, t = await connect_all(on, way, one, two)
        await join(t, two, talk)
        content = "Hello, how are you?"
        said = {"sender_id": 1, "conversation_id": talk, "message_type": "text", "content": content}
        await o.tells("send-message", said)
        sent = fits(await o.hears("message-sent"), message(1, content))
        assert await t.hears("receive-message") == sent
        await o.hears_nothing()  # it has not joined

        await join(o, one, talk)
        for type, url in (("image", "https://x.example/y.png"), ("file", "7")):
            await t.tells("send-message", {**said, "sender_id": 2, "message_type": type, "content": url})
            sent = fits(await o.hears("receive-message"), message(2, url, type))
            assert await t.hears("receive-message") == sent
            assert await t.hears("message-sent") == sent
        assert await o.asks("send-message", said) == fits(await o.hears("receive-message"), message(1, content))


@both_ways
async def test_join_conversation(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        one, _, talk = await pair(on)
        stranger = await on.person("three")
        o, s = await connect_all(on, way, one, stranger)
        await o.tells("join-conversation", {"conversationId": talk, "userId": 1})
        assert await o.hears("joined-conversation") == {"conversationId": talk, "success": True}
        for number, text in ((talk, "Unauthorized to join this conversation"), (999, "Conversation not found")):
            await s.tells("join-conversation", {"conversationId": number, "userId": 3})
            assert await s.hears("error") == {"message": text}
            answer = await s.asks("join-conversation", {"conversationId": number, "userId": 3})
            assert answer == {"success": False, "error": text}
        await s.hears_nothing()


@both_ways
async def test_leave_conversation(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        one, two, talk = await pair(on)
        o, t = await connect_all(on, way, one, two)
        await join(t, two, talk)
        await t.tells("leave-conversation", {"conversationId": talk})
        await t.fence()
        await o.tells(
            "send-message", {"sender_id": 1, "conversation_id": talk, "message_type": "text", "content": "Gone?"}
        )
        await o.hears("message-sent")
        await t.hears_nothing()
        await join(t, two, talk)
        await o.tells(
            "send-message", {"sender_id": 1, "conversation_id": talk, "message_type": "text", "content": "Back!"}
        )
        fits(await t.hears("receive-message"), message(1, "Back!"))


@both_ways
async def test_typing(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        one, two, talk = await pair(on)
        o, t = await connect_all(on, way, one, two)
        await join(o, one, talk)
        await join(t, two, talk)
        for state in (True, False, True):
            typing = {"conversationId": talk, "userId": 1, "isTyping": state}
            await o.tells("typing", typing)
            assert await t.hears("user-typing") == typing
        await o.hears_nothing()
        await o.is_cut_off()
        assert await t.hears("user-typing") == {"conversationId": talk, "userId": 1, "isTyping": False}


@both_ways
async def test_error_handling(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        one, two, talk = await pair(on)
        [o] = await connect_all(on, way, one)
        said = {"sender_id": 1, "conversation_id": talk, "message_type": "text", "content": "Hello"}
        for change, error in (
            ({"sender_id": None}, "sender_id should not be empty, sender_id must be an integer number"),
            ({"sender_id": "1"}, "sender_id must be an integer number"),
            ({"conversation_id": 999}, "Conversation not found"),
            ({"sender_id": two.id}, "The user in the payload must be your own"),
        ):
            await o.tells("send-message", {**said, **change})
            assert await o.hears("message-error") == {"error": error}
        await o.tells("join-conversation", {"conversationId": talk, "userId": two.id})
        assert await o.hears("error") == {"message": "The user in the payload must be your own"}
        await o.tells("no-such-event", {})
        fits(await o.hears("error"), {"message": TEXT})


@both_ways
async def test_rest(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        one, two, talk = await pair(on)
        o, t = await connect_all(on, way, one, two)
        await join(o, one, talk)
        path = f"/api/chats/conversations/{talk}/messages"
        body = {"sender_id": 2, "message_type": "text", "content": "by REST"}
        first = fits(await two.asks("POST", path, body, status=201), message(2, "by REST"))
        assert await o.hears("receive-message") == first
        sent = [first]
        for number in range(4):
            await o.tells(
                "send-message",
                {"sender_id": 1, "conversation_id": talk, "message_type": "text", "content": str(number)},
            )
            sent.append(await o.hears("receive-message"))
            await o.hears("message-sent")
        page = await two.asks("GET", f"{path}?page=1&limit=20")
        assert page == {"data": sent, "page": 1, "limit": 20, "total": 5}
        assert await two.asks("GET", f"{path}?page=2&limit=2") == {"data": sent[1:3], "page": 2, "limit": 2, "total": 5}
        assert await one.asks("GET", "/api/chats/conversations") == [{"id": 1, "sender_id": 1, "receiver_id": 2}]
        refused = await one.asks("POST", path, {**body, "sender_id": 2}, status=403)
        assert refused["code"] == "FORBIDDEN"
        await t.hears_nothing()


@both_ways
async def test_user_online_and_offline(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path, presence__grace="0s") as on:
        one, two, _ = await pair(on)
        stranger = await on.person("three")
        [o, s] = await connect_all(on, way, one, stranger, ignoring=())
        [t] = await connect_all(on, way, two, ignoring=())
        assert await o.hears("user:online") == {"userId": 2}
        assert await t.hears("user:online") == {"userId": 1}
        await t.leaves()
        assert await o.hears("user:offline") == {"userId": 2}
        await s.hears_nothing()
