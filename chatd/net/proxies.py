"""Who the client is when proxies stand between: believed only from proxies that the configuration names by CIDR.

Each proxy appends the address that it sees, so the list is read from its end: the first address that is not a trusted
proxy's is the client, and whatever stands before it was written by the client and means nothing. If what has to be
read is malformed, or X-Forwarded-For and Forwarded disagree (a proxy that writes one lets the other through as the
client sent it), the direct peer is the client.
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
MOST_HOPS = 32
SCHEMES = ("http", "https")
PAIR = re.compile(r'([A-Za-z]+)=(?:"([^"\\]*)"|([^\s;,"]+))')
HOST_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+)(?::[0-9]{1,5})?|([0-9A-Fa-f:.]+)")


class Hop(Struct, frozen=True):
    """One entry of such a header; `address` is None when it is malformed."""

    address: Address | None
    scheme: str = ""


class Proxies:
    """The trusted proxies: networks ("10.0.0.0/8"), and "unix" for whoever comes through the unix socket."""

    __slots__ = ("_networks", "_unix")

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        """ValueError names what is no network."""
        words = tuple(trusted)
        self._unix = UNIX in words
        self._networks: Networks = tuple(ip_network(word) for word in words if word != UNIX)

    def trusts(self, peer: str) -> bool:
        """Whether this is the address of a trusted proxy."""
        if peer == UNIX:
            return self._unix
        found = read_address(peer) if self._networks else None
        return found is not None and self._is_trusted(found)

    def locate(self, peer: str, headers: Headers) -> tuple[str, str | None]:
        """The client behind a direct peer, and the scheme by which it left there where a proxy says so."""
        found = read_address(peer)
        direct = peer if found is None else str(found)
        if not self.trusts(peer):
            return direct, None
        chains = [chain for chain in (_x_forwarded(headers), _forwarded(headers)) if chain]
        clients = {self._beyond(chain) for chain in chains}
        if None in clients or len(clients) > 1:
            return direct, None
        said = _joined(headers, b"x-forwarded-proto").rpartition(",")[2] or (chains[-1][-1].scheme if chains else "")
        said = said.strip().lower()
        return str(clients.pop()) if clients else direct, said if said in SCHEMES else None

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._networks)

    def _beyond(self, chain: list[Hop]) -> Address | None:
        """The nearest address that is no proxy's; the farthest when all are; None when what is read is malformed."""
        for hop in reversed(chain):
            if hop.address is None or not self._is_trusted(hop.address):
                return hop.address
        return chain[0].address


def block(address: str) -> str:
    """What addresses are counted by: IPv4 as it is, IPv6 by its /64, since one customer has all of that."""
    if ":" not in address:
        return address
    found = read_address(address)
    if not isinstance(found, IPv6Address):
        return address if found is None else str(found)
    return f"{IPv6Address(int(found) >> 64 << 64)}/64"


def read_address(text: str) -> Address | None:
    """An IP address, with or without a port; IPv4 in IPv6's clothes is IPv4. None if it is none."""
    parts = HOST_PORT.fullmatch(text.strip())
    if not parts:
        return None
    try:
        found = ip_address(parts[1] or parts[2] or parts[3])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def _joined(headers: Headers, name: bytes) -> str:
    """A header that may have come several times, as one."""
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
    """The entries that are looked at: the last ones, however many a client wrote before them."""
    return header.rsplit(",", MOST_HOPS)[-MOST_HOPS:] if header.strip() else []
