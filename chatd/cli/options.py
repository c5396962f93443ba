"""The options that verbs share: the sources of the configuration, and durations."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatd.config.settings import Config

SHORTCUTS = (("--host", "server.host", "H"), ("--port", "server.port", "P"), ("--data", "data.directory", "DIR"))


def declare_configuration(parser: argparse.ArgumentParser, *, server: bool = False) -> None:
    """Declare `-c`, `--data` and `--set`; for verbs about the server also `--host`, `--port` and `--dialect`."""
    parser.add_argument(
        "-c", "--config", metavar="FILE", help="the configuration file (default: ./chatd.toml, if it exists)"
    )
    for option, name, metavar in SHORTCUTS:
        if server or option == "--data":
            parser.add_argument(
                option, metavar=metavar, dest="flags", action="append", type=Shortcut(option, name), help=f"set {name}"
            )
    if server:
        parser.add_argument(
            "--dialect",
            metavar="NAMESPACE=NAME",
            dest="flags",
            action="append",
            type=dialect_flag,
            help="set the dialect of a namespace",
        )
    parser.add_argument(
        "--set",
        metavar="SECTION.KEY=VALUE",
        dest="flags",
        action="append",
        type=setting_flag,
        help="set any setting (docs/settings.md lists them)",
    )


class Shortcut:
    """Converts the text of an option to a setting."""

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
        raise argparse.ArgumentTypeError(f"{name!r} has no dialect; expected NAMESPACE=NAME")
    return "--dialect", f"dialects.{name.strip()}", value


def load_configuration(options: argparse.Namespace) -> Config:
    """Load the configuration, with the flags of the command line."""
    from chatd.config.load import load

    return load(options.config, tuple(options.flags or ()))


def size_bytes(text: str) -> int:
    """`1000` or `10MiB` in bytes."""
    from chatd.config.quantities import Size

    row = Size()
    try:
        return int(row.parse_text(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; expected {row.expected}") from None


def duration_seconds(text: str) -> float:
    """`90`, `15m` or `7d` in seconds."""
    from chatd.config.quantities import Duration

    row = Duration(minimum=1)
    try:
        return float(row.parse_text(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; expected {row.expected}") from None
