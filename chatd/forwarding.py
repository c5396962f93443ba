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

Address: TypeAlias = IPv4Address | IPv6Address
Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]

MOST_HOPS = 32
SCHEMES = ("http", "https")
PAIR = re.compile(r'([A-Za-z]+)=(?:"([^"\\]*)"|([^\s;,"]+))')
HOST_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+)(?::[0-9]{1,5})?|([0-9A-Fa-f:.]+)")


class Client(Struct, frozen=True):
    """Where a request comes from, and by which scheme it left there."""

    address: str
    scheme: str


class Forwarding(Struct, frozen=True):
    """The headers that proxies write, each joined with commas if it came several times; empty when it did not come."""

    x_forwarded_for: str = ""
    x_forwarded_proto: str = ""
    forwarded: str = ""


class Hop(Struct, frozen=True):
    """One entry of such a header; `address` is None when it is malformed."""

    address: Address | None
    scheme: str = ""


def trusted(networks: Iterable[str]) -> Networks:
    """The configured CIDR list, ready to be asked; ValueError names what is no network."""
    return tuple(ip_network(network) for network in networks)


def client(peer: str, scheme: str, told: Forwarding, proxies: Networks) -> Client:
    """The client behind a direct peer."""
    found = read_address(peer)
    direct = Client(peer if found is None else str(found), scheme)
    if not proxies or found is None or not _is_trusted(found, proxies):
        return direct
    chains = [chain for chain in (_x_forwarded(told.x_forwarded_for), _forwarded(told.forwarded)) if chain]
    addresses = {_beyond(chain, proxies) for chain in chains} or {found}
    address = addresses.pop()
    if address is None or addresses:
        return direct
    said = told.x_forwarded_proto.rpartition(",")[2] or (chains[-1][-1].scheme if chains else "")
    said = said.strip().lower()
    return Client(str(address), said if said in SCHEMES else scheme)


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


def _is_trusted(address: Address, proxies: Networks) -> bool:
    return any(address in network for network in proxies)


def _beyond(chain: list[Hop], proxies: Networks) -> Address | None:
    """The nearest address that is not a proxy's; the farthest when all are; None when what is read is malformed."""
    for hop in reversed(chain):
        if hop.address is None or not _is_trusted(hop.address, proxies):
            return hop.address
    return chain[0].address


def _x_forwarded(header: str) -> list[Hop]:
    return [Hop(read_address(entry)) for entry in _entries(header)]


def _forwarded(header: str) -> list[Hop]:
    """RFC 7239: `for="[2001:db8::1]:4711";proto=https, for=192.0.2.60`."""
    return [_element(entry) for entry in _entries(header)]


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
