"""Two clients that chat while something else happens: a disturbance fails the test."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from trio_websocket import WebSocketConnection, connect_websocket_url

from tests.outside.server import until
from tests.scenes.chat_server import Rest, RpcClient

PAUSE = 0.03  # 33 calls a second: within every limit
PATIENCE = 5.0


@asynccontextmanager
async def client(address: str, token: str, *, path: str = "/chat", scheme: str = "ws") -> AsyncIterator[RpcClient]:
    """A trio-websocket client that has received `ready`; it is cut at the end."""
    async with trio.open_nursery() as nursery:
        socket: WebSocketConnection = await connect_websocket_url(
            nursery, f"{scheme}://{address}{path}", extra_headers=[(b"Authorization", f"Bearer {token}".encode())]
        )
        client = RpcClient(socket)
        client.ready = await client.receives("ready")
        try:
            yield client
        finally:
            await trio.aclose_forcefully(socket._stream)
            nursery.cancel_scope.cancel()


async def new_group(client: RpcClient, address: str, token: str, others: list[int]) -> str:
    """Make a group with other users; the server must know all of them already."""
    body = {"type": "group", "participants": others}
    status, made, _ = await Rest(f"http://{address}").ask("POST", "/conversations", body, token=token)
    assert status == 201, made
    found: str = made["_id"]
    return found


class Chat:
    """What two clients sent and received, and how long it took."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def talk(self, one: RpcClient, other: RpcClient, where: dict[str, str]) -> None:
        for number in itertools.count():
            said = {**where, "content": f"{number}", "clientId": f"{one.ready['connection']}-{number}"}
            began = trio.current_time()
            with trio.fail_after(PATIENCE):
                ack = await one.asks("message:send", said)
                received = await other.skips_to("message:created")
            assert received == ack["data"], (received, ack)
            self.seconds.append(trio.current_time() - began)
            one._received.clear()
            await trio.sleep(PAUSE)


@asynccontextmanager
async def two_chat(address: str, tokens: tuple[str, str]) -> AsyncIterator[Chat]:
    """Two clients chat during the block. Every message is acknowledged and received, in order."""
    chat = Chat()
    async with client(address, tokens[0]) as one, client(address, tokens[1]) as other:
        where = {"conversationId": await new_group(one, address, tokens[0], [other.ready["user"]])}
        for member in (one, other):
            await member.asks("conversation:join", where)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(chat.talk, one, other, where)
            yield chat
            before = len(chat.seconds)
            await until(lambda: len(chat.seconds) >= before + 2)  # they still chat at the end
            nursery.cancel_scope.cancel()
