"""The conversations of `v1`: details, roles, public groups, bans."""

from __future__ import annotations

from pathlib import Path

from tests.scenes.chat_server import chat_server
from tests.scenes.v1_clients import Wire, every_wire, v1


@every_wire
async def test_title_topic_picture_and_visibility(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await v1(server, framing, "romeo", "juliet")
        talk = await romeo.group(juliet, title="Verona")
        changed = await romeo.does(
            "conversation.update", conversationId=talk, topic="Plans", avatarUrl="https://a.example/v.png"
        )
        assert (changed["title"], changed["topic"], changed["visibility"]) == ("Verona", "Plans", "private")
        event = await juliet.receives("conversation.updated")
        assert event == {key: changed[key] for key in event}
        assert set(changed) - set(event) == {"me", "other", "lastMessage"}
        await romeo.does("conversation.update", conversationId=talk, topic="Plans")
        await juliet.receives_nothing()
        cleared = await romeo.does("conversation.update", conversationId=talk, topic=None)
        assert cleared["topic"] is None
        assert await juliet.fails("conversation.update", conversationId=talk, topic="x") == ("FORBIDDEN", None)
        too_long = await romeo.fails("conversation.update", conversationId=talk, topic="x" * 1001)
        assert too_long == ("BAD_REQUEST", "topic")
        pair = (await romeo.does("conversation.create", type="private", memberIds=[juliet.id]))["id"]
        assert await romeo.fails("conversation.update", conversationId=pair, topic="x") == ("FORBIDDEN", None)


@every_wire
async def test_roles_and_leaving(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, nurse = await v1(server, framing, "romeo", "juliet", "nurse")
        talk = await romeo.group(juliet, nurse)
        await romeo.does("member.update", conversationId=talk, userId=juliet.id, role="admin")
        event = await nurse.receives("member.updated")
        assert (event["conversationId"], event["user"]["id"], event["role"]) == (talk, juliet.id, "admin")
        refused = await juliet.fails("member.update", conversationId=talk, userId=nurse.id, role="admin")
        assert refused == ("FORBIDDEN", None)
        await romeo.does("member.update", conversationId=talk, userId=juliet.id, role="owner")
        handed = [await nurse.receives("member.updated") for _ in range(2)]
        assert [(one["user"]["id"], one["role"]) for one in handed] == [(romeo.id, "admin"), (juliet.id, "owner")]
        members = await nurse.does("member.list", conversationId=talk)
        assert {one["user"]["id"]: one["role"] for one in members} == {
            romeo.id: "admin",
            juliet.id: "owner",
            nurse.id: "member",
        }
        await juliet.does("conversation.leave", conversationId=talk)
        assert (await nurse.receives("member.updated"))["role"] == "owner"
        assert await nurse.receives("member.removed") == {"conversationId": talk, "userId": juliet.id}
        assert await juliet.fails("conversation.get", conversationId=talk) == ("NOT_FOUND", None)


@every_wire
async def test_a_public_group_is_found_and_joined(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await v1(server, framing, "romeo", "juliet")
        hidden = await romeo.group(title="Verona at night")
        shown = await romeo.group(title="Verona by day", visibility="public")
        found = await juliet.does("conversation.find", query="verona")
        assert [one["id"] for one in found["items"]] == [shown]
        assert await juliet.fails("conversation.join", conversationId=hidden) == ("NOT_FOUND", None)
        joined = await juliet.does("conversation.join", conversationId=shown)
        assert joined["memberIds"] == [romeo.id, juliet.id]
        assert joined["me"]["role"] == "member"
        assert (await romeo.receives("member.added"))["user"]["id"] == juliet.id
        assert await juliet.does("conversation.join", conversationId=shown) == joined
        await romeo.receives_nothing()
        await romeo.does("conversation.update", conversationId=shown, visibility="private")
        assert (await juliet.does("conversation.find"))["items"] == []


@every_wire
async def test_a_banned_user_is_out_and_stays_out(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, tybalt = await v1(server, framing, "romeo", "juliet", "tybalt")
        talk = await romeo.group(juliet, tybalt, visibility="public")
        await romeo.does("member.update", conversationId=talk, userId=juliet.id, role="admin")
        await romeo.forgets()
        await juliet.does("ban.add", conversationId=talk, userId=tybalt.id)
        assert await romeo.receives("member.removed") == {"conversationId": talk, "userId": tybalt.id}
        assert await tybalt.fails("conversation.join", conversationId=talk) == ("FORBIDDEN", "userId")
        assert await romeo.fails("member.add", conversationId=talk, userId=tybalt.id) == ("FORBIDDEN", "userId")
        [ban] = await romeo.does("ban.list", conversationId=talk)
        assert (ban["user"]["id"], ban["bannedBy"]) == (tybalt.id, juliet.id)
        assert await juliet.fails("ban.add", conversationId=talk, userId=romeo.id) == ("FORBIDDEN", None)
        await juliet.does("ban.remove", conversationId=talk, userId=tybalt.id)
        assert await juliet.fails("ban.remove", conversationId=talk, userId=tybalt.id) == ("NOT_FOUND", "userId")
        assert (await tybalt.does("conversation.join", conversationId=talk))["me"]["role"] == "member"
