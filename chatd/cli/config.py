"""`chatd config`: check the configuration, print its values, or print all settings with their defaults."""

from __future__ import annotations

import argparse
import os

from chatd.cli import EXIT_OK
from chatd.cli.options import declare_configuration, load_configuration


def declare(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", title="actions", required=True)
    for word, (run, about) in ACTIONS.items():
        action = actions.add_parser(word, help=about, description=f"{about.capitalize()}.", allow_abbrev=False)
        action.set_defaults(run=run)
        if run is not default:
            declare_configuration(action, server=True)


def check(options: argparse.Namespace) -> int:
    """Check the values, and the files and addresses that they need."""
    from chatd.config.load import configuration_files, notes
    from chatd.server.machine import check_machine

    config = load_configuration(options)
    check_machine(config)
    found = ", ".join(path for path in configuration_files(options.config) if os.path.exists(path)) or "no file"
    print(f"fine: {found}, {len(config.origins)} settings that are not the default")
    for note in notes(config):
        print(f"note: {note}")
    return EXIT_OK


def show(options: argparse.Namespace) -> int:
    from chatd.config.text import as_shown

    print(as_shown(load_configuration(options)), end="")
    return EXIT_OK


def default(options: argparse.Namespace) -> int:
    from chatd.config.text import as_toml

    print(as_toml(), end="")
    return EXIT_OK


def env(options: argparse.Namespace) -> int:
    from chatd.config.text import as_environment

    print(as_environment(load_configuration(options)), end="")
    return EXIT_OK


ACTIONS = {
    "check": (check, "check the configuration without starting the server"),
    "show": (show, "print each value and its source"),
    "default": (default, "print a chatd.toml with every setting and its default"),
    "env": (env, "print every setting as an environment variable"),
}
