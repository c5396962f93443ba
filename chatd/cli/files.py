"""`chatd files`: lists and removes the files of users. The server may be running or not."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from chatd.cli import EXIT_FAILED, EXIT_OK, WrongUse
from chatd.cli.options import declare_configuration, duration_seconds, load_configuration, size_bytes
from chatd.cli.running_server import call_server
from chatd.cli.table import table_lines

COLUMNS = ("id", "owner", "size", "type", "created", "sent", "name")
FILTERS = ("user", "older", "larger", "drafts")


def declare(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", title="actions", required=True)
    for word, run, about in (
        ("list", list_files, "list files, the oldest first"),
        ("clean", clean, "remove files; messages that have them keep their text"),
    ):
        made = actions.add_parser(word, help=about, description=f"{about.capitalize()}.", allow_abbrev=False)
        made.set_defaults(run=run)
        made.add_argument("--user", metavar="USER", help="only those of this user (name or id)")
        made.add_argument("--older", metavar="TIME", type=duration_seconds, help='only those older than, say, "90d"')
        made.add_argument("--larger", metavar="SIZE", type=size_bytes, help='only those of at least, say, "10MiB"')
        made.add_argument("--drafts", action="store_true", help="only those that no message has")
        made.add_argument("--json", action="store_true", help="print JSON, a line for each file")
        if word == "clean":
            made.add_argument("--yes", action="store_true", help="do not ask for confirmation")
        declare_configuration(made)


def selected(options: argparse.Namespace, call: str) -> Iterator[dict[str, Any]]:
    """The files that the options select, step by step."""
    config = load_configuration(options)
    before = None if options.older is None else time.time() - options.older
    filters = {"user": options.user, "before": before, "larger": options.larger or 0, "drafts": options.drafts}
    after: int | None = 0
    while after is not None:
        step = call_server(config, call, after=after, **filters)
        yield from step["files"]
        after = step["next"]


def list_files(options: argparse.Namespace) -> int:
    rows: list[tuple[str, ...]] = [COLUMNS]
    size = 0
    for file in selected(options, "files.list"):
        if options.json:
            print(json.dumps(file, ensure_ascii=False))
        rows.append(columns(file))
        size += file["size"]
    if not options.json:
        print("\n".join(table_lines(rows)))
        print(f"{len(rows) - 1:,} files, {size:,} bytes", file=sys.stderr)
    return EXIT_OK


def clean(options: argparse.Namespace) -> int:
    if not any(getattr(options, name) for name in FILTERS):
        raise WrongUse("nothing selects the files to remove; expected some of --user, --older, --larger, --drafts")
    if not options.yes:
        found = list(selected(options, "files.list"))
        if not confirmed(len(found), sum(file["size"] for file in found)):
            return EXIT_FAILED
    count = size = 0
    for file in selected(options, "files.remove"):
        count, size = count + 1, size + file["size"]
        if options.json:
            print(json.dumps(file, ensure_ascii=False))
    print(f"{count:,} files removed, {size:,} bytes", file=sys.stderr)
    return EXIT_OK


def confirmed(count: int, size: int) -> bool:
    """Ask, on a terminal."""
    if not sys.stdin.isatty():
        raise WrongUse("there is no terminal to ask on; expected --yes")
    answer = input(f"Remove {count:,} files with {size:,} bytes? [y/N] ")
    return answer.strip().lower() in ("y", "yes")


def columns(file: dict[str, Any]) -> tuple[str, ...]:
    created = datetime.fromtimestamp(file["created"] / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    sent = "yes" if file["attached"] else "no"
    return str(file["id"]), file["owner_name"], f"{file['size']:,}", file["type"], created, sent, file["name"]
