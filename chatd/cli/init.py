"""`chatd init`: writes a configuration, and creates the data directory, so that accounts can be added."""

from __future__ import annotations

import argparse
import os

from chatd.cli import EXIT_OK, CommandFailed
from chatd.cli.options import declare_configuration, load_configuration

CHECKOUT_MARKER = os.path.join("chatd", "config", "settings.py")


def declare(parser: argparse.ArgumentParser) -> None:
    declare_configuration(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Create the missing files. Overwrites nothing."""
    path, text, about = choose_file(options.config)
    lines = []
    if write_new(path, text):
        lines.append(f"{path}: written; {about}")
    config = load_configuration(options)
    from chatd.admin.offline import make_data

    if make_data(config):
        lines.append(f"{config.data.directory}: created, with an empty database and a new secret")
    if not lines:
        raise CommandFailed(
            f"{path}: exists already, and so does the data in {config.data.directory}; "
            "`chatd config default` prints a fresh configuration"
        )
    print("\n".join(lines))
    return EXIT_OK


def choose_file(file: str | None) -> tuple[str, str, str]:
    """The file to write, its text, and a note on it. In a checkout this is the file that git ignores."""
    from chatd.config.load import FILE_NAME, LOCAL_FILE_NAME
    from chatd.config.text import LOCAL_HEAD, as_toml

    if file is None and os.path.exists(CHECKOUT_MARKER) and has_text(FILE_NAME, as_toml()):
        return LOCAL_FILE_NAME, LOCAL_HEAD, f"for your own settings; {FILE_NAME} lists every setting"
    return file or FILE_NAME, as_toml(), "it lists every setting as a comment, with its default"


def has_text(path: str, text: str) -> bool:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read() == text
    except (OSError, UnicodeDecodeError):
        return False


def write_new(path: str, text: str) -> bool:
    """Write the file if it does not exist. Returns whether it was written."""
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    except OSError as problem:
        raise CommandFailed(f"{path}: cannot be written ({problem.strerror})") from None
    return True
