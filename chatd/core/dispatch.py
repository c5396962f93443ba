"""The entry: every command is carried out here, for every wire and every dialect.

    perform   limit → check the claimed user → the service, in the store → commit → publish → answer → count

A command is not a task: it is submitted, and `reply` is called with the outcome on the Trio thread. Outcomes of writes
arrive in the order of their commits, after the events that the writes caused have been published.

Commands of callers without a token (register, login, refresh, logout) take as long as a password's hash and need no
order: PublicDispatch limits them by address, carries them out and counts them.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import cache, partial
from time import perf_counter
from typing import Any, NamedTuple, TypeAlias

import outcome
import trio

from chatd.config.settings import Config
from chatd.core.memory_services import MemoryService
from chatd.core.user_limits import Check
from chatd.net.proxies import address_block
from chatd.realtime.event_bus import Publisher
from chatd.realtime.viewers import Viewers
from chatd.services.context import Actor, Completed, ServiceContext, ServiceRules, authorise
from chatd.services.table import SERVICES, ServiceRow
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import ReadTransaction
from chatd.telemetry.metrics import CALL_SECONDS, CALLS, Child
from protocol.commands import Command
from protocol.errors import FORBIDDEN, Refusal

log = logging.getLogger("chatd.core.dispatch")

Answer: TypeAlias = "Completed | outcome.Error"
"""The outcome of a command: its result and the events that were published, or the error."""
Reply = Callable[[Answer], None]


class Dispatch:
    """Carries out commands.

    `limits` is a table, command type → check of how often a user may do that. `memory_services` is a table, command
    type → function that answers from memory.
    """

    def __init__(
        self,
        config: Config,
        database: Database,
        publisher: Publisher,
        viewers: Viewers,
        *,
        limits: Mapping[type[Command], Check],
        memory_services: Mapping[type[Command], MemoryService],
    ) -> None:
        self._database = database
        self._publish = publisher.publish
        self._viewers = viewers
        self._limits = limits
        self._memory_services = memory_services
        self._observe_seconds = CALL_SECONDS.child().observe
        self.adopt(config)

    def adopt(self, config: Config) -> None:
        """Use other rules for commands from now on."""
        self._rules = service_rules(config)

    def perform(self, actor: Actor, command: Command, reply: Reply, *, behind: bool = False) -> None:
        """Carry out a command; `reply` receives its outcome, now or later.

        `behind`: earlier writes of the caller are not committed yet, so a read goes through the writer, behind them.
        """
        kind = type(command)
        began = perf_counter()
        answer: Answer | None
        try:
            self._check(kind, actor, command)
            from_memory = self._memory_services.get(kind)
            answer = from_memory(actor, command) if from_memory else None
        except Refusal as refusal:
            answer = outcome.Error(refusal)
        if answer is not None:
            self._finish(kind, began, reply, answer)
            return
        self._viewers.flush()
        row = SERVICES[kind]
        unit = partial(_carry_out, row, actor, command, self._rules)
        done = partial(self._done, kind, began, reply)
        if row.writes or behind:
            self._database.submit(unit, done)
        else:
            self._database.query(unit, done)

    async def request(self, actor: Actor, command: Command) -> Any:
        """Carry out a command and wait for its result; its error is raised."""
        answered = trio.Event()
        given: list[Answer] = []

        def reply(answer: Answer) -> None:
            given.append(answer)
            answered.set()

        self.perform(actor, command, reply)
        await answered.wait()
        return result_of(given[0])

    async def settled(self) -> None:
        """Wait until every command that has arrived so far is answered."""
        with suppress(Refusal):
            await self._database.write(lambda tx: None)

    def _check(self, kind: type[Command], actor: Actor, command: Command) -> None:
        claimed = command.claimed_user
        if claimed is not None and not actor.is_named(claimed):
            raise Refusal(FORBIDDEN, "The user in the payload must be your own")
        authorise(actor, command)
        limit = self._limits.get(kind)
        if limit is not None:
            limit(actor, command)

    def _done(self, kind: type[Command], began: float, reply: Reply, done: outcome.Outcome[Completed]) -> None:
        """A unit of work has been committed, or has failed: publish its events, then answer."""
        if type(done) is outcome.Value:
            answer: Answer = done.value
            for event, position in done.value.published:
                self._publish(event, position)
        else:
            assert isinstance(done, outcome.Error)
            answer = done
        self._finish(kind, began, reply, answer)

    def _finish(self, kind: type[Command], began: float, reply: Reply, answer: Answer) -> None:
        code = "ok"
        if type(answer) is outcome.Error:
            code = "INTERNAL"
            if isinstance(answer.error, Refusal):
                code = answer.error.code.code
                answer.error.__traceback__ = None  # its frames hold the call, which holds the connection: a cycle
        _counter(kind, code).value += 1
        self._observe_seconds(perf_counter() - began)
        reply(answer)


class PublicService(NamedTuple):
    """How a command of callers without a token is carried out: `limit` may refuse it by its address."""

    service: Callable[[Any, str], Awaitable[Any]]
    limit: Callable[[str], None]


class PublicDispatch:
    """Carries out the commands of callers without a token. `services` is a table, command type → service."""

    def __init__(self, services: Mapping[type[Command], PublicService]) -> None:
        self._services = services
        self._observe_seconds = CALL_SECONDS.child().observe

    async def request(self, command: Command, address: str) -> Any:
        """Carry out a command from this address and return its result; its error is raised."""
        kind, network = type(command), address_block(address)
        began = perf_counter()
        row = self._services[kind]
        code = "INTERNAL"
        try:
            row.limit(network)
            result = await row.service(command, network)
            code = "ok"
        except Refusal as refusal:
            code = refusal.code.code
            raise
        finally:
            _counter(kind, code).value += 1
            self._observe_seconds(perf_counter() - began)
        return result


def service_rules(config: Config) -> ServiceRules:
    limits = config.limits
    return ServiceRules(
        limits.text_characters,
        limits.attachments,
        limits.members,
        limits.page_default,
        limits.page,
        limits.page_bytes,
    )


@cache
def _counter(kind: type[Command], code: str) -> Child:
    return CALLS.child(kind.__name__, code)


def result_of(answer: Answer) -> Any:
    """The result. An error is raised."""
    return answer.result if isinstance(answer, Completed) else answer.unwrap()


def _carry_out(row: ServiceRow, actor: Actor, command: Command, rules: ServiceRules, tx: ReadTransaction) -> Completed:
    context = ServiceContext(tx, actor, rules)  # type: ignore[arg-type]
    return Completed(row.service(context, command), context.published)
