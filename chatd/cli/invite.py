"""`chatd invite`: links that let people make their own accounts, before the first start or beside a running server."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import Any

from chatd.cli import FINE, Misused
from chatd.cli.options import configured, declare_configuration
from chatd.cli.running_server import ask

WEEK = 7 * 86400.0
COLUMNS = ("id", "uses left", "role", "expires", "made by")


def declare(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "chatd invite [--admin] [--uses N] [--ttl TIME] [--json] | chatd invite list [--json] | chatd invite revoke ID"
    )
    parser.add_argument("words", nargs="*", metavar="list|revoke ID", help="without: print the link of a new invite")
    parser.add_argument("--admin", action="store_true", help="its accounts are administrators")
    parser.add_argument("--uses", type=int, metavar="N", help="how many accounts it makes (1)")
    parser.add_argument("--ttl", type=seconds, metavar="TIME", help="how long it can be used (7d)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    declare_configuration(parser)
    parser.set_defaults(run=run)


def seconds(text: str) -> float:
    from chatd.config.kinds import Duration

    row = Duration(least=1)
    try:
        return float(row.read(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; expected {row.expected}") from None


def run(options: argparse.Namespace) -> int:
    match options.words:
        case []:
            return make(options)
        case ["list"] if not given(options):
            return listing(options)
        case ["revoke", id] if id.isascii() and id.isdigit() and len(id) < 16 and not given(options):
            ask(configured(options), "invite.revoke", id=int(id))
            return FINE
    raise Misused("expected options for a new invite, or: list, or: revoke ID (`chatd invite list` prints the ids)")


def given(options: argparse.Namespace) -> bool:
    """Whether any option is there that only a new invite has."""
    return bool(options.admin or options.uses is not None or options.ttl is not None)


def make(options: argparse.Namespace) -> int:
    uses = 1 if options.uses is None else options.uses
    ttl = WEEK if options.ttl is None else options.ttl
    made = ask(configured(options), "invite.make", admin=options.admin, uses=uses, ttl=ttl)
    print(json.dumps(made) if options.json else made["link"])
    return FINE


def listing(options: argparse.Namespace) -> int:
    invites = ask(configured(options), "invite.list")
    if options.json:
        print(json.dumps(invites, indent=2))
        return FINE
    rows = [COLUMNS, *map(columns, invites)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(COLUMNS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return FINE


def columns(invite: dict[str, Any]) -> tuple[str, ...]:
    until = datetime.fromtimestamp(invite["expires"] / 1000, UTC).isoformat(sep=" ", timespec="minutes")[:16]
    role = "administrator" if invite["admin"] else "user"
    return str(invite["id"]), str(invite["uses"]), role, until, invite["maker"]
