"""Dispatch: every command is carried out here, for every wire and every dialect.

    perform   limit → check the claimed user → the service, in the store → commit → publish → answer → count

A command is not a task: it is submitted, and `reply` is called with the outcome on the Trio thread. Outcomes of writes
arrive in the order of their commits, after the events that the writes caused have been published.

Some services wait for more than the store: a login takes as long as a password's hash. They run in the task of the
caller (`request`), and commit what they write with `commit`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, partial
from time import perf_counter
from typing import Any, TypeAlias, TypeVar

import outcome

from chatd.config.settings import Config
from chatd.core.background_tasks import Task
from chatd.core.command_limits import Check
from chatd.core.memory_services import MemoryService
from chatd.realtime.event_bus import Publisher
from chatd.realtime.viewers import Viewers
from chatd.services.audit import note_command
from chatd.services.context import Actor, Completed, ServiceContext, ServiceRules, TaskService, authorise
from chatd.services.table import SERVICES, ServiceRow
from chatd.store.sqlite.callback import wait_for_callback
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.telemetry.metrics import CALL_SECONDS, CALLS, Child
from protocol.commands import Command
from protocol.errors import FORBIDDEN, Refusal

log = logging.getLogger("chatd.core.dispatch")

T = TypeVar("T")
Answer: TypeAlias = "Completed | outcome.Error"
"""The outcome of a command: its result and the events that were published, or the error."""
Reply = Callable[[Answer], None]


class Dispatch:
    """Carries out commands.

    `limits` is a table, command type → check of how often a caller may do that. Services that run in one transaction
    are in chatd/services/table.py. `memory_services` are asked before them, and `completions` add to their results;
    `task_services` run in the caller's task, or in one that `start_task` starts.
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
        completions: Mapping[type[Command], Callable[[Any], Any]],
        task_services: Mapping[type[Command], TaskService],
        start_task: Callable[[Task], None],
    ) -> None:
        self._database = database
        self._publish = publisher.publish
        self._viewers = viewers
        self._limits = limits
        self._memory_services = memory_services
        self._completions = completions
        self._task_services = task_services
        self._start_task = start_task
        self._observe_seconds = CALL_SECONDS.child().observe
        self.adopt(config)

    def adopt(self, config: Config) -> None:
        """Use other rules for commands from now on."""
        self._rules = service_rules(config)

    def perform(self, actor: Actor, command: Command, reply: Reply, *, behind: bool = False) -> None:
        """Carry out a command; `reply` receives its outcome, now or later.

        `behind`: earlier writes of the caller are in progress, so a read goes through the writer, behind them.
        """
        kind = type(command)
        if kind in self._task_services:
            self._start_task(partial(self._perform_in_task, actor, command, reply))
            return
        began = perf_counter()
        answer: Answer | None
        try:
            self._check(kind, actor, command)
            memory = self._memory_services.get(kind)
            answer = memory.answer(actor, command) if memory and not (behind and memory.in_order) else None
        except Refusal as refusal:
            answer = outcome.Error(refusal)
        if answer is not None:
            self._finish(kind, began, reply, answer)
            return
        self._viewers.flush()
        row = SERVICES[kind]
        unit = partial(_carry_out, row, actor, command, self._rules)
        done = partial(self._done, kind, began, reply)
        if row.writes or (behind and row.in_order):
            self._database.submit(unit, done)
        else:
            self._database.query(unit, done)

    async def request(self, actor: Actor, command: Command) -> Any:
        """Carry out a command and wait for its result; its error is raised."""
        service = self._task_services.get(type(command))
        if service is not None:
            return await self._request_in_task(service, actor, command)
        answer: Answer = await wait_for_callback(partial(self.perform, actor, command))
        return result_of(answer)

    async def _perform_in_task(self, actor: Actor, command: Command, reply: Reply) -> None:
        try:
            answer: Answer = Completed(await self.request(actor, command), [])
        except Refusal as refusal:
            answer = outcome.Error(refusal)
        except Exception as problem:  # a bug: the client gets INTERNAL, and the log says why
            log.exception("%s failed", type(command).__name__)
            answer = outcome.Error(problem)
        reply(answer)

    async def _request_in_task(self, service: TaskService, actor: Actor, command: Command) -> Any:
        kind, began, code = type(command), perf_counter(), "INTERNAL"
        try:
            self._check(kind, actor, command)
            result = await service(actor, command, partial(self.commit, actor))
            code = "ok"
        except Refusal as refusal:
            code = refusal.code.code
            raise
        finally:
            self._count(kind, code, began)
        return result

    async def commit(self, actor: Actor, unit: Callable[[ServiceContext], T]) -> T:
        """Run a part of a service in a transaction; after the commit, publish its events and return its result.

        Events are published even when the caller is cancelled.
        """
        carry_out = partial(_run, unit, actor, self._rules)
        completed: Completed = await self._database.submit_and_wait(carry_out, self._publish_all)
        result: T = completed.result
        return result

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
            self._publish_all(done.value)
            if kind in self._completions:
                answer = Completed(self._completions[kind](done.value.result), done.value.published)
        else:
            assert isinstance(done, outcome.Error)
            answer = done
        self._finish(kind, began, reply, answer)

    def _publish_all(self, completed: Completed) -> None:
        for event, position in completed.published:
            self._publish(event, position)

    def _finish(self, kind: type[Command], began: float, reply: Reply, answer: Answer) -> None:
        code = "ok"
        if type(answer) is outcome.Error:
            code = "INTERNAL"
            if isinstance(answer.error, Refusal):
                code = answer.error.code.code
                answer.error.__traceback__ = None  # its frames hold the call, which holds the connection: a cycle
        self._count(kind, code, began)
        reply(answer)

    def _count(self, kind: type[Command], code: str, began: float) -> None:
        _counter(kind, code).value += 1
        self._observe_seconds(perf_counter() - began)


def service_rules(config: Config) -> ServiceRules:
    limits = config.limits
    return ServiceRules(
        limits.text_characters,
        limits.attachments,
        limits.members,
        limits.page_default,
        limits.page,
        limits.page_bytes,
        limits.reactions,
        config.files.user_bytes,
        config.files.day_bytes,
        config.files.total_bytes,
        config.files.draft_hours * 3_600_000,
        config.files.uploads,
    )


@cache
def _counter(kind: type[Command], code: str) -> Child:
    return CALLS.child(kind.__name__, code)


def result_of(answer: Answer) -> Any:
    """The result. An error is raised."""
    return answer.result if isinstance(answer, Completed) else answer.unwrap()


def _run(unit: Callable[[ServiceContext], Any], actor: Actor, rules: ServiceRules, tx: Transaction) -> Completed:
    context = ServiceContext(tx, actor, rules)
    return Completed(unit(context), context.published)


def _carry_out(row: ServiceRow, actor: Actor, command: Command, rules: ServiceRules, tx: ReadTransaction) -> Completed:
    context = ServiceContext(tx, actor, rules)  # type: ignore[arg-type]
    result = row.service(context, command)
    if row.audit is not None:
        note_command(context, row.audit, command)
    return Completed(result, context.published)
