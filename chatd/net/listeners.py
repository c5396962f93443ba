"""Listening sockets for TCP and unix paths, with the options that accepted sockets inherit.

On Linux an accepted socket has its listener's options. So TCP_NODELAY and the detection of half-open connections cost
no call per connection. The kernel sends probes after KEEP_IDLE_SECONDS without input, one every KEEP_INTERVAL_SECONDS.
It ends a connection whose sent bytes get no acknowledgement for `dead_after` seconds.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat

from msgspec import Struct

BACKLOG = 1_024
KEEP_IDLE_SECONDS, KEEP_INTERVAL_SECONDS, KEEP_PROBES = 25, 5, 3


class Address(Struct, frozen=True):
    """An address to listen at: host and port, or the path of a unix socket and its mode."""

    host: str = "127.0.0.1"
    port: int = 0
    path: str = ""
    mode: int = 0o600


class AddressInUse(OSError):
    """Another program listens there, or the path is no socket. The message is one sentence."""


def listen(address: Address, dead_after: float = 20.0) -> list[socket.socket]:
    """Listening, non-blocking sockets: one for a path, one for each address of a host name."""
    if address.path:
        return [_listen_unix(address.path, address.mode)]
    flags = socket.AI_PASSIVE
    sockets: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM, flags=flags)
        port = address.port
        for family, *_, where in dict.fromkeys(found):
            listener = _listen_tcp(family, (where[0], port, *where[2:]), dead_after)
            sockets.append(listener)
            port = port or listener.getsockname()[1]  # all families get the port that the first one got
    except OSError as error:
        for listener in sockets:
            listener.close()
        if error.errno == errno.EADDRINUSE:
            raise AddressInUse(error.errno, f"{address.host}:{address.port} is in use by another program") from None
        raise _cannot_listen(error, f"{address.host}:{address.port}") from None
    return sockets


def _cannot_listen(error: OSError, where: str) -> OSError:
    """The same error with the address in it: the kernel does not name the address."""
    return OSError(error.errno, f"cannot listen there ({error.strerror or error})", where)


def format_address(listener: socket.socket) -> str:
    """A listener's address as a person writes it: `127.0.0.1:3000`, `[::1]:3000`, `unix:/run/chatd.sock`."""
    name = listener.getsockname()
    if isinstance(name, str):
        return f"unix:{name}"
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"


def _listen_tcp(family: int, where: tuple[object, ...], dead_after: float) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _detect_dead(listener, dead_after)
        listener.bind(where)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _detect_dead(listener: socket.socket, dead_after: float) -> None:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = [
        ("TCP_KEEPIDLE", KEEP_IDLE_SECONDS),
        ("TCP_KEEPINTVL", KEEP_INTERVAL_SECONDS),
        ("TCP_KEEPCNT", KEEP_PROBES),
        ("TCP_USER_TIMEOUT", int(dead_after * 1000)),
    ]
    for name, value in options:
        if hasattr(socket, name) and value:
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _listen_unix(path: str, mode: int) -> socket.socket:
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        before = os.umask(0o777 & ~mode)  # the file never has a wider mode
        try:
            listener.bind(path)
        finally:
            os.umask(before)
        os.chmod(path, mode)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise _cannot_listen(error, path) from None
    return listener


def _remove_stale(path: str) -> None:
    """Remove the socket file of a server that has ended. Any other file stays, and is an error."""
    try:
        kind = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise AddressInUse(errno.EEXIST, f"{path} is there already and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            return
        except OSError:
            pass
    raise AddressInUse(errno.EADDRINUSE, f"{path} is in use by another program")
