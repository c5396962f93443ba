"""After any failures of network and server, the events that a client received are the server's whole history.

The reader keeps a view of the events that it received. At a StreamGap it loads the server's whole history.
At the end the view is the history, position by position and name by name. Each message that was sent is in it once.
"""

from __future__ import annotations

from typing import Any

import trio
from hypothesis import given, settings
from hypothesis import strategies as some
from trio.testing import MockClock

from chatd.client import AnswerLost, Chat, StreamGap
from chatd.client.problems import ConnectionLost
from tests.chatd.client.fake import FakeServer, FakeWire, chat_with

ROOMS = ("r", "s")
AGAIN = (-32029, -32050, -32603)
CODES = (1001, 1006, 1011, 1012, 4008, 4029)

keep = some.none() | some.integers(0, 4)
STEPS = some.one_of(
    some.tuples(some.just("publish"), some.sampled_from([None, *ROOMS]), some.integers(1, 2)),
    some.tuples(some.just("burst"), some.integers(1, 12), some.none()),
    some.tuples(some.just("split"), some.sampled_from(ROOMS), some.none()),
    some.tuples(some.just("cut"), some.sampled_from(CODES), keep),
    some.tuples(some.just("lose_answers"), some.integers(1, 3), keep),
    some.tuples(some.just("refuse"), some.sampled_from(AGAIN), some.integers(0, 3)),
    some.tuples(some.just("shut"), some.integers(1, 4), some.none() | some.integers(1, 9)),
    some.tuples(some.just("restore"), some.integers(1, 6), some.none()),
    some.tuples(some.just("trim"), some.integers(0, 3), some.none()),
    some.tuples(some.just("overlap"), some.integers(0, 4), some.none()),
    some.tuples(some.just("send"), some.integers(1, 3), some.none()),
    some.tuples(some.just("ask"), some.none(), some.none()),
    some.tuples(some.just("wait"), some.sampled_from([0.0, 0.1, 1.0, 70.0]), some.none()),
    some.tuples(some.just("slow"), some.sampled_from([0.0, 0.5, 3.0]), some.none()),
)


class Play:
    """A server, a chat, a reader of its events, and the steps of a plan."""

    def __init__(self, chat: Chat, server: FakeServer, nursery: trio.Nursery) -> None:
        self.chat = chat
        self.server = server
        self.nursery = nursery
        self.view: list[tuple[int, str]] = []
        self.loaded = 0
        self.slow = 0.0
        self.sending = 0

    async def read(self) -> None:
        async for event in self.chat.events():
            if isinstance(event, StreamGap):
                self.view = self.truth()
                self.loaded = self.server.position
            elif event.position is not None and event.position > self.loaded:
                self.view.append((event.position, event.name))
            await trio.sleep(self.slow)

    def truth(self) -> list[tuple[int, str]]:
        return [(position, name) for position, name, _ in self.server.history]

    async def send(self) -> None:
        self.sending += 1
        await self.chat.send("message:send", {"content": "hi"})
        self.sending -= 1

    async def ask(self) -> None:
        try:
            await self.chat.call("message:read", {})
        except Exception as problem:
            assert isinstance(problem, AnswerLost) or "no" in str(problem)  # noqa: PT017

    async def step(self, what: str, one: Any, other: Any) -> None:
        server = self.server
        match what:
            case "publish":
                server.publish(*("first", "second")[:other], room=one)
            case "burst":
                for _ in range(one):
                    server.publish("burst")
            case "split":  # between the two names of one position
                server.publish("first", "second", room=one)
                server.cut_all(1006, max(0, len(server.wire.unread) - 1))
            case "cut":
                server.cut_all(one, other)
            case "lose_answers":
                server.before_answer = losing(one, other)
            case "refuse":
                server.refusals.append((one, {"retryAfter": other} if other else {}))
            case "shut":
                server.failing_dials.extend(ConnectionLost(1013, "", other) for _ in range(one))
                server.cut_all()
            case "restore":
                server.restore(max(0, server.position - one))
            case "trim":
                server.trimmed = max(0, server.position - one)
            case "overlap":
                server.overlap = one
            case "send":
                for _ in range(one):
                    self.nursery.start_soon(self.send)
            case "ask":
                self.nursery.start_soon(self.ask)
            case "wait":
                await trio.sleep(one)
            case "slow":
                self.slow = one

    async def heal(self) -> None:
        """Stop all failures, and let the reader read everything."""
        server = self.server
        server.before_answer = lambda wire, name: None
        server.failing_dials.clear()
        server.refusals.clear()
        self.slow = 0.0
        await trio.sleep(2000)
        for room in (None, *ROOMS):
            server.publish("last", room=room)
        await trio.sleep(1000)


def losing(count: int, keep: int | None) -> Any:
    left = [count]

    def lose(wire: FakeWire, name: str) -> None:
        if left[0] and name != "rpc.ping":
            left[0] -= 1
            wire.cut(1006, keep)

    return lose


async def play(plan: list[tuple[str, Any, Any]], dice: list[float]) -> None:
    server = FakeServer()
    numbers = iter(dice * 1000)
    async with chat_with(server, buffer=3, random=lambda: next(numbers)) as chat, trio.open_nursery() as nursery:
        for room in ROOMS:
            await chat.call("conversation:join", {"conversationId": room})
        acting = Play(chat, server, nursery)
        nursery.start_soon(acting.read)
        for step in plan:
            await acting.step(*step)
            await trio.lowlevel.checkpoint()
        await acting.heal()
        assert acting.view == acting.truth()
        assert acting.sending == 0
        sent = [name for _, name in acting.truth() if name == "message:created"]
        assert len(sent) == len(server.messages)
        nursery.cancel_scope.cancel()


@settings(max_examples=200, deadline=None)
@given(plan=some.lists(STEPS, max_size=25), dice=some.lists(some.floats(0, 1), min_size=1, max_size=5))
def test_what_a_client_was_told_adds_up_to_the_truth(plan: list[tuple[str, Any, Any]], dice: list[float]) -> None:
    trio.run(play, plan, dice, clock=MockClock(autojump_threshold=0))
