"""`chatd search`: builds the search index again, or checks it. The server may be running or not."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from chatd.cli import EXIT_FAILED, EXIT_OK
from chatd.cli.options import declare_configuration, load_configuration
from chatd.cli.running_server import call_server


def declare(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", title="actions", required=True)
    for word, run, about in (
        ("rebuild", rebuild, "empty the index, and build it from all messages"),
        ("check", check, "check that the index has every message"),
    ):
        made = actions.add_parser(word, help=about, description=f"{about.capitalize()}.", allow_abbrev=False)
        made.add_argument("--json", action="store_true", help="print JSON")
        made.set_defaults(run=run)
        declare_configuration(made)


def rebuild(options: argparse.Namespace) -> int:
    config = load_configuration(options)
    call_server(config, "search.rebuild")
    while True:
        status = call_server(config, "search.advance")
        if sys.stderr.isatty():
            print(f"\r{status['indexed']:,} of {status['messages']:,} messages", end="", file=sys.stderr, flush=True)
        if not status["building"]:
            break
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return report(options, status)


def check(options: argparse.Namespace) -> int:
    return report(options, call_server(load_configuration(options), "search.check"))


def report(options: argparse.Namespace, status: dict[str, Any]) -> int:
    """Print how far the index is; the exit code is 0 if it has every message."""
    complete = not status["building"] and status["indexed"] == status["messages"]
    if options.json:
        print(json.dumps({**status, "complete": complete}))
    else:
        behind = status["newest"] - status["position"]
        print(f"{status['indexed']:,} of {status['messages']:,} messages are in the index; {behind:,} events behind")
        if not complete and not behind:
            print("run `chatd search rebuild` to build the index again", file=sys.stderr)
    return EXIT_OK if complete else EXIT_FAILED
