"""The top nursery: who starts, who stops, in what order.

start     store → identity → house → front listens → the line that says so → the rest as it is needed
stop      front stops accepting → what was asked is committed and answered → sockets close (1012) → store closes
"""

from __future__ import annotations

import gc
import shlex
import signal
import ssl
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import trio

from chatd import __version__
from chatd.admin.accounts import handlers
from chatd.admin.control_socket import FILE_NAME, serve_control
from chatd.admin.offline import DATABASE_NAME, make_folder
from chatd.auth.identity import Identity, open_identity
from chatd.config.load import ConfigError, reload
from chatd.config.settings import Config
from chatd.core.accounts import Accounts, first_steps
from chatd.core.app import App
from chatd.core.authenticator import Authenticator
from chatd.core.dispatch import Dispatch
from chatd.net.acceptor import Acceptor
from chatd.net.asgi import Application, Lifespan
from chatd.net.http import HttpRouter as HttpSite
from chatd.net.listeners import Address
from chatd.net.process import raise_descriptors
from chatd.program import program_name
from chatd.realtime.broker import Broker
from chatd.realtime.online_users import OnlineUsers
from chatd.server.limits import front_rules, http_rules, service_rules, tls_context, user_rates, websocket_rules
from chatd.server.machine import check_machine
from chatd.server.retention import keep_clean
from chatd.server.router import MetricsRouter, Router
from chatd.store.queries import users
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.faults import StoreProblem
from chatd.store.sqlite.schema import Schema
from chatd.store.tables import metadata
from chatd.supervisor import Part, PartFailed, Supervisor, cause_of
from chatd.telemetry.log import adopt_logging, log
from chatd.telemetry.metrics import CONNECTIONS_FAILED, DELIVERIES, OUTBOX_BYTES, POSITION, REQUESTS, WRITES_WAITING
from protocol.errors import GOING_AWAY, SIGNED_OUT

SWEEP_SECONDS = 1.0
HARD_STOP_SECONDS = 9.0
PASSED_ON_SECONDS = 0.2
LOCK_SECONDS = 1.0  # how long what was asked before the stop may still wait for another program's lock


def run(config: Config) -> int:
    """Serve until told to stop; the exit code."""
    log.configure(config.log.format, config.log.level)
    adopt_logging(log)
    check_machine(config)
    raise_descriptors()
    try:
        trio.run(serve, config)
    except (StoreProblem, OSError) as problem:
        log.announce(f"chatd: {_sentence(problem)}", "error")
        return 1
    except PartFailed:  # the log says which and why
        return 1
    except ExceptionGroup as problem:  # of a nursery: what failed while the server stopped, say
        log.fault("the server failed", cause_of(problem))
        return 1
    return 0


def _sentence(problem: Exception) -> str:
    if isinstance(problem, OSError) and problem.strerror:
        return f"{problem.filename}: {problem.strerror}" if problem.filename else problem.strerror
    return str(problem)


async def serve(config: Config) -> None:
    """The server's whole life. Told to stop, even while it starts, it does so in good order; told again, at once."""
    stops = (signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if hangup_stops() else []))
    with ExitStack() as ears:
        told = ears.enter_context(trio.open_signal_receiver(*stops))
        async with running(config, rereads=signal.SIGHUP not in stops) as server:
            count = await server.app.database.read(users.count)
            _say_ready(server.front, first_steps(server.accounts, count, making_administrator(config)))
            _freeze()
            try:
                await anext(told)
                if getattr(sys, "frozen", False):  # its loader passes on a signal that both were sent: one, not two
                    await trio.sleep(PASSED_ON_SECONDS)
            finally:
                ears.close()


class RunningServer(NamedTuple):
    """A server that runs."""

    app: App
    accounts: Accounts
    site: Router
    front: Acceptor
    others: tuple[Acceptor, ...]

    def adopt(self, config: Config) -> None:
        """Take up what may change while it runs."""
        log.configure(config.log.format, config.log.level)
        adopt_logging(log)
        self.app.adopt(config)
        self.app.dispatch.adopt(service_rules(config), user_rates(config), config.typing.expire, config.presence.grace)
        self.accounts.adopt(config.limits)
        self.site.adopt()
        for front in (self.front, *self.others):
            front.adopt(front_rules(config), http_rules(config), websocket_rules(config))

    def reread(self) -> None:
        """Read the configuration again, and take up what may change live; if it is wrong, nothing changes."""
        try:
            config, waiting = reload(self.app.config)
        except ConfigError as error:
            why = str(error).replace("`chatd ", f"`{program_name()} ")
            log.error("the configuration stays as it is", why=why)
            return
        self.adopt(config)
        log.info("configuration read again", waits_for_restart=", ".join(waiting) or "nothing")


