"""`chatd invite`: links with which people create their own accounts. The server may be running or not."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import Any

from chatd.cli import EXIT_OK, WrongUse
from chatd.cli.options import declare_configuration, duration_seconds, load_configuration
from chatd.cli.running_server import call_server
from chatd.cli.table import table_lines

DEFAULT_TTL_SECONDS = 7 * 86400.0
COLUMNS = ("id", "uses left", "role", "expires", "made by")


def declare(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [--admin] [--uses N] [--ttl TIME] [--json] | %(prog)s list [--json] | %(prog)s revoke ID"
    parser.add_argument(
        "words",
        nargs="*",
        metavar="list|revoke ID",
        help="list the invites, or revoke one (default: print the link of a new invite)",
    )
    parser.add_argument("--admin", action="store_true", help="the new accounts are administrators")
    parser.add_argument("--uses", type=int, metavar="N", help="how many accounts the link can create (default: 1)")
    parser.add_argument(
        "--ttl", type=duration_seconds, metavar="TIME", help="how long the link is valid, such as 12h (default: 7d)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    declare_configuration(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    match options.words:
        case []:
            return make_invite(options)
        case ["list"] if not has_invite_options(options):
            return list_invites(options)
        case ["revoke", id] if id.isascii() and id.isdigit() and len(id) < 16 and not has_invite_options(options):
            call_server(load_configuration(options), "invite.revoke", id=int(id))
            return EXIT_OK
    raise WrongUse("expected options for a new invite, or list, or revoke ID (`chatd invite list` prints the ids)")


def has_invite_options(options: argparse.Namespace) -> bool:
    """Whether an option for a new invite is given."""
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
    print("\n".join(table_lines(rows)))
    return EXIT_OK


def columns(invite: dict[str, Any]) -> tuple[str, ...]:
    until = datetime.fromtimestamp(invite["expires"] / 1000, UTC).isoformat(sep=" ", timespec="minutes")[:16]
    role = "administrator" if invite["admin"] else "user"
    return str(invite["id"]), str(invite["uses"]), role, until, invite["maker"]
