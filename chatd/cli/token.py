"""`chatd token`: prints and checks access tokens, and manages the tokens of services."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from chatd.cli import EXIT_OK, WrongUse
from chatd.cli.options import declare_configuration, duration_seconds, load_configuration
from chatd.cli.running_server import call_server

STANDARD_INPUT = "-"


def declare(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "%(prog)s USER [--ttl TIME] [--admin] | %(prog)s check TOKEN|- | "
        "%(prog)s --service NAME [--scope notify,broadcast] | %(prog)s --list | %(prog)s --revoke NAME"
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="USER",
        help="the name or id of a user; or check TOKEN; or check - to read the token from standard input",
    )
    parser.add_argument(
        "--ttl",
        metavar="TIME",
        type=duration_seconds,
        help="how long the token is valid, such as 1h (default: auth.access_ttl)",
    )
    parser.add_argument("--admin", action="store_true", help="give the token the rights of an administrator")
    parser.add_argument("--service", metavar="NAME", help="print a new token for a program; it is valid for REST only")
    parser.add_argument(
        "--scope",
        metavar="SCOPES",
        default="notify",
        help="what the program may do, separated by commas (default: %(default)s)",
    )
    parser.add_argument("--list", action="store_true", help="list the services that have a token")
    parser.add_argument("--revoke", metavar="NAME", help="revoke the token of a service")
    declare_configuration(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if options.service or options.list or options.revoke:
        return manage_services(options)
    match options.words:
        case ["check", token]:
            return check_token(options, token)
        case [user]:
            return print_token(options, user)
    raise WrongUse("expected one USER, or check TOKEN")


def manage_services(options: argparse.Namespace) -> int:
    if options.words or bool(options.service) + options.list + bool(options.revoke) != 1:
        raise WrongUse("expected one of --service NAME, --list and --revoke NAME, and no USER")
    config = load_configuration(options)
    if options.service:
        print(call_server(config, "service.make", name=options.service, scopes=options.scope.split(","))["token"])
    elif options.revoke:
        call_server(config, "service.revoke", name=options.revoke)
    else:
        for one in call_server(config, "service.list"):
            made = datetime.fromtimestamp(one["created"] / 1000, UTC).isoformat(sep=" ", timespec="seconds")
            print(f"{one['name']}\t{one['scopes'].replace(' ', ',')}\t{made}")
    return EXIT_OK


def print_token(options: argparse.Namespace, user: str) -> int:
    config = load_configuration(options)
    ttl = options.ttl or config.auth.access_ttl
    print(call_server(config, "token.make", user=user, ttl=ttl, admin=options.admin)["token"])
    return EXIT_OK


def check_token(options: argparse.Namespace, token: str) -> int:
    if token == STANDARD_INPUT:
        token = sys.stdin.readline()
    found = call_server(load_configuration(options), "token.check", token=token)
    until = datetime.fromtimestamp(found["expires"], UTC).isoformat(sep=" ", timespec="seconds")
    admin = ", administrator" if found["admin"] else ""
    name = f" ({found['name']})" if found["name"] else ""
    print(f"valid: user {found['user']}{name}{admin}, until {until}")
    return EXIT_OK