def hangup_stops() -> bool:
    """Whether SIGHUP means that the terminal is closed: there is one, and no nohup shields the server from that."""
    terminal = any(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))
    return terminal and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN


async def _hear_hangups(server: RunningServer) -> None:
    """Without a terminal: SIGHUP asks to read the configuration again."""
    with trio.open_signal_receiver(signal.SIGHUP) as hangups:
        async for _ in hangups:
            server.reread()


@asynccontextmanager
async def running(config: Config, *, rereads: bool = True) -> AsyncIterator[RunningServer]:
    """A server that listens, for as long as the block lasts; then it stops in good order."""
    folder = Path(config.data.directory)
    make_folder(config)
    identity = open_identity(config, folder)
    supervisor = Supervisor()
    database = Database.open(
        folder / DATABASE_NAME,
        Schema.of(metadata),
        synchronous=config.data.synchronous,
        batch=config.data.batch,
        busy_seconds=config.data.busy_timeout,
        readers=config.data.readers,
        failed=supervisor.fail,
    )
    async with database as store:
        app = build_house(config, store, identity)
        await app.dispatch.viewers.begin()
        accounts = Accounts(app, identity)
        accounts.ended = lambda sid: app.end_session(sid, SIGNED_OUT)
        application = LazyApplication(app, accounts)
        site = Router(app, application.get)
        front, *others = build_fronts(config, site)
        server = RunningServer(app, accounts, site, front, tuple(others))
        async with trio.open_nursery() as nursery:
            app.start_task = lambda task: nursery.start_soon(_guard, task)
            accounts.address = f"{front.scheme}://{front.addresses[0]}"
            for part in list_parts(server, application, folder, rereads=rereads):
                nursery.start_soon(supervisor.run, part)
            for name, listening in (*(("metrics listener", other) for other in others), ("listener", front)):
                await nursery.start(supervisor.run, Part(name, listening.serve))
            with supervisor.serving:
                yield server
            supervisor.stopping = True
            with trio.CancelScope(shield=True):
                await _stop(app, front, application)
            nursery.cancel_scope.cancel()
    supervisor.check()


def list_parts(server: RunningServer, application: LazyApplication, folder: Path, *, rereads: bool) -> list[Part]:
    """Whatever runs for as long as the server does, except the listeners and the store's own tasks."""
    app, accounts = server.app, server.accounts
    parts = [
        Part("broker", app.broker.run),
        Part("presence", app.dispatch.presence.run),
        Part("notifier", app.dispatch.notifier.run),
        Part("timers", app.dispatch.tick),
        Part("sweep", partial(_sweep, app)),
        Part("socket.io sessions", server.site.run),
        Part("rest", application.run),
        Part("removal", app.dispatch.remover.run, restarts=True),
        Part("cleaning", partial(keep_clean, app), restarts=True),
        Part("write probe", app.database.keep_probing, restarts=True),
        Part("control socket", partial(serve_control, folder / FILE_NAME, handlers(app, accounts)), restarts=True),
    ]
    if rereads:
        parts.append(Part("reload on SIGHUP", partial(_hear_hangups, server), restarts=True))
    if accounts.identity.source is not None:
        parts.append(Part("key set", accounts.identity.source.run, restarts=True))
    return parts


async def _guard(task: Callable[[], Awaitable[None]]) -> None:
    """A task that one client has begun: its failure concerns nobody else."""
    try:
        await task()
    except Exception as problem:
        _report(problem)


