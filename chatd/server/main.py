"""The process: what starts and what stops, in which order.

start     store → identity → app → listeners → the line that says so
          → the REST application, at the first request for it
stop      no new calls → running calls are committed and answered → no new connections → connections close (1012)
          → the store closes
"""

from __future__ import annotations

import gc
import shlex
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import trio

from chatd import __version__
from chatd.admin.accounts import handlers
from chatd.admin.control_socket import FILE_NAME, serve_control
from chatd.admin.files import FileAdmin
from chatd.admin.offline import DATABASE_NAME, SEARCH_NAME, make_folder
from chatd.admin.search import SearchAdmin
from chatd.auth.identity import open_identity
from chatd.config.load import ConfigError, reload
from chatd.config.settings import Config
from chatd.core.accounts import Accounts, first_steps
from chatd.core.app import App, LiveSettings
from chatd.core.background_tasks import report_failed_connection
from chatd.core.search_follower import SearchFollower
from chatd.files.collector import Collector
from chatd.files.inventory import Inventory
from chatd.files.stores import open_contents, open_staging
from chatd.files.uploads import Uploads
from chatd.net.acceptor import Acceptor
from chatd.net.asgi import Application, Lifespan
from chatd.net.http import HttpRouter as HttpSite
from chatd.net.http_connection import reject
from chatd.net.listeners import Address
from chatd.net.process import raise_descriptors
from chatd.program import program_name
from chatd.realtime.flusher import Flusher
from chatd.rest.route_handlers import Routes
from chatd.rest.unsent import Unsent
from chatd.server.limits import front_rules, http_rules, tls_context, websocket_rules
from chatd.server.machine import check_machine
from chatd.server.retention import keep_clean
from chatd.server.router import MetricsRouter, Router, own_origin
from chatd.services.context import SHELL
from chatd.store.compiled.schema import SCHEMA
from chatd.store.queries import users
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.faults import StoreProblem
from chatd.store.sqlite.search_index import SearchIndex
from chatd.supervisor import Part, PartFailed, Supervisor, cause_of
from chatd.telemetry.log import adopt_logging, log
from chatd.telemetry.metrics import DELIVERIES, OUTBOX_BYTES, POSITION, REQUESTS, WRITES_WAITING
from protocol.errors import GOING_AWAY, UNAVAILABLE

HARD_STOP_SECONDS = 9.0
FORWARDED_SIGNAL_SECONDS = 0.2
LAST_LOCK_SECONDS = 1.0  # how long running calls may wait for another program's lock while the server stops


def run(config: Config) -> int:
    """Serve until a signal stops the server; the exit code."""
    log.configure(config.log.format, config.log.level)
    adopt_logging(log)
    check_machine(config)
    raise_descriptors()
    try:
        trio.run(serve, config)
    except (StoreProblem, OSError) as problem:
        log.announce(f"chatd: {_sentence(problem)}", "error")
        return 1
    except PartFailed:  # the log says which part and why
        return 1
    except ExceptionGroup as problem:  # of a nursery: for example, a failure while the server stopped
        log.fault("the server failed", cause_of(problem))
        return 1
    return 0


def _sentence(problem: Exception) -> str:
    if isinstance(problem, OSError) and problem.strerror:
        return f"{problem.filename}: {problem.strerror}" if problem.filename else problem.strerror
    return str(problem)


async def serve(config: Config) -> None:
    """Run the server. The first signal stops it in good order, even while it starts; the second stops it at once."""
    stops = (signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if hangup_stops() else []))
    with ExitStack() as receivers:
        signals = receivers.enter_context(trio.open_signal_receiver(*stops))
        async with running(config, rereads=signal.SIGHUP not in stops) as server:
            count = await server.app.database.read(users.count)
            advice = first_steps(server.accounts, count, command_for_administrator(config), server.address)
            _say_ready(server.front, advice)
            _freeze()
            try:
                await anext(signals)
                if getattr(sys, "frozen", False):  # its loader forwards a signal that both have received: count it once
                    await trio.sleep(FORWARDED_SIGNAL_SECONDS)
            finally:
                receivers.close()


class LiveLog:
    """The log, as a part with live settings."""

    def adopt(self, config: Config) -> None:
        log.configure(config.log.format, config.log.level)
        adopt_logging(log)


