"""The rules of all Engine.IO sessions, and the ways in which a session ends."""

from __future__ import annotations

from msgspec import Struct

from protocol.errors import FLOOD
from protocol.framings.engineio import MAX_PACKETS_PER_PAYLOAD

LEFT = (1000, "the client left")
MALFORMED = (1002, "parse error")
OVERLAPPING = (1002, "two requests at once")
POLL_ABANDONED = (1006, "the client left in the middle of a poll")
CLIENT_PINGED = (1002, "only the server pings")
TOO_MANY_STRAYS = (FLOOD.code, "too many packets without a meaning")


class SessionRules(Struct, frozen=True):
    """The rules of all sessions. The handshake sends the first three to the client. 0 bytes means no limit."""

    interval_seconds: float = 25.0
    timeout_seconds: float = 20.0
    payload_bytes: int = 1_000_000
    payload_packets: int = MAX_PACKETS_PER_PAYLOAD
    fragments: int = 1_024
    outbox_bytes: int = 1 << 20
    connect_seconds: float = 45.0
    upgrade_seconds: float = 10.0
    linger_seconds: float = 5.0


class OutOfTurn(Exception):
    """A request that the session refuses: two at once, or polling after the upgrade."""
