"""`sync`: the state that a client fetches, and the events after it, give the state that it would fetch later."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from protocol.dialects import dialect
from tests.scenes.chat_server import ChatServer, chat_server
from tests.scenes.clients import open_client
from tests.scenes.v1_clients import V1, Wire, every_wire, v1
from tests.scenes.v1_state import EVENTS_APPLIED, State

ROUNDS = 120
WEIGHTS = {"message.send": 20, "conversation.leave": 1, "conversation.delete": 0.3, "member.remove": 1}
"""How often an act is chosen; 4 if it is not here."""
EMOJI = ("👍", "❤️", "🎉")
_tick = count(1)


def test_the_client_knows_every_event() -> None:
    assert {row.name for row in dialect("v1").vocabulary("/v1").outbound} == set(EVENTS_APPLIED)


class Play:
    """Three users who do what a seed says. All that they do reaches Juliet."""

    def __init__(self, users: list[V1], seed: int) -> None:
        self.users = users
        self.random = random.Random(seed)
        self.talks: list[int] = []
        self.messages: list[tuple[int, int]] = []

    async def act(self) -> None:
        """Do one thing. What the user may not do, or what is gone, changes nothing."""
        user = self.random.choice(self.users)
        [name] = self.random.choices(list(ACTS), [WEIGHTS.get(name, 4) for name in ACTS])
        if not self.talks:
            name = "conversation.create"
        talk = self.random.choice(self.talks[-4:]) if self.talks else 0
        message = self.random.choice(self.messages[-12:])[1] if self.messages else 1
        answer = await user.asks(name, ACTS[name](self, talk, message))
        if name == "conversation.create" and answer["ok"]:
            self.talks.append(answer["data"]["id"])
        elif name in ("message.send", "message.forward") and answer["ok"]:
            self.messages.append((answer["data"]["conversationId"], answer["data"]["id"]))

    def other(self) -> int:
        return self.random.choice(self.users).id

    def new_message(self, talk: int, message: int) -> dict[str, Any]:
        found: dict[str, Any] = {"conversationId": talk, "content": self.random.choice(("hi", "hi @juliet", "@all hi"))}
        of_talk = [id for where, id in self.messages if where == talk]
        if of_talk and self.random.random() < 0.5:
            found[self.random.choice(("replyTo", "threadId"))] = self.random.choice(of_talk)
        return found


ACTS: dict[str, Callable[[Play, int, int], dict[str, Any]]] = {
    "conversation.create": lambda p, t, m: {"type": "group", "memberIds": [user.id for user in p.users]},
    "conversation.update": lambda p, t, m: {"conversationId": t, "topic": str(p.random.random())},
    "conversation.read": lambda p, t, m: {"conversationId": t},
    "conversation.leave": lambda p, t, m: {"conversationId": t},
    "conversation.delete": lambda p, t, m: {"conversationId": t},
    "member.add": lambda p, t, m: {"conversationId": t, "userId": p.other()},
    "member.update": lambda p, t, m: {"conversationId": t, "userId": p.other(), "role": "admin"},
    "member.remove": lambda p, t, m: {"conversationId": t, "userId": p.other()},
    "message.edit": lambda p, t, m: {"messageId": m, "content": f"edited @juliet {p.random.random()}"},
    "message.delete": lambda p, t, m: {"messageId": m},
    "message.read": lambda p, t, m: {"messageId": m},
    "message.markUnread": lambda p, t, m: {"messageId": m},
    "message.forward": lambda p, t, m: {"messageId": m, "conversationId": t},
    "reaction.add": lambda p, t, m: {"messageId": m, "emoji": p.random.choice(EMOJI)},
    "reaction.remove": lambda p, t, m: {"messageId": m, "emoji": p.random.choice(EMOJI)},
    "pin.add": lambda p, t, m: {"messageId": m},
    "pin.remove": lambda p, t, m: {"messageId": m},
    "attention.update": lambda p, t, m: {
        "quietHours": p.random.choice((None, {"from": "22:00", "until": "07:30", "timeZone": "Europe/Berlin"})),
        "doNotDisturbUntil": p.random.choice((None, "2130-01-01T00:00:00Z")),
    },
    "thread.update": lambda p, t, m: {
        "messageId": m,
        "notifications": p.random.choice(("all", "mentions", "default")),
    },
    "preferences.update": lambda p, t, m: {
        "conversationId": t,
        "notifications": p.random.choice(("all", "mentions", "none")),
        "draft": str(p.random.random()),
    },
    "message.send": lambda p, t, m: p.new_message(t, m),
}


async def told(server: ChatServer, user: V1) -> list[tuple[str, Any]]:
    """All events until now, with the counts that are sent a moment later."""
    app = server.running.app
    await user.client.settles()
    await app.notifier.round()
    app.unread_counts.send_due(1e9 + 10 * next(_tick))
    await app.broker.flush()
    return await user.client.receives_all()


async def compare(server: ChatServer, state: State) -> None:
    await state.apply(await told(server, state.user))
    fresh = State(state.user)
    await fresh.fetch()
    assert state.comparable() == fresh.comparable()


@every_wire
@pytest.mark.parametrize("seed", range(6))
async def test_events_keep_the_state_that_sync_gave(tmp_path: Path, framing: Wire, seed: int) -> None:
    async with chat_server(tmp_path) as server:
        users = await v1(server, framing, "romeo", "juliet", "nurse", ignoring=())
        state = State(users[1])
        await state.fetch()
        play = Play(users, seed)
        for number in range(ROUNDS):
            await play.act()
            if number % 5 == 0:
                await compare(server, state)
        await compare(server, state)


async def test_a_restart_in_the_middle(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        users = await v1(server, "jsonrpc", "romeo", "juliet", "nurse", ignoring=())
        state, play = State(users[1]), Play(users, 11)
        await state.fetch()
        for _ in range(25):
            await play.act()
        await compare(server, state)
        fetched = await users[1].does("sync", limit=1)
        await users[1].client.is_cut_off()
        play.users = [users[0], users[2]]
        for _ in range(25):
            await play.act()
    async with chat_server(tmp_path) as server:
        where = {"epoch": fetched["epoch"], "pos": str(fetched["position"])}
        clients = [
            await open_client(server, "jsonrpc", "v1", user.user, "/v1", **(where if user is users[1] else {}))
            for user in users
        ]
        for user, client in zip(users, clients, strict=True):
            user.client = client
        await compare(server, state)


@every_wire
async def test_what_has_changed_since_a_position(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await v1(server, framing, "romeo", "juliet")
        quiet, busy, left = [await romeo.group(juliet) for _ in range(3)]
        before = await juliet.does("sync")
        assert [one["id"] for one in before["conversations"]["items"]] == [left, busy, quiet]
        assert before["onlineIds"] == [romeo.id, juliet.id]
        sent = await romeo.does("message.send", conversationId=busy, content="hi")
        await juliet.does("conversation.leave", conversationId=left)
        since = {"since": before["position"], "epoch": before["epoch"]}
        after = await juliet.does("sync", **since)
        assert (after["isComplete"], after["removedIds"]) == (False, [left])
        [changed] = after["conversations"]["items"]
        assert (changed["id"], changed["lastMessage"], changed["me"]["unread"]) == (busy, sent, 1)
        nothing = await juliet.does("sync", since=after["position"], epoch=after["epoch"])
        assert (nothing["conversations"], nothing["removedIds"]) == ({"items": [], "next": None}, [])
        for wrong in ({"since": before["position"], "epoch": "other"}, {"since": 10**9}):
            assert (await juliet.does("sync", **wrong))["isComplete"] is True
        assert await juliet.fails("sync", membersOf=[1] * 21) == ("BAD_REQUEST", "membersOf")
        page = await juliet.does("sync", limit=1)
        assert page["conversations"]["next"] == {"before": busy}
        rest = await juliet.does("sync", limit=1, before=busy)
        assert [one["id"] for one in rest["conversations"]["items"]] == [quiet]
        found = await juliet.user.asks("GET", f"/v1/sync?membersOf={busy},{quiet}")
        assert [one["conversationId"] for one in found["members"]] == [busy, quiet]
