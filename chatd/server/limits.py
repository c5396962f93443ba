"""Settings as the rules of the network parts, which know no configuration."""

from __future__ import annotations

import socket
import ssl

from chatd.config.load import ConfigError, origin, quoted
from chatd.config.settings import Config
from chatd.connections.jsonrpc import SUBPROTOCOL
from chatd.net.acceptor import AcceptRules
from chatd.net.http_connection import HttpRules
from chatd.net.origins import OriginPolicy, host_name, listed, normal
from chatd.net.process import max_descriptors
from chatd.net.socket import SocketRules, socket_rules
from chatd.net.tls import has_certificate, server_context


def front_rules(config: Config) -> AcceptRules:
    limits = config.limits
    return AcceptRules(
        connections=_max_connections(limits.connections_share),
        connections_per_address=limits.connections_per_address,
        handshake_seconds=limits.tls_timeout,
        trusted_proxies=config.server.trusted_proxies,
    )


def origin_policy(config: Config) -> OriginPolicy:
    server = config.server
    machine = host_name(socket.gethostname())
    names = {*server.hosts, host_name(server.host), machine, f"{machine}.local"}
    return OriginPolicy(
        public=normal(server.public_url) if server.public_url else None,
        hosts=frozenset(name for name in names if name.strip(".")),
        others=listed(server.allowed_origins),
    )


def tls_context(config: Config) -> ssl.SSLContext | None:
    """TLS as the settings have it; None without. A ConfigError names the wrong setting and its file."""
    files = {"tls_certificate": config.server.tls_certificate, "tls_key": config.server.tls_key}
    if not config.server.tls_certificate:
        return None
    for name, path in files.items():
        try:
            with open(path, "rb"):
                pass
        except OSError as problem:
            raise _tls_problem(config, name, path, f"it cannot be read ({problem.strerror})") from None
    try:
        return server_context(**files)
    except ssl.SSLError as problem:
        if problem.reason == "KEY_VALUES_MISMATCH":
            trouble = "tls_key", f"it is not the key of the certificate in {files['tls_certificate']}"
        elif has_certificate(files["tls_certificate"]):
            trouble = "tls_key", "it holds no private key in PEM, or one with a passphrase"
        else:
            trouble = "tls_certificate", "it holds no certificate in PEM"
        raise _tls_problem(config, trouble[0], files[trouble[0]], trouble[1]) from None


def _tls_problem(config: Config, name: str, path: str, trouble: str) -> ConfigError:
    setting = f"server.{name}"
    return ConfigError(f"{origin(config, setting)}: {setting} is {quoted(path)}; {trouble}")


def http_rules(config: Config) -> HttpRules:
    limits = config.limits
    return HttpRules(head_bytes=limits.head_bytes, head_seconds=limits.head_timeout, idle_seconds=limits.idle_timeout)


def websocket_rules(config: Config) -> SocketRules:
    limits = config.limits
    return socket_rules(
        message_bytes=limits.message_bytes,
        fragments=limits.message_fragments,
        outbox_bytes=limits.outbox_bytes,
        subprotocols=(SUBPROTOCOL,),
        control_frames=limits.control_frames_per_connection,
        control_burst=limits.control_frames_per_connection_burst,
    )


def _max_connections(share: float) -> int:
    """The limit of open connections, as a share of the file descriptors. The database needs the others."""
    return max(16, int(max_descriptors() * share)) if share else 1 << 30
