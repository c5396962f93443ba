"""Shared by the tests of the client: a room, and functions that read events."""

from __future__ import annotations

from chatd.client import Chat, StreamEvent

ROOM = {"conversationId": "r"}


async def read(chat: Chat, count: int) -> list[StreamEvent]:
    events = chat.events()
    return [await anext(events) for _ in range(count)]


async def positions(chat: Chat, count: int) -> list[int | None]:
    return [event.position for event in await read(chat, count)]
