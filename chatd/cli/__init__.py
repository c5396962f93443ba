"""The command line: one table of verbs, and one file for each verb.

A verb imports what it needs only when it is called, so that `chatd --help` answers at once. The file of a verb has two
functions. `declare(parser)` declares the arguments and sets `run`. `run(options)` does the work and returns the exit
code:

    0  success        1  failure        2  wrong use of the command line or of the configuration

An error of the user is one line on standard error, never a traceback.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

from chatd import __version__
from chatd.program import program_name

EXIT_OK, EXIT_FAILED, EXIT_WRONG_USE = 0, 1, 2


class Verb(NamedTuple):
    """One row: the verb, its module in this folder, and its help text."""

    name: str
    module: str
    about: str


VERBS = (
    Verb("serve", "serve", "run the server"),
    Verb("init", "init", "write a commented chatd.toml and create the data directory"),
    Verb("config", "config", "check or print the configuration"),
    Verb("user", "user", "add, list, change and remove accounts"),
    Verb("invite", "invite", "create, list and revoke invite links"),
    Verb("token", "token", "print or check access tokens, and manage the tokens of services"),
    Verb("chat", "chat", "chat in the terminal"),
    Verb("notify", "notify", "send a notification to one user, or to all users"),
    Verb("files", "files", "list and remove the files of users"),
    Verb("search", "search", "build the search index again, or check it"),
    Verb("check", "check", "check the database, the files and the search index"),
    Verb("dialects", "dialects", "list the dialects, or print the tables of one"),
    Verb("version", "version", "print the version"),
)


class CommandFailed(Exception):
    """The command failed. The text is the line for standard error."""

    code = EXIT_FAILED


class WrongUse(CommandFailed):
    """The arguments of the command are wrong."""

    code = EXIT_WRONG_USE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb, and return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        options = parser_for(arguments).parse_args(arguments)
        code = int(options.run(options))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return EXIT_FAILED
    except BrokenPipeError:  # `chatd config default | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except Exception as problem:
        if (explained := explain(problem)) is None:
            raise
        code, line = explained
        print(f"chatd: {with_program_name(line)}", file=sys.stderr)
    return code


def with_program_name(text: str) -> str:
    """Replace `chatd VERB` in hints by a command that calls this program."""
    return text.replace("`chatd ", f"`{program_name()} ")


def parser_for(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of the command line. Only the called verb declares its arguments."""
    parser = argparse.ArgumentParser(
        prog=program_name(),
        description="A realtime chat server.",
        epilog=with_program_name("`chatd VERB --help` describes one verb."),
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"chatd {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", title="verbs", required=True)
    called = next((word for word in arguments if not word.startswith("-")), None)
    for verb in VERBS:
        own = verbs.add_parser(
            verb.name, help=verb.about, description=f"{verb.about.capitalize()}.", allow_abbrev=False
        )
        if verb.name == called:
            import_module(f"chatd.cli.{verb.module}").declare(own)
    return parser


def explain(problem: Exception) -> tuple[int, str] | None:
    """The exit code and error line for an error of the user or the machine; None for a bug in chatd."""
    if isinstance(problem, CommandFailed):
        return problem.code, str(problem)
    if isinstance(problem, OSError):
        place = f"{problem.filename}: " if problem.filename else ""
        return EXIT_FAILED, f"{place}{problem.strerror or problem}"
    from chatd.auth.public_keys import KeyProblem
    from chatd.config.load import ConfigError
    from chatd.store.sqlite.faults import StoreProblem
    from protocol.errors import Refusal

    if isinstance(problem, ConfigError | KeyProblem):
        return EXIT_WRONG_USE, str(problem)
    if isinstance(problem, StoreProblem):
        return EXIT_FAILED, str(problem)
    if isinstance(problem, Refusal):
        return EXIT_FAILED, problem.message
    return None
