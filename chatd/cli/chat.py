"""`chatd chat`: a small chat in the terminal."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from chatd.cli import EXIT_FAILED, EXIT_OK, CommandFailed, WrongUse, with_program_name
from chatd.cli.options import declare_configuration, load_configuration

if TYPE_CHECKING:
    from chatd.terminal.chat import OpenedConversation

LOBBY = "lobby"
SHOWN_MESSAGES = 20
TOKEN_VARIABLE = "CHATD_TOKEN"  # noqa: S105 - the name of a variable
ABOUT = """
On the machine of the server, you need no password: the data directory is enough. `chatd chat --as ann` creates the user
ann and the group CONVERSATION if they do not exist, and joins the group. `@USER` is the private conversation with USER.

For another server, pass --url, and a token with --token or CHATD_TOKEN. CONVERSATION is then the id of a conversation.

Each line that you type is a message. Ctrl-D ends the chat. When standard input is not a terminal, its lines are sent as
messages, and the command ends: uptime | chatd chat --as cron. With --last N, the last N messages are printed first.
"""


def declare(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [CONVERSATION|@USER] [--as NAME] [--last N] [--url URL [--token TOKEN]]"
    parser.description = with_program_name(f"Chat in the terminal.\n{ABOUT}")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "conversation",
        nargs="?",
        default=LOBBY,
        help=f"the title of a group, or @USER; with --url an id (default: {LOBBY})",
    )
    parser.add_argument(
        "--as", dest="name", metavar="NAME", help="the user who chats (default: your name on this machine)"
    )
    parser.add_argument(
        "--last",
        type=int,
        metavar="N",
        help=f"print the last N messages first (default: {SHOWN_MESSAGES} on a terminal)",
    )
    parser.add_argument("--url", help="the address of another server, such as https://chat.example.org")
    parser.add_argument(
        "--token", help=f"an access token of that server (default: {TOKEN_VARIABLE} in the environment)"
    )
    declare_configuration(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    opened = remote(options) if options.url else local(options)
    from chatd.terminal.chat import ChatFailed, chat

    try:
        return EXIT_OK if chat(opened, options.last) else EXIT_FAILED
    except ChatFailed as problem:
        raise CommandFailed(str(problem)) from None


def remote(options: argparse.Namespace) -> OpenedConversation:
    """A conversation on another server, by its id."""
    from chatd.terminal.chat import OpenedConversation

    token = options.token or os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise WrongUse(f"--url needs a token; expected --token TOKEN, or {TOKEN_VARIABLE} in the environment")
    if options.name:
        raise WrongUse("--as does not work with --url; the token determines the user")
    return OpenedConversation(options.url, token, options.conversation, options.conversation)


def local(options: argparse.Namespace) -> OpenedConversation:
    """A conversation on the server that uses the data directory."""
    from getpass import getuser
    from pathlib import Path

    from chatd.admin.control_socket import FILE_NAME, CommandRefused, NoServer, call_control
    from chatd.terminal.chat import OpenedConversation

    if options.token:
        raise WrongUse("--token needs --url, the address of its server")
    config = load_configuration(options)
    name, socket = options.name or getuser(), Path(config.data.directory) / FILE_NAME

    def open_conversation() -> OpenedConversation:
        try:
            found = call_control(socket, "chat.open", user=name, conversation=options.conversation)
        except NoServer:
            raise CommandFailed(
                f"no server uses {Path(config.data.directory).resolve()}; start one with `chatd serve`"
            ) from None
        except CommandRefused as refused:
            raise CommandFailed(str(refused)) from None
        url, token, conversation, title = (found[name] for name in ("url", "token", "conversation", "title"))
        return OpenedConversation(url, token, conversation, title, open_conversation)

    return open_conversation()