def build_house(config: Config, store: Database, identity: Identity) -> App:
    """Everything between the store and the doors."""
    online_users = OnlineUsers()
    broker = Broker(online_users)
    broker.position = store.position
    POSITION.follow(lambda: broker.position)
    DELIVERIES.follow(lambda: broker.delivered)
    WRITES_WAITING.follow(lambda: store.waiting)
    dispatch = Dispatch(
        store,
        broker,
        online_users,
        rules=service_rules(config),
        rates=user_rates(config),
        typing_expires=config.typing.expire,
        presence_grace=config.presence.grace,
    )
    authenticator = Authenticator(store, identity.verifier, provision=identity.provision)
    app = App(config, store, broker, online_users, dispatch, authenticator, time.time)
    OUTBOX_BYTES.follow(lambda: app.waiting)
    dispatch.on_account_closed = lambda user: app.close_user(user, SIGNED_OUT)
    return app


def build_fronts(config: Config, site: Router) -> list[Acceptor]:
    """The listeners, bound: whatever is wrong with an address is said before anything runs."""
    server, metrics = config.server, config.metrics
    addresses = [Address(server.host, server.port)]
    if server.unix:
        addresses.append(Address(path=server.unix, mode=int(server.unix_mode, 8)))
        if "unix" not in server.trusted_proxies:
            log.warning(
                "all clients of the unix socket count as one address, with one limit of logins among them; if a proxy"
                ' serves it, add "unix" to server.trusted_proxies'
            )
    main = _front(config, site, addresses, tls_context(config))
    if not (metrics.enabled and metrics.port):
        return [main]
    return [main, _front(config, MetricsRouter(), [Address(metrics.host, metrics.port)], None)]


def _front(config: Config, site: HttpSite, addresses: list[Address], tls: ssl.SSLContext | None) -> Acceptor:
    return Acceptor(
        site,
        addresses,
        accepting=front_rules(config),
        http=http_rules(config),
        sockets=websocket_rules(config),
        tls=tls,
        crashed=_report,
        answered=_count_answer,
    )


def _count_answer(status: int) -> None:
    REQUESTS.child(str(status)).add()


def _report(problem: BaseException) -> None:
    CONNECTIONS_FAILED.add()
    log.fault("a connection failed", problem)


def _say_ready(front: Acceptor, advice: str | None) -> None:
    where = " ".join(f"{front.scheme}://{a}" if not a.startswith("unix:") else a for a in front.addresses)
    log.announce(f"chatd {__version__} listening on {where}")
    if advice:
        log.announce(advice)


def making_administrator(config: Config) -> str:
    """The words that make the first administrator on the data of this configuration, wherever `chatd` is."""
    words = [program_name(), "user add NAME --admin"]
    if config.sources.file:
        words.append(f"-c {shlex.quote(config.sources.file)}")
    if config.data.directory != Config().data.directory:
        words.append(f"--data {shlex.quote(config.data.directory)}")
    return " ".join(words)


def _freeze() -> None:
    """What is here now stays: the collector need not look at it again, and may look less often at the rest."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


class LazyApplication:
    """The REST application, imported behind the ready line: Quart takes longer to import than all else together."""

    def __init__(self, app: App, accounts: Accounts) -> None:
        self._app = app
        self._accounts = accounts
        self._ready = trio.Event()
        self._made: Application | None = None
        self._lifespan: Lifespan | None = None

    async def get(self) -> Application:
        """The application, once it is there."""
        await self._ready.wait()
        assert self._made is not None
        return self._made

    async def run(self) -> None:
        """Make it, and run it until the server stops."""
        module = await trio.to_thread.run_sync(import_module, "chatd.rest.app")
        self._made = module.make_app(self._app, self._accounts)
        self._lifespan = Lifespan(self._made)
        async with trio.open_nursery() as nursery:
            await nursery.start(self._lifespan.run)
            self._ready.set()

    async def stop(self) -> None:
        if self._lifespan is not None:
            await self._lifespan.stop()


async def _sweep(app: App) -> None:
    while True:
        await trio.sleep(SWEEP_SECONDS)
        app.sweep(trio.current_time())


async def _stop(app: App, front: Acceptor, application: LazyApplication) -> None:
    """Stop in good order, within ten seconds whatever clients do."""
    app.stopping = True  # no call is taken any more that could be committed and not answered
    with trio.move_on_after(HARD_STOP_SECONDS):
        app.database.limit_lock_wait(LOCK_SECONDS)
        await app.dispatch.settled()
        app.database.limit_lock_wait(0.0)
        await front.stop(app.config.server.stop_timeout, lambda: app.close_all(GOING_AWAY))
        await application.stop()
