"""`chatd version`: prints the version."""

from __future__ import annotations

import argparse

from chatd import __version__
from chatd.cli import EXIT_OK


def declare(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    print(f"chatd {__version__}")
    return EXIT_OK
