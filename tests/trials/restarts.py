"""P3: the server restarts again and again, every second time by `kill -9`, under clients of every framing.

Twenty senders write into one group. Each message is sent until it is acked, with the same clientId. Listeners on
JSON-RPC, Socket.IO and Server-Sent Events receive the messages. They resume as soon as the server answers again. In the
end each listener's list of messages must equal the database's: none missing, none twice, all in order. The server must
never have reported a gap.
"""

from __future__ import annotations

import json
import random
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import trio

from tests.outside.chatting import client, new_group
from tests.outside.raw import CLOSE, PING, PONG, TEXT, HungUp, Raw, frame, upgrade
from tests.outside.server import UNLIMITED, Chatd, token, until
from tests.trials.senders import LOST, SentMessages, send_until_acked
from tests.trials.shell import Figures, main, share

PAUSE = 0.4  # between two messages of a sender
SENDING = range(1, 21)
USERS = range(101, 141)
OPENED = re.compile(r"40/chat,(.*)")
EVENT = re.compile(r"42/chat,(\[.*)")


class Listener:
    """One client, over all its connections: the ids that it has received, in order."""

    framing = ""

    def __init__(self, server: Chatd, user: int, where: str) -> None:
        self.server = server
        self.user = user
        self.where = where
        self.received: list[str] = []
        self.back: list[float] = []
        self.gaps: list[str] = []
        self.inside = False

    async def run(self) -> None:
        lost = 0.0
        while True:
            try:
                async with await Raw.connect(self.server.address) as raw:
                    async for event, message in self.listen(raw):
                        if event == "in":
                            self.back += [trio.current_time() - lost] if lost else []
                            self.inside = True
                        elif event == "message:created":
                            self.received.append(message["_id"])
            except LOST:
                pass
            if self.inside:
                self.inside, lost = False, trio.current_time()
            await trio.sleep(random.uniform(0.02, 0.2))

    def listen(self, raw: Raw) -> AsyncIterator[tuple[str, Any]]:
        """One connection: each event with its payload, after ("in", None)."""
        raise NotImplementedError

    async def frames(self, raw: Raw) -> AsyncIterator[str]:
        while True:
            received = await raw.frame()
            if received is None or received[0] == CLOSE:
                return
            if received[0] == PING:
                await raw.send(frame(PONG, received[1]))
            elif received[0] == TEXT:
                yield received[1].decode()

    async def upgraded(self, raw: Raw, path: str) -> None:
        status, _ = await raw.asks(upgrade(path, token=token(self.user)))
        if status != 101:
            raise HungUp(status)


class RpcListener(Listener):
    framing = "JSON-RPC"
    place = ""
    name = ""

    async def listen(self, raw: Raw) -> AsyncIterator[tuple[str, Any]]:
        await self.upgraded(raw, f"/chat?{self.place}&connection={self.name}" if self.place else "/chat")
        async for text in self.frames(raw):
            message = json.loads(text)
            if message.get("method") == "ready":
                ready = message["params"]
                self.name = ready["connection"]
                if not self.place:
                    await raw.say({"id": 1, "method": "conversation:join", "params": {"conversationId": self.where}})
                    self.place = f"epoch={ready['epoch']}&pos={ready['pos']}"
                    continue
                self.gaps += [] if ready["recovered"] else [ready["reason"]]
                yield "in", None
            elif "method" not in message:
                assert "result" in message, message
                yield "in", None
            else:
                if "pos" in message:
                    self.place = f"{self.place.partition('&')[0]}&pos={message['pos']}"
                yield message["method"], message["params"]


class IoListener(Listener):
    framing = "Socket.IO"
    pid = ""
    offset = ""

    async def listen(self, raw: Raw) -> AsyncIterator[tuple[str, Any]]:
        await self.upgraded(raw, "/socket.io/?EIO=4&transport=websocket")
        async for text in self.frames(raw):
            if text == "2":
                await raw.send(frame(TEXT, b"3"))
            elif text.startswith("0"):
                auth: dict[str, Any] = {"token": token(self.user), "recovery": True}
                auth |= {"pid": self.pid} if self.pid else {}
                auth |= {"offset": self.offset} if self.offset else {}
                await raw.send(frame(TEXT, f"40/chat,{json.dumps(auth)}".encode()))
            elif (opened := OPENED.fullmatch(text)) is not None:
                given = json.loads(opened[1])["pid"]
                if not self.pid:
                    ask = json.dumps(["conversation:join", {"conversationId": self.where}])
                    await raw.send(frame(TEXT, f"42/chat,7{ask}".encode()))
                else:
                    self.gaps += [] if given == self.pid else ["another pid"]
                    yield "in", None
                self.pid = given
            elif text.startswith("43/chat,7"):
                yield "in", None
            elif (event := EVENT.fullmatch(text)) is not None:
                name, body, *offset = json.loads(event[1])
                self.offset = offset[0] if offset else self.offset
                yield name, body


