"""The common part of every trial's command."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import trio

Figures = dict[str, Any]


def main(about: str, trial: Callable[[Path, bool], Awaitable[Figures]]) -> None:
    """Run a trial in its own folder, and print its figures."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--quick", action="store_true", help="the short one")
    quick = parser.parse_args().quick
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chatd-trial-") as folder:
        try:
            figures = trio.run(trial, Path(folder), quick)
        except* AssertionError as broken:
            print(f"BROKEN: {broken.exceptions[0]}")
            sys.exit(1)
    for name, value in figures.items():
        print(f"{name:32} {value}")
    print(f"{'seconds':32} {time.monotonic() - began:.1f}")


def share(values: list[float], part: float) -> float:
    """A percentile, in milliseconds."""
    found = sorted(values)
    return round(found[min(len(found) - 1, int(len(found) * part))] * 1000, 1)
