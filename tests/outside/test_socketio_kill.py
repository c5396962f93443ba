"""A stock client of Socket.IO receives numbered messages, while the server is killed with -9 three times."""

from __future__ import annotations

from pathlib import Path

import trio

from tests.outside.chatting import client, new_group
from tests.outside.raw import HungUp, Raw
from tests.outside.server import UNLIMITED, Chatd, token
from tests.scenes.node_clients import NodeClient, node_clients

MESSAGES = 1_000
KILLS = (200, 450, 700)  # when the client has received so many
ROMEO, JULIET = token(1), token(2)
LOST = (OSError, HungUp, trio.BrokenResourceError, trio.ClosedResourceError)


async def send_all(server: Chatd, where: str) -> None:
    """Send every number until it is acked. A clientId makes the retry safe."""
    number = 0
    while number < MESSAGES:
        try:
            async with await Raw.open(server.address, ROMEO) as raw:
                while number < MESSAGES:
                    said = {"conversationId": where, "content": str(number), "clientId": f"number {number}"}
                    answer = await raw.call("message:send", said)
                    assert "result" in answer, answer
                    number += 1
        except LOST:
            await trio.sleep(0.02)


async def gather(address: str) -> str:
    """Let both users connect once, and make their group."""
    async with await Raw.open(address, JULIET):
        pass
    async with client(address, ROMEO) as first:
        return await new_group(first, address, ROMEO, [2])


async def numbers(client: NodeClient, count: int) -> list[int]:
    return [int(message["content"]) for message, _ in await client.receives_named("message:created", count)]


async def test_a_client_recovers_from_every_kill_with_nothing_missed(tmp_path: Path) -> None:
    server = Chatd(tmp_path, UNLIMITED).start()
    try:
        where = await gather(server.address)
        async with node_clients(server.address) as clients, trio.open_nursery() as nursery:
            client = await clients.opens(
                "j", auth={"token": JULIET, "recovery": True}, reconnectionDelay=20, reconnectionDelayMax=100
            )
            first = await client.connects()
            assert first["recovered"] is False
            assert (await client.asks("conversation:join", {"conversationId": where}))["ok"] is True
            nursery.start_soon(send_all, server, where)
            received: list[int] = []
            for count in KILLS:
                received += await numbers(client, count - len(received))
                server.kill()
                await client.disconnects()
                await trio.to_thread.run_sync(server.start)
                again = await client.connects()
                assert (again["recovered"], again["id"]) == (True, first["id"])
            received += await numbers(client, MESSAGES - len(received))
            assert received == list(range(MESSAGES))
            assert (await client.asks("message:send", {"conversationId": where, "content": "over"}))["ok"] is True
            [[last, _]] = await client.receives_named("message:created", 1)
            assert last["content"] == "over"
        assert server.stop() == 0
        assert server.faults == []
    finally:
        server.end()
