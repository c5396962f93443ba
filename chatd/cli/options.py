"""The options that verbs share: where the configuration comes from."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatd.config.load import Config

SHORTCUTS = (("--host", "server.host", "H"), ("--port", "server.port", "P"), ("--data", "data.directory", "DIR"))


def declare_configuration(parser: argparse.ArgumentParser, *, server: bool = False) -> None:
    """`-c`, `--data` and `--set` for every verb that reads the configuration; the rest for those about the server."""
    parser.add_argument("-c", "--config", metavar="FILE", help="the configuration file (else ./chatd.toml, if any)")
    for option, name, metavar in SHORTCUTS:
        if server or option == "--data":
            parser.add_argument(
                option, metavar=metavar, dest="flags", action="append", type=Shortcut(option, name), help=f"sets {name}"
            )
    if server:
        parser.add_argument(
            "--dialect",
            metavar="NAMESPACE=NAME",
            dest="flags",
            action="append",
            type=dialect_flag,
            help="which dialect a namespace speaks",
        )
    parser.add_argument(
        "--set", metavar="SECTION.KEY=VALUE", dest="flags", action="append", type=setting_flag, help="sets any setting"
    )


class Shortcut:
    """Turns the text of an option into a setting."""

    def __init__(self, option: str, name: str) -> None:
        self.option = option
        self.name = name

    def __call__(self, text: str) -> tuple[str, str, str]:
        return self.option, self.name, text


def setting_flag(text: str) -> tuple[str, str, str]:
    """`SECTION.KEY=VALUE`."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{name!r} has no value; expected SECTION.KEY=VALUE")
    return "--set", name.strip(), value


def dialect_flag(text: str) -> tuple[str, str, str]:
    """`NAMESPACE=NAME`."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{name!r} names no dialect; expected NAMESPACE=NAME")
    return "--dialect", f"dialects.{name.strip()}", value


def load_configuration(options: argparse.Namespace) -> Config:
    """The configuration in force."""
    from chatd.config.load import load

    return load(options.config, tuple(options.flags or ()))
