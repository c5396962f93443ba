"""The client's address: only trusted proxies are believed."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.net.proxies import Proxies, address_block, read_address

PROXIES = Proxies(["10.0.0.0/8", "fd00::/8", "127.0.0.1"])
PROXY, STRANGER = "10.0.0.1", "203.0.113.9"


class Client(NamedTuple):
    address: str
    scheme: str | None


def behind(x: str = "", forwarded: str = "", proto: str = "", peer: str = PROXY, by: Proxies = PROXIES) -> Client:
    values = {b"x-forwarded-for": x, b"forwarded": forwarded, b"x-forwarded-proto": proto}
    headers = [(name, value.encode("latin-1", "replace")) for name, value in values.items() if value]
    return Client(*by.locate(peer, headers))


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("", PROXY),
        ("192.0.2.1", "192.0.2.1"),
        ("1.1.1.1, 192.0.2.1", "192.0.2.1"),
        ("1.1.1.1, 192.0.2.1, 10.9.9.9", "192.0.2.1"),
        ("nonsense, 192.0.2.1", "192.0.2.1"),
        (f"{'x,' * 5000}192.0.2.1", "192.0.2.1"),
        ("10.3.3.3, 10.2.2.2", "10.3.3.3"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("nonsense", PROXY),
        ("192.0.2.1, nonsense", PROXY),
        ("192.0.2.1, ", PROXY),
        ("192.0.2.1, unknown, 10.1.1.1", PROXY),
        ("192.0.2.256", PROXY),
        ("0192.0.2.1", PROXY),
        ("3221225985", PROXY),
        ("fe80::1%eth0", PROXY),
        ("192.0.2.1\r\n", "192.0.2.1"),
        ("192.0.2.1\0", PROXY),
        (",", PROXY),
        (", ".join(["10.1.1.1"] * 100), "10.1.1.1"),
    ],
)
def test_x_forwarded_for(header: str, address: str) -> None:
    assert behind(header).address == address
    assert behind(header, peer=STRANGER).address == STRANGER, "the header of an untrusted peer is ignored"


@pytest.mark.parametrize(
    ("header", "address", "scheme"),
    [
        ("for=192.0.2.1", "192.0.2.1", None),
        ("For=192.0.2.1;Proto=HTTPS;by=10.0.0.1", "192.0.2.1", "https"),
        ('for="[2001:db8::1]:4711";proto=https', "2001:db8::1", "https"),
        ("for=1.1.1.1;proto=https, for=192.0.2.1;proto=http", "192.0.2.1", "http"),
        ("for=192.0.2.1 , for=10.1.1.1;proto=https", "192.0.2.1", "https"),
        ("for=192.0.2.1;proto=gopher", "192.0.2.1", None),
        ("for=_hidden", PROXY, None),
        ("for=unknown;proto=https", PROXY, None),
        ("for=192.0.2.1;for=192.0.2.2", PROXY, None),
        ("proto=https", PROXY, None),
        ('for="192.0.2.1', PROXY, None),
        ("for=", PROXY, None),
        ("192.0.2.1", PROXY, None),
    ],
)
def test_forwarded(header: str, address: str, scheme: str | None) -> None:
    assert behind(forwarded=header) == Client(address, scheme)
    assert behind(forwarded=header, peer=STRANGER) == Client(STRANGER, None)


def test_a_header_that_the_proxy_lets_through_gains_nothing() -> None:
    assert behind("192.0.2.1", "for=192.0.2.1").address == "192.0.2.1"
    assert behind("192.0.2.1", "for=1.1.1.1").address == PROXY
    assert behind("192.0.2.1", "for=nonsense").address == PROXY


@pytest.mark.parametrize(
    ("proto", "scheme"),
    [
        ("https", "https"),
        ("HTTPS", "https"),
        ("http, https", "https"),
        ("http", "http"),
        ("https, x", None),
        ("", None),
    ],
)
def test_the_scheme(proto: str, scheme: str | None) -> None:
    assert behind("192.0.2.1", proto=proto).scheme == scheme
    assert behind(proto=proto) == Client(PROXY, scheme)
    assert behind("192.0.2.1", proto=proto, peer=STRANGER).scheme is None


def test_without_trusted_proxies_no_header_is_believed() -> None:
    found = behind("192.0.2.1", "for=192.0.2.1", "https", peer="127.0.0.1", by=Proxies())
    assert found == Client("127.0.0.1", None)


def test_the_unix_socket_is_a_proxy_when_it_is_named() -> None:
    assert behind("192.0.2.1", proto="https", peer="unix", by=Proxies(["unix"])) == Client("192.0.2.1", "https")
    assert behind("192.0.2.1, 10.0.0.1", peer="unix", by=Proxies(["unix"])).address == "10.0.0.1"
    assert behind(peer="unix", by=Proxies(["unix"])) == Client("unix", None)
    assert behind("nonsense", peer="unix", by=Proxies(["unix"])) == Client("unix", None)
    assert behind("192.0.2.1", proto="https", peer="unix") == Client("unix", None)


def test_a_header_that_comes_twice_is_one() -> None:
    twice = [(b"x-forwarded-for", b"1.1.1.1"), (b"x-forwarded-for", b"192.0.2.1")]
    assert PROXIES.locate(PROXY, twice) == ("192.0.2.1", None)


@pytest.mark.parametrize(
    ("peer", "is_trusted"),
    [(PROXY, True), ("::ffff:10.0.0.1", True), (STRANGER, False), ("unix", False), ("", False), ("nonsense", False)],
)
def test_who_is_trusted(peer: str, is_trusted: bool) -> None:
    assert PROXIES.trusts(peer) is is_trusted


def test_peers() -> None:
    assert behind("192.0.2.1", peer="::ffff:10.0.0.1").address == "192.0.2.1", "IPv4 on an IPv6 listener"
    assert behind("192.0.2.1", peer="fd00::1").address == "192.0.2.1"
    assert behind("192.0.2.1", peer="").address == ""
    assert behind("192.0.2.1", peer="/run/chatd.sock").address == "/run/chatd.sock"


def test_what_is_no_network() -> None:
    for wrong in ("nonsense", "10.0.0.1/8", "10.0.0.0/33"):
        with pytest.raises(ValueError, match=wrong):
            Proxies([wrong])


@given(st.text(), st.text(), st.text())
def test_any_headers_give_an_address_and_a_scheme(x: str, forwarded: str, proto: str) -> None:
    found = behind(x, forwarded, proto)
    assert read_address(found.address) is not None
    assert found.scheme in ("http", "https", None)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("a:b", "a:b"),
    ],
)
def test_what_addresses_are_counted_by(address: str, counted: str) -> None:
    assert address_block(address) == counted
