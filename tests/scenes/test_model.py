"""No event missed, in all orders of sends, edits, removals, cuts, restarts and trims.

HYPOTHESIS_PROFILE=long, or `python -m tests.trials.model`, runs longer.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import trio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from tests.scenes.model import USERS, Model, Step

WHATS = (
    *("say", "say", "say", "edit", "unsay", "read", "add", "remove", "leave", "create", "flood", "flood"),
    *("cut", "cut", "cut", "back", "back", "back anew", "slow", "slow", "wake", "part", "follow"),
    *("destroy", "restart", "trim"),
)
ALONE = ("restart",)
STEP = some.builds(Step, some.sampled_from(WHATS), some.integers(0, len(USERS) - 1), some.integers(0, 5))
TURNS = some.lists(some.lists(STEP, min_size=1, max_size=4), min_size=3, max_size=14)
TOO_SLOW = [[Step("slow", 0, device) for device in range(6)], [Step("flood", 0, 0)]]
EXAMPLES = 400 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 10


async def play(folder: Path, turns: list[list[Step]], *, named: bool) -> Model:
    """Run a plan turn by turn. The steps of a turn run at once."""
    model = Model(folder)
    await model.open()
    try:
        for user in USERS:
            await model.ask("GET", "/users/me", user)
        for viewer in model.viewers:
            await model.connect(viewer, named=False)
        await model.create(1, [2, 3])
        await model.create(1, [2], "private")
        for turn in turns:
            async with trio.open_nursery() as nursery:
                for step in turn:
                    if step.what not in ALONE:
                        nursery.start_soon(model.do, step)
            for step in turn:
                if step.what in ALONE:
                    await model.rest()
                    await model.do(step)
            await model.look()
        await model.end(named=named)
    finally:
        await model.close()
    return model


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@example(turns=TOO_SLOW, named=True)
@example(turns=TOO_SLOW, named=False)
@given(turns=TURNS, named=some.booleans())
async def test_what_all_clients_received_adds_up_to_the_truth(turns: list[list[Step]], named: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        await play(Path(folder), turns, named=named)
