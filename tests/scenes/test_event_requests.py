"""Long polls and streams of GET /events, while the user, the token or the server changes."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import trio

from chatd.admin.accounts import handlers
from chatd.core.app import App
from chatd.realtime.event_waiters import EventWaiter
from chatd.rest.event_stream import Subscription
from chatd.rest.events import LongPoll
from protocol.commands import SendMessage
from protocol.framings import sse
from protocol.ids import OBJECT_ID
from tests.scenes.chat_server import ChatServer, RegisteredUser, chat_server
from tests.scenes.test_colon_chat import group
from tests.scenes.test_events import Stream

SIZE = 9_000


async def until(condition: Any) -> None:
    with trio.fail_after(20):
        while not condition():  # noqa: ASYNC110 - the server runs in real time
            await trio.sleep(0.005)


def polls(server: ChatServer) -> list[LongPoll]:
    return [one for one in server.running.app.connections if isinstance(one, LongPoll)]


def waiting(server: ChatServer) -> list[EventWaiter]:
    """The waiters of the long polls that are waiting now."""
    return [one.waiter for one in polls(server) if one.waiter.keys]


def streams(app: App) -> list[Subscription]:
    return [one for one in app.connections if isinstance(one, Subscription)]


class Polled:
    """A long poll in its own task: its status and its answer."""

    def __init__(self) -> None:
        self.status = 0
        self.body: Any = None
        self.done = trio.Event()

    async def run(self, server: ChatServer, who: RegisteredUser, path: str) -> None:
        self.status, self.body, _ = await server.rest.ask("GET", path, token=who.token)
        self.done.set()

    async def answer(self) -> tuple[int, Any]:
        with trio.fail_after(20):
            await self.done.wait()
        return self.status, self.body


async def begin_poll(server: ChatServer, who: RegisteredUser, wait: str = "50") -> Polled:
    """Start a long poll, and return when it waits."""
    start = await who.asks("GET", "/events")
    before = len(waiting(server))
    poll = Polled()
    server.nursery.start_soon(poll.run, server, who, f"/events?epoch={start['epoch']}&pos={start['pos']}&wait={wait}")
    await until(lambda: len(waiting(server)) > before)
    return poll


async def disable(server: ChatServer, who: RegisteredUser) -> None:
    await handlers(server.running.app, server.running.accounts)["user.set"]({"user": who.name, "disabled": True})


async def test_a_long_poll_ends_when_its_user_is_disabled(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        verona = await group(romeo, juliet)
        poll = await begin_poll(server, juliet)
        await disable(server, juliet)
        status, body = await poll.answer()
        assert (status, body["code"]) == (401, "AUTH_INVALID")
        await romeo.asks("POST", f"/conversations/{verona}/messages", {"content": "secret"}, status=201)
        assert polls(server) == []


async def test_a_user_who_is_disabled_as_an_event_comes_does_not_get_it(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        verona = await group(romeo, juliet)
        poll = await begin_poll(server, juliet)
        [long_poll] = polls(server)
        server.running.app.connections.remove(long_poll)  # it is not closed: each check is tested alone
        await disable(server, juliet)
        await romeo.asks("POST", f"/conversations/{verona}/messages", {"content": "secret"}, status=201)
        status, body = await poll.answer()
        assert (status, body["code"]) == (401, "AUTH_INVALID")


async def test_a_long_poll_ends_with_its_token(tmp_path: Path) -> None:
    async with chat_server(tmp_path, auth__access_ttl="2s") as server:
        juliet = await server.register("juliet")
        status, body = await (await begin_poll(server, juliet)).answer()
        assert (status, body["code"]) == (401, "AUTH_INVALID")


async def test_an_event_wakes_the_long_polls_of_those_whom_it_concerns(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, tybalt = [await server.register(name) for name in ("romeo", "juliet", "tybalt")]
        verona = await group(romeo, juliet)
        his = await begin_poll(server, tybalt)
        [waiter] = waiting(server)
        for number in range(20):
            await romeo.asks("POST", f"/conversations/{verona}/messages", {"content": str(number)}, status=201)
        hers = await begin_poll(server, juliet)
        await romeo.asks("POST", f"/conversations/{verona}/messages", {"content": "for Juliet"}, status=201)
        assert (await hers.answer())[1]["events"][0]["params"]["content"] == "for Juliet"
        assert waiter.wakes == 0
        await romeo.asks("POST", f"/conversations/{verona}/members", {"userId": tybalt.id})
        status, body = await his.answer()
        assert (status, waiter.wakes) == (200, 1)
        assert "conversation:created" in [one["method"] for one in body["events"]]


@pytest.mark.parametrize("about", ["a new conversation", "a notification", "a broadcast", "a removal"])
async def test_a_long_poll_is_woken_by_whatever_concerns_its_user(tmp_path: Path, about: str) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        verona = await group(romeo, juliet)
        await server.running.app.notifier.round()
        poll = await begin_poll(server, juliet)
        shell = handlers(server.running.app, server.running.accounts)
        if about == "a new conversation":
            await group(romeo, juliet)
        elif about == "a removal":
            await romeo.asks("DELETE", f"/conversations/{verona}/members?userId={juliet.id}")
        elif about == "a notification":
            await shell["notify"]({"user": "juliet", "title": "hello"})
        else:
            await shell["notify"]({"title": "hello"})
        status, body = await poll.answer()
        assert status == 200
        assert len(body["events"]) == 1


@pytest.mark.parametrize("wait", ["nan", "inf", "-1", "1e999", "", "1e3", "5&wait=5", "1.2.3", "٣"])
async def test_a_wait_that_is_no_number_is_refused(tmp_path: Path, wait: str) -> None:
    async with chat_server(tmp_path) as server:
        juliet = await server.register("juliet")
        said = await juliet.asks("GET", f"/events?epoch=x&pos=0&wait={quote(wait, safe='&=')}", status=400)
        assert (said["code"], said["status"]) == ("BAD_REQUEST", 400)


@pytest.mark.parametrize(
    ("query", "status"), [("dialect=nope", 404), ("dialect=colon&dialect=pairs", 400), ("epoch=a&epoch=b", 400)]
)
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_a_query_that_means_nothing_is_refused_before_an_answer_begins(
    tmp_path: Path, query: str, status: int, accept: str
) -> None:
    async with chat_server(tmp_path) as server:
        juliet = await server.register("juliet")
        given, said, _ = await server.rest.ask(
            "GET", f"/events?{query}", token=juliet.token, headers={"Accept": accept}
        )
        assert given == said["status"] == status
        assert streams(server.running.app) == []


async def fill(server: ChatServer, who: RegisteredUser, where: str, count: int) -> None:
    """Write many long messages straight to the database."""
    app = server.running.app
    actor = await app.authenticator.authenticate(who.token)
    conversation = OBJECT_ID.read(where)
    async with trio.open_nursery() as nursery:
        for number in range(count):
            message = SendMessage(conversation=conversation, content=f"{number} {'x' * SIZE}")
            nursery.start_soon(app.dispatch.request, actor, message)


async def test_a_stream_that_is_left_in_the_middle_of_a_replay_leaves_nothing(tmp_path: Path) -> None:
    async with chat_server(tmp_path, limits__outbox_bytes="16KiB") as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        start = await juliet.asks("GET", "/events")
        verona = await group(romeo, juliet)
        await fill(server, romeo, verona, 600)
        tasks = trio.lowlevel.current_statistics().tasks_living
        for _ in range(3):
            stream = await Stream.of(server, juliet, last=f"{start['epoch']}-{start['pos']}")
            await stream.skips_to("message:created")
            [subscription] = streams(server.running.app)
            await until(lambda one=subscription: one.waiting > 0)
            await stream.leaves()
            await until(lambda: not streams(server.running.app))
        await until(lambda: trio.lowlevel.current_statistics().tasks_living <= tasks)


async def count_messages(stream: Stream) -> int:
    """The number of messages until the stream ends."""
    told = 0
    while True:
        try:
            told += (await stream.receives())[1] == "message:created"
        except AssertionError:
            return told


async def test_a_stream_in_the_middle_of_a_replay_ends_when_its_user_is_disabled(tmp_path: Path) -> None:
    async with chat_server(tmp_path, limits__outbox_bytes="16KiB") as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        start = await juliet.asks("GET", "/events")
        verona = await group(romeo, juliet)
        await fill(server, romeo, verona, 600)
        stream = await Stream.of(server, juliet, last=f"{start['epoch']}-{start['pos']}")
        [subscription] = streams(server.running.app)
        await until(lambda: subscription.waiting > 0)
        assert not subscription.channels
        await disable(server, juliet)
        assert subscription.is_closing
        assert await count_messages(stream) < 600
        await stream.leaves()
        await until(lambda: not streams(server.running.app))


async def post(sent: list[str], who: RegisteredUser, where: str, text: str) -> None:
    await who.asks("POST", f"/conversations/{where}/messages", {"content": text}, status=201)
    sent.append(text)


async def test_a_stream_that_lags_loses_nothing(tmp_path: Path) -> None:
    """The server drops bytes for a client that lags. No later event may reach the client, however small."""
    async with chat_server(tmp_path, limits__outbox_bytes="4KiB") as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        verona = await group(romeo, juliet)
        stream = await Stream.of(server, juliet)
        last, _ = await stream.skips_to("ready")
        big, sent = "x" * 1_500, list[str]()
        async with trio.open_nursery() as nursery:
            for number in range(40):
                text = f"{number} {big if number % 3 else ''}".strip()
                nursery.start_soon(post, sent, romeo, verona, text)
        received: list[str] = []
        with trio.fail_after(20):
            while len(received) < len(sent):
                try:
                    id, name, params = await stream.receives()
                except AssertionError:  # the stream has ended
                    await stream.leaves()
                    stream = await Stream.of(server, juliet, last=last)
                    continue
                last = id or last
                if name == "message:created":
                    received.append(params["content"])
        assert sorted(received) == sorted(sent)
        await stream.leaves()


async def test_nothing_comes_behind_a_piece_that_was_dropped(tmp_path: Path) -> None:
    async with chat_server(tmp_path, limits__outbox_bytes="4KiB") as server:
        juliet = await server.register("juliet")
        stream = await Stream.of(server, juliet)
        await stream.skips_to("ready")
        await stream.skips_to("unread:count")
        [subscription] = streams(server.running.app)
        broker = server.running.app.broker
        for number, size in ((1, 10), (2, 5_000), (3, 10)):  # in one moment: the stream takes nothing in between
            broker.send(subscription, sse.frame(f"epoch-{number}", "piece", b'{"params":"%b"}' % (b"x" * size)))
            broker.flush_now()
        id, name, params = await stream.receives()
        assert (id, name, params) == ("epoch-1", "piece", "x" * 10)
        with pytest.raises(AssertionError):  # the stream has ended
            await stream.receives()
        await stream.leaves()


@asynccontextmanager
async def locked(server: ChatServer, folder: Path) -> AsyncIterator[None]:
    """Another program locks the database."""
    other = sqlite3.connect(folder / "data" / "chatd.db", isolation_level=None)
    try:
        await server.running.app.dispatch.settled()
        other.execute("BEGIN IMMEDIATE")
        yield
    finally:
        other.rollback()
        other.close()


async def test_a_stream_while_nothing_can_be_written_is_refused_before_it_begins(tmp_path: Path) -> None:
    async with chat_server(tmp_path, data__busy_timeout="100ms") as server:
        juliet = await server.register("juliet")
        async with locked(server, tmp_path):
            status, said, headers = await server.rest.ask(
                "GET", "/events", token=juliet.token, headers={"Accept": "text/event-stream"}
            )
            assert (status, said["code"]) == (503, "UNAVAILABLE")
            assert int(headers["Retry-After"]) > 0
        assert streams(server.running.app) == []


async def test_a_stream_that_goes_on_while_nothing_can_be_written_is_told_so(tmp_path: Path) -> None:
    async with chat_server(tmp_path, data__busy_timeout="100ms") as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        start = await juliet.asks("GET", "/events")
        await group(romeo, juliet)
        async with locked(server, tmp_path):
            stream = await Stream.of(server, juliet, last=f"{start['epoch']}-{start['pos']}")
            assert [(await stream.receives())[1] for _ in range(2)] == ["ready", "conversation:created"]
            id, name, body = await stream.receives()
            assert (id, name, body["code"]) == ("", "error", "UNAVAILABLE")
            await until(lambda: not streams(server.running.app))
        await stream.leaves()


async def test_a_stream_cut_between_two_events_of_one_position_gets_the_second(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        where = await romeo.asks("POST", "/api/conversations", {"toUserId": juliet.id})
        stream = await Stream.of(server, juliet, "?dialect=pairs")
        await stream.skips_to("ready")
        await romeo.asks("POST", f"/api/conversations/{where['id']}/messages", {"content": "hello"}, status=201)
        ids: dict[str, str] = {}
        while not {"new_message", "message_notification"} <= ids.keys():
            id, name, _ = await stream.receives()
            if id:
                ids[name] = id
        await stream.leaves()
        position = ids["new_message"].partition(".")[0]
        first, second = [name for name in ids if ids[name].partition(".")[0] == position]
        again = await Stream.of(server, juliet, "?dialect=pairs", last=ids[first])
        ready, name, body = await again.receives()
        assert (ready, name, body["recovered"]) == (ids[first], "ready", True)
        await again.leaves()  # `ready` stands for no more than what was received
        again = await Stream.of(server, juliet, "?dialect=pairs", last=ready)
        await again.receives()
        assert (await again.receives())[:2] == (ids[second], second)
        await again.leaves()
        whole = await Stream.of(server, juliet, "?dialect=pairs", last=position)
        await whole.receives()
        await romeo.asks("POST", f"/api/conversations/{where['id']}/messages", {"content": "next"}, status=201)
        id, _, body = await whole.receives()
        assert id.partition(".")[0] != position
        await whole.leaves()
