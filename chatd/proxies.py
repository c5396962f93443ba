"""Who asks, behind reverse proxies: the forwarding headers count only as far as trusted proxies have written them.

Every proxy appends the address that it saw, so the list is read from its end: the first address that is no trusted
proxy is the client. RFC 7239's Forwarded wins over the X-Forwarded headers.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from chatd.request import Headers


class Proxies:
    """The trusted proxies: networks ("10.0.0.0/8"), and "unix" for whoever comes through the unix socket."""

    __slots__ = ("_networks", "_unix")

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        self._unix = "unix" in trusted
        self._networks = [ip_network(network, strict=False) for network in trusted if network != "unix"]

    def trusts(self, address: str) -> bool:
        """Whether this is the address of a trusted proxy."""
        if address == "unix":
            return self._unix
        if not self._networks:
            return False
        try:
            parsed = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def locate(self, peer: str, headers: Headers) -> tuple[str, str | None]:
        """The client's address, and the scheme it used where a proxy says so."""
        if not self.trusts(peer):
            return peer, None
        hops, scheme = _forwarded(headers) or _x_forwarded(headers)
        client = peer
        for hop in reversed(hops):
            client = hop
            if not self.trusts(hop):
                break
        return client, scheme


def _forwarded(headers: Headers) -> tuple[list[str], str | None] | None:
    elements = [
        dict(_pair(part) for part in element.split(";"))
        for value in _values(headers, b"forwarded")
        for element in value.split(",")
    ]
    if not elements:
        return None
    hops = [hop for element in elements if (hop := _address(element.get("for", "")))]
    return hops, _scheme(elements[-1].get("proto", ""))


def _x_forwarded(headers: Headers) -> tuple[list[str], str | None]:
    hops = [
        hop
        for value in _values(headers, b"x-forwarded-for")
        for part in value.split(",")
        if (hop := _address(part.strip()))
    ]
    schemes = _values(headers, b"x-forwarded-proto")
    return hops, _scheme(schemes[-1].rpartition(",")[2].strip()) if schemes else None


def _values(headers: Headers, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in headers if key == name]


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip().strip('"')


def _scheme(word: str) -> str | None:
    return word.lower() if word.lower() in ("http", "https") else None


def _address(node: str) -> str | None:
    """The address in `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]:80`; None for what is none (`unknown`, `_hidden`)."""
    if node.startswith("["):
        node = node[1:].partition("]")[0]
    elif node.count(":") == 1:
        node = node.partition(":")[0]
    try:
        return str(ip_address(node))
    except ValueError:
        return None
