"""`chatd notify`: sends a notification to one user, or to all users."""

from __future__ import annotations

import argparse

from chatd.cli import EXIT_OK, WrongUse
from chatd.cli.options import declare_configuration, load_configuration
from chatd.cli.running_server import call_server


def declare(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s USER|--all TITLE [TEXT] [--type TYPE]"
    parser.add_argument("words", nargs="+", metavar="WORD", help="USER (a name or an id), TITLE and TEXT")
    parser.add_argument(
        "--all", action="store_true", help="send it to every user who has an account now; then omit USER"
    )
    parser.add_argument("--type", default="system", help="the type of the notification (default: %(default)s)")
    declare_configuration(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    words = options.words if options.all else options.words[1:]
    if not 1 <= len(words) <= 2:
        raise WrongUse("expected USER TITLE [TEXT], or --all TITLE [TEXT]")
    user = None if options.all else options.words[0]
    content = words[1] if len(words) == 2 else ""
    made = call_server(
        load_configuration(options), "notify", user=user, title=words[0], content=content, type=options.type
    )
    print(made["id"])
    return EXIT_OK
