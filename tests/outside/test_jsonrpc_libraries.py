"""Two unmodified JSON-RPC libraries of others: each sends a message, and receives its ack, an error and a push."""

from __future__ import annotations

import json
import queue
import threading
from pathlib import Path
from typing import Any

import pytest
import trio
from pylsp_jsonrpc.endpoint import Endpoint  # type: ignore[import-untyped]
from pylsp_jsonrpc.exceptions import JsonRpcException  # type: ignore[import-untyped]
from websockets.sync.client import connect

from tests import needs
from tests.outside.chatting import client, new_group
from tests.outside.server import Chatd, token

SCRIPT = needs.NODE_FOLDER / "jsonrpc_library.mjs"


async def prepare(server: Chatd) -> str:
    """Two users and their group."""
    async with client(server.address, token(2)), client(server.address, token(1)) as one:
        return await new_group(one, server.address, token(1), [2])


async def test_python_lsp_jsonrpc_from_pypi(tmp_path: Path) -> None:
    server = Chatd(tmp_path).start()
    try:
        where = await prepare(server)
        speak(server.address, where)
        assert server.stop() == 0
    finally:
        server.end()


def speak(address: str, where: str) -> None:
    """A program that uses the library and chatd's documentation only."""
    received: queue.Queue[tuple[str, Any]] = queue.Queue()
    names = ("ready", "unread:count", "message:created")
    receives = {name: lambda params, name=name: received.put((name, params)) for name in names}
    headers = {"Authorization": f"Bearer {token(1)}"}
    with connect(f"ws://{address}/chat", additional_headers=headers) as socket:
        endpoint = Endpoint(receives, lambda message: socket.send(json.dumps(message)))

        def listen() -> None:
            for text in socket:
                endpoint.consume(json.loads(text))

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            assert received.get(timeout=10)[0] == "ready"
            assert received.get(timeout=10) == ("unread:count", {"total": 0, "byConversation": {}})
            assert endpoint.request("conversation:join", {"conversationId": where}).result(10) == {"ok": True}
            sent = endpoint.request("message:send", {"conversationId": where, "content": "hi"}).result(10)
            assert sent["ok"] is True
            assert received.get(timeout=10) == ("message:created", sent["data"])
            with pytest.raises(JsonRpcException) as raised:
                endpoint.request("message:send", {"conversationId": where}).result(10)
            assert raised.value.code == -32602
            assert raised.value.data["error"]["code"] == "BAD_REQUEST"
            with pytest.raises(JsonRpcException) as raised:
                endpoint.request("no:such:call", {}).result(10)
            assert raised.value.code == -32601
            endpoint.notify("typing", {"conversationId": where, "isTyping": True})
            assert endpoint.request("rpc.ping").result(10) == "pong"
        finally:
            socket.close()
            listener.join(10)
            endpoint.shutdown()


async def test_json_rpc_2_0_from_npm(tmp_path: Path) -> None:
    program = needs.node()
    server = Chatd(tmp_path).start()
    try:
        where = await prepare(server)
        words = [program, str(SCRIPT), server.address, token(1), where]
        with trio.fail_after(30):
            ran = await trio.run_process(words, capture_stdout=True, capture_stderr=True, check=False)
        assert ran.returncode == 0, ran.stderr
        said = json.loads(ran.stdout)
        assert said["joined"] == {"ok": True}
        assert said["sent"]["ok"] is True
        assert said["pushed"] == said["sent"]["data"]
        assert said["error"]["code"] == -32602
        assert said["error"]["data"]["error"]["code"] == "BAD_REQUEST"
        assert said["unknown"]["code"] == -32601
        assert said["batch"] == ["pong", "pong"]
        assert server.stop() == 0
    finally:
        server.end()