class Listener:
    """A listener, as a part with live settings. Connections that are open keep the rules that they began with."""

    def __init__(self, acceptor: Acceptor) -> None:
        self._acceptor = acceptor

    def adopt(self, config: Config) -> None:
        self._acceptor.adopt(front_rules(config), http_rules(config), websocket_rules(config))


class RunningServer(NamedTuple):
    """A server that runs. `live_parts` are all parts that SIGHUP may change."""

    app: App
    site: Router
    front: Acceptor
    others: tuple[Acceptor, ...]
    search: SearchFollower
    uploads: Uploads
    collector: Collector
    live_parts: tuple[LiveSettings, ...]

    @classmethod
    def of(
        cls, app: App, site: Router, search: SearchFollower, uploads: Uploads, collector: Collector, *fronts: Acceptor
    ) -> RunningServer:
        live = (LiveLog(), *app.live_parts, site, uploads, collector, *map(Listener, fronts))
        return cls(app, site, fronts[0], fronts[1:], search, uploads, collector, live)

    @property
    def accounts(self) -> Accounts:
        return self.app.accounts

    @property
    def address(self) -> str:
        """Where the server listens."""
        return f"{self.front.scheme}://{self.front.addresses[0]}"

    def adopt(self, config: Config) -> None:
        """Use what may change while the server runs."""
        for part in self.live_parts:
            part.adopt(config)

    def reread(self) -> None:
        """Read the configuration again and use its live settings. A wrong configuration changes nothing."""
        try:
            config, waiting = reload(self.app.config)
        except ConfigError as error:
            why = str(error).replace("`chatd ", f"`{program_name()} ")
            log.error("the configuration stays as it is", why=why)
            return
        self.adopt(config)
        log.info("configuration read again", waits_for_restart=", ".join(waiting) or "nothing")


def hangup_stops() -> bool:
    """Whether SIGHUP stops the server: it has a terminal, and does not run under nohup."""
    terminal = any(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))
    return terminal and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN


async def _reread_on_hangup(server: RunningServer) -> None:
    """Read the configuration again at each SIGHUP. For a server without a terminal."""
    with trio.open_signal_receiver(signal.SIGHUP) as hangups:
        async for _ in hangups:
            server.reread()


@asynccontextmanager
async def running(config: Config, *, rereads: bool = True) -> AsyncIterator[RunningServer]:
    """A server that listens while the block runs, and stops in good order after it."""
    folder = Path(config.data.directory)
    make_folder(config)
    identity = open_identity(config, folder)
    contents, staging = open_contents(config), open_staging(config)
    staging.prepare()
    await trio.to_thread.run_sync(contents.prepare)
    supervisor = Supervisor()
    index = SearchIndex(folder / SEARCH_NAME)
    database = Database.open(
        folder / DATABASE_NAME,
        SCHEMA,
        synchronous=config.data.synchronous,
        batch=config.data.batch,
        busy_seconds=config.data.busy_timeout,
        readers=config.data.readers,
        search=index,
        failed=supervisor.fail,
    )
    async with database as store:
        app = App.build(config, store, identity)
        show_figures(app)
        follower = SearchFollower(store, index, app.bus)
        await app.viewers.begin()
        unsent = Unsent()
        application = LazyApplication(app, unsent)
        uploads = Uploads(config, app.dispatch, staging, contents)
        collector = Collector(config, store, uploads, app.bus)
        routes = Routes(app, unsent, uploads, partial(own_origin, app))
        site = Router(app, routes, application.get)
        front, *others = build_fronts(config, site)
        server = RunningServer.of(app, site, follower, uploads, collector, front, *others)
        async with trio.open_nursery() as nursery:
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
    """Everything that runs as long as the server does, except the listeners and the store's own tasks."""
    app = server.app
    inventory = Inventory(
        app.database, server.uploads.contents, partial(app.dispatch.commit, SHELL), server.uploads.lock
    )
    calls = {
        **handlers(app, app.accounts, server.address),
        **SearchAdmin(server.search).handlers,
        **FileAdmin(app.database, inventory).handlers,
    }
    parts = [
        Part("broker", Flusher(app.broker).run),
        Part("presence", app.presence.run),
        Part("notifier", app.notifier.run),
        Part("timers", app.tick),
        Part("background tasks", app.background_tasks.run),
        Part("sweep", partial(_sweep, app)),
        Part("socket.io sessions", server.site.run),
        Part("rest", application.run),
        Part("search index", server.search.run, restarts=True),
        Part("file collector", server.collector.run, restarts=True),
        Part("removal", app.remover.run, restarts=True),
        Part("cleaning", partial(keep_clean, app), restarts=True),
        Part("write probe", app.database.keep_probing, restarts=True),
        Part("control socket", partial(serve_control, folder / FILE_NAME, calls), restarts=True),
    ]
    if rereads:
        parts.append(Part("reload on SIGHUP", partial(_reread_on_hangup, server), restarts=True))
    if app.accounts.identity.source is not None:
        parts.append(Part("key set", app.accounts.identity.source.run, restarts=True))
    return parts


