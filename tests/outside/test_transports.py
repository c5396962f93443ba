"""Other transports: TLS by certificate and key, a unix socket, IPv6. On each: connect, send, receive, and use REST."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio_websocket import wrap_client_stream

from tests.certificate import make_certificate
from tests.outside.raw import Raw, frame, request, upgrade
from tests.outside.server import Chatd, token
from tests.scenes.chat_server import RpcClient


class Transport:
    """How a client connects: a stream to the server."""

    def __init__(self, server: Chatd, trusted: ssl.SSLContext | None = None, path: str = "") -> None:
        self.server = server
        self.trusted = trusted
        self.path = path

    @property
    def left_behind(self) -> bool:
        """Whether the socket's file exists."""
        return self.path != "" and os.path.exists(self.path)

    async def stream(self) -> trio.SocketStream | trio.SSLStream[trio.SocketStream]:
        if self.path:
            return await trio.open_unix_socket(self.path)
        host, _, port = self.server.address.rpartition(":")
        stream = await trio.open_tcp_stream(host.strip("[]"), int(port))
        if self.trusted is None:
            return stream
        tls = trio.SSLStream(stream, self.trusted, server_hostname="127.0.0.1")
        await tls.do_handshake()
        return tls

    @asynccontextmanager
    async def client(self, user: int) -> AsyncIterator[RpcClient]:
        """A client over this transport."""
        shown = [(b"Authorization", f"Bearer {token(user)}".encode())]
        async with trio.open_nursery() as nursery:
            stream = await self.stream()
            socket = await wrap_client_stream(nursery, stream, "localhost", "/chat", extra_headers=shown)
            client = RpcClient(socket)
            client.ready = await client.receives("ready")
            try:
                yield client
            finally:
                await trio.aclose_forcefully(stream)
                nursery.cancel_scope.cancel()


def tls(folder: Path) -> Transport:
    certificate, key = make_certificate(folder)
    server = Chatd(folder, {"server.tls_certificate": str(certificate), "server.tls_key": str(key)})
    return Transport(server, ssl.create_default_context(cafile=str(certificate)))


def unix(folder: Path) -> Transport:
    path = str(folder / "chatd.sock")
    return Transport(Chatd(folder, {"server.unix": path}), path=path)


def ipv6(folder: Path) -> Transport:
    return Transport(Chatd(folder, host="::1"))


@pytest.mark.parametrize("make", [tls, unix, ipv6])
async def test_two_clients_chat_over_every_transport(tmp_path: Path, make: object) -> None:
    assert callable(make)
    transport: Transport = make(tmp_path)
    transport.server.start()
    try:
        async with transport.client(1) as one, transport.client(2) as other:
            body = json.dumps({"type": "group", "participants": [2]}).encode()
            async with Raw(await transport.stream()) as raw:
                status, made = await raw.asks(request("POST", "/conversations", body, token=token(1)))
            assert status == 201
            where = {"conversationId": json.loads(made)["_id"]}
            await other.asks("conversation:join", where)
            for size in (1, 10_000):
                sent = await one.asks("message:send", {**where, "content": "é" * size})
                assert await other.skips_to("message:created") == sent["data"]
        assert transport.server.stop() == 0
        assert transport.server.faults == []
        assert not transport.left_behind
    finally:
        transport.server.end()


async def test_what_is_no_tls_ends_only_itself(tmp_path: Path) -> None:
    """Plain HTTP, a handshake that stops, and one that is cut, beside a client that chats."""
    transport = tls(tmp_path)
    transport.server.settings["limits.tls_timeout"] = "500ms"
    transport.server.start()
    try:
        async with transport.client(1) as one:
            for said in (upgrade(token=token(2)), b"\x16\x03\x01\x02\x00\x01", frame(1, b"{}") * 1_000, b""):
                async with await Raw.connect(transport.server.address) as raw:
                    await raw.send(said)
                    await raw.is_hung_up(5)
                assert await one.asks("rpc.ping") == "pong"
        assert transport.server.stop() == 0
        assert transport.server.faults == []
    finally:
        transport.server.end()


async def test_a_socket_file_that_a_dead_server_left_is_no_hindrance(tmp_path: Path) -> None:
    transport = unix(tmp_path)
    transport.server.start().kill()
    assert transport.left_behind
    transport.server.start()
    try:
        async with transport.client(1) as one:
            assert await one.asks("rpc.ping") == "pong"
        assert transport.server.stop() == 0
    finally:
        transport.server.end()
