"""`chatd user`: manages accounts. The server may be running or not."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from chatd.cli import EXIT_OK, CommandFailed, WrongUse
from chatd.cli.options import declare_configuration, load_configuration
from chatd.cli.running_server import call_server, require_data
from chatd.cli.table import table_lines

COLUMNS = ("id", "name", "email", "role", "created")


def declare(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", title="actions", required=True)

    def action(word: str, run: Any, about: str, *, named: bool = True) -> argparse.ArgumentParser:
        made = actions.add_parser(word, help=about, description=f"{about.capitalize()}.", allow_abbrev=False)
        made.set_defaults(run=run)
        if named:
            made.add_argument("user", metavar="USER", help="the name or id of the account")
        made.add_argument("--json", action="store_true", help="print JSON")
        declare_configuration(made)
        return made

    made = action("add", add_user, "add an account; reads its password from the terminal, a file or standard input")
    made.add_argument("--admin", action="store_true", help="make the account an administrator")
    made.add_argument("--email", metavar="ADDRESS")
    made.add_argument("--display", metavar="NAME", help="the name that others see")
    sources = declare_password(made)
    sources.add_argument("--no-password", action="store_true", help="no password: only tokens of `chatd token` work")
    sources.add_argument(
        "--subject",
        metavar="SUBJECT",
        help="the user id in the tokens of an external issuer; the account has no password",
    )
    action("list", list_users, "list all accounts", named=False)
    made = action("set", change_user, "change an account")
    made.add_argument("--name", metavar="NAME", help="the new name of the account")
    made.add_argument("--admin", type=yes_or_no, metavar="yes|no", help="whether the account is an administrator")
    made.add_argument("--disabled", type=yes_or_no, metavar="yes|no", help="whether the account is disabled")
    made.add_argument("--email", metavar="ADDRESS")
    made.add_argument("--display", metavar="NAME", help="the name that others see")
    declare_password(action("passwd", set_password, "set a password, and end all sessions of the account"))
    action("disable", disable_user, "disable an account: its tokens become invalid, and its connections are closed")
    action("enable", enable_user, "enable a disabled account")
    made = action("delete", delete_user, "delete an account permanently; its messages stay, without a name")
    made.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def declare_password(parser: argparse.ArgumentParser) -> Any:
    """Declare the sources of a password. An argument is none: every user of the machine can read it."""
    sources = parser.add_mutually_exclusive_group()
    sources.add_argument("--password-file", metavar="FILE", help="read the password from the first line of a file")
    sources.add_argument(
        "--password-stdin", action="store_true", help="read the password from the first line of standard input"
    )
    return sources


def yes_or_no(text: str) -> bool:
    words = {"yes": True, "no": False, "true": True, "false": False}
    if text not in words:
        raise argparse.ArgumentTypeError(f"{text!r} is not valid; expected yes or no")
    return words[text]


def add_user(options: argparse.Namespace) -> int:
    config = load_configuration(options)
    require_data(config)
    password = None if options.no_password or options.subject is not None else read_password(options)
    account = {
        "name": options.user,
        "password": password,
        "email": options.email,
        "display": options.display,
        "admin": options.admin,
    }
    if options.subject is not None:
        account["subject"] = options.subject
    return print_account(options, call_server(config, "user.add", **account), "made")


def list_users(options: argparse.Namespace) -> int:
    users = call_server(load_configuration(options), "user.list")
    if options.json:
        print(json.dumps(users, ensure_ascii=False, indent=2))
        return EXIT_OK
    rows = [COLUMNS, *(columns(user) for user in users)]
    print("\n".join(table_lines(rows)))
    return EXIT_OK


def change_user(options: argparse.Namespace) -> int:
    names = ("name", "admin", "disabled", "email", "display")
    changes = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if not changes:
        raise WrongUse("nothing to change; expected some of --name, --admin, --disabled, --email, --display")
    return print_account(
        options, call_server(load_configuration(options), "user.set", user=options.user, **changes), "changed"
    )


def set_password(options: argparse.Namespace) -> int:
    config = load_configuration(options)
    require_data(config)
    password = read_password(options)
    return print_account(
        options, call_server(config, "user.passwd", user=options.user, password=password), "has a new password"
    )


def disable_user(options: argparse.Namespace) -> int:
    return print_account(
        options, call_server(load_configuration(options), "user.set", user=options.user, disabled=True), "disabled"
    )


def enable_user(options: argparse.Namespace) -> int:
    return print_account(
        options, call_server(load_configuration(options), "user.set", user=options.user, disabled=False), "open again"
    )


def delete_user(options: argparse.Namespace) -> int:
    config = load_configuration(options)
    if not options.yes:
        if not sys.stdin.isatty():
            raise WrongUse("deleting is permanent; expected --yes")
        if input(f"Delete {options.user} permanently? (yes/no) ").strip() != "yes":
            raise CommandFailed("nothing deleted")
    return print_account(options, call_server(config, "user.delete", user=options.user), "deleted")


def read_password(options: argparse.Namespace) -> str:
    """Read a password: typed twice on a terminal, else the first line of a file or of standard input."""
    if options.password_file is not None:
        try:
            with open(options.password_file, encoding="utf-8") as file:
                return first_line(file, options.password_file)
        except OSError as problem:
            raise CommandFailed(
                f"--password-file: {options.password_file} cannot be read ({problem.strerror})"
            ) from None
    if options.password_stdin or not sys.stdin.isatty():
        return first_line(sys.stdin, "standard input")
    import getpass

    password = getpass.getpass(f"Password for {options.user}: ")
    if getpass.getpass("Again: ") != password:
        raise CommandFailed("the two passwords differ; nothing changed")
    return password


def first_line(source: TextIO, name: str) -> str:
    try:
        line = source.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise WrongUse(f"{name} is not UTF-8; expected one line with the password") from None
    if not line.strip():
        raise WrongUse(f"no password on {name}; expected one line (or `chatd user add --no-password`)")
    return line


def print_account(options: argparse.Namespace, user: dict[str, Any], what: str) -> int:
    if options.json:
        print(json.dumps(user, ensure_ascii=False))
    else:
        print(f"{user['name']} (id {user['id']}, {role(user)}): {what}")
    return EXIT_OK


def columns(user: dict[str, Any]) -> tuple[str, ...]:
    made = datetime.fromtimestamp(user["created"] / 1000, UTC).isoformat(sep=" ", timespec="minutes")[:16]
    return str(user["id"]), user["name"], user["email"] or "-", role(user), made


def role(user: dict[str, Any]) -> str:
    words = ["administrator" if user["admin"] else "user"]
    return " ".join(words + ["disabled"] * user["disabled"])
