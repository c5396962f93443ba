"""What a configuration needs of the machine: addresses to listen on, files to read, a folder to write.

`chatd config check` runs every check, and so does `chatd serve` before it starts anything. Each check raises a
ConfigError. It names the setting, where it was given, the path or address, and what is wrong.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

from chatd.auth.identity import check_keys
from chatd.config.load import ConfigError, origin, quoted
from chatd.config.settings import Config
from chatd.server.limits import tls_context


def check_machine(config: Config) -> None:
    """Run every check; the first that fails raises."""
    for check in CHECKS:
        check(config)


def wrong(config: Config, setting: str, found: str, problem: str) -> ConfigError:
    return ConfigError(f"{origin(config, setting)}: {setting} is {quoted(found)}; {problem}")


def check_addresses(config: Config) -> None:
    """Bind each address to a free port, so that a running server does not matter."""
    hosts = {"server.host": config.server.host}
    if config.metrics.enabled and config.metrics.port:
        hosts["metrics.host"] = config.metrics.host
    for setting, host in hosts.items():
        try:
            for family, kind, _, _, where in socket.getaddrinfo(
                host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            ):
                with socket.socket(family, kind) as probe:
                    probe.bind(where)
        except OSError as problem:
            raise wrong(config, setting, host, f"that is no address of this machine ({problem.strerror})") from None


def check_unix_socket(config: Config) -> None:
    path = config.server.unix
    folder = Path(path).absolute().parent
    if path and not folder.is_dir():
        raise wrong(config, "server.unix", path, f"there is no folder {folder}")
    if path and not os.access(folder, os.W_OK | os.X_OK):
        raise wrong(config, "server.unix", path, f"chatd may not write in {folder}")


def check_data_directory(config: Config) -> None:
    """The data directory, or the nearest folder above it that exists."""
    path = config.data.directory
    place = Path(path).absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise wrong(config, "data.directory", path, f"{place} is a file; expected a folder")
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        raise wrong(config, "data.directory", path, f"chatd may not write in {place}")


def check_tls(config: Config) -> None:
    tls_context(config)


def check_token_keys(config: Config) -> None:
    check_keys(config.auth)


CHECKS: tuple[Callable[[Config], None], ...] = (
    check_addresses,
    check_unix_socket,
    check_data_directory,
    check_tls,
    check_token_keys,
)
