"""Two clients in one conversation: the stock client of Socket.IO by polling, and a JSON-RPC client."""

from __future__ import annotations

from pathlib import Path

from tests.scenes.stage import stage
from tests.scenes.test_colon_chat import group
from tests.scenes.troupe import troupe


async def test_polling_and_json_rpc_talk_to_each_other(tmp_path: Path) -> None:
    async with stage(tmp_path) as on, troupe(on.address) as players:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        verona = await group(romeo, juliet)
        here = {"conversationId": verona}
        j = await players.opens("j", auth={"token": juliet.token}, transports=["polling"])
        assert (await j.connects())["transport"] == "polling"
        r = await on.rpc(romeo)
        assert await j.asks("conversation:join", here) == {"ok": True}
        assert await r.asks("conversation:join", here) == {"ok": True}

        await r.tells("typing", {**here, "isTyping": True})
        typing = {**here, "userId": romeo.id, "isTyping": True}
        assert await j.hears_of("typing", 1) == [[typing]]
        said = (await r.asks("message:send", {**here, "content": "Lady, by yonder blessed moon I swear"}))["data"]
        assert await j.hears_of("typing", 1) == [[{**typing, "isTyping": False}]]
        assert await j.hears_of("message:created", 1) == [[said]]
        assert await r.comes_to_hear("message:created") == said

        await j.tells("typing", {**here, "isTyping": True})
        assert await r.comes_to_hear("typing") == {**here, "userId": juliet.id, "isTyping": True}
        assert (await j.asks("message:read", {"messageId": said["_id"]}))["ok"] is True
        read = await r.comes_to_hear("message:read")
        assert (read["messageId"], read["readerId"]) == (said["_id"], juliet.id)

        answer = await j.asks("message:send", {**here, "content": "O, swear not by the moon"})
        assert answer["ok"] is True
        assert await r.comes_to_hear("message:created") == answer["data"]
        assert await j.hears_of("message:created", 1) == [[answer["data"]]]
        assert (await r.asks("message:read", {"messageId": answer["data"]["_id"]}))["ok"] is True
        reads = [args[0] for args in await j.hears_of("message:read", 2)]
        assert [(heard["messageId"], heard["readerId"]) for heard in reads] == [
            (said["_id"], juliet.id),
            (answer["data"]["_id"], romeo.id),
        ]
        edited = (await j.asks("message:edit", {"messageId": answer["data"]["_id"], "content": "th' inconstant moon"}))[
            "data"
        ]
        assert await r.comes_to_hear("message:updated") == edited
        assert (await r.asks("message:delete", {"messageId": said["_id"]}))["ok"] is True
        assert await j.hears_of("message:deleted", 1) == [[{"messageId": said["_id"]}]]
