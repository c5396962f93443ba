"""Finds the client's address behind proxies. Only proxies that the configuration names by CIDR are trusted.

Each proxy appends the address of its peer, so the list is read from its end. The first address that is not a trusted
proxy's is the client's. The entries before it were written by the client, and are ignored. The direct peer counts as
the client if an entry is malformed, or if X-Forwarded-For and Forwarded disagree. A proxy that writes one of these
headers passes on the other as the client sent it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from msgspec import Struct

from chatd.net.request import Headers

Address: TypeAlias = IPv4Address | IPv6Address
Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]

UNIX = "unix"
MAX_HOPS = 32
SCHEMES = ("http", "https")
PAIR = re.compile(r'([A-Za-z]+)=(?:"([^"\\]*)"|([^\s;,"]+))')
HOST_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+)(?::[0-9]{1,5})?|([0-9A-Fa-f:.]+)")


class Hop(Struct, frozen=True):
    """One entry of a Forwarded or X-Forwarded-For header; `address` is None when it is malformed."""

    address: Address | None
    scheme: str = ""


class Proxies:
    """The trusted proxies: networks ("10.0.0.0/8"), and "unix" for all peers at the unix socket."""

    __slots__ = ("_networks", "_unix")

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        """ValueError names the entry that is no network."""
        entries = tuple(trusted)
        self._unix = UNIX in entries
        self._networks: Networks = tuple(ip_network(entry) for entry in entries if entry != UNIX)

    def trusts(self, peer: str) -> bool:
        """Whether a peer's address is a trusted proxy's."""
        if peer == UNIX:
            return self._unix
        found = read_address(peer) if self._networks else None
        return found is not None and self._is_trusted(found)

    def locate(self, peer: str, headers: Headers) -> tuple[str, str | None]:
        """The client behind a direct peer, and the scheme that the client used if a proxy names it."""
        found = read_address(peer)
        direct = peer if found is None else str(found)
        if not self.trusts(peer):
            return direct, None
        chains = [chain for chain in (_x_forwarded(headers), _forwarded(headers)) if chain]
        clients = {self._beyond(chain) for chain in chains}
        if None in clients or len(clients) > 1:
            return direct, None
        scheme = _joined(headers, b"x-forwarded-proto").rpartition(",")[2] or (chains[-1][-1].scheme if chains else "")
        scheme = scheme.strip().lower()
        return str(clients.pop()) if clients else direct, scheme if scheme in SCHEMES else None

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._networks)

    def _beyond(self, chain: list[Hop]) -> Address | None:
        """The nearest address that is no proxy's; the farthest when all are; None when an entry is malformed."""
        for hop in reversed(chain):
            if hop.address is None or not self._is_trusted(hop.address):
                return hop.address
        return chain[0].address


def address_block(address: str) -> str:
    """The unit that limits count by: an IPv4 address, or an IPv6 /64 network, which one customer has as a whole."""
    if ":" not in address:
        return address
    found = read_address(address)
    if not isinstance(found, IPv6Address):
        return address if found is None else str(found)
    return f"{IPv6Address(int(found) >> 64 << 64)}/64"


def read_address(text: str) -> Address | None:
    """An IP address, with or without a port. IPv4 mapped into IPv6 becomes IPv4. None if the text is no address."""
    parts = HOST_PORT.fullmatch(text.strip())
    if not parts:
        return None
    try:
        found = ip_address(parts[1] or parts[2] or parts[3])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def _joined(headers: Headers, name: bytes) -> str:
    """All values of a header as one."""
    return ",".join(value.decode("latin-1") for key, value in headers if key == name)


def _x_forwarded(headers: Headers) -> list[Hop]:
    return [Hop(read_address(entry)) for entry in _entries(_joined(headers, b"x-forwarded-for"))]


def _forwarded(headers: Headers) -> list[Hop]:
    """RFC 7239: `for="[2001:db8::1]:4711";proto=https, for=192.0.2.60`."""
    return [_element(entry) for entry in _entries(_joined(headers, b"forwarded"))]


def _element(entry: str) -> Hop:
    pairs = {}
    for part in entry.split(";"):
        pair = PAIR.fullmatch(part.strip())
        if not pair or pair[1].lower() in pairs:
            return Hop(None)
        pairs[pair[1].lower()] = pair[2] or pair[3] or ""
    return Hop(read_address(pairs.get("for", "")), pairs.get("proto", ""))


def _entries(header: str) -> list[str]:
    """The last MAX_HOPS entries: a client may have written any number before them."""
    return header.rsplit(",", MAX_HOPS)[-MAX_HOPS:] if header.strip() else []
