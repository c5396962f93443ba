"""Clients that connect as documented, and then ignore the server: they read nothing and never close."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from tests.outside.raw import TEXT, Raw, frame, request, upgrade
from tests.outside.server import token

Kind = Callable[[str, int], Awaitable[Raw]]

ENGINE = "/socket.io/?EIO=4&transport="


async def moved(address: str, user: int) -> Raw:
    """Socket.IO by long polling in a namespace, then upgraded to a WebSocket."""
    path = f"{ENGINE}polling"
    async with await Raw.connect(address) as polling:
        status, opened = await polling.asks(request("GET", path))
        assert status == 200, opened
        path += f"&sid={(sid := json.loads(opened[1:])['sid'])}"
        connect = f"40/chat,{json.dumps({'token': token(user)})}".encode()
        status, said = await polling.asks(request("POST", path, connect, Content_Type="text/plain"))
        assert status == 200, said
        status, said = await polling.asks(request("GET", path))
        assert said.startswith(b"40/chat,"), said
    raw = await Raw.connect(address)
    status, _ = await raw.asks(upgrade(f"{ENGINE}websocket&sid={sid}"))
    assert status == 101, status
    await raw.send(frame(TEXT, b"2probe"))
    assert await raw.frame() == (TEXT, b"3probe")
    await raw.send(frame(TEXT, b"5"))
    await raw.send(frame(TEXT, b'42/chat,1["rpc.ping"]'))
    await raw.frame()
    return raw


async def by_websocket(address: str, user: int) -> Raw:
    """Socket.IO by WebSocket from the beginning."""
    raw = await Raw.connect(address)
    status, _ = await raw.asks(upgrade(f"{ENGINE}websocket"))
    assert status == 101, status
    await raw.frame()
    await raw.send(frame(TEXT, f"40/chat,{json.dumps({'token': token(user)})}".encode()))
    await raw.frame()
    return raw


async def by_rpc(address: str, user: int) -> Raw:
    """JSON-RPC."""
    return await Raw.open(address, token(user))


async def by_stream(address: str, user: int) -> Raw:
    """Server-Sent Events."""
    raw = await Raw.connect(address)
    await raw.send(request("GET", "/events", token=token(user), Accept="text/event-stream"))
    await raw.stream.receive_some(100)
    return raw


async def by_long_poll(address: str, user: int) -> Raw:
    """A long poll whose answer is not read."""
    raw = await Raw.connect(address)
    status, said = await raw.asks(request("GET", "/events", token=token(user)))
    assert status == 200, said
    where = json.loads(said)
    path = f"/events?wait=60&epoch={where['epoch']}&pos={where['pos']}"
    await raw.send(request("GET", path, token=token(user)))
    return raw


async def in_a_body(address: str, user: int) -> Raw:
    """A request whose body stops in the middle."""
    raw = await Raw.connect(address)
    await raw.send(request("POST", "/conversations", b'{"type":', token=token(user), Content_Length="100"))
    return raw


KINDS: tuple[Kind, ...] = (moved, by_websocket, by_rpc, by_stream, by_long_poll, in_a_body)
