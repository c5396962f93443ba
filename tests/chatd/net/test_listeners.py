"""Listeners: their addresses, their socket files and their errors."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from chatd.net.acceptor import Acceptor, AcceptRules
from chatd.net.http_connection import HttpRules
from chatd.net.listeners import Address, AddressInUse, format_address, listen
from chatd.net.socket import socket_rules
from tests.chatd.net.test_acceptor import EchoRouter


def test_a_stale_socket_file_is_replaced_and_a_live_one_is_not(tmp_path: Path) -> None:
    address = Address(path=str(tmp_path / "s"), mode=0o660)
    (dead,) = listen(address)
    dead.close()
    (live,) = listen(address)
    assert stat.S_IMODE(os.stat(address.path).st_mode) == 0o660
    with pytest.raises(AddressInUse, match="in use by another program"):
        listen(address)
    live.close()


def test_a_file_that_is_no_socket_stays(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(AddressInUse, match="no socket"):
        listen(Address(path=str(path)))
    assert path.read_text() == "data"


def test_a_taken_port_is_said_in_a_sentence() -> None:
    (first,) = listen(Address())
    with pytest.raises(AddressInUse, match="in use by another program"):
        listen(Address(port=first.getsockname()[1]))
    first.close()


def test_accepted_sockets_inherit_their_options() -> None:
    (listener,) = listen(Address(), dead_after=17.0)
    with socket.create_connection(listener.getsockname()), listener, listener.accept()[0] as accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 17_000


def test_all_families_of_a_host_share_a_port() -> None:
    listeners = listen(Address(host=""))
    assert len({format_address(listener).rpartition(":")[2] for listener in listeners}) == 1
    for listener in listeners:
        listener.close()


def test_a_bad_second_address_leaves_nothing_open(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AddressInUse):
        Acceptor(
            EchoRouter(),
            [Address(), Address(path=str(tmp_path / "file"))],
            accepting=AcceptRules(),
            http=HttpRules(),
            sockets=socket_rules(),
        )