class SseListener(Listener):
    framing = "SSE"
    last = ""

    async def listen(self, raw: Raw) -> AsyncIterator[tuple[str, Any]]:
        head = "GET /events HTTP/1.1\r\nHost: chatd\r\nAccept: text/event-stream\r\n"
        head += f"Authorization: Bearer {token(self.user)}\r\n"
        head += f"Last-Event-ID: {self.last}\r\n" if self.last else ""
        await raw.send(f"{head}\r\n".encode())
        text = b""
        while data := await raw.stream.receive_some(65_536):
            *whole, text = (text + data).split(b"\n\n")
            for one in whole:
                lines = [line.split(": ", 1) for line in one.decode().split("\n") if ": " in line]
                said = {name: value for name, value in lines if name.isalpha()}
                if "data" not in said:
                    continue
                params = json.loads(said["data"])["params"]
                if said["event"] == "ready":
                    self.gaps += [] if params["recovered"] or not self.last else [params["reason"]]
                self.last = said.get("id", self.last)
                yield ("in" if said["event"] == "ready" else said["event"]), params


def pause() -> float:
    return random.uniform(0, 2 * PAUSE)


async def trial(folder: Path, quick: bool) -> Figures:
    """20 restarts under 200 listeners; when it is quick 2 under 24."""
    restarts, crowd, sending = (2, 24, SENDING[:5]) if quick else (20, 200, SENDING)
    server = Chatd(folder, UNLIMITED).start()
    sent = SentMessages()
    kinds: tuple[type[Listener], ...] = (RpcListener, IoListener, SseListener)
    try:
        where = await gather(server)
        listeners = [kinds[n % 3](server, USERS[n % len(USERS)], where) for n in range(crowd)]
        async with trio.open_nursery() as nursery:
            for listener in listeners:
                nursery.start_soon(listener.run)
            await until(lambda: all(listener.inside for listener in listeners), 30)
            async with trio.open_nursery() as senders:
                for number in sending:
                    senders.start_soon(send_until_acked, server, number, where, sent, pause)
                for number in range(restarts):
                    await trio.sleep(random.uniform(0.3, 1.5))
                    await trio.to_thread.run_sync(server.kill if number % 2 else server.stop)
                    await trio.to_thread.run_sync(server.start)
                    await until(lambda: all(listener.inside for listener in listeners), 30)
                await trio.sleep(0.5)
                sent.over = True  # each sender ends when its last message is acked: none is stored after that
            with trio.move_on_after(20):
                while any(len(listener.received) < len(sent.acked) for listener in listeners):  # noqa: ASYNC110
                    await trio.sleep(0.05)
            nursery.cancel_scope.cancel()
        assert server.stop() == 0
        assert server.faults == [], server.faults[:3]
    finally:
        server.end()
    judge(server.data / "chatd.db", listeners, sent)
    back = [seconds for listener in listeners for seconds in listener.back]
    return {
        "restarts (half of them kill -9)": restarts,
        "listeners": ", ".join(f"{n} {kind}" for kind, n in Counter(one.framing for one in listeners).items()),
        "senders": len(sending),
        "messages acked": len(sent.acked),
        "sent again under their clientId": sent.retried,
        "deliveries": sum(len(listener.received) for listener in listeners),
        "resumed": len(back),
        "back after, p50 p99 ms": (share(back, 0.5), share(back, 0.99)),
        "gaps, duplicates, out of order": (0, 0, 0),
    }


async def gather(server: Chatd) -> str:
    """Let every user connect once, and make their group."""
    for number in [*SENDING[1:], *USERS]:
        async with await Raw.open(server.address, token(number)):
            pass
    async with client(server.address, token(1)) as first:
        return await new_group(first, server.address, token(1), [*SENDING[1:], *USERS])


def judge(path: Path, listeners: Sequence[Listener], sent: SentMessages) -> None:
    """Compare what was received with the database."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        rows = database.execute(
            "SELECT m.id, m.client_id FROM events e JOIN messages m ON m.id = e.about"
            " WHERE e.kind = 'message' ORDER BY e.position"
        ).fetchall()
    database.close()
    truth = [id for id, _ in rows]
    assert len({name for _, name in rows}) == len(rows), "a message was stored twice"
    assert {int(id[8:], 16) for id in sent.acked.values()} <= set(truth), "acked, and lost"
    assert truth, "nothing was said"
    for listener in listeners:
        received = [int(id[8:], 16) for id in listener.received]
        who = f"{listener.framing}, user {listener.user}"
        missed, twice = set(truth) - set(received), len(received) - len(set(received))
        assert not listener.gaps, f"{who}: was told of a gap: {listener.gaps[:3]}"
        assert not missed, f"{who}: gaps: {sorted(missed)[:5]} ({len(missed)} of {len(truth)})"
        assert not twice, f"{who}: {twice} duplicates"
        assert received == truth, f"{who}: out of order"


if __name__ == "__main__":
    main(__doc__ or "", trial)
