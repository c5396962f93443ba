"""Unread counts: sent on connect and after every change, the same as GET /unread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.scenes.chat_server import chat_server
from tests.scenes.clients import Client, Framing, both_framings, open_client
from tests.scenes.test_colon_chat import group


async def comes_to(client: Client, count: Any) -> None:
    """Counts of groups may come several at a time; the last one is right."""
    while await client.receives("unread:count") != count:
        pass


@both_framings
async def test_counts_on_every_device_on_connect_and_after_every_change(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        private = (await romeo.asks("POST", "/conversations", {"type": "private", "participants": [juliet.id]}))["_id"]
        verona = await group(romeo, juliet)
        ignoring = ("message:read", "message:created", "conversation:deleted", "notification:created")
        nothing = {"total": 0, "byConversation": {}}
        phone = await open_client(server, framing, "colon", juliet, ignoring=ignoring)
        assert await phone.receives("unread:count") == nothing
        sent = {}
        for place in (private, verona, private):
            sent[place] = await romeo.asks("POST", f"/conversations/{place}/messages", {"content": "!"}, status=201)
        counts = {"total": 3, "byConversation": {private: 2, verona: 1}}
        await comes_to(phone, counts)
        assert await juliet.asks("GET", "/unread") == counts
        laptop = await open_client(server, framing, "colon", juliet, ignoring=ignoring)
        assert await laptop.receives("unread:count") == counts
        await laptop.asks("message:read", {"messageId": sent[private]["_id"]})
        left = {"total": 1, "byConversation": {verona: 1}}
        for client in (phone, laptop):
            await comes_to(client, left)
        await romeo.asks("DELETE", f"/messages/{sent[verona]['_id']}", status=204)
        for client in (phone, laptop):
            await comes_to(client, nothing)
        assert await juliet.asks("GET", "/unread") == nothing


async def test_a_user_who_is_not_connected_gets_the_same_counts(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        verona = await group(romeo, juliet)
        for _ in range(3):
            await romeo.asks("POST", f"/conversations/{verona}/messages", {"content": "!"}, status=201)
        counts = {"total": 3, "byConversation": {verona: 3}}
        assert await juliet.asks("GET", "/unread") == counts  # from the store
        await open_client(server, "jsonrpc", "colon", juliet)
        assert await juliet.asks("GET", "/unread") == counts  # from memory
