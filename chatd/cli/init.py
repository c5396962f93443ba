"""`chatd init`: a chatd.toml to start from."""

from __future__ import annotations

import argparse

from chatd.cli import FINE, Failed


def declare(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from chatd.config import FILE_NAME
    from chatd.settings_text import as_toml

    try:
        with open(FILE_NAME, "x", encoding="utf-8") as file:
            file.write(as_toml())
    except FileExistsError:
        raise Failed(f"{FILE_NAME}: is there already; `chatd config default` prints a fresh one") from None
    print(f"{FILE_NAME}: written; every setting is in it as a comment, with its default")
    return FINE
