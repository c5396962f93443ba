"""No part of the server stops unnoticed: the supervisor alone, and every part of a real server."""

from __future__ import annotations

import inspect
import io
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, NamedTuple

import msgspec
import pytest
import trio
import trio.testing

from chatd.config.load import load
from chatd.config.settings import Config
from chatd.engineio.polling import PollingOutbox
from chatd.net.acceptor import Acceptor
from chatd.net.listeners import Address
from chatd.realtime.broker import Sink
from chatd.rest.events import LongPoll
from chatd.server import main as mains
from chatd.server.main import RunningServer, running
from chatd.server.router import MetricsRouter
from chatd.services.context import SHELL
from chatd.supervisor import RESTART_SECONDS, Part, PartFailed, Supervisor
from chatd.telemetry.log import log, quoted
from protocol.ids import Ref
from tests.scenes.chat_server import Rest


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The lines of the log."""
    stream = io.StringIO()
    monkeypatch.setattr(log, "stream", stream)
    return lambda: stream.getvalue().splitlines()


class Breaking:
    """A part that works for a second, as often as it is begun."""

    def __init__(self, problem: BaseException | None = None) -> None:
        self.begun = 0
        self.problem = problem

    async def __call__(self) -> None:
        self.begun += 1
        await trio.sleep(1)
        if self.problem is not None:
            raise self.problem


@asynccontextmanager
async def supervised(*parts: Part) -> AsyncIterator[Supervisor]:
    """Run parts as the server does."""
    supervisor = Supervisor()
    async with trio.open_nursery() as nursery:
        for part in parts:
            nursery.start_soon(supervisor.run, part)
        with supervisor.serving:
            yield supervisor
        supervisor.stopping = True
        nursery.cancel_scope.cancel()
    supervisor.check()


async def test_a_part_that_raises_ends_the_server_with_one_line(
    autojump_clock: Any, lines: Callable[[], list[str]]
) -> None:
    with pytest.raises(PartFailed, match="broker"):
        async with supervised(Part("broker", Breaking(ValueError("no room"))), Part("other", trio.sleep_forever)):
            await trio.sleep_forever()
    [line] = lines()
    assert "part=broker" in line
    assert "ValueError: no room" in line


async def test_a_part_that_returns_is_no_less_a_failure(autojump_clock: Any, lines: Callable[[], list[str]]) -> None:
    with pytest.raises(PartFailed):
        async with supervised(Part("broker", Breaking())):
            await trio.sleep_forever()
    [line] = lines()
    assert "it ended by itself" in line


async def test_a_part_that_may_begins_anew_with_a_line_each_time(
    autojump_clock: Any, lines: Callable[[], list[str]]
) -> None:
    part = Breaking(ValueError("no room"))
    async with supervised(Part("cleaning", part, restarts=True)):
        await trio.sleep(2.1 * (1 + RESTART_SECONDS))
    assert part.begun == 3
    assert len(lines()) == 2
    assert all("part=cleaning" in line and "ValueError: no room" in line for line in lines())


async def test_what_failed_inside_of_a_part_is_named(autojump_clock: Any, lines: Callable[[], list[str]]) -> None:
    async def part() -> None:
        async with trio.open_nursery() as outer:
            outer.start_soon(trio.sleep_forever)
            async with trio.open_nursery() as inner:
                inner.start_soon(Breaking(ValueError("no room")))

    with pytest.raises(PartFailed):
        async with supervised(Part("sessions", part)):
            await trio.sleep_forever()
    [line] = lines()
    assert "ValueError: no room" in line


async def test_a_part_that_fails_while_it_is_cancelled_says_so_and_is_cancelled(
    autojump_clock: Any, lines: Callable[[], list[str]]
) -> None:
    async def part() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError("no room")

    async with supervised(Part("sessions", part)):
        await trio.testing.wait_all_tasks_blocked()
    [line] = lines()
    assert "ValueError: no room" in line


# Every part of a real server. A new part needs a row here.


class Fault(NamedTuple):
    """The function of a part that raises an exception, and what makes the part call it where that is needed."""

    target: str
    trigger: Callable[[RunningServer], object] | None = None
    restarts: bool = False


def connect(front: Acceptor) -> None:
    host, port = front.addresses[0].rsplit(":", 1)
    socket.create_connection((host, int(port))).close()


def ask_for_nothing(server: RunningServer) -> None:
    """Send a request that only the REST application answers."""
    host, port = server.front.addresses[0].rsplit(":", 1)
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")


def leave_presence(server: RunningServer) -> None:
    server.app.presence.user_connected(Ref(1, 0))
    server.app.presence.user_disconnected(1)


def fail_to_write(server: RunningServer) -> None:
    server.app.database.record_batch(0, "the disk is full")


def submit(server: RunningServer) -> None:
    server.app.database.submit(lambda tx: None, lambda done: None)


def query(server: RunningServer) -> None:
    server.app.database.query(lambda tx: None, lambda done: None)


PARTS = {
    "broker": Fault(
        "chatd.realtime.broker.Broker.flush_some",
        lambda server: server.app.broker.send(Sink(PollingOutbox(0, lambda: None)), b"hello"),
    ),
    "presence": Fault("chatd.realtime.presence.PresenceTracker._end", leave_presence),
    "notifier": Fault("chatd.core.notifier.Notifier.round", lambda server: server.app.notifier._has_work.set()),
    "background tasks": Fault(
        "chatd.core.background_tasks._guard", lambda server: server.app.background_tasks.start(trio.sleep_forever)
    ),
    "timers": Fault("chatd.realtime.online_users.OnlineUsers.due_counts", lambda server: server.app.ticker.need()),
    "sweep": Fault("chatd.core.app.App.sweep", lambda server: server.app.check_soon(LongPoll(SHELL))),
    "socket.io sessions": Fault("chatd.engineio.engine.Engine.sweep"),
    "rest": Fault("chatd.rest.app.make_app", ask_for_nothing),
    "listener": Fault("chatd.net.acceptor.Acceptor._take_connection", lambda server: connect(server.front)),
    "metrics listener": Fault("chatd.net.acceptor.Acceptor._take_connection", lambda server: connect(METRICS[0])),
    "search index": Fault("chatd.core.search_follower.SearchFollower.catch_up", restarts=True),
    "file collector": Fault("chatd.files.collector.Collector.remove_contents", restarts=True),
    "removal": Fault("chatd.store.queries.removals.step", restarts=True),
    "cleaning": Fault("chatd.server.retention.clean", restarts=True),
    "write probe": Fault("chatd.store.sqlite.probe.write", fail_to_write, restarts=True),
    "control socket": Fault("chatd.admin.control_socket.listen_at", restarts=True),
    "reload on SIGHUP": Fault(
        "chatd.server.main.reload", lambda server: os.kill(os.getpid(), signal.SIGHUP), restarts=True
    ),
    "key set": Fault("chatd.auth.jwks.JwksSource._try", restarts=True),
}
QUEUES = {
    "writer": Fault("chatd.store.sqlite.database.WriteWorker.start_upkeep", submit),
    "readers": Fault("chatd.store.sqlite.database.ReadWorker.start_upkeep", query),
}
METRICS: list[Acceptor] = []


class Injected(Exception):
    pass


def inject(patch: pytest.MonkeyPatch, target: str) -> None:
    """Have a function raise, be it synchronous or not."""

    def fail(*given: Any, **_: Any) -> Any:
        for one in given:
            if isinstance(one, socket.socket):
                one.close()
        raise Injected(target)

    async def fail_later(*_: Any, **__: Any) -> Any:
        raise Injected(target)

    patch.setattr(target, fail_later if inspect.iscoroutinefunction(resolve_name(target)) else fail)


@asynccontextmanager
async def whole_server(
    folder: Path, patch: pytest.MonkeyPatch, fault: Fault | None = None
) -> AsyncIterator[RunningServer]:
    """A server with every possible part, with short pauses, and with a fault in one part."""
    if fault is not None and fault.trigger is None:
        inject(patch, fault.target)
    for name in (
        "chatd.server.retention.CLEANING_SECONDS",
        "chatd.core.app.SWEEP_SECONDS",
        "chatd.store.sqlite.database.PROBE_SECONDS",
    ):
        patch.setattr(name, 0.01)
    patch.setattr("chatd.supervisor.RESTART_SECONDS", 60.0)
    settings = {
        "server.port": "0",
        "data.directory": str(folder),
        "data.readers": "1",
        "metrics.port": "1",
        "presence.grace": "10ms",
        "auth.jwks_url": "http://127.0.0.1:1/keys",
        "auth.issuer": "http://127.0.0.1:1/",
        "auth.audience": "chatd",
    }
    config = load(flags=tuple(("test", name, value) for name, value in settings.items()), environ={})
    build = mains.build_fronts

    def build_fronts(config: Config, site: Any) -> list[Acceptor]:
        some = msgspec.structs.replace(config.metrics, port=0)
        front, *_ = build(msgspec.structs.replace(config, metrics=some), site)
        METRICS[:] = [mains._front(config, MetricsRouter(), [Address("127.0.0.1", 0)], None)]
        return [front, *METRICS]

    patch.setattr(mains, "build_fronts", build_fronts)
    async with running(config) as server:
        if fault is not None and fault.trigger is not None:
            inject(patch, fault.target)
            fault.trigger(server)
        yield server


@pytest.fixture
def supervised_names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the parts that a server runs."""
    names: list[str] = []
    run = Supervisor.run

    async def noted(self: Supervisor, part: Part, **more: Any) -> None:
        names.append(part.name)
        await run(self, part, **more)

    monkeypatch.setattr(Supervisor, "run", noted)
    return names


