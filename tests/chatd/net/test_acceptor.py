"""The acceptor on real sockets: HTTP, WebSockets, TLS, limits, and the stop."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import trio
import trio_websocket

from chatd.net.acceptor import BUSY, Acceptor, AcceptRules, descriptor_share
from chatd.net.asgi import Application, Event, Receive, Send
from chatd.net.http import Direct, HttpRouter
from chatd.net.http_connection import HttpRules
from chatd.net.listeners import Address
from chatd.net.request import Request, Response
from chatd.net.socket import WebSocket, frame_text, socket_rules
from tests.chatd.listening import receive
from tests.chatd.net.test_stream import certificate
from tests.outside.raw import upgrade

__all__ = ["certificate"]

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


class EchoRouter(HttpRouter):
    def __init__(self) -> None:
        self.sockets: set[WebSocket] = set()
        self.left = 0
        self.fault: BaseException | None = None

    def refuse(self, request: Request) -> Response | None:
        return Response(200, request.client.encode())

    async def websocket(self, request: Request, websocket: WebSocket) -> None:
        self.sockets.add(websocket)
        try:
            while True:
                for payload, _ in await receive(websocket):
                    if payload == b"crash":
                        raise RuntimeError("as asked")
                    websocket.write(frame_text(payload))
        finally:
            self.sockets.discard(websocket)
            self.left += 1

    def direct(self, request: Request) -> Direct | None:
        return None

    def body_limit(self, request: Request) -> int:
        return 1_000

    async def application(self) -> Application:
        return hello


class OpenSite(EchoRouter):
    """Lets upgrades through."""

    def refuse(self, request: Request) -> Response | None:
        return None


async def hello(scope: Event, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["client"][0].encode()})


class Server:
    """A running front and what became of it."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        self.site = OpenSite()
        self.crashes: list[BaseException] = []

    async def open(
        self, *addresses: Address, rules: AcceptRules | None = None, tls: ssl.SSLContext | None = None
    ) -> Acceptor:
        self.front = Acceptor(
            self.site,
            addresses or [Address()],
            accepting=rules or AcceptRules(),
            http=HttpRules(),
            sockets=socket_rules(farewell_seconds=0.2),
            tls=tls,
            crashed=self.crashes.append,
        )
        await self.nursery.start(self.front.serve)
        return self.front

    @property
    def port(self) -> int:
        return int(self.front.addresses[0].rpartition(":")[2])

    async def connect(self) -> trio.SocketStream:
        return await trio.open_tcp_stream("127.0.0.1", self.port)


@pytest.fixture
async def app(nursery: trio.Nursery) -> AsyncIterator[Server]:
    made = Server(nursery)
    yield made
    await made.front.stop(0.5)
    assert made.front.open == 0


async def ask(stream: trio.abc.Stream, data: bytes = GET) -> bytes:
    await stream.send_all(data)
    return bytes(await stream.receive_some())


async def rest(stream: trio.abc.Stream) -> bytes:
    got = b""
    try:
        while piece := await stream.receive_some():
            got += piece
    except trio.BrokenResourceError:
        pass
    return got


async def until(true: Callable[[], bool]) -> None:
    with trio.fail_after(5):
        while not true():  # noqa: ASYNC110 - real sockets have no event for this
            await trio.sleep(0.005)


async def test_http_and_websockets_on_one_port(app: Server) -> None:
    await app.open()
    async with await app.connect() as stream:
        assert (await ask(stream)).endswith(b"127.0.0.1")
    async with trio_websocket.open_websocket("127.0.0.1", app.port, "/chat", use_ssl=False) as client:
        await client.send_message("hello")
        assert await client.get_message() == "hello"
    await until(lambda: app.front.open == 0)
    assert not app.crashes


async def test_a_message_larger_than_the_kernel_takes(app: Server) -> None:
    await app.open()
    async with trio_websocket.open_websocket("127.0.0.1", app.port, "/", use_ssl=False) as client:
        await client.send_message("x" * 60_000)
        (server,) = app.site.sockets
        for _ in range(12):
            server.write(frame_text(b"y" * 60_000))
        for size in (60_000, *[60_000] * 12):
            assert len(await client.get_message()) == size


async def test_ipv6_and_unix(app: Server, tmp_path: Path) -> None:
    path = str(tmp_path / "chatd.sock")
    front = await app.open(Address(), Address(host="::1"), Address(path=path))
    assert front.addresses[1].startswith("[::1]:")
    assert front.addresses[2] == f"unix:{path}"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    async with await trio.open_unix_socket(path) as stream:
        assert (await ask(stream)).endswith(b"unix")
    async with await trio.open_tcp_stream("::1", int(front.addresses[1].rpartition(":")[2])) as stream:
        assert (await ask(stream)).endswith(b"::1")
    await front.stop(1)
    assert not await trio.Path(path).exists()


