"""`chatd check`: whether the data is sound: the database, the files and the search index. It changes nothing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from chatd.cli import EXIT_FAILED, EXIT_OK
from chatd.cli.options import declare_configuration, load_configuration
from chatd.cli.running_server import call_server, require_data

if TYPE_CHECKING:
    from chatd.config.settings import Config

MAX_SHOWN = 20


class Inspection(NamedTuple):
    """One part of the data to inspect, and the function that yields its problems; each "" is a step without any."""

    name: str
    problems: Callable[[Config, bool], Iterator[str]]


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--deep", action="store_true", help="read the content of every file, and compare its digest")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quiet", action="store_true", help="print problems only")
    parser.set_defaults(run=check)
    declare_configuration(parser)


def check(options: argparse.Namespace) -> int:
    config = load_configuration(options)
    require_data(config)
    found: dict[str, list[str]] = {}
    for part in INSPECTIONS:
        found[part.name] = []
        for steps, problem in enumerate(part.problems(config, options.deep)):
            if problem:
                found[part.name].append(problem)
            elif sys.stderr.isatty() and not options.quiet:
                print(f"\r{part.name}: step {steps + 1} ", end="\r", file=sys.stderr, flush=True)
        if not options.json:
            report(part.name, found[part.name], quiet=options.quiet)
    if options.json:
        print(json.dumps({"sound": not any(found.values()), "problems": found}, ensure_ascii=False))
    return EXIT_FAILED if any(found.values()) else EXIT_OK


def report(name: str, problems: list[str], *, quiet: bool) -> None:
    if not problems and not quiet:
        print(f"{name}: sound")
    for problem in problems[:MAX_SHOWN]:
        print(f"{name}: {problem}")
    if len(problems) > MAX_SHOWN:
        print(f"{name}: {len(problems) - MAX_SHOWN:,} more problems")


def check_database(config: Config, deep: bool) -> Iterator[str]:
    from pathlib import Path

    from chatd.admin.offline import DATABASE_NAME
    from chatd.store.sqlite.maintenance import find_problems

    yield from find_problems(Path(config.data.directory) / DATABASE_NAME)


def check_search(config: Config, deep: bool) -> Iterator[str]:
    status = call_server(config, "search.check")
    behind = status["newest"] - status["position"]
    if not status["building"] and not behind and status["indexed"] != status["messages"]:
        missing = status["messages"] - status["indexed"]
        yield f"{missing:,} messages are not in the index; run `chatd search rebuild`"


def check_files(config: Config, deep: bool) -> Iterator[str]:
    for call, arguments in (("files.check", {"deep": deep}), ("contents.check", {})):
        after: int | None = 0
        while after is not None:
            step = call_server(config, call, after=after, **arguments)
            yield from (f"{one['name']}: {one['problem']}" for one in step["problems"])
            yield ""
            after = step["next"]


INSPECTIONS = (
    Inspection("database", check_database),
    Inspection("files", check_files),
    Inspection("search index", check_search),
)
