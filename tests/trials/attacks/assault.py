"""One attack in its own process: NAME ADDRESS SECONDS, and the facts as JSON on standard input.

It prints a line when it begins, and a line of JSON at its end.
"""

from __future__ import annotations

import json
import os
import sys

import trio

from tests.trials.attacks.table import ATTACKS
from tests.trials.attacks.target import Target


async def main(name: str, address: str, seconds: float) -> None:
    os.nice(5)  # the attacker's machine is another one
    target = Target(address, json.load(sys.stdin))
    print("ready", flush=True)
    with trio.move_on_after(seconds):
        await ATTACKS[name].run(target)
    print(json.dumps({"answers": dict(target.answers.most_common(4)), "broken": target.broken}), flush=True)


if __name__ == "__main__":
    trio.run(main, sys.argv[1], sys.argv[2], float(sys.argv[3]))
