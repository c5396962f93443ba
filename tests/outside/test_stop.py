"""The server stops in time in spite of its clients, and answers what it has carried out."""

from __future__ import annotations

import json
from pathlib import Path

from tests.outside.raw import TEXT, Raw, frame, request, upgrade
from tests.outside.server import Chatd, token

ENGINE = "/socket.io/?EIO=4&transport="
STOP_SECONDS = 10.0


async def moved_client(address: str, user: int) -> Raw:
    """A Socket.IO client that began with polling, moved to a WebSocket, and reads nothing from then on."""
    async with await Raw.connect(address) as polling:
        _, opened = await polling.asks(request("GET", ENGINE + "polling"))
        sid = json.loads(opened[1:])["sid"]
        connect = b'40/chat,{"token":"%s"}' % token(user).encode()
        status, _ = await polling.asks(request("POST", f"{ENGINE}polling&sid={sid}", connect))
        assert status == 200
        socket = await Raw.connect(address)
        status, _ = await socket.asks(upgrade(f"{ENGINE}websocket&sid={sid}"))
        assert status == 101
        await socket.send(frame(TEXT, b"2probe"))
        assert await socket.frame() == (TEXT, b"3probe")
        await socket.send(frame(TEXT, b"5"))
        received = await socket.frame()
        while received is not None and not received[1].startswith(b"40/chat"):
            received = await socket.frame()
        assert received is not None
    return socket


async def test_clients_that_moved_to_a_websocket_and_ignore_the_close_delay_no_stop(tmp_path: Path) -> None:
    server = Chatd(tmp_path, {"server.stop_timeout": "500ms"}).start()
    try:
        clients = [await moved_client(server.address, user) for user in range(1, 5)]
        assert server.stop(STOP_SECONDS) == 0
        assert server.faults == []
        for client in clients:
            client.cut()
    finally:
        server.end()
