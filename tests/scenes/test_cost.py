"""What one message costs, counted: no clock, so a test can hold it.

A message into a room of eleven, one at a time, over JSON-RPC: the functions of chatd and of protocol that run on the
loop's thread, how often the event is encoded, and the sends. What Trio and the clients do in the same loop is not
counted. When a change needs more calls, look for what it can do once a room, or after the sends; then change the
number.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import chatd
import protocol
from tests.scenes.chat_server import chat_server

MEMBERS = 11
MESSAGES = 15
MAX_CALLS = 135
CODE = tuple(str(Path(package.__file__ or "").parent) for package in (chatd, protocol))
OF_EVERY_ROUND = frozenset(["task_scheduled", "before_io_wait", "start_waiting", "flush_some"])
COMPREHENSIONS = frozenset(["<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>", "<lambda>"])  # not calls since 3.12


class CallCounter:
    """Counts the calls of this thread's own functions, and the sends, while the block runs."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.sends = 0

    def _look(self, frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if not code.co_filename.startswith(CODE):
            return
        if event == "call" and code.co_name not in COMPREHENSIONS:
            self.calls[code.co_qualname] += 1
        elif event == "c_call" and getattr(argument, "__name__", "") == "send":
            self.sends += 1

    def __enter__(self) -> CallCounter:
        gc.disable()
        sys.setprofile(self._look)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        gc.enable()


def own(calls: Counter[str]) -> int:
    """The calls that are the message's own. The loop's rounds call the others, and the clients share the loop."""
    return sum(count for name, count in calls.items() if name.rpartition(".")[2] not in OF_EVERY_ROUND)


async def test_a_message_into_a_room_of_eleven(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        users = [await server.register(f"user{number}") for number in range(MEMBERS)]
        made = await users[0].asks(
            "POST", "/conversations", {"type": "group", "participants": [user.id for user in users[1:]]}
        )
        clients = [await server.rpc(user) for user in users]
        for client in clients:
            await client.asks("conversation:join", {"conversationId": made["_id"]})
        counted: list[CallCounter] = []
        for number in range(MESSAGES):
            with CallCounter() as counter:
                await clients[0].asks("message:send", {"conversationId": made["_id"], "content": f"{number}"})
                for client in clients:
                    await client.skips_to("message:created")
            counted.append(counter)
        least = min(counted, key=lambda counter: own(counter.calls))  # now and then, a timer of the server runs as well
        assert least.sends == MEMBERS, "the answer to the sender and its event are one send"
        assert least.calls["EventEncoder.encode"] == 1
        assert least.calls["Broker._deliver"] == 1, "nothing is called for each member"
        assert own(least.calls) <= MAX_CALLS, least.calls.most_common()
