"""The supervisor: no part of the server stops unnoticed.

    a part raises, or returns     a line in the log names the part and the reason
      `restarts`                  the part starts again after RESTART_SECONDS
      all others                  the server stops as after SIGTERM, and the process ends with exit code 1

A part restarts only if it keeps nothing in memory between two rounds. The state of any other part could be half
changed; a new process reads everything from the database.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

import trio

from chatd.telemetry.log import log

RESTART_SECONDS = 5.0


class Part(NamedTuple):
    """A part of the server that runs as long as the server does, and its name in the log."""

    name: str
    run: Callable[..., Awaitable[None]]
    restarts: bool = False


class PartFailed(Exception):
    """The server has stopped because a part failed. The log has the reason."""


class Supervisor:
    """Runs the parts. `serving` is cancelled when the server must stop because a part failed."""

    def __init__(self) -> None:
        self.serving = trio.CancelScope()
        self.stopping = False
        """Whether the server stops: a part that returns now has not failed."""
        self._failed: str | None = None

    async def run(self, part: Part, *, task_status: trio.TaskStatus[None] | None = None) -> None:
        """Run a part until the server stops. With `task_status`, the part reports when it has started."""
        run = part.run if task_status is None else partial(part.run, task_status=task_status)
        while True:
            problem = await _problem_of(run)
            if self.stopping and problem is None:
                return
            if not part.restarts:
                self.fail(part.name, problem or RuntimeError("it ended by itself"))
                return
            log.fault("a part of the server failed and begins anew", problem or RuntimeError(), part=part.name)
            await trio.sleep(RESTART_SECONDS)

    def fail(self, part: str, problem: Exception) -> None:
        """Stop the server because a part has failed."""
        log.fault("a part of the server can't go on: the server stops", problem, part=part)
        self._failed = self._failed or part
        self.serving.cancel()

    def check(self) -> None:
        """Raise PartFailed if the server has stopped because a part failed."""
        if self._failed is not None:
            raise PartFailed(self._failed)


async def _problem_of(run: Callable[[], Awaitable[None]]) -> Exception | None:
    """The exception of a part. A cancellation is raised, also when another exception came with it."""
    try:
        await run()
    except Exception as problem:
        return cause_of(problem)
    except BaseExceptionGroup as group:
        problems, rest = group.split(Exception)
        if problems is not None:
            log.fault("a part of the server failed while it was cancelled", cause_of(problems))
        if rest is not None:
            raise rest from None
    return None


def cause_of(problem: Any) -> Exception:
    """The first exception inside the exception groups of nurseries."""
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    assert isinstance(problem, Exception)
    return problem
