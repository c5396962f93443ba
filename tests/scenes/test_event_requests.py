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
from tests.scenes.stage import Person, Stage, stage
from tests.scenes.test_colon_chat import group
from tests.scenes.test_events import Stream

SIZE = 9_000


async def until(condition: Any) -> None:
    with trio.fail_after(20):
        while not condition():  # noqa: ASYNC110 - the server runs in real time
            await trio.sleep(0.005)


def polls(on: Stage) -> list[LongPoll]:
    return [one for one in on.server.app.connections if isinstance(one, LongPoll)]


def waiting(on: Stage) -> list[EventWaiter]:
    """The waiters of the long polls that are waiting now."""
    return [one.waiter for one in polls(on) if one.waiter.keys]


def streams(app: App) -> list[Subscription]:
    return [one for one in app.connections if isinstance(one, Subscription)]


class Polled:
    """A long poll in its own task: its status and its answer."""

    def __init__(self) -> None:
        self.status = 0
        self.body: Any = None
        self.done = trio.Event()

    async def run(self, on: Stage, who: Person, path: str) -> None:
        self.status, self.body, _ = await on.rest.ask("GET", path, token=who.token)
        self.done.set()

    async def answer(self) -> tuple[int, Any]:
        with trio.fail_after(20):
            await self.done.wait()
        return self.status, self.body


async def begin_poll(on: Stage, who: Person, wait: str = "50") -> Polled:
    """Start a long poll, and return when it waits."""
    start = await who.asks("GET", "/events")
    before = len(waiting(on))
    poll = Polled()
    on.nursery.start_soon(poll.run, on, who, f"/events?epoch={start['epoch']}&pos={start['pos']}&wait={wait}")
    await until(lambda: len(waiting(on)) > before)
    return poll


async def disable(on: Stage, who: Person) -> None:
    await handlers(on.server.app, on.server.accounts)["user.set"]({"user": who.name, "disabled": True})


