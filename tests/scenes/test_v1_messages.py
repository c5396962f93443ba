"""The messages of `v1`: replies, threads, reactions, mentions, pins, copies; and what the five dialects see of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenes.chat_server import chat_server
from tests.scenes.clients import open_client
from tests.scenes.v1_clients import Wire, connect, every_wire, v1

SHOWN = {
    "id", "conversationId", "position", "sender", "type", "content", "attachments", "replyTo", "threadId", "thread",
    "reactions", "mentions", "pinned", "forwarded", "seenBy", "clientId", "createdAt", "editedAt",
}  # fmt: skip


@every_wire
async def test_a_message_has_every_key(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await v1(server, framing, "romeo", "juliet")
        talk = await romeo.group(juliet)
        sent = await romeo.does("message.send", conversationId=talk, content="But soft!", clientId="b-1")
        assert set(sent) == SHOWN
        assert sent["sender"] == {"id": romeo.id, "username": "romeo", "displayName": None, "avatarUrl": None}
        assert (sent["conversationId"], sent["content"], sent["clientId"]) == (talk, "But soft!", "b-1")
        assert await romeo.receives("message.created") == sent
        assert await juliet.receives("message.created") == sent
        assert 0 < sent["position"] <= server.running.app.broker.position
        assert await juliet.does("message.get", messageId=sent["id"]) == sent
        assert await romeo.does("message.send", conversationId=talk, content="But soft!", clientId="b-1") == sent
        assert await romeo.fails("message.send", conversationId=talk, content="Other", clientId="b-1") == (
            "CONFLICT",
            "clientId",
        )
        page = await juliet.does("message.list", conversationId=talk)
        assert page == {"items": [sent], "next": None}


@every_wire
async def test_a_reply_names_the_message_that_it_answers(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await v1(server, framing, "romeo", "juliet")
        talk, other = await romeo.group(juliet), await romeo.group(juliet)
        first = await romeo.does("message.send", conversationId=talk, content="x" * 300)
        reply = await juliet.does("message.send", conversationId=talk, content="Ay me!", replyTo=first["id"])
        assert reply["replyTo"] == {"id": first["id"], "sender": first["sender"], "content": "x" * 200}
        for one in (romeo, juliet):
            assert await one.receives("message.created") == first
            assert await one.receives("message.created") == reply
        await romeo.does("message.delete", messageId=first["id"])
        await romeo.forgets()
        assert (await romeo.does("message.get", messageId=reply["id"]))["replyTo"]["content"] is None
        wrong = ("BAD_REQUEST", "replyTo")
        for target in (first["id"], reply["id"] + 1000):
            assert await juliet.fails("message.send", conversationId=talk, content="?", replyTo=target) == wrong
        assert await juliet.fails("message.send", conversationId=other, content="?", replyTo=reply["id"]) == wrong
        await juliet.forgets()
        await romeo.receives_nothing()


@every_wire
async def test_a_thread(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await v1(server, framing, "romeo", "juliet")
        talk = await romeo.group(juliet)
        first = await romeo.does("message.send", conversationId=talk, content="What light?")
        await juliet.receives("message.created")
        sent = []
        for number in range(3):
            one = await juliet.does("message.send", conversationId=talk, content=f"{number}", threadId=first["id"])
            assert one["threadId"] == first["id"]
            sent.append(one)
            assert await juliet.receives("message.created") == one
            changed = await juliet.receives("message.updated")
            assert changed == {**first, "thread": {"count": number + 1, "lastAt": one["createdAt"]}}
        listed = await romeo.does("thread.list", messageId=first["id"])
        assert listed == {"items": sent, "next": None}
        page = await romeo.does("thread.list", messageId=first["id"], limit=2)
        assert page == {"items": sent[:2], "next": {"after": sent[1]["id"]}}
        rest = await romeo.does("thread.list", messageId=first["id"], limit=2, after=sent[1]["id"])
        assert rest == {"items": sent[2:], "next": None}
        everything = await romeo.does("message.list", conversationId=talk)
        assert [one["id"] for one in everything["items"]] == [first["id"], *(one["id"] for one in sent)]
        await juliet.does("message.delete", messageId=sent[2]["id"])
        await juliet.receives("message.deleted")
        assert (await juliet.receives("message.updated"))["thread"]["count"] == 2
        nested = await romeo.fails("message.send", conversationId=talk, content="?", threadId=sent[0]["id"])
        assert nested == ("BAD_REQUEST", "threadId")


@every_wire
async def test_reactions(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, nurse = await v1(server, framing, "romeo", "juliet", "nurse")
        talk = await romeo.group(juliet)
        sent = await romeo.does("message.send", conversationId=talk, content="It is the east")
        await juliet.receives("message.created")
        changed = await juliet.does("reaction.add", messageId=sent["id"], emoji="❤️")
        assert changed == {**sent, "reactions": [{"emoji": "❤️", "count": 1, "userIds": [juliet.id]}]}
        assert await juliet.receives("message.updated") == changed
        assert await juliet.does("reaction.add", messageId=sent["id"], emoji="❤") == changed
        await juliet.receives_nothing()
        both = await romeo.does("reaction.add", messageId=sent["id"], emoji="❤")
        assert both["reactions"] == [{"emoji": "❤️", "count": 2, "userIds": [juliet.id, romeo.id]}]
        assert await juliet.receives("message.updated") == both
        await juliet.does("reaction.remove", messageId=sent["id"], emoji="❤")
        left = await romeo.does("reaction.remove", messageId=sent["id"], emoji="❤️")
        assert left == sent
        assert await romeo.does("reaction.remove", messageId=sent["id"], emoji="❤️") == sent
        assert await romeo.fails("reaction.add", messageId=sent["id"], emoji="heart") == ("BAD_REQUEST", "emoji")
        assert await nurse.fails("reaction.add", messageId=sent["id"], emoji="👍") == ("NOT_FOUND", None)
        for number in range(50):
            await romeo.does("reaction.add", messageId=sent["id"], emoji=chr(0x1F600 + number))
        assert await juliet.fails("reaction.add", messageId=sent["id"], emoji="👍") == ("BAD_REQUEST", "emoji")
        assert len((await juliet.does("reaction.add", messageId=sent["id"], emoji=chr(0x1F600)))["reactions"]) == 50


@every_wire
async def test_mentions_are_found_by_the_server_and_survive_a_new_name(tmp_path: Path, framing: Wire) -> None:
    ignoring = ("presence.changed", "notification.counted", "notification.created", "conversation.created")
    async with chat_server(tmp_path) as server:
        romeo, juliet, _ = await v1(server, framing, "romeo", "juliet", "nurse", ignoring=ignoring)
        talk = (await romeo.does("conversation.create", type="group", memberIds=[juliet.id]))["id"]
        await romeo.forgets()
        await juliet.forgets()
        sent = await romeo.does("message.send", conversationId=talk, content="Hi @Juliet. And @nurse, @all? a@juliet")
        assert sent["mentions"] == [{"userId": None, "name": "all"}, {"userId": juliet.id, "name": "Juliet"}]
        assert (await juliet.receives("message.created"))["mentions"] == sent["mentions"]
        counts = await juliet.receives("unread.changed")
        assert counts == {
            "total": 1,
            "mentions": 1,
            "conversations": [{"conversationId": talk, "unread": 1, "mentions": 1}],
        }
        assert await juliet.does("unread.get") == counts
        assert (await juliet.does("conversation.get", conversationId=talk))["me"] == {
            "role": "member",
            "unread": 1,
            "mentions": 1,
            "readTo": 0,
            "notifications": "all",
            "mutedUntil": None,
            "isArchived": False,
            "draft": "",
        }
        edited = await romeo.does("message.edit", messageId=sent["id"], content="Hi")
        assert edited["mentions"] == []
        await juliet.client.settles()
        assert (await juliet.does("unread.get"))["mentions"] == 0
        plain = await juliet.does("message.send", conversationId=talk, content="@all but not @all")
        assert plain["mentions"] == []


@every_wire
async def test_pins_and_copies(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, nurse = await v1(server, framing, "romeo", "juliet", "nurse")
        talk, other = await romeo.group(juliet), await romeo.group(nurse)
        sent = [await romeo.does("message.send", conversationId=talk, content=text) for text in ("one", "two")]
        await juliet.forgets()
        pinned = await juliet.does("pin.add", messageId=sent[0]["id"])
        assert pinned == {**sent[0], "pinned": True}
        assert await juliet.receives("message.updated") == pinned
        await juliet.does("pin.add", messageId=sent[1]["id"])
        assert [one["id"] for one in await romeo.does("pin.list", conversationId=talk)] == [
            sent[1]["id"],
            sent[0]["id"],
        ]
        await romeo.does("message.delete", messageId=sent[1]["id"])
        assert await romeo.does("pin.list", conversationId=talk) == [pinned]
        assert await romeo.does("pin.remove", messageId=sent[0]["id"]) == sent[0]
        copy = await romeo.does("message.forward", messageId=sent[0]["id"], conversationId=other)
        assert (copy["content"], copy["forwarded"], copy["conversationId"]) == ("one", True, other)
        assert await nurse.receives("message.created") == copy
        gone = ("NOT_FOUND", None)
        assert await romeo.fails("message.forward", messageId=sent[1]["id"], conversationId=other) == gone
        assert await juliet.fails("message.forward", messageId=sent[0]["id"], conversationId=other) == gone
        assert await nurse.fails("message.forward", messageId=sent[0]["id"], conversationId=other) == gone


@every_wire
async def test_marked_as_unread_on_all_devices_and_still_seen_by_the_sender(tmp_path: Path, framing: Wire) -> None:
    ignoring = ("presence.changed", "notification.counted", "notification.created", "message.created", "message.read")
    async with chat_server(tmp_path) as server:
        romeo, juliet = await v1(server, framing, "romeo", "juliet", ignoring=ignoring)
        talk = await romeo.group(juliet)
        ids = [(await romeo.does("message.send", conversationId=talk, content=text))["id"] for text in "abc"]
        await juliet.does("conversation.read", conversationId=talk)
        await juliet.forgets()
        await juliet.does("message.markUnread", messageId=ids[1])
        assert await juliet.receives("message.markedUnread") == {"conversationId": talk, "readTo": ids[0]}
        assert (await juliet.receives("unread.changed"))["total"] == 2
        assert (await juliet.does("conversation.get", conversationId=talk))["me"]["unread"] == 2
        assert (await romeo.does("message.get", messageId=ids[2]))["seenBy"] == [juliet.id]
        again = await connect(server, framing, juliet.user, ignoring=())
        assert (await again.receives("unread.changed"))["total"] == 2
        await juliet.does("message.read", messageId=ids[1])
        assert (await juliet.receives("unread.changed"))["total"] == 1
        await juliet.does("message.read", messageId=ids[2])
        assert (await juliet.receives("unread.changed"))["total"] == 0


@pytest.mark.parametrize("dialect", ["colon", "kebab", "rooms"])
async def test_other_dialects_receive_the_messages_and_nothing_else(tmp_path: Path, dialect: str) -> None:
    async with chat_server(tmp_path) as server:
        [romeo] = await v1(server, "jsonrpc", "romeo")
        juliet = await server.register("juliet")
        talk = (await romeo.does("conversation.create", type="private", memberIds=[juliet.id]))["id"]
        old = await open_client(server, "jsonrpc", dialect, juliet, "/chat")
        join = {
            "colon": ("conversation:join", {"conversationId": ""}),
            "kebab": ("join-conversation", {"conversationId": talk, "userId": juliet.id}),
            "rooms": ("join_room", {"roomId": ""}),
        }[dialect]
        if dialect != "kebab":
            listed = await juliet.asks("GET", "/conversations")
            join[1].update(dict.fromkeys(join[1], listed[0]["_id"]))
        await old.asks(*join)
        await old.settles()
        await old.receives_all()
        first = await romeo.does("message.send", conversationId=talk, content="one")
        await romeo.does("message.send", conversationId=talk, content="two @juliet", replyTo=first["id"])
        await romeo.does("message.send", conversationId=talk, content="three", threadId=first["id"])
        await romeo.does("reaction.add", messageId=first["id"], emoji="👍")
        await romeo.does("pin.add", messageId=first["id"])
        await old.settles()
        received = [
            body["content"] for name, body in await old.receives_all() if "content" in body and "title" not in body
        ]
        assert received == ["one", "two @juliet", "three"]
