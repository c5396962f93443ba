"""Senders: each message has its own clientId, and is sent again until it is acked."""

from __future__ import annotations

import json
import random
from collections import Counter

import trio

from tests.outside.raw import Raw, request
from tests.outside.server import token
from tests.trials.mixed.listeners import LOST

LONGEST = 9_000  # characters beside the name
AT_ONCE = 4
PAUSE, HURRIED = 0.2, 0.05  # between two messages of a sender, on average
AGAIN = 0.1  # before a message that was refused is sent again


class Sender:
    """`silent` are messages that were written on this connection for the first time, and have no answer yet."""

    wire = ""

    def __init__(self, address: str, user: int, room: str, wire: str) -> None:
        self.address = address
        self.user = user
        self.room = room
        self.wire = f"{self.wire}, {wire}"
        self.acked: set[str] = set()
        self.refused: Counter[str] = Counter()
        self.pending: dict[str, str] = {}
        self.silent: set[str] = set()
        self.pause = PAUSE
        self.over = False
        self._count = 0

    async def run(self) -> None:
        while not self.over or self.pending:
            try:
                async with await Raw.connect(self.address) as raw:
                    self.silent = set()
                    await self.live(raw)
            except LOST:
                pass
            await trio.sleep(random.uniform(0.02, 0.1))

    async def live(self, raw: Raw) -> None:
        """One connection."""
        raise NotImplementedError

    def next(self) -> tuple[str, str]:
        """A new message: its name and its content."""
        self._count += 1
        name = f"{self.user}-{self._count}"
        self.pending[name] = f"{name} {'x' * random.randrange(LONGEST)}"
        self.silent.add(name)
        return name, self.pending[name]

    def answered(self, name: str, code: str) -> None:
        """Record an answer; an empty code is an ack."""
        self.silent.discard(name)
        if code:
            self.refused[code] += 1
        else:
            self.acked.add(name)
            self.pending.pop(name, None)


class RpcSender(Sender):
    """Sends several messages at a time on one WebSocket."""

    wire = "JSON-RPC"

    async def live(self, raw: Raw) -> None:
        await raw.join(token(self.user))
        for name, content in list(self.pending.items()):
            await self._write(raw, name, content)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._receive, raw, nursery.cancel_scope)
            while not self.over or self.pending:
                if len(self.pending) < AT_ONCE and not self.over:
                    await self._write(raw, *self.next())
                await trio.sleep(random.uniform(0, 2 * self.pause))
            nursery.cancel_scope.cancel()

    async def _write(self, raw: Raw, name: str, content: str) -> None:
        params = {"conversationId": self.room, "content": content, "clientId": name}
        call = {"jsonrpc": "2.0", "id": name, "method": "message:send", "params": params}
        try:
            await raw.say(call)
        except LOST:
            return  # the end is read below

    async def _receive(self, raw: Raw, scope: trio.CancelScope) -> None:
        try:
            while not isinstance(answer := await raw.next_or_end(), int):
                if "method" in answer:
                    continue
                name = answer["id"]
                self.answered(name, "" if "result" in answer else answer["error"]["data"]["error"]["code"])
                if name in self.pending:
                    await trio.sleep(AGAIN)
                    await self._write(raw, name, self.pending[name])
        except LOST:
            pass
        scope.cancel()


class RestSender(Sender):
    """Sends one message at a time over REST."""

    wire = "REST"

    async def live(self, raw: Raw) -> None:
        while not self.over or self.pending:
            name, content = next(iter(self.pending.items())) if self.pending else self.next()
            body = json.dumps({"content": content, "clientId": name}).encode()
            path = f"/conversations/{self.room}/messages"
            status, answer = await raw.asks(request("POST", path, body, token=token(self.user)))
            if not status:
                return
            self.answered(name, "" if status == 201 else f"{status} {answer[:60].decode()}")
            await trio.sleep(random.uniform(0, 2 * self.pause))


async def settle(senders: list[Sender], seconds: float) -> None:
    """Begin no more messages, and wait until all are acked."""
    for sender in senders:
        sender.over = True
    with trio.move_on_after(seconds):
        while any(sender.pending for sender in senders):  # noqa: ASYNC110
            await trio.sleep(0.05)