def show_figures(app: App) -> None:
    """Let the metrics read what the app knows at any moment."""
    POSITION.follow(lambda: app.broker.position)
    DELIVERIES.follow(lambda: app.broker.delivered)
    WRITES_WAITING.follow(lambda: app.database.waiting)
    OUTBOX_BYTES.follow(lambda: app.waiting)


def build_fronts(config: Config, site: Router) -> list[Acceptor]:
    """The listeners, bound to their addresses: a wrong address is reported before anything runs."""
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
        crashed=report_failed_connection,
        answered=_count_answer,
    )


def _count_answer(status: int) -> None:
    REQUESTS.child(str(status)).add()


def _say_ready(front: Acceptor, advice: str | None) -> None:
    where = " ".join(f"{front.scheme}://{a}" if not a.startswith("unix:") else a for a in front.addresses)
    log.announce(f"chatd {__version__} listening on {where}")
    if advice:
        log.announce(advice)


def command_for_administrator(config: Config) -> str:
    """The command that makes the first administrator on the data of this configuration."""
    words = [program_name(), "user add NAME --admin"]
    if config.sources.file:
        words.append(f"-c {shlex.quote(config.sources.file)}")
    if config.data.directory != Config().data.directory:
        words.append(f"--data {shlex.quote(config.data.directory)}")
    return " ".join(words)


def _freeze() -> None:
    """Exempt all present objects from garbage collection, and collect the others less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


class LazyApplication:
    """The REST application, imported at the first request for it. Quart and what it imports take 13 MiB and 0.1 s."""

    def __init__(self, app: App, unsent: Unsent) -> None:
        self._app = app
        self._unsent = unsent
        self._wanted = trio.Event()
        self._settled = trio.Event()
        self._made: Application | None = None
        self._lifespan: Lifespan | None = None

    async def get(self) -> Application:
        """Wait for the application, or raise Reject if it could not be loaded."""
        self._wanted.set()
        await self._settled.wait()
        if self._made is None:
            raise reject(UNAVAILABLE, "This part of the server could not be loaded; the server must be started again")
        return self._made

    async def run(self) -> None:
        """Import and build the application when it is wanted, and run it until the server stops."""
        await self._wanted.wait()
        try:
            module = await trio.to_thread.run_sync(import_module, "chatd.rest.app")
        except ImportError as error:  # for example, chatd was upgraded in its place while it ran
            log.fault("the REST application could not be loaded; start chatd again", error)
            self._settled.set()
            await trio.sleep_forever()
        application = module.make_app(self._app, self._unsent)
        self._lifespan = Lifespan(application)
        async with trio.open_nursery() as nursery:
            await nursery.start(self._lifespan.run)
            self._made = application
            self._settled.set()

    async def stop(self) -> None:
        if self._lifespan is not None:
            await self._lifespan.stop()


async def _sweep(app: App) -> None:
    while True:
        await app.connections.wait()
        app.sweep(trio.current_time())


async def _stop(app: App, front: Acceptor, application: LazyApplication) -> None:
    """Stop within ten seconds, in the order above. No client can delay it."""
    app.stopping = True  # refuse new calls: they could be committed and not answered
    with trio.move_on_after(HARD_STOP_SECONDS):
        app.database.limit_lock_wait(LAST_LOCK_SECONDS)
        await app.dispatch.settled()
        app.database.limit_lock_wait(0.0)
        await front.stop(app.config.server.stop_timeout, lambda: app.close_all(GOING_AWAY))
        await application.stop()
