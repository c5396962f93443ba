"""What members of `v1` are notified of, their archive and drafts; blocks, reports and the audit log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chatd.services import accounts
from chatd.services.context import SHELL, ServiceContext, ServiceRules
from tests.scenes.chat_server import ChatServer, chat_server
from tests.scenes.v1_clients import V1, Wire, connect, every_wire, v1

QUIET = (
    "presence.changed",
    "message.created",
    "message.updated",
    "message.deleted",
    "conversation.created",
    "unread.changed",
    "notification.created",
    "notification.updated",
    "notification.deleted",
    "notification.counted",
)


async def count(user: V1) -> int:
    """How many notifications the user has."""
    await user.client.settles()
    found: int = (await user.does("notification.count"))["count"]
    return found


async def pair(server: ChatServer, framing: Wire) -> tuple[V1, V1, int]:
    romeo, juliet = await v1(server, framing, "romeo", "juliet", ignoring=QUIET)
    talk = (await romeo.does("conversation.create", type="group", memberIds=[juliet.id]))["id"]
    return romeo, juliet, talk


LEVELS = {
    "all": (1, 1),
    "mentions": (0, 1),
    "none": (0, 0),
}


@every_wire
@pytest.mark.parametrize("level", LEVELS)
async def test_a_level_says_which_messages_make_notifications(tmp_path: Path, framing: Wire, level: str) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, talk = await pair(server, framing)
        await juliet.does("preferences.update", conversationId=talk, notifications=level)
        await romeo.does("message.send", conversationId=talk, content="Look here")
        assert await count(juliet) == LEVELS[level][0]
        mentioned = await romeo.does("message.send", conversationId=talk, content="Look here, @juliet")
        assert await count(juliet) == LEVELS[level][1]
        unread = await juliet.does("unread.get")
        assert (unread["total"], unread["mentions"]) == (2, 1)
        await romeo.does("message.delete", messageId=mentioned["id"])
        assert await count(juliet) == LEVELS[level][0]
        listed = await juliet.does("notification.list")
        assert len(listed["items"]) == LEVELS[level][0]


@every_wire
async def test_a_change_of_the_level_applies_to_later_messages(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, talk = await pair(server, framing)
        await romeo.does("message.send", conversationId=talk, content="one")
        assert await count(juliet) == 1
        await juliet.does("preferences.update", conversationId=talk, notifications="none")
        assert await count(juliet) == 0
        await romeo.does("message.send", conversationId=talk, content="two")
        await juliet.does("preferences.update", conversationId=talk, notifications="all")
        assert await count(juliet) == 1, "the messages during the silence count when it ends by hand"


@every_wire
async def test_a_mute_lets_mentions_through_at_the_level_of_mentions(tmp_path: Path, framing: Wire) -> None:
    later = "2100-01-01T00:00:00.000Z"
    async with chat_server(tmp_path) as server:
        romeo, juliet, talk = await pair(server, framing)
        muted = await juliet.does("preferences.update", conversationId=talk, mutedUntil="2100-01-01T01:00:00+01:00")
        assert muted == {"notifications": "all", "mutedUntil": later, "isArchived": False, "draft": ""}
        assert await juliet.receives("preferences.updated") == {"conversationId": talk, **muted}
        await romeo.does("message.send", conversationId=talk, content="@juliet")
        assert await count(juliet) == 0
        await juliet.does("preferences.update", conversationId=talk, notifications="mentions")
        await romeo.does("message.send", conversationId=talk, content="@juliet again")
        assert await count(juliet) == 1
        past = await juliet.fails("preferences.update", conversationId=talk, mutedUntil="2000-01-01T00:00:00Z")
        assert past == ("BAD_REQUEST", "mutedUntil")


@every_wire
async def test_archive_and_draft_reach_all_devices_of_the_user_alone(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, talk = await pair(server, framing)
        other = await connect(server, framing, juliet.user, ignoring=QUIET)
        changed = await juliet.does("preferences.update", conversationId=talk, isArchived=True, draft="Ay")
        for device in (juliet, other):
            assert await device.receives("preferences.updated") == {"conversationId": talk, **changed}
        own = (await other.does("conversation.get", conversationId=talk))["me"]
        assert (own["isArchived"], own["draft"]) == (True, "Ay")
        assert await juliet.does("preferences.update", conversationId=talk, draft=None, isArchived=False) == {
            "notifications": "all",
            "mutedUntil": None,
            "isArchived": False,
            "draft": "",
        }
        too_long = await juliet.fails("preferences.update", conversationId=talk, draft="x" * 10_001)
        assert too_long == ("BAD_REQUEST", "draft")
        await romeo.receives_nothing()


@every_wire
async def test_a_blocked_user_sends_no_private_messages(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, talk = await pair(server, framing)
        private = (await romeo.does("conversation.create", type="private", memberIds=[juliet.id]))["id"]
        await juliet.does("block.add", userId=romeo.id)
        assert [one["user"]["id"] for one in await juliet.does("block.list")] == [romeo.id]
        refused = ("FORBIDDEN", None)
        assert await romeo.fails("message.send", conversationId=private, content="Speak!") == refused
        assert await juliet.fails("message.send", conversationId=private, content="No") == refused
        await romeo.does("message.send", conversationId=talk, content="In the group it arrives")
        await juliet.does("block.remove", userId=romeo.id)
        await romeo.does("message.send", conversationId=private, content="Speak!")
        nurse, tybalt = await v1(server, framing, "nurse", "tybalt", ignoring=QUIET)
        await nurse.does("block.add", userId=tybalt.id)
        assert await tybalt.fails("conversation.create", type="private", memberIds=[nurse.id]) == refused
        assert await nurse.fails("block.add", userId=nurse.id) == ("BAD_REQUEST", "userId")


@every_wire
async def test_reports_and_the_audit_log_are_for_administrators(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, talk = await pair(server, framing)
        sent = await romeo.does("message.send", conversationId=talk, content="Spam")
        report = await juliet.does("message.report", messageId=sent["id"], reason="It is spam")
        assert (report["content"], report["reason"], report["sender"]["id"]) == ("Spam", "It is spam", romeo.id)
        assert await juliet.does("message.report", messageId=sent["id"], reason="Again") == report
        assert await juliet.fails("message.report", messageId=sent["id"], reason=" ") == ("BAD_REQUEST", "reason")
        for call in ("report.list", "audit.list"):
            assert await juliet.fails(call) == ("FORBIDDEN", None)
        prince = await server.register("prince")
        await server.running.app.database.write(make_administrator(prince.id))
        status, said, _ = await server.rest.ask(
            "POST", "/auth/login", {"username": "prince", "password": "correct horse"}
        )
        assert status == 200, said

        async def asks(method: str, path: str) -> Any:
            status, found, _ = await server.rest.ask(method, path, token=said["accessToken"])
            assert status == 200, found
            return found

        await romeo.does("message.delete", messageId=sent["id"])
        assert (await asks("GET", "/v1/reports?openOnly=true"))["items"] == [report]
        closed = await asks("POST", f"/v1/reports/{report['id']}/close")
        assert closed["closedAt"] is not None
        assert (await asks("GET", "/v1/reports?openOnly=true"))["items"] == []
        await romeo.does("member.update", conversationId=talk, userId=juliet.id, role="admin")
        await romeo.does("ban.add", conversationId=talk, userId=juliet.id)
        entries = (await asks("GET", "/v1/audit"))["items"]
        told = [
            (one["action"], one["actorName"], one["conversationId"], one["userId"], one["detail"]) for one in entries
        ]
        assert told == [
            ("ban.add", "romeo", talk, juliet.id, None),
            ("member.update", "romeo", talk, juliet.id, "admin"),
            ("report.close", "prince", talk, romeo.id, str(report["id"])),
            ("user.update", None, None, prince.id, "admin"),
        ]


def make_administrator(user: int) -> Any:
    """The unit that makes a user an administrator."""

    def unit(tx: Any) -> None:
        accounts.update(ServiceContext(tx, SHELL, ServiceRules()), str(user), accounts.AccountUpdate(admin=True))

    return unit
