"""The last events before the server ends a connection, as the stock client of Socket.IO receives them by polling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from chatd.connections.socketio import SocketIoConnection
from protocol.commands import SendMessage
from protocol.errors import GOING_AWAY
from protocol.ids import OBJECT_ID
from tests.scenes.chat_server import ChatServer, chat_server
from tests.scenes.node_clients import NodeClient, NodeProcess, node_clients
from tests.scenes.test_colon_chat import group
from tests.scenes.test_event_requests import until
from tests.scenes.test_resume_cases import say


def poll_waits(server: ChatServer) -> bool:
    sessions = [one.session for one in server.running.app.connections if isinstance(one, SocketIoConnection)]
    return any(one.polling is not None and one.polling.getting for one in sessions)


async def events_until(clients: NodeProcess, client: NodeClient, last: str) -> list[str]:
    """The events of the client, up to one with that name."""
    told: list[str] = []
    with trio.fail_after(20):
        while last not in told:
            while not client.received:
                await clients.listen()
            line = client.received.pop(0)
            if line["kind"] == "event" and line["event"] == "message:created":
                told.append(line["args"][0]["content"])
            elif line["kind"] != "event":
                told.append(line["kind"])
    return told


@pytest.mark.parametrize("recovery", [False, True], ids=["without recovery", "with recovery"])
async def test_the_last_event_before_the_end_comes_once_and_before_it(tmp_path: Path, recovery: bool) -> None:
    async with chat_server(tmp_path) as server, node_clients(server.address) as clients:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        verona = await group(romeo, juliet)
        auth: dict[str, Any] = {"token": juliet.token} | ({"recovery": True} if recovery else {})
        j = await clients.opens("j", "/chat", auth=auth, transports=["polling"], reconnectionDelay=50)
        await j.connects()
        assert await j.asks("conversation:join", {"conversationId": verona}) == {"ok": True}
        await until(lambda: poll_waits(server))
        app = server.running.app
        actor = await app.authenticator.authenticate(romeo.token)

        def end(_: object) -> None:
            """The server closes all connections, right after the event."""
            app.close_all(GOING_AWAY)
            app.stopping = False

        message = SendMessage(conversation=OBJECT_ID.read(verona), content="last")
        app.dispatch.perform(actor, message, end)
        assert await events_until(clients, j, "connect") == ["last", "disconnect", "connect"]
        await j.asks("conversation:join", {"conversationId": verona})
        await say(romeo, verona, "next")
        assert await events_until(clients, j, "next") == ["next"]
