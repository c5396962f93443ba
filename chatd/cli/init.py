"""`chatd init`: a configuration to start from, and the data directory, in which accounts can be made then."""

from __future__ import annotations

import argparse
import os

from chatd.cli import FINE, Failed
from chatd.cli.options import configured, declare_configuration

CHECKOUT = os.path.join("chatd", "settings.py")


def declare(parser: argparse.ArgumentParser) -> None:
    declare_configuration(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Make what is missing; overwrite nothing."""
    path, text, about = wanted(options.config)
    lines = []
    if write_new(path, text):
        lines.append(f"{path}: written; {about}")
    config = configured(options)
    from chatd.admin.offline import make_data

    if make_data(config):
        lines.append(f"{config.data.directory}: made, with an empty database and a new secret")
    if not lines:
        raise Failed(
            f"{path}: is there already, and so is the data in {config.data.directory}; "
            "`chatd config default` prints a fresh configuration"
        )
    print("\n".join(lines))
    return FINE


def wanted(file: str | None) -> tuple[str, str, str]:
    """The file to write, its text, and what to say about it. In a checkout that is the one that git ignores."""
    from chatd.config.load import FILE_NAME, LOCAL_NAME
    from chatd.config.text import LOCAL, as_toml

    if file is None and os.path.exists(CHECKOUT) and is_text(FILE_NAME, as_toml()):
        return LOCAL_NAME, LOCAL, f"for settings of your own; every setting is in {FILE_NAME}"
    return file or FILE_NAME, as_toml(), "every setting is in it as a comment, with its default"


def is_text(path: str, text: str) -> bool:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read() == text
    except (OSError, UnicodeDecodeError):
        return False


def write_new(path: str, text: str) -> bool:
    """Whether the file was not there, and is now."""
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    except OSError as problem:
        raise Failed(f"{path}: cannot be written ({problem.strerror})") from None
    return True