async def test_a_long_poll_ends_when_its_user_is_disabled(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        verona = await group(romeo, juliet)
        poll = await begin_poll(on, juliet)
        await disable(on, juliet)
        status, body = await poll.answer()
        assert (status, body["code"]) == (401, "AUTH_INVALID")
        await romeo.asks("POST", f"/conversations/{verona}/messages", {"content": "secret"}, status=201)
        assert polls(on) == []


async def test_a_user_who_is_disabled_as_an_event_comes_does_not_get_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        verona = await group(romeo, juliet)
        poll = await begin_poll(on, juliet)
        [long_poll] = polls(on)
        on.server.app.connections.discard(long_poll)  # it is not closed: each check is tested alone
        await disable(on, juliet)
        await romeo.asks("POST", f"/conversations/{verona}/messages", {"content": "secret"}, status=201)
        status, body = await poll.answer()
        assert (status, body["code"]) == (401, "AUTH_INVALID")


async def test_a_long_poll_ends_with_its_token(tmp_path: Path) -> None:
    async with stage(tmp_path, auth__access_ttl="2s") as on:
        juliet = await on.person("juliet")
        status, body = await (await begin_poll(on, juliet)).answer()
        assert (status, body["code"]) == (401, "AUTH_INVALID")


async def test_an_event_wakes_the_long_polls_of_those_whom_it_concerns(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        romeo, juliet, tybalt = [await on.person(name) for name in ("romeo", "juliet", "tybalt")]
        verona = await group(romeo, juliet)
        his = await begin_poll(on, tybalt)
        [waiter] = waiting(on)
        for number in range(20):
            await romeo.asks("POST", f"/conversations/{verona}/messages", {"content": str(number)}, status=201)
        hers = await begin_poll(on, juliet)
        await romeo.asks("POST", f"/conversations/{verona}/messages", {"content": "for Juliet"}, status=201)
        assert (await hers.answer())[1]["events"][0]["params"]["content"] == "for Juliet"
        assert waiter.wakes == 0
        await romeo.asks("POST", f"/conversations/{verona}/members", {"userId": tybalt.id})
        status, body = await his.answer()
        assert (status, waiter.wakes) == (200, 1)
        assert "conversation:created" in [one["method"] for one in body["events"]]


@pytest.mark.parametrize("about", ["a new conversation", "a notification", "a broadcast", "a removal"])
async def test_a_long_poll_is_woken_by_whatever_concerns_its_user(tmp_path: Path, about: str) -> None:
    async with stage(tmp_path) as on:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        verona = await group(romeo, juliet)
        await on.server.app.dispatch.notifier.round()
        poll = await begin_poll(on, juliet)
        shell = handlers(on.server.app, on.server.accounts)
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
    async with stage(tmp_path) as on:
        juliet = await on.person("juliet")
        said = await juliet.asks("GET", f"/events?epoch=x&pos=0&wait={quote(wait, safe='&=')}", status=400)
        assert (said["code"], said["status"]) == ("BAD_REQUEST", 400)


@pytest.mark.parametrize(
    ("query", "status"), [("dialect=nope", 404), ("dialect=colon&dialect=pairs", 400), ("epoch=a&epoch=b", 400)]
)
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_a_query_that_means_nothing_is_refused_before_an_answer_begins(
    tmp_path: Path, query: str, status: int, accept: str
) -> None:
    async with stage(tmp_path) as on:
        juliet = await on.person("juliet")
        given, said, _ = await on.rest.ask("GET", f"/events?{query}", token=juliet.token, headers={"Accept": accept})
        assert given == said["status"] == status
        assert streams(on.server.app) == []


async def fill(on: Stage, who: Person, where: str, count: int) -> None:
    """Write many long messages straight to the database."""
    app = on.server.app
    actor = await app.authenticator.authenticate(who.token)
    conversation = OBJECT_ID.read(where)
    async with trio.open_nursery() as nursery:
        for number in range(count):
            message = SendMessage(conversation=conversation, content=f"{number} {'x' * SIZE}")
            nursery.start_soon(app.dispatch.request, actor, message)


async def test_a_stream_that_is_left_in_the_middle_of_a_replay_leaves_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path, limits__outbox_bytes="16KiB") as on:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        start = await juliet.asks("GET", "/events")
        verona = await group(romeo, juliet)
        await fill(on, romeo, verona, 600)
        tasks = trio.lowlevel.current_statistics().tasks_living
        for _ in range(3):
            stream = await Stream.of(on, juliet, last=f"{start['epoch']}-{start['pos']}")
            await stream.comes_to_hear("message:created")
            [subscription] = streams(on.server.app)
            await until(lambda one=subscription: one.waiting > 0)
            await stream.leaves()
            await until(lambda: not streams(on.server.app))
        await until(lambda: trio.lowlevel.current_statistics().tasks_living <= tasks)


async def how_many(stream: Stream) -> int:
    """The number of messages until the stream ends."""
    told = 0
    while True:
        try:
            told += (await stream.hears())[1] == "message:created"
        except AssertionError:
            return told


async def test_a_stream_in_the_middle_of_a_replay_ends_when_its_user_is_disabled(tmp_path: Path) -> None:
    async with stage(tmp_path, limits__outbox_bytes="16KiB") as on:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        start = await juliet.asks("GET", "/events")
        verona = await group(romeo, juliet)
        await fill(on, romeo, verona, 600)
        stream = await Stream.of(on, juliet, last=f"{start['epoch']}-{start['pos']}")
        [subscription] = streams(on.server.app)
        await until(lambda: subscription.waiting > 0)
        assert not subscription.channels
        await disable(on, juliet)
        assert subscription.is_closing
        assert await how_many(stream) < 600
        await stream.leaves()
        await until(lambda: not streams(on.server.app))


async def post(sent: list[str], who: Person, where: str, text: str) -> None:
    await who.asks("POST", f"/conversations/{where}/messages", {"content": text}, status=201)
    sent.append(text)


async def test_a_stream_that_lags_loses_nothing(tmp_path: Path) -> None:
    """The server drops bytes for a client that lags. No later event may reach the client, however small."""
    async with stage(tmp_path, limits__outbox_bytes="4KiB") as on:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        verona = await group(romeo, juliet)
        stream = await Stream.of(on, juliet)
        last, _ = await stream.comes_to_hear("ready")
        big, sent = "x" * 1_500, list[str]()
        async with trio.open_nursery() as nursery:
            for number in range(40):
                text = f"{number} {big if number % 3 else ''}".strip()
                nursery.start_soon(post, sent, romeo, verona, text)
        heard: list[str] = []
        with trio.fail_after(20):
            while len(heard) < len(sent):
                try:
                    id, name, params = await stream.hears()
                except AssertionError:  # the stream has ended
                    await stream.leaves()
                    stream = await Stream.of(on, juliet, last=last)
                    continue
                last = id or last
                if name == "message:created":
                    heard.append(params["content"])
        assert sorted(heard) == sorted(sent)
        await stream.leaves()


async def test_nothing_comes_behind_a_piece_that_was_dropped(tmp_path: Path) -> None:
    async with stage(tmp_path, limits__outbox_bytes="4KiB") as on:
        juliet = await on.person("juliet")
        stream = await Stream.of(on, juliet)
        await stream.comes_to_hear("ready")
        await stream.comes_to_hear("unread:count")
        [subscription] = streams(on.server.app)
        broker = on.server.app.broker
        for number, size in ((1, 10), (2, 5_000), (3, 10)):  # in one moment: the stream takes nothing in between
            broker.send(subscription, sse.frame(f"epoch-{number}", "piece", b'{"params":"%b"}' % (b"x" * size)))
            broker.flush_now()
        id, name, params = await stream.hears()
        assert (id, name, params) == ("epoch-1", "piece", "x" * 10)
        with pytest.raises(AssertionError):  # the stream has ended
            await stream.hears()
        await stream.leaves()


@asynccontextmanager
async def locked(on: Stage, folder: Path) -> AsyncIterator[None]:
    """Another program locks the database."""
    other = sqlite3.connect(folder / "data" / "chatd.db", isolation_level=None)
    try:
        await on.server.app.dispatch.settled()
        other.execute("BEGIN IMMEDIATE")
        yield
    finally:
        other.rollback()
        other.close()


async def test_a_stream_while_nothing_can_be_written_is_refused_before_it_begins(tmp_path: Path) -> None:
    async with stage(tmp_path, data__busy_timeout="100ms") as on:
        juliet = await on.person("juliet")
        async with locked(on, tmp_path):
            status, said, headers = await on.rest.ask(
                "GET", "/events", token=juliet.token, headers={"Accept": "text/event-stream"}
            )
            assert (status, said["code"]) == (503, "UNAVAILABLE")
            assert int(headers["Retry-After"]) > 0
        assert streams(on.server.app) == []


async def test_a_stream_that_goes_on_while_nothing_can_be_written_is_told_so(tmp_path: Path) -> None:
    async with stage(tmp_path, data__busy_timeout="100ms") as on:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        start = await juliet.asks("GET", "/events")
        await group(romeo, juliet)
        async with locked(on, tmp_path):
            stream = await Stream.of(on, juliet, last=f"{start['epoch']}-{start['pos']}")
            assert [(await stream.hears())[1] for _ in range(2)] == ["ready", "conversation:created"]
            id, name, body = await stream.hears()
            assert (id, name, body["code"]) == ("", "error", "UNAVAILABLE")
            await until(lambda: not streams(on.server.app))
        await stream.leaves()


async def test_a_stream_cut_between_two_events_of_one_position_gets_the_second(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        where = await romeo.asks("POST", "/api/conversations", {"toUserId": juliet.id})
        stream = await Stream.of(on, juliet, "?dialect=pairs")
        await stream.comes_to_hear("ready")
        await romeo.asks("POST", f"/api/conversations/{where['id']}/messages", {"content": "hello"}, status=201)
        ids: dict[str, str] = {}
        while not {"new_message", "message_notification"} <= ids.keys():
            id, name, _ = await stream.hears()
            if id:
                ids[name] = id
        await stream.leaves()
        position = ids["new_message"].partition(".")[0]
        first, second = [name for name in ids if ids[name].partition(".")[0] == position]
        again = await Stream.of(on, juliet, "?dialect=pairs", last=ids[first])
        ready, name, body = await again.hears()
        assert (ready, name, body["recovered"]) == (ids[first], "ready", True)
        await again.leaves()  # `ready` stands for no more than what was received
        again = await Stream.of(on, juliet, "?dialect=pairs", last=ready)
        await again.hears()
        assert (await again.hears())[:2] == (ids[second], second)
        await again.leaves()
        whole = await Stream.of(on, juliet, "?dialect=pairs", last=position)
        await whole.hears()
        await romeo.asks("POST", f"/api/conversations/{where['id']}/messages", {"content": "next"}, status=201)
        id, _, body = await whole.hears()
        assert id.partition(".")[0] != position
        await whole.leaves()
