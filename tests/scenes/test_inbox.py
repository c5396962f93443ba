"""`inbox`, section by section of its specification, over both framings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.scenes.players import WAYS, Player, RpcActor, Way, both_ways, play
from tests.scenes.shapes import TEXT, TIME, UUID, fits
from tests.scenes.stage import Person, Stage, stage


async def pair(on: Stage) -> tuple[Person, Person, dict[str, Any]]:
    """Ann, Bob and their conversation, as in Ann's answer. Only answers contain the users' UUIDs."""
    ann, bob = await on.person("ann"), await on.person("bob")
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


def uuid(who: Person) -> str:
    born = who.object_id[:8]
    return f"{born}-0000-8000-8000-{who.id:012x}"


async def connect(on: Stage, way: Way, who: Person, count: int = 0) -> Player:
    """A client that has received its unread count."""
    player = await play(on, way, "inbox", who, "/")
    assert await player.hears("unread_count") == {"count": count}
    return player


def message(talk: str, sender: Person, receiver: Person, content: str | None, *attachments: Any) -> dict[str, Any]:
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


@both_ways
async def test_every_device_of_both_hears_a_message_with_nothing_to_join(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        ann, bob, talk = await pair(on)
        a, b, b2 = await connect(on, way, ann), await connect(on, way, bob), await connect(on, way, bob)
        assert await b.hears("unread_count") == {"count": 0}  # sent again when the other device connected
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
            await a.does("send_message", {"conversationId": talk["id"], **said})
            expected = message(talk["id"], ann, bob, said.get("content"), *said.get("attachments", ()))
            sent = fits(await a.hears("new_message"), expected)
            for player in (b, b2):
                assert await player.hears("new_message") == sent
                assert await player.hears("unread_count") == {"count": number}
        await a.hears_nothing()


@both_ways
async def test_null_content_comes_back_as_null(tmp_path: Path, way: Way) -> None:
    """On the socket, in lists, as the last message, and in a replay. Other dialects document a string."""
    async with stage(tmp_path) as on:
        ann, bob, talk = await pair(on)
        b, colon = await connect(on, way, bob), await on.rpc(bob)
        assert await colon.hears("unread:count")
        picture = {"url": "https://x.example/cat.png", "type": "IMAGE"}
        body = {"otherUserId": uuid(bob), "content": None, "attachments": [picture]}
        sent = await ann.asks("POST", "/api/messages", body, status=201)
        assert sent["content"] is None
        assert await b.hears("new_message") == sent
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
    async with stage(tmp_path) as on:
        ann, bob, _ = await pair(on)
        devices = [await connect(on, "jsonrpc", bob), await play(on, "socketio", "inbox", bob, "/")]
        for player in devices:
            assert await player.hears("unread_count") == {"count": 0}
        colon, other = await play(on, "jsonrpc", "colon", bob), await connect(on, "jsonrpc", ann)
        assert (await colon.hears("unread:count"))["total"] == 0
        for way in WAYS:
            await connect(on, way, bob)
            for player in devices:
                assert await player.hears("unread_count") == {"count": 0}
        await play(on, "jsonrpc", "colon", bob)
        for player in (*devices, colon, other):
            await player.hears_nothing()


@both_ways
async def test_read_messages(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        ann, bob, talk = await pair(on)
        a, b, b2 = await connect(on, way, ann), await connect(on, way, bob), await connect(on, way, bob)
        assert await b.hears("unread_count") == {"count": 0}  # sent again when the other device connected
        where = {"conversationId": talk["id"]}
        for number in (1, 2):
            await a.does("send_message", {**where, "content": "Hello!"})
            for player in (b, b2):
                await player.hears("new_message")
                assert await player.hears("unread_count") == {"count": number}
        await b.does("read_messages", where)
        for player in (b, b2):
            assert await player.hears("unread_count") == {"count": 0}
        for _ in range(2):
            await a.hears("new_message")
        await a.hears_nothing()
        listed = await ann.asks("GET", f"/api/messages/with/{uuid(bob)}")
        assert [one["isRead"] for one in listed["data"]] == [True, True]


@both_ways
async def test_reading_what_is_read_is_confirmed_all_the_same(tmp_path: Path, way: Way) -> None:
    """The unread_count event is the only answer to the call."""
    async with stage(tmp_path) as on:
        ann, _, talk = await pair(on)
        a = await connect(on, way, ann)
        await a.does("read_messages", {"conversationId": talk["id"]})
        assert await a.hears("unread_count") == {"count": 0}
        await a.does("send_message", {"conversationId": talk["id"], "content": "my own"})
        await a.hears("new_message")
        for _ in range(2):
            await a.does("read_messages", {"conversationId": talk["id"]})
            assert await a.hears("unread_count") == {"count": 0}
        await a.hears_nothing()


@both_ways
async def test_http_endpoints(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        ann, bob, talk = await pair(on)
        a = await connect(on, way, ann)
        sent = []
        for number in range(3):
            body = {"otherUserId": uuid(ann), "content": str(number)}
            sent.append(
                fits(
                    await bob.asks("POST", "/api/messages", body, status=201),
                    message(talk["id"], bob, ann, str(number)),
                )
            )
            assert await a.hears("new_message") == sent[-1]
            assert await a.hears("unread_count") == {"count": number + 1}
        [listed] = await ann.asks("GET", "/api/messages/conversations")
        assert (listed["id"], listed["unreadCount"], listed["lastMessage"]) == (talk["id"], 3, sent[-1])
        path = f"/api/messages/with/{uuid(bob)}"
        assert await ann.asks("GET", path) == {"data": sent, "page": 1, "limit": 20, "total": 3}
        page = await ann.asks("GET", f"{path}?page=2&limit=2")
        assert page == {"data": sent[:1], "page": 2, "limit": 2, "total": 3}
        read = await ann.asks("GET", f"{path}?markAsRead=true")
        assert [one["isRead"] for one in read["data"]] == [True] * 3
        assert await a.hears("unread_count") == {"count": 0}
        [listed] = await ann.asks("GET", "/api/messages/conversations")
        assert listed["unreadCount"] == 0


@both_ways
async def test_the_count_is_sent_again_on_a_new_connection(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        ann, bob, _ = await pair(on)
        await ann.asks("POST", "/api/messages", {"otherUserId": uuid(bob), "content": "!"}, status=201)
        await (await connect(on, way, bob, 1)).is_cut_off()
        await connect(on, way, bob, 1)


@both_ways
async def test_who_is_no_participant_is_told_and_stays(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        _, _, talk = await pair(on)
        e = await connect(on, way, await on.person("eve"))
        for call, more in (("send_message", {"content": "!"}), ("read_messages", {})):
            await e.tells(call, {"conversationId": talk["id"], **more})
            assert await e.hears("error") == {"message": "Conversation not found"}
        await e.tells("send_message", {"conversationId": talk["id"]})
        fits(await e.hears("error"), {"message": TEXT})
        await e.hears_nothing()


@both_ways
async def test_no_call_is_acknowledged(tmp_path: Path, way: Way) -> None:
    """JSON-RPC answers null to a call that has an id: it must have an answer."""
    async with stage(tmp_path) as on:
        ann, _, talk = await pair(on)
        a = await connect(on, way, ann)
        for event, more in (("send_message", {"content": "!"}), ("read_messages", {})):
            payload = {"conversationId": talk["id"], **more}
            if isinstance(a, RpcActor):
                assert await a.asks(event, payload) is None
            else:
                await a.send(event, (payload,), 1)
                await a.settles()
        assert [name for name, _ in await a.hears_all()] == ["new_message", "unread_count"]
        assert a.answers == {}
