"""`inbox`, section by section of its specification, over both framings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.scenes.chat_server import ChatServer, RegisteredUser, chat_server
from tests.scenes.clients import FRAMINGS, Client, Framing, JsonRpcClient, both_framings, open_client
from tests.scenes.shapes import TEXT, TIME, UUID, fits


async def pair(server: ChatServer) -> tuple[RegisteredUser, RegisteredUser, dict[str, Any]]:
    """Ann, Bob and their conversation, as in Ann's answer. Only answers contain the users' UUIDs."""
    ann, bob = await server.register("ann"), await server.register("bob")
    made = await ann.asks("POST", "/api/messages/conversations", {"otherUserId": uuid(bob)}, status=201)
    fits(
        made,
        {
            "id": UUID,
            "type": "private",
            "title": None,
            "participants": [uuid(ann), uuid(bob)],
            "otherUser": {"id": uuid(bob), "username": "bob", "displayName": None},
            "lastMessage": None,
            "unreadCount": 0,
            "createdAt": TIME,
        },
    )
    return ann, bob, made


def uuid(who: RegisteredUser) -> str:
    born = who.object_id[:8]
    return f"{born}-0000-8000-8000-{who.id:012x}"


async def connect(server: ChatServer, framing: Framing, who: RegisteredUser, count: int = 0) -> Client:
    """A client that has received its unread count."""
    client = await open_client(server, framing, "inbox", who, "/")
    assert await client.receives("unread_count") == {"count": count}
    return client


def message(
    talk: str, sender: RegisteredUser, receiver: RegisteredUser, content: str | None, *attachments: Any
) -> dict[str, Any]:
    return {
        "id": UUID,
        "conversationId": talk,
        "senderId": uuid(sender),
        "receiverId": uuid(receiver),
        "content": content,
        "attachments": list(attachments),
        "isRead": False,
        "createdAt": TIME,
    }


@both_framings
async def test_every_device_of_both_receives_a_message_with_nothing_to_join(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        ann, bob, talk = await pair(server)
        a, b, b2 = (
            await connect(server, framing, ann),
            await connect(server, framing, bob),
            await connect(server, framing, bob),
        )
        assert await b.receives("unread_count") == {"count": 0}  # sent again when the other device connected
        picture = {"url": "https://x.example/cat.png", "type": "IMAGE"}
        paper = {"url": "https://x.example/paper.pdf", "type": "PDF"}
        messages: list[dict[str, Any]] = [
            {"content": "Hello!"},
            {"content": "Look", "attachments": [picture, paper]},
            {"content": None, "attachments": [picture]},
            {"attachments": [paper]},
            {"content": "", "attachments": [paper]},
            {"content": "no more", "attachments": []},
        ]
        for number, said in enumerate(messages, 1):
            await a.performs("send_message", {"conversationId": talk["id"], **said})
            expected = message(talk["id"], ann, bob, said.get("content"), *said.get("attachments", ()))
            sent = fits(await a.receives("new_message"), expected)
            for client in (b, b2):
                assert await client.receives("new_message") == sent
                assert await client.receives("unread_count") == {"count": number}
        await a.receives_nothing()


@both_framings
async def test_null_content_comes_back_as_null(tmp_path: Path, framing: Framing) -> None:
    """On the socket, in lists, as the last message, and in a replay. Other dialects document a string."""
    async with chat_server(tmp_path) as server:
        ann, bob, talk = await pair(server)
        b, colon = await connect(server, framing, bob), await server.rpc(bob)
        assert await colon.receives("unread:count")
        picture = {"url": "https://x.example/cat.png", "type": "IMAGE"}
        body = {"otherUserId": uuid(bob), "content": None, "attachments": [picture]}
        sent = await ann.asks("POST", "/api/messages", body, status=201)
        assert sent["content"] is None
        assert await b.receives("new_message") == sent
        listed = await bob.asks("GET", f"/api/messages/with/{uuid(ann)}")
        assert listed["data"] == [sent]
        [talk] = await bob.asks("GET", "/api/messages/conversations")
        assert talk["lastMessage"] == sent
        missed = await bob.asks("GET", f"/events?dialect=inbox&epoch={colon.ready['epoch']}&pos={colon.ready['pos']}")
        assert [one["params"] for one in missed["events"] if one["method"] == "new_message"] == [sent]
        [conversation] = await bob.asks("GET", "/conversations")
        [same] = await bob.asks("GET", f"/conversations/{conversation['_id']}/messages")
        assert same["content"] == ""
        edited = await ann.asks("PATCH", f"/messages/{same['_id']}", {"content": ""})
        assert edited["content"] == ""
        assert (await bob.asks("GET", f"/api/messages/with/{uuid(ann)}"))["data"][0]["content"] == ""


async def test_the_count_on_connect_goes_to_all_devices_of_the_user(tmp_path: Path) -> None:
    """To devices that use this dialect, over every framing. Other dialects greet the new connection only."""
    async with chat_server(tmp_path) as server:
        ann, bob, _ = await pair(server)
        devices = [await connect(server, "jsonrpc", bob), await open_client(server, "socketio", "inbox", bob, "/")]
        for client in devices:
            assert await client.receives("unread_count") == {"count": 0}
        colon, other = await open_client(server, "jsonrpc", "colon", bob), await connect(server, "jsonrpc", ann)
        assert (await colon.receives("unread:count"))["total"] == 0
        for framing in FRAMINGS:
            await connect(server, framing, bob)
            for client in devices:
                assert await client.receives("unread_count") == {"count": 0}
        await open_client(server, "jsonrpc", "colon", bob)
        for client in (*devices, colon, other):
            await client.receives_nothing()


@both_framings
async def test_read_messages(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        ann, bob, talk = await pair(server)
        a, b, b2 = (
            await connect(server, framing, ann),
            await connect(server, framing, bob),
            await connect(server, framing, bob),
        )
        assert await b.receives("unread_count") == {"count": 0}  # sent again when the other device connected
        where = {"conversationId": talk["id"]}
        for number in (1, 2):
            await a.performs("send_message", {**where, "content": "Hello!"})
            for client in (b, b2):
                await client.receives("new_message")
                assert await client.receives("unread_count") == {"count": number}
        await b.performs("read_messages", where)
        for client in (b, b2):
            assert await client.receives("unread_count") == {"count": 0}
        for _ in range(2):
            await a.receives("new_message")
        await a.receives_nothing()
        listed = await ann.asks("GET", f"/api/messages/with/{uuid(bob)}")
        assert [one["isRead"] for one in listed["data"]] == [True, True]


@both_framings
async def test_reading_what_is_read_is_confirmed_all_the_same(tmp_path: Path, framing: Framing) -> None:
    """The unread_count event is the only answer to the call."""
    async with chat_server(tmp_path) as server:
        ann, _, talk = await pair(server)
        a = await connect(server, framing, ann)
        await a.performs("read_messages", {"conversationId": talk["id"]})
        assert await a.receives("unread_count") == {"count": 0}
        await a.performs("send_message", {"conversationId": talk["id"], "content": "my own"})
        await a.receives("new_message")
        for _ in range(2):
            await a.performs("read_messages", {"conversationId": talk["id"]})
            assert await a.receives("unread_count") == {"count": 0}
        await a.receives_nothing()


@both_framings
async def test_http_endpoints(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        ann, bob, talk = await pair(server)
        a = await connect(server, framing, ann)
        sent = []
        for number in range(3):
            body = {"otherUserId": uuid(ann), "content": str(number)}
            sent.append(
                fits(
                    await bob.asks("POST", "/api/messages", body, status=201),
                    message(talk["id"], bob, ann, str(number)),
                )
            )
            assert await a.receives("new_message") == sent[-1]
            assert await a.receives("unread_count") == {"count": number + 1}
        [listed] = await ann.asks("GET", "/api/messages/conversations")
        assert (listed["id"], listed["unreadCount"], listed["lastMessage"]) == (talk["id"], 3, sent[-1])
        path = f"/api/messages/with/{uuid(bob)}"
        assert await ann.asks("GET", path) == {"data": sent, "page": 1, "limit": 20, "total": 3}
        page = await ann.asks("GET", f"{path}?page=2&limit=2")
        assert page == {"data": sent[:1], "page": 2, "limit": 2, "total": 3}
        read = await ann.asks("GET", f"{path}?markAsRead=true")
        assert [one["isRead"] for one in read["data"]] == [True] * 3
        assert await a.receives("unread_count") == {"count": 0}
        [listed] = await ann.asks("GET", "/api/messages/conversations")
        assert listed["unreadCount"] == 0


@both_framings
async def test_the_count_is_sent_again_on_a_new_connection(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        ann, bob, _ = await pair(server)
        await ann.asks("POST", "/api/messages", {"otherUserId": uuid(bob), "content": "!"}, status=201)
        await (await connect(server, framing, bob, 1)).is_cut_off()
        await connect(server, framing, bob, 1)


@both_framings
async def test_who_is_no_participant_is_told_and_stays(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        _, _, talk = await pair(server)
        e = await connect(server, framing, await server.register("eve"))
        for call, more in (("send_message", {"content": "!"}), ("read_messages", {})):
            await e.notifies(call, {"conversationId": talk["id"], **more})
            assert await e.receives("error") == {"message": "Conversation not found"}
        await e.notifies("send_message", {"conversationId": talk["id"]})
        fits(await e.receives("error"), {"message": TEXT})
        await e.receives_nothing()


@both_framings
async def test_no_call_is_acknowledged(tmp_path: Path, framing: Framing) -> None:
    """JSON-RPC answers null to a call that has an id: it must have an answer."""
    async with chat_server(tmp_path) as server:
        ann, _, talk = await pair(server)
        a = await connect(server, framing, ann)
        for event, more in (("send_message", {"content": "!"}), ("read_messages", {})):
            payload = {"conversationId": talk["id"], **more}
            if isinstance(a, JsonRpcClient):
                assert await a.asks(event, payload) is None
            else:
                await a.send(event, (payload,), 1)
                await a.settles()
        assert [name for name, _ in await a.receives_all()] == ["new_message", "unread_count"]
        assert a.answers == {}
