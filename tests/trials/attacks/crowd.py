"""Fifty clients that chat in ten rooms, at a pace that does not depend on the server.

This is a process of its own. It prints a line when it is ready. For every line that it reads it prints a line of JSON:
the figures of the messages that were due since the last one. A message that has not arrived yet counts with its wait.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import dataclass, field

import trio

from tests.outside.raw import Raw, request
from tests.outside.server import token
from tests.trials.attacks.target import LOST, Target
from tests.trials.shell import share

ROOMS, MEMBERS = 10, 5
PERIOD = 0.5  # between two messages of one client: 100 a second in all
SOURCE = 2


@dataclass
class Window:
    """The messages that were due, and their waits."""

    due: dict[str, float] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    lost: int = 0

    def sent(self, name: str, due: float) -> None:
        self.due[name] = due
        self.missing[name] = MEMBERS

    def received(self, name: str, now: float) -> None:
        if name in self.due:
            self.waits.append(now - self.due[name])
            self.missing[name] -= 1

    def figures(self, now: float) -> dict[str, float]:
        late = [now - self.due[name] for name, count in self.missing.items() for _ in range(count)]
        waits = self.waits + late or [0.0]
        return {
            "p50": share(waits, 0.5),
            "p99": share(waits, 0.99),
            "worst": round(max(waits) * 1000, 1),
            "received": len(self.waits),
            "waiting": len(late),
            "lost": self.lost,
        }


class Crowd:
    """The clients, and their current window."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.window = Window()

    async def gather(self) -> dict[int, str]:
        """Let every user connect once, and make the rooms; the room of each user."""
        for user in range(1, ROOMS * MEMBERS + 1):
            async with await self.target.websocket(token=token(user), source=SOURCE):
                pass
        rooms: dict[int, str] = {}
        for number in range(ROOMS):
            first = number * MEMBERS + 1
            members = list(range(first, first + MEMBERS))
            rooms |= dict.fromkeys(members, await new_group(self.target, first, members[1:], source=SOURCE))
        return rooms

    async def chat(self, user: int, room: str, ready: trio.Semaphore, started: trio.Event) -> None:
        with suppress(*LOST):
            async with await self.target.websocket(token=token(user), source=SOURCE) as raw:
                await raw.call("conversation:join", {"conversationId": room})
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._send, raw, user, room, started)
                    ready.release()
                    with suppress(*LOST):
                        await self._receive(raw)
                    nursery.cancel_scope.cancel()
        self.window.lost += 1

    async def _send(self, raw: Raw, user: int, room: str, started: trio.Event) -> None:
        await started.wait()
        due = trio.current_time() + PERIOD * user / (ROOMS * MEMBERS)
        count = 0
        while True:
            await trio.sleep_until(due)
            name = f"{user}-{count}"
            self.window.sent(name, due)
            params = {"conversationId": room, "content": name}
            with suppress(*LOST):
                await raw.say({"id": count, "method": "message:send", "params": params})
            due, count = due + PERIOD, count + 1

    async def _receive(self, raw: Raw) -> None:
        while True:
            message = await raw.message()
            if message.get("method") == "message:created":
                self.window.received(message["params"]["content"], trio.current_time())

    async def report(self) -> None:
        """Answer each line with the figures, until the input ends."""
        async for line in trio.lowlevel.FdStream(0):
            for _ in range(line.count(b"\n")):
                window, self.window = self.window, Window(lost=self.window.lost)
                print(json.dumps(window.figures(trio.current_time())), flush=True)


async def new_group(target: Target, owner: int, others: list[int], source: int = 9) -> str:
    """Make a group. Each member must have connected before."""
    body = json.dumps({"type": "group", "participants": others}).encode()
    async with await target.connect(source) as raw:
        status, answer = await raw.asks(request("POST", "/conversations", body, token=token(owner)))
    assert status == 201, answer
    found: str = json.loads(answer)["_id"]
    return found


async def main(address: str) -> None:
    crowd = Crowd(Target(address))
    rooms = await crowd.gather()
    ready, started = trio.Semaphore(0), trio.Event()
    async with trio.open_nursery() as nursery:
        for user, room in rooms.items():
            nursery.start_soon(crowd.chat, user, room, ready, started)
        for _ in rooms:
            await ready.acquire()
        started.set()
        print("ready", flush=True)
        await crowd.report()
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main, sys.argv[1])
