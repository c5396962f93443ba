"""`chatd chat`: a small chat in the terminal."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from chatd.cli import EXIT_FAILED, EXIT_OK, CommandFailed, WrongUse
from chatd.cli.options import declare_configuration, load_configuration

if TYPE_CHECKING:
    from chatd.terminal.chat import OpenedConversation

LOBBY = "lobby"
SHOWN_MESSAGES = 20
TOKEN_VARIABLE = "CHATD_TOKEN"  # noqa: S105 - the name of a variable
ABOUT = """
On the machine of the server, with its data directory, no password is needed: `chatd chat --as ann` makes the user if
there is none, and joins the group CONVERSATION, which is made as well; `@NAME` is the private conversation with a user.
Elsewhere: --url and a token, in --token or CHATD_TOKEN; CONVERSATION is then the id of a conversation.

Each line that you type is a message. Ctrl-D ends. Where the input is no terminal, its lines are sent, and that is all:
`uptime | chatd chat --as cron`. With --last N the last N messages are printed first.
"""


def declare(parser: argparse.ArgumentParser) -> None:
    parser.usage = "chatd chat [CONVERSATION|@USER] [--as NAME] [--last N] [--url URL [--token TOKEN]]"
    parser.description = f"Chat in the terminal.\n{ABOUT}"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("conversation", nargs="?", default=LOBBY, help=f"a group's title, or @USER ({LOBBY})")
    parser.add_argument("--as", dest="name", metavar="NAME", help="the user who chats (your name on this machine)")
    parser.add_argument("--last", type=int, metavar="N", help=f"print the last N messages ({SHOWN_MESSAGES})")
    parser.add_argument("--url", help="another server's address, such as https://chat.example.org")
    parser.add_argument("--token", help=f"an access token for that server (or {TOKEN_VARIABLE})")
    declare_configuration(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    place = remote(options) if options.url else local(options)
    from chatd.terminal.chat import ChatFailed, chat

    try:
        return EXIT_OK if chat(place, options.last) else EXIT_FAILED
    except ChatFailed as problem:
        raise CommandFailed(str(problem)) from None


def remote(options: argparse.Namespace) -> OpenedConversation:
    """A conversation of another server, by its id."""
    from chatd.terminal.chat import OpenedConversation

    token = options.token or os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise WrongUse(f"--url needs a token: --token TOKEN, or {TOKEN_VARIABLE} in the environment")
    if options.name:
        raise WrongUse("--as is for the server of this machine; with --url the token says who you are")
    return OpenedConversation(options.url, token, options.conversation, options.conversation)


def local(options: argparse.Namespace) -> OpenedConversation:
    """A conversation of the server that runs on the data directory."""
    from getpass import getuser
    from pathlib import Path

    from chatd.admin.control_socket import FILE_NAME, CommandRefused, NoServer, call_control
    from chatd.terminal.chat import OpenedConversation

    if options.token:
        raise WrongUse("--token is for another server; expected --url as well")
    config = load_configuration(options)
    name, socket = options.name or getuser(), Path(config.data.directory) / FILE_NAME

    def opened() -> OpenedConversation:
        try:
            found = call_control(socket, "chat.open", user=name, conversation=options.conversation)
        except NoServer:
            raise CommandFailed(f"no server runs on {Path(config.data.directory).resolve()}; start one first") from None
        except CommandRefused as refused:
            raise CommandFailed(str(refused)) from None
        return OpenedConversation(found["url"], found["token"], found["conversation"], found["title"], opened)

    return opened()
