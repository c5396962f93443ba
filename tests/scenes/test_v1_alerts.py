"""When users of `v1` want no alerts, and the threads that they follow and mute."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chatd.services.attention import is_silent
from protocol.model import Attention, QuietHours
from tests.scenes.chat_server import ChatServer, chat_server
from tests.scenes.test_v1_attention import QUIET, count, pair
from tests.scenes.v1_clients import V1, Wire, connect, every_wire

HOURS = {"from": "22:00", "until": "07:30", "timeZone": "Europe/Berlin"}
ALL_DAY = {"from": "23:59", "until": "23:58", "timeZone": "UTC"}

SILENT = {
    # local time in Berlin is an hour later than UTC in winter, two in summer
    "2026-01-10T20:59": (22 * 60, 450, False),
    "2026-01-10T21:00": (22 * 60, 450, True),
    "2026-01-11T06:29": (22 * 60, 450, True),
    "2026-01-11T06:30": (22 * 60, 450, False),
    "2026-07-10T20:00": (22 * 60, 450, True),
    "2026-07-10T05:30": (22 * 60, 450, False),
    "2026-03-29T01:10": (3 * 60, 4 * 60, True),  # 02:00 to 03:00 does not exist on that day
    "2026-07-10T10:00": (12 * 60, 13 * 60, True),
    "2026-07-10T11:00": (12 * 60, 13 * 60, False),
}


@pytest.mark.parametrize("moment", SILENT)
def test_quiet_hours_are_hours_of_the_users_clock(moment: str) -> None:
    start, end, expected = SILENT[moment]
    now = int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() * 1000)
    assert is_silent(Attention(QuietHours(start, end, "Europe/Berlin")), now) is expected


def test_do_not_disturb_ends() -> None:
    assert is_silent(Attention(None, 1000), 999)
    assert not is_silent(Attention(None, 1000), 1000)


async def silent(user: V1) -> bool:
    """Whether the next notification is silent."""
    await user.client.settles()
    body = await user.receives("notification.created")
    assert isinstance(body["isSilent"], bool)
    return body["isSilent"]


@every_wire
async def test_notifications_are_silent_when_the_user_wants_no_alerts(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, talk = await pair(server, framing)
        ignored = tuple(each for each in QUIET if each != "notification.created")
        devices = [await connect(server, framing, juliet.user, ignoring=ignored) for _ in range(2)]
        assert await juliet.does("attention.get") == {"quietHours": None, "doNotDisturbUntil": None}
        for number, (change, expected) in enumerate(CHANGES):
            changed = await juliet.does("attention.update", **change)
            for device in devices:
                assert await device.receives("attention.updated") == changed
            await juliet.receives("attention.updated")
            await romeo.does("message.send", conversationId=talk, content=f"{number}")
            assert await silent(devices[0]) is expected
            assert await count(juliet) == 1, "silent notifications count as well"
            assert (await juliet.does("unread.get"))["total"] == 1
            await devices[1].receives("notification.created")
            await juliet.does("conversation.read", conversationId=talk)
            for device in (*devices, juliet, romeo):
                await device.receives("message.read")
        again = await juliet.does("attention.update", quietHours=HOURS)
        assert (await juliet.does("sync"))["attention"] == again == {"quietHours": HOURS, "doNotDisturbUntil": None}
        assert await juliet.user.asks("GET", "/v1/me/attention") == again


CHANGES: tuple[tuple[dict[str, Any], bool], ...] = (
    ({"doNotDisturbUntil": "2100-01-01T00:00:00+00:00"}, True),
    ({"doNotDisturbUntil": None}, False),
    ({"quietHours": ALL_DAY}, True),
    ({"quietHours": None}, False),
)
WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"quietHours": {**HOURS, "timeZone": "Mars/Olympus"}}, "quietHours.timeZone"),
    ({"quietHours": {**HOURS, "timeZone": "Europe"}}, "quietHours.timeZone"),
    ({"quietHours": {**HOURS, "timeZone": ""}}, "quietHours.timeZone"),
    ({"quietHours": {**HOURS, "timeZone": "../../etc/passwd"}}, "quietHours.timeZone"),
    ({"quietHours": {**HOURS, "timeZone": "/etc/localtime"}}, "quietHours.timeZone"),
    ({"quietHours": {**HOURS, "timeZone": "a" * 65}}, "quietHours"),
    ({"quietHours": {**HOURS, "from": "24:00"}}, "quietHours"),
    ({"quietHours": {**HOURS, "from": "7:00"}}, "quietHours"),
    ({"quietHours": {**HOURS, "until": "22:00"}}, "quietHours"),
    ({"quietHours": {"from": "22:00"}}, "quietHours"),
    ({"quietHours": "22-7"}, "quietHours"),
    ({"doNotDisturbUntil": "2000-01-01T00:00:00Z"}, "doNotDisturbUntil"),
    ({"doNotDisturbUntil": "tomorrow"}, "doNotDisturbUntil"),
)


@every_wire
async def test_what_is_no_attention(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        _, juliet, _ = await pair(server, framing)
        for change, field in WRONG:
            code, named = await juliet.fails("attention.update", **change)
            assert code == "BAD_REQUEST", change
            assert named is not None, change
            assert named.startswith(field), change
        assert await juliet.does("attention.get") == {"quietHours": None, "doNotDisturbUntil": None}


THREAD_COUNTS = {
    # level of the conversation, level of the thread: notified of a message outside, in the thread, with a mention in it
    ("all", "default"): (1, 1, 1),
    ("all", "mentions"): (1, 0, 1),
    ("all", "all"): (1, 1, 1),
    ("mentions", "default"): (0, 0, 1),
    ("mentions", "all"): (0, 1, 1),
    ("mentions", "mentions"): (0, 0, 1),
    ("none", "all"): (0, 0, 0),
}


async def threads(server: ChatServer, framing: Wire) -> tuple[V1, V1, int, int]:
    """Two users, their group, and the first message of a thread, which both have read."""
    romeo, juliet, talk = await pair(server, framing)
    root = (await juliet.does("message.send", conversationId=talk, content="Who comes?"))["id"]
    await romeo.does("message.send", conversationId=talk, threadId=root, content="I do")
    await juliet.does("conversation.read", conversationId=talk)
    assert await count(juliet) == 0
    return romeo, juliet, talk, root


@every_wire
@pytest.mark.parametrize("levels", THREAD_COUNTS, ids="-".join)
async def test_a_followed_and_a_muted_thread(tmp_path: Path, framing: Wire, levels: tuple[str, str]) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, talk, root = await threads(server, framing)
        await juliet.does("preferences.update", conversationId=talk, notifications=levels[0])
        changed = await juliet.does("thread.update", messageId=root, notifications=levels[1])
        assert changed == {"threadId": root, "conversationId": talk, "notifications": levels[1]}
        sends: tuple[dict[str, Any], ...] = (
            {"content": "outside"},
            {"content": "inside", "threadId": root},
            {"content": "inside, @juliet", "threadId": root},
        )
        for send, expected in zip(sends, THREAD_COUNTS[levels], strict=True):
            await romeo.does("message.send", conversationId=talk, **send)
            assert await count(juliet) == expected, send
            assert (await juliet.does("unread.get"))["total"] == 1, "every message counts as unread"
            await juliet.does("conversation.read", conversationId=talk)
            assert await count(juliet) == 0


@every_wire
async def test_the_level_of_a_thread_is_the_users_own(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, talk, root = await threads(server, framing)
        reply = await romeo.does("message.send", conversationId=talk, threadId=root, content="Again")
        await juliet.receives("message.read")
        followed = await juliet.does("thread.update", messageId=reply["id"], notifications="all")
        assert followed["threadId"] == root
        assert await juliet.receives("thread.updated") == followed
        assert await juliet.does("thread.preferences") == [followed]
        assert await romeo.does("thread.preferences") == []
        path = f"/v1/messages/{root}/thread"
        muted = await juliet.user.asks("PATCH", path, {"notifications": "mentions"})
        assert await juliet.receives("thread.updated") == muted
        await juliet.does("message.delete", messageId=root)
        assert await juliet.does("thread.preferences") == [muted], "the thread goes on"
        again = await juliet.does("thread.update", messageId=reply["id"], notifications="default")
        assert await juliet.receives("thread.updated") == again
        assert await juliet.does("thread.preferences") == []
        await juliet.does("thread.update", messageId=reply["id"], notifications="all")
        await juliet.receives("thread.updated")
        await juliet.does("conversation.leave", conversationId=talk)
        assert await juliet.does("thread.preferences") == []
        assert await romeo.fails("thread.update", messageId=reply["id"], notifications="never") == (
            "BAD_REQUEST",
            "notifications",
        )
        assert (await juliet.fails("thread.update", messageId=reply["id"], notifications="all"))[0] == "NOT_FOUND"
