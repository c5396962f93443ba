"""A long run of tests/scenes/test_model.py: random plans, each with a number to repeat it.

python -m tests.trials.model            200 plans
python -m tests.trials.model --quick    10
SEED=17 python -m tests.trials.model    that one alone
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

from tests.scenes.model import USERS, Step
from tests.scenes.test_model import WHATS, play
from tests.trials.shell import Figures, main
from tests.trials.slow import SLOW


def plan(seed: int) -> tuple[list[list[Step]], bool]:
    dice = random.Random(seed)

    def step() -> Step:
        return Step(dice.choice(WHATS), dice.randrange(len(USERS)), dice.randrange(6))

    return [[step() for _ in range(dice.randint(1, 4))] for _ in range(dice.randint(3, 20))], dice.random() < 0.5


async def trial(folder: Path, quick: bool) -> Figures:
    seeds = [int(os.environ["SEED"])] if "SEED" in os.environ else range(10 if quick else 200)
    steps = 0
    tally: Counter[str] = Counter()
    for seed in seeds:
        turns, named = plan(seed)
        try:
            model = await play(folder / str(seed), turns, named=named)
        except BaseException as problem:
            problem.add_note(f"plan {seed}")
            print(f"plan {seed} (named {named}):", *turns, sep="\n    ")
            raise
        steps += sum(map(len, turns))
        for viewer in model.viewers:
            tally["resumed"] += viewer.resumed
            tally["pushes"] += len(viewer.received)
            tally["told of a gap"] += len(viewer.gaps)
            tally["closed as too slow"] += viewer.codes.count(SLOW)
    return {"plans": len(seeds), "steps": steps, **tally, "views that were wrong": 0}


if __name__ == "__main__":
    main(__doc__ or "", trial)