async def test_tls(app: Server, certificate: tuple[str, str]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    await app.open(tls=context, rules=AcceptRules(handshake_seconds=0.2))
    client = ssl.create_default_context(cafile=certificate[0])
    client.check_hostname = False
    async with trio_websocket.open_websocket("127.0.0.1", app.port, "/", use_ssl=client) as websocket:
        await websocket.send_message("x" * 50_000)
        assert await websocket.get_message() == "x" * 50_000
    async with await app.connect() as silent:
        assert await rest(silent) == b""
    async with await app.connect() as plain:
        await plain.send_all(GET)
        answer = await rest(plain)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"https://" in answer
    async with await app.connect() as garbage:
        await garbage.send_all(b"\0 is no TLS")
        assert b"HTTP" not in await rest(garbage)
    assert app.front.scheme == "https"


async def test_beside_tls_a_unix_socket_speaks_plain_http(
    app: Server, certificate: tuple[str, str], tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    path = str(tmp_path / "chatd.sock")
    await app.open(Address(), Address(path=path, mode=0o660), tls=context)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
    async with await trio.open_unix_socket(path) as stream:
        assert (await ask(stream)).endswith(b"unix")


def forwarded(address: str, head: bytes = GET) -> bytes:
    return head[:-2] + b"X-Forwarded-For: " + address.encode() + b"\r\n\r\n"


async def test_clients_behind_a_trusted_proxy_have_their_limit(app: Server) -> None:
    """The proxy keeps its connections and lends them to one client after the other; WebSockets count until they end."""
    await app.open(rules=AcceptRules(connections_per_address=2, trusted_proxies=("127.0.0.0/8",)))
    url = f"ws://127.0.0.1:{app.port}/"

    def through(address: str) -> Any:
        return trio_websocket.open_websocket_url(url, extra_headers=[(b"X-Forwarded-For", address.encode())])

    async with await app.connect() as one, await app.connect() as other:
        for stream in (one, other, one, other):
            assert (await ask(stream, forwarded("198.51.100.7"))).startswith(b"HTTP/1.1 200")
        async with through("198.51.100.7"), through("198.51.100.7") as second:
            assert (await ask(one, forwarded("198.51.100.7"))).startswith(b"HTTP/1.1 503")
            assert (await ask(other, forwarded("198.51.100.8"))).startswith(b"HTTP/1.1 200")
            async with await app.connect() as third:
                head = upgrade("/", {"X-Forwarded-For": "198.51.100.7"})
                assert (await ask(third, head)).startswith(b"HTTP/1.1 503")
            await second.aclose()
            await second._stream.aclose()  # a closed trio-websocket client leaves that to the garbage collector
            await until(lambda: len(app.site.sockets) == 1)
            assert (await ask(other, forwarded("198.51.100.7"))).startswith(b"HTTP/1.1 200")
    await until(lambda: app.front.open == 0)
    assert len(app.front._counts) == 0


async def test_clients_of_one_ipv6_network_share_their_limit(app: Server) -> None:
    await app.open(rules=AcceptRules(connections_per_address=1, trusted_proxies=("127.0.0.0/8",)))
    shown = [(b"X-Forwarded-For", b"2001:db8::1")]
    url = f"ws://127.0.0.1:{app.port}/"
    async with (
        trio_websocket.open_websocket_url(url, extra_headers=shown) as opened,
        await app.connect() as near,
        await app.connect() as far,
    ):
        assert (await ask(near, forwarded("2001:db8::2"))).startswith(b"HTTP/1.1 503")
        assert (await ask(far, forwarded("2001:db8:0:1::2"))).startswith(b"HTTP/1.1 200")
        await opened._stream.aclose()  # a closed trio-websocket client leaves that to the garbage collector


async def test_a_proxy_on_the_unix_socket_is_believed(app: Server, tmp_path: Path) -> None:
    path = str(tmp_path / "chatd.sock")
    await app.open(Address(path=path), rules=AcceptRules(trusted_proxies=("unix",)))
    async with await trio.open_unix_socket(path) as stream:
        assert (await ask(stream, forwarded("198.51.100.7"))).endswith(b"198.51.100.7")


async def test_an_exception_ends_its_own_connection_only(app: Server) -> None:
    await app.open()
    url = f"ws://127.0.0.1:{app.port}/"
    async with trio_websocket.open_websocket_url(url) as good, trio_websocket.open_websocket_url(url) as bad:
        await bad.send_message("crash")
        with pytest.raises(trio_websocket.ConnectionClosed) as closed:
            await bad.get_message()
        assert closed.value.reason is not None
        assert closed.value.reason.code == 1011
        await good.send_message("still here")
        assert await good.get_message() == "still here"
        await bad._stream.aclose()  # a closed trio-websocket client leaves that to the garbage collector
    await until(lambda: len(app.crashes) == 1)


async def test_one_address_has_its_limit(app: Server) -> None:
    await app.open(rules=AcceptRules(connections_per_address=2))
    first, second, third = [await app.connect() for _ in range(3)]
    assert (await ask(first)).startswith(b"HTTP/1.1 200")
    assert (await ask(second)).startswith(b"HTTP/1.1 200")
    assert (await ask(third)).startswith(b"HTTP/1.1 503")
    fourth, fifth = await app.connect(), await app.connect()
    assert await rest(fifth) == BUSY
    await fifth.aclose()
    for stream in (first, third, fourth):
        await stream.aclose()
    await until(lambda: app.front.open == 1)
    async with await app.connect() as stream:
        assert (await ask(stream)).startswith(b"HTTP/1.1 200")
    await second.aclose()


async def test_all_addresses_have_a_limit(app: Server) -> None:
    await app.open(rules=AcceptRules(connections=1, connections_per_address=0))
    async with await app.connect() as first, await app.connect() as second:
        assert await rest(second) == BUSY
        assert (await ask(first)).startswith(b"HTTP/1.1 200")
    assert descriptor_share() > 0


async def test_behind_a_trusted_proxy(app: Server) -> None:
    await app.open(rules=AcceptRules(connections_per_address=1, trusted_proxies=("127.0.0.0/8",)))
    async with await app.connect() as first, await app.connect() as second:
        head = GET[:-2] + b"X-Forwarded-For: 203.0.113.9, 198.51.100.7\r\n\r\n"
        assert (await ask(first, head)).endswith(b"198.51.100.7")
        assert (await ask(second)).endswith(b"127.0.0.1")


class FailingListener:
    """A listening socket whose accept fails a few times first."""

    def __init__(self, real: socket.socket, failures: list[int]) -> None:
        self.real, self.failures = real, failures

    def accept(self) -> tuple[socket.socket, object]:
        if self.failures:
            code = self.failures.pop(0)
            raise OSError(code, os.strerror(code))
        return self.real.accept()

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)


async def test_accepting_survives_every_error(app: Server) -> None:
    front = Acceptor(
        app.site, [Address()], accepting=AcceptRules(), http=HttpRules(), sockets=socket_rules(farewell_seconds=0.2)
    )
    app.front = front
    failures = [errno.EMFILE, errno.ECONNABORTED, errno.EINVAL]
    front._listeners = [FailingListener(real, failures) for real in front._listeners]  # type: ignore[misc]
    await app.nursery.start(front.serve)
    with trio.fail_after(2.5):
        async with await app.connect() as stream:
            assert (await ask(stream)).startswith(b"HTTP/1.1 200")
    assert not failures


async def test_stopping_closes_the_websockets(app: Server) -> None:
    front = await app.open()
    client = await trio_websocket.connect_websocket_url(app.nursery, f"ws://127.0.0.1:{app.port}/")
    idle = await app.connect()
    assert (await ask(idle)).startswith(b"HTTP/1.1 200")

    def closing() -> None:
        for websocket in list(app.site.sockets):
            websocket.close(1012, "restarting")

    with trio.fail_after(3):
        await front.stop(2, closing)
    with pytest.raises(trio_websocket.ConnectionClosed) as closed:
        await client.get_message()
    assert closed.value.reason is not None
    assert (closed.value.reason.code, closed.value.reason.reason) == (1012, "restarting")
    assert await rest(idle) == b""
    await client._stream.aclose()
    await idle.aclose()
    with pytest.raises(OSError, match="all attempts to connect"):
        await app.connect()
    assert front.open == 0


async def test_stopping_waits_for_no_connection_for_ever(app: Server) -> None:
    front = await app.open()
    stubborn = await app.connect()
    await stubborn.send_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n")
    await until(lambda: front.open == 1)
    with trio.fail_after(2):
        await front.stop(0.1)
    await until(lambda: front.open == 0)
    await stubborn.aclose()


async def test_a_request_that_arrives_after_the_stop_is_not_performed(app: Server) -> None:
    """Its bytes are in the kernel when the connection ends: they can still be read, but no answer can be sent."""
    await app.open()
    performed = list[Request]()

    def remember(request: Request) -> Response | None:
        performed.append(request)
        return None

    app.site.refuse = remember  # type: ignore[method-assign]
    async with await app.connect() as stream:
        await ask(stream)
        assert len(performed) == 1
        await until(lambda: len(app.front._server.idle) == 1)  # type: ignore[union-attr]
        os.write(stream.socket.fileno(), GET)
        await app.front.stop(1)
    assert len(performed) == 1
