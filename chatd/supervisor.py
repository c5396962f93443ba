"""The supervisor: no long-lived part of the server stops in silence.

    a part raises, or returns     a line in the log says which part, and why
      `restarts`                  the part begins anew after RESTART_SECONDS
      all others                  the server stops as after SIGTERM, and the process ends with exit code 1

Only a part that keeps nothing in memory between two turns restarts. The others could go on with a state that is half
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
    """Something that runs for as long as the server does, and the name that the log gives it."""

    name: str
    run: Callable[..., Awaitable[None]]
    restarts: bool = False


class PartFailed(Exception):
    """A part could not go on, so the server has stopped. The log says why."""


class Supervisor:
    """Runs parts. `serving` is cancelled when the server has to stop because of one of them."""

    def __init__(self) -> None:
        self.serving = trio.CancelScope()
        self.stopping = False
        """The server stops: a part that returns now has done its work."""
        self._failed: str | None = None

    async def run(self, part: Part, *, task_status: trio.TaskStatus[None] | None = None) -> None:
        """Run a part until the server stops. With `task_status`, the part says itself when it has started."""
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
        """A part can't go on. Nothing else is needed to end the process."""
        log.fault("a part of the server can't go on: the server stops", problem, part=part)
        self._failed = self._failed or part
        self.serving.cancel()

    def check(self) -> None:
        """Raise when the server has stopped because a part failed."""
        if self._failed is not None:
            raise PartFailed(self._failed)


async def _problem_of(run: Callable[[], Awaitable[None]]) -> Exception | None:
    """What a part raised. A cancellation goes on, also when something else failed beside it."""
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
    """The first exception inside the groups that nurseries make."""
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    assert isinstance(problem, Exception)
    return problem
