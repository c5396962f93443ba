"""What each floor gets of the configuration: the same at the start, and when SIGHUP changes it."""

from __future__ import annotations

from chatd.entrance import SUBPROTOCOL
from chatd.limiter import Buckets, Rate
from chatd.net.channel import HttpRules
from chatd.net.front import FrontRules
from chatd.net.process import descriptors
from chatd.net.socket import SocketRules, socket_rules
from chatd.services.work import Rules
from chatd.settings import Config


def service_rules(config: Config) -> Rules:
    limits = config.limits
    return Rules(
        limits.text_characters,
        limits.attachments,
        limits.members,
        limits.page_default,
        limits.page,
        limits.page_bytes,
    )


def sending_rate(config: Config) -> Buckets[int]:
    return Buckets(Rate(config.limits.sends_per_user, config.limits.sends_per_user_burst))


def front_rules(config: Config) -> FrontRules:
    limits = config.limits
    return FrontRules(
        connections=_connections(limits.connections_share),
        connections_per_address=limits.connections_per_address,
        handshake_seconds=limits.tls_timeout,
        trusted_proxies=config.server.trusted_proxies,
    )


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
    return max(16, int(descriptors() * share)) if share else 1 << 30
