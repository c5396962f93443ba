"""What all Engine.IO sessions have in common: their rules, and the ways in which they end."""

from __future__ import annotations

from msgspec import Struct

from protocol.errors import FLOOD
from protocol.framings.engineio import MAX_PACKETS_PER_PAYLOAD

LEFT = (1000, "the client left")
BROKEN = (1002, "parse error")
OVERLAP = (1002, "two requests at once")
ABANDONED = (1006, "the client left in the middle of a poll")
MISDIRECTED = (1002, "only the server pings")
NOISE = (FLOOD.code, "too many packets that nobody asked for")


class SessionRules(Struct, frozen=True):
    """What all sessions have in common; the first three are told to the client. 0 lifts a limit in bytes."""

    interval: float = 25.0
    timeout: float = 20.0
    payload_bytes: int = 1_000_000
    payload_packets: int = MAX_PACKETS_PER_PAYLOAD
    fragments: int = 1_024
    outbox_bytes: int = 1 << 20
    connect_seconds: float = 45.0
    upgrade_seconds: float = 10.0
    linger: float = 5.0


class OutOfTurn(Exception):
    """A request that the session can't take: two at once, or polling after the upgrade."""
