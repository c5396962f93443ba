"""`chatd serve`: runs the server in the foreground."""

from __future__ import annotations

import argparse

from chatd.cli.options import declare_configuration, load_configuration


def declare(parser: argparse.ArgumentParser) -> None:
    declare_configuration(parser, server=True)
    parser.add_argument(
        "--insecure-userid",
        dest="flags",
        action="append_const",
        const=("--insecure-userid", "auth.insecure_userid", "true"),
        help="accept ?userId= without a token, for experiments; only on a loopback address",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    config = load_configuration(options)
    from chatd.server.main import run as serve

    return serve(config)
