"""`chatd token`: an access token for a user, or what is in one."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from chatd.cli import FINE, Misused
from chatd.cli.house import ask
from chatd.cli.options import configured, declare_configuration

STANDARD_INPUT = "-"


def declare(parser: argparse.ArgumentParser) -> None:
    parser.usage = "chatd token USER [--ttl TIME] [--admin] | chatd token check TOKEN|-"
    parser.add_argument(
        "words", nargs="+", metavar="USER", help="a name or an id; or: check TOKEN, check - for standard input"
    )
    parser.add_argument("--ttl", metavar="TIME", type=seconds, help="how long it lasts (auth.access_ttl)")
    parser.add_argument("--admin", action="store_true", help="with the rights of an administrator")
    declare_configuration(parser)
    parser.set_defaults(run=run)


def seconds(text: str) -> float:
    from chatd.settings_kinds import Duration

    row = Duration(least=1)
    try:
        return float(row.read(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; expected {row.expected}") from None


def run(options: argparse.Namespace) -> int:
    match options.words:
        case ["check", token]:
            return check(options, token)
        case [user]:
            return make(options, user)
    raise Misused("expected one USER, or: check TOKEN")


def make(options: argparse.Namespace, user: str) -> int:
    config = configured(options)
    ttl = options.ttl or config.auth.access_ttl
    print(ask(config, "token.make", user=user, ttl=ttl, admin=options.admin)["token"])
    return FINE


def check(options: argparse.Namespace, token: str) -> int:
    if token == STANDARD_INPUT:
        token = sys.stdin.readline()
    found = ask(configured(options), "token.check", token=token)
    until = datetime.fromtimestamp(found["expires"], UTC).isoformat(sep=" ", timespec="seconds")
    admin = ", administrator" if found["admin"] else ""
    name = f" ({found['name']})" if found["name"] else ""
    print(f"valid: user {found['user']}{name}{admin}, until {until}")
    return FINE
