"""The error for an untrusted certificate names the cause, and the client does not connect again."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import trio

from chatd.client import Closed, connect
from chatd.client.problems import TLS_FAILED
from chatd.net.tls import server_context
from tests.chatd.server.test_machine import write_pair


@pytest.fixture
async def port(tmp_path: Path, nursery: trio.Nursery) -> int:
    """The port of a TLS server whose certificate no authority has signed."""
    write_pair(tmp_path, "self")
    context = server_context(str(tmp_path / "self.crt"), str(tmp_path / "self.key"))

    async def shake_hands(stream: trio.SSLStream[trio.SocketStream]) -> None:
        with pytest.raises(trio.BrokenResourceError):
            await stream.do_handshake()

    listeners = await nursery.start(
        partial(trio.serve_ssl_over_tcp, shake_hands, 0, context, host="127.0.0.1", https_compatible=True)
    )
    found: int = listeners[0].transport_listener.socket.getsockname()[1]
    return found


async def test_a_certificate_that_is_not_trusted(port: int) -> None:
    with trio.fail_after(20), pytest.raises(Closed, match="TLS: self-signed certificate") as refused:
        async with connect(f"https://127.0.0.1:{port}", "token"):
            pass
    assert refused.value.code == TLS_FAILED


async def test_tls_where_there_is_none(nursery: trio.Nursery) -> None:
    async def answer(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    (listener,) = await nursery.start(partial(trio.serve_tcp, answer, 0, host="127.0.0.1"))
    with trio.fail_after(20), pytest.raises(Closed, match="TLS: WRONG_VERSION_NUMBER"):
        async with connect(f"https://127.0.0.1:{listener.socket.getsockname()[1]}", "token"):
            pass


async def test_a_connection_that_is_cut_in_the_handshake_is_tried_again(nursery: trio.Nursery) -> None:
    tried = trio.Event()
    tries = []

    async def hang_up(stream: trio.SocketStream) -> None:
        tries.append(await stream.receive_some())
        if len(tries) == 3:
            tried.set()

    async def stay_connected() -> None:
        async with connect(url, "token", random=lambda: 0.01):
            pass

    (listener,) = await nursery.start(partial(trio.serve_tcp, hang_up, 0, host="127.0.0.1"))
    url = f"https://127.0.0.1:{listener.socket.getsockname()[1]}"
    nursery.start_soon(stay_connected)
    with trio.fail_after(20):
        await tried.wait()