async def test_every_part_has_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, supervised_names: list[str]
) -> None:
    async with whole_server(tmp_path, monkeypatch):
        assert sorted(supervised_names) == sorted(PARTS)


@pytest.mark.parametrize("name", [name for name in {**PARTS, **QUEUES} if not {**PARTS, **QUEUES}[name].restarts])
async def test_a_part_that_cannot_go_on_ends_the_server(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: Callable[[], list[str]]
) -> None:
    fault = {**PARTS, **QUEUES}[name]

    async def serve() -> None:
        async with whole_server(tmp_path, monkeypatch, fault):
            await trio.sleep_forever()

    with trio.fail_after(15), pytest.raises(PartFailed, match=f"^{name}$"):
        await serve()
    [line] = [line for line in lines() if "can't go on" in line]
    assert f"part={quoted(name)}" in line
    assert f"Injected: {fault.target}" in line


@pytest.mark.parametrize("name", [name for name in PARTS if PARTS[name].restarts])
async def test_a_part_that_keeps_nothing_begins_anew(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: Callable[[], list[str]]
) -> None:
    fault = PARTS[name]
    async with whole_server(tmp_path, monkeypatch, fault) as server:
        with trio.fail_after(15):
            while not any("begins anew" in line for line in lines()):  # noqa: ASYNC110
                await trio.sleep(0.01)
        rest = Rest(f"http://{server.front.addresses[0]}")
        assert (await rest.ask("GET", "/healthz"))[0] == 200
    [line] = [line for line in lines() if "begins anew" in line]
    assert f"part={quoted(name)}" in line
    assert f"Injected: {fault.target}" in line
