"""P10: no input of n bytes costs more than time linear in n.

Every parser of what a client sends (PROBES) reads every family of hostile input (FAMILIES for text, VALUES for JSON),
at n and at 4n bytes. The CPU time of the two is compared: 4 is linear, 16 is quadratic. A time below FLOOR_SECONDS says
nothing about the growth, and passes. A parser that checks the length first passes by that.

The ratio of one run is noisy, so a bad ratio is measured again before it counts.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.trials.linear_inputs import FAMILIES, VALUES
from tests.trials.linear_probes import PROBES, REFUSED, ROUTES, Probe, guided, payload_probes
from tests.trials.shell import Figures, main

BYTES = 32_768  # n; and 4n is twice what a WebSocket message may have
FLOOR_SECONDS = 0.004
WORST_RATIO = 8.0
TRIES = 3


async def seconds(probe: Probe, data: bytes) -> float:
    """The CPU time of one parse, refused or not."""
    began = time.thread_time()
    own: Any = None
    with contextlib.suppress(*REFUSED):
        own = probe(data)
        if hasattr(own, "__await__"):
            await own
    return own if isinstance(own, float) else time.thread_time() - began


async def ratio(probe: Probe, family: Callable[[int], bytes]) -> tuple[float, float]:
    """The factor for four times the input, and the longer time in seconds: the best of a few runs."""
    short, long = family(BYTES), family(4 * BYTES)
    best, longest = float("inf"), float("inf")
    for _ in range(TRIES):
        first, fourth = await seconds(probe, short), await seconds(probe, long)
        longest = min(longest, fourth)
        best = min(best, fourth / max(first, FLOOR_SECONDS / 4))
        if longest < FLOOR_SECONDS or best <= WORST_RATIO:
            break
    return (0.0 if longest < FLOOR_SECONDS else best), longest


async def trial(folder: Path, quick: bool) -> Figures:
    """Every probe with every family; when it is quick, with each fifth of them."""
    step = 5 if quick else 1
    tables = [
        ("text", list(PROBES.items()), FAMILIES),
        ("JSON in text", [(name, probe) for name, probe in PROBES.items() if "JSON" in name or "IO" in name], VALUES),
        ("payloads", list(payload_probes()), VALUES),
        ("routes", [(name, guided(guide)) for name, guide in ROUTES.items()], {**FAMILIES, **VALUES}),
    ]
    figures: Figures = {"bytes": f"{BYTES} and {4 * BYTES}"}
    found: list[tuple[float, float, str]] = []
    for title, probes, families in tables:
        pairs = [(name, probe, family) for name, probe in probes for family in families][::step]
        measured = [(*await ratio(probe, families[family]), f"{name} / {family}") for name, probe, family in pairs]
        found += measured
        worst, slowest = max(measured), max(measured, key=lambda one: one[1])
        figures[f"{title}: inputs"] = len(measured)
        figures[f"{title}: worst ratio"] = f"{worst[0]:.1f}  {worst[2]}"
        figures[f"{title}: slowest, ms"] = f"{slowest[1] * 1000:.1f}  {slowest[2]}"
    bad = [
        f"{found_ratio:.1f} ({took * 1000:.0f} ms) {name}"
        for found_ratio, took, name in found
        if found_ratio > WORST_RATIO
    ]
    assert not bad, f"{len(bad)} inputs cost more than linear time: {'; '.join(sorted(bad, reverse=True)[:40])}"
    return figures


if __name__ == "__main__":
    main(__doc__ or "", trial)
