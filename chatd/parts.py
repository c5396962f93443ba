"""What each floor gets of the configuration: the same at the start, and when SIGHUP changes it."""

from __future__ import annotations

import resource

from chatd.dispatch import UserRates
from chatd.entrance import SUBPROTOCOL
from chatd.limiter import Rate
from chatd.net.channel import HttpRules
from chatd.net.front import FrontRules
from chatd.net.socket import SocketRules, socket_rules
from chatd.services.work import Rules
from chatd.settings import Config


def service_rules(config: Config) -> Rules:
    limits = config.limits
    return Rules(limits.text_characters, limits.attachments, limits.members, limits.page_default, limits.page)


def user_rates(config: Config) -> UserRates:
    limits = config.limits
    return UserRates(
        sends=Rate(limits.sends_per_user, limits.sends_per_user_burst),
        groups=Rate(limits.groups_per_user, limits.groups_per_user_burst),
        additions=Rate(limits.additions_per_user, limits.additions_per_user_burst),
    )


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
    )


def _connections(share: float) -> int:
    """Connections in all, as a share of the descriptors: the database keeps its own."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(16, int(soft * share)) if share else 1 << 30
