"""The shell: one table of verbs, one file a verb group.

Only what a verb needs is imported, and only when it is called, so that `chatd --help` answers at once. A file of a
verb group has two functions: `declare(parser)` says what the verb takes and sets `run`, `run(options)` does it and
gives the exit code.

    0  fine        1  failed        2  wrong use: of the command line, or of the configuration

What a person did wrong is one line on standard error, never a traceback.
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
    """One row: the word, the file in this folder, and what it is for."""

    name: str
    module: str
    about: str


VERBS = (
    Verb("serve", "serve", "run the server"),
    Verb("init", "init", "write a commented chatd.toml here, and make the data directory"),
    Verb("config", "config", "check, show or print the configuration"),
    Verb("user", "user", "add, list, change and remove accounts"),
    Verb("invite", "invite", "make, list and revoke links by which people join"),
    Verb("token", "token", "print an access token, or check one; and the tokens of services"),
    Verb("chat", "chat", "chat in the terminal"),
    Verb("notify", "notify", "notify somebody, or everybody"),
    Verb("dialects", "dialects", "print the tables of a dialect"),
    Verb("version", "version", "print the version"),
)


class CommandFailed(Exception):
    """Something did not work out; its text is the one line to say so."""

    code = EXIT_FAILED


class WrongUse(CommandFailed):
    """Something was asked for that makes no sense."""

    code = EXIT_WRONG_USE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code."""
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
        if (said := explain(problem)) is None:
            raise
        code, line = said
        print(f"chatd: {with_program_name(line)}", file=sys.stderr)
    return code


def with_program_name(text: str) -> str:
    """A text whose hints, written as `chatd VERB`, call this program by a name that works."""
    return text.replace("`chatd ", f"`{program_name()} ")


def parser_for(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The whole command line; only the verb that is called says what it takes."""
    parser = argparse.ArgumentParser(
        prog=program_name(),
        description="A realtime chat server.",
        epilog=with_program_name("`chatd VERB --help` says more."),
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
    """The exit code and the line for what a person or the machine did; None for a fault of chatd's own."""
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
