"""Two clients in one conversation: the stock client of Socket.IO by polling, and a JSON-RPC client."""

from __future__ import annotations

from pathlib import Path

from tests.scenes.chat_server import chat_server
from tests.scenes.node_clients import node_clients
from tests.scenes.test_colon_chat import group


async def test_polling_and_json_rpc_talk_to_each_other(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server, node_clients(server.address) as clients:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        verona = await group(romeo, juliet)
        here = {"conversationId": verona}
        j = await clients.opens("j", auth={"token": juliet.token}, transports=["polling"])
        assert (await j.connects())["transport"] == "polling"
        r = await server.rpc(romeo)
        assert await j.asks("conversation:join", here) == {"ok": True}
        assert await r.asks("conversation:join", here) == {"ok": True}

        await r.notifies("typing", {**here, "isTyping": True})
        typing = {**here, "userId": romeo.id, "isTyping": True}
        assert await j.receives_named("typing", 1) == [[typing]]
        said = (await r.asks("message:send", {**here, "content": "Lady, by yonder blessed moon I swear"}))["data"]
        assert await j.receives_named("typing", 1) == [[{**typing, "isTyping": False}]]
        assert await j.receives_named("message:created", 1) == [[said]]
        assert await r.skips_to("message:created") == said

        await j.notifies("typing", {**here, "isTyping": True})
        assert await r.skips_to("typing") == {**here, "userId": juliet.id, "isTyping": True}
        assert (await j.asks("message:read", {"messageId": said["_id"]}))["ok"] is True
        read = await r.skips_to("message:read")
        assert (read["messageId"], read["readerId"]) == (said["_id"], juliet.id)

        answer = await j.asks("message:send", {**here, "content": "O, swear not by the moon"})
        assert answer["ok"] is True
        assert await r.skips_to("message:created") == answer["data"]
        assert await j.receives_named("message:created", 1) == [[answer["data"]]]
        assert (await r.asks("message:read", {"messageId": answer["data"]["_id"]}))["ok"] is True
        reads = [args[0] for args in await j.receives_named("message:read", 2)]
        assert [(received["messageId"], received["readerId"]) for received in reads] == [
            (said["_id"], juliet.id),
            (answer["data"]["_id"], romeo.id),
        ]
        edited = (await j.asks("message:edit", {"messageId": answer["data"]["_id"], "content": "th' inconstant moon"}))[
            "data"
        ]
        assert await r.skips_to("message:updated") == edited
        assert (await r.asks("message:delete", {"messageId": said["_id"]}))["ok"] is True
        assert await j.receives_named("message:deleted", 1) == [[{"messageId": said["_id"]}]]
