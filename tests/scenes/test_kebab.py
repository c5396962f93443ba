"""`kebab`, section by section of its specification, over both framings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.scenes.chat_server import ChatServer, RegisteredUser, chat_server
from tests.scenes.clients import Client, Framing, both_framings, open_client
from tests.scenes.shapes import INTEGER, TEXT, TIME, fits

PRESENCE = ("user:online", "user:offline")


async def pair(server: ChatServer) -> tuple[RegisteredUser, RegisteredUser, int]:
    """User 1, user 2 and their conversation 1, as in all examples of the specification."""
    one, two = await server.register("one"), await server.register("two")
    body = {"sender_id": one.id, "receiver_id": two.id}
    made = await one.asks("POST", "/api/chats/conversations", body, status=201)
    assert made == {"id": 1, "sender_id": 1, "receiver_id": 2}
    return one, two, made["id"]


async def connect_all(
    server: ChatServer, framing: Framing, *people: RegisteredUser, ignoring: tuple[str, ...] = PRESENCE
) -> list[Client]:
    return [await open_client(server, framing, "kebab", who, userId=str(who.id), ignoring=ignoring) for who in people]


async def join(client: Client, who: RegisteredUser, conversation: int) -> None:
    done = {"success": True, "conversationId": conversation}
    assert await client.asks("join-conversation", {"conversationId": conversation, "userId": who.id}) == done
    assert await client.receives("joined-conversation") == done


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


@both_framings
async def test_send_message(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        one, two, talk = await pair(server)
        o, t = await connect_all(server, framing, one, two)
        await join(t, two, talk)
        content = "Hello, how are you?"
        said = {"sender_id": 1, "conversation_id": talk, "message_type": "text", "content": content}
        await o.notifies("send-message", said)
        sent = fits(await o.receives("message-sent"), message(1, content))
        assert await t.receives("receive-message") == sent
        await o.receives_nothing()  # it has not joined

        await join(o, one, talk)
        for type, url in (("image", "https://x.example/y.png"), ("file", "7")):
            await t.notifies("send-message", {**said, "sender_id": 2, "message_type": type, "content": url})
            sent = fits(await o.receives("receive-message"), message(2, url, type))
            assert await t.receives("receive-message") == sent
            assert await t.receives("message-sent") == sent
        assert await o.asks("send-message", said) == fits(await o.receives("receive-message"), message(1, content))


@both_framings
async def test_join_conversation(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        one, _, talk = await pair(server)
        stranger = await server.register("three")
        o, s = await connect_all(server, framing, one, stranger)
        await o.notifies("join-conversation", {"conversationId": talk, "userId": 1})
        assert await o.receives("joined-conversation") == {"conversationId": talk, "success": True}
        for number, text in ((talk, "Unauthorized to join this conversation"), (999, "Conversation not found")):
            await s.notifies("join-conversation", {"conversationId": number, "userId": 3})
            assert await s.receives("error") == {"message": text}
            answer = await s.asks("join-conversation", {"conversationId": number, "userId": 3})
            assert answer == {"success": False, "error": text}
        await s.receives_nothing()


@both_framings
async def test_leave_conversation(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        one, two, talk = await pair(server)
        o, t = await connect_all(server, framing, one, two)
        await join(t, two, talk)
        await t.notifies("leave-conversation", {"conversationId": talk})
        await t.fence()
        await o.notifies(
            "send-message", {"sender_id": 1, "conversation_id": talk, "message_type": "text", "content": "Gone?"}
        )
        await o.receives("message-sent")
        await t.receives_nothing()
        await join(t, two, talk)
        await o.notifies(
            "send-message", {"sender_id": 1, "conversation_id": talk, "message_type": "text", "content": "Back!"}
        )
        fits(await t.receives("receive-message"), message(1, "Back!"))


@both_framings
async def test_typing(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        one, two, talk = await pair(server)
        o, t = await connect_all(server, framing, one, two)
        await join(o, one, talk)
        await join(t, two, talk)
        for state in (True, False, True):
            typing = {"conversationId": talk, "userId": 1, "isTyping": state}
            await o.notifies("typing", typing)
            assert await t.receives("user-typing") == typing
        await o.receives_nothing()
        await o.is_cut_off()
        assert await t.receives("user-typing") == {"conversationId": talk, "userId": 1, "isTyping": False}


@both_framings
async def test_error_handling(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        one, two, talk = await pair(server)
        [o] = await connect_all(server, framing, one)
        said = {"sender_id": 1, "conversation_id": talk, "message_type": "text", "content": "Hello"}
        for change, error in (
            ({"sender_id": None}, "sender_id should not be empty, sender_id must be an integer number"),
            ({"sender_id": "1"}, "sender_id must be an integer number"),
            ({"conversation_id": 999}, "Conversation not found"),
            ({"sender_id": two.id}, "The user in the payload must be your own"),
        ):
            await o.notifies("send-message", {**said, **change})
            assert await o.receives("message-error") == {"error": error}
        await o.notifies("join-conversation", {"conversationId": talk, "userId": two.id})
        assert await o.receives("error") == {"message": "The user in the payload must be your own"}
        await o.notifies("no-such-event", {})
        fits(await o.receives("error"), {"message": TEXT})


@both_framings
async def test_rest(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        one, two, talk = await pair(server)
        o, t = await connect_all(server, framing, one, two)
        await join(o, one, talk)
        path = f"/api/chats/conversations/{talk}/messages"
        body = {"sender_id": 2, "message_type": "text", "content": "by REST"}
        first = fits(await two.asks("POST", path, body, status=201), message(2, "by REST"))
        assert await o.receives("receive-message") == first
        sent = [first]
        for number in range(4):
            await o.notifies(
                "send-message",
                {"sender_id": 1, "conversation_id": talk, "message_type": "text", "content": str(number)},
            )
            sent.append(await o.receives("receive-message"))
            await o.receives("message-sent")
        page = await two.asks("GET", f"{path}?page=1&limit=20")
        assert page == {"data": sent, "page": 1, "limit": 20, "total": 5}
        assert await two.asks("GET", f"{path}?page=2&limit=2") == {"data": sent[1:3], "page": 2, "limit": 2, "total": 5}
        assert await one.asks("GET", "/api/chats/conversations") == [{"id": 1, "sender_id": 1, "receiver_id": 2}]
        refused = await one.asks("POST", path, {**body, "sender_id": 2}, status=403)
        assert refused["code"] == "FORBIDDEN"
        await t.receives_nothing()


@both_framings
async def test_user_online_and_offline(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path, presence__grace="0s") as server:
        one, two, _ = await pair(server)
        stranger = await server.register("three")
        [o, s] = await connect_all(server, framing, one, stranger, ignoring=())
        [t] = await connect_all(server, framing, two, ignoring=())
        assert await o.receives("user:online") == {"userId": 2}
        assert await t.receives("user:online") == {"userId": 1}
        await t.leaves()
        assert await o.receives("user:offline") == {"userId": 2}
        await s.receives_nothing()
