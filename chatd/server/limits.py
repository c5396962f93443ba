"""What each floor gets of the configuration: the same at the start, and when SIGHUP changes it."""

from __future__ import annotations

import socket
import ssl

from chatd.config.load import ConfigError, origin, quoted
from chatd.config.settings import Config
from chatd.connections.jsonrpc import SUBPROTOCOL
from chatd.core.dispatch import UserRates
from chatd.net.acceptor import AcceptRules
from chatd.net.http_connection import HttpRules
from chatd.net.origins import OriginPolicy, host_name, listed, normal
from chatd.net.process import max_descriptors
from chatd.net.socket import SocketRules, socket_rules
from chatd.net.tls import has_certificate, server_context
from chatd.rate_limit import Rate
from chatd.services.context import ServiceRules


def service_rules(config: Config) -> ServiceRules:
    limits = config.limits
    return ServiceRules(
        limits.text_characters,
        limits.attachments,
        limits.members,
        limits.page_default,
        limits.page,
        limits.page_bytes,
    )


def user_rates(config: Config) -> UserRates:
    limits = config.limits
    return UserRates(
        sends=Rate(limits.sends_per_user, limits.sends_per_user_burst),
        groups=Rate(limits.groups_per_user, limits.groups_per_user_burst),
        additions=Rate(limits.additions_per_user, limits.additions_per_user_burst),
    )


def front_rules(config: Config) -> AcceptRules:
    limits = config.limits
    return AcceptRules(
        connections=_connections(limits.connections_share),
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
    """TLS as the settings have it, None without; a ConfigError names the setting and the file that is wrong."""
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


def _connections(share: float) -> int:
    """Connections in all, as a share of the descriptors: the database keeps its own."""
    return max(16, int(max_descriptors() * share)) if share else 1 << 30
