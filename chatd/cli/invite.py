"""`chatd invite`: links that let people make their own accounts, before the first start or beside a running server."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import Any

from chatd.cli import EXIT_OK, WrongUse
from chatd.cli.options import declare_configuration, load_configuration
from chatd.cli.running_server import call_server

DEFAULT_TTL_SECONDS = 7 * 86400.0
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

    row = Duration(minimum=1)
    try:
        return float(row.parse_text(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; expected {row.expected}") from None


def run(options: argparse.Namespace) -> int:
    match options.words:
        case []:
            return make_invite(options)
        case ["list"] if not has_invite_options(options):
            return list_invites(options)
        case ["revoke", id] if id.isascii() and id.isdigit() and len(id) < 16 and not has_invite_options(options):
            call_server(load_configuration(options), "invite.revoke", id=int(id))
            return EXIT_OK
    raise WrongUse("expected options for a new invite, or: list, or: revoke ID (`chatd invite list` prints the ids)")


def has_invite_options(options: argparse.Namespace) -> bool:
    """Whether any option is there that only a new invite has."""
    return bool(options.admin or options.uses is not None or options.ttl is not None)


def make_invite(options: argparse.Namespace) -> int:
    uses = 1 if options.uses is None else options.uses
    ttl = DEFAULT_TTL_SECONDS if options.ttl is None else options.ttl
    made = call_server(load_configuration(options), "invite.make", admin=options.admin, uses=uses, ttl=ttl)
    print(json.dumps(made) if options.json else made["link"])
    return EXIT_OK


def list_invites(options: argparse.Namespace) -> int:
    invites = call_server(load_configuration(options), "invite.list")
    if options.json:
        print(json.dumps(invites, indent=2))
        return EXIT_OK
    rows = [COLUMNS, *map(columns, invites)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(COLUMNS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return EXIT_OK


def columns(invite: dict[str, Any]) -> tuple[str, ...]:
    until = datetime.fromtimestamp(invite["expires"] / 1000, UTC).isoformat(sep=" ", timespec="minutes")[:16]
    role = "administrator" if invite["admin"] else "user"
    return str(invite["id"]), str(invite["uses"]), role, until, invite["maker"]
