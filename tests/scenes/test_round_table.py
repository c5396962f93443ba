"""The round table: five clients, one for each dialect, over two framings, in one conversation.

Whoever sends, types or reads, every other hears it in its own words, and what it hears is what its own REST says.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.scenes.players import Player, Way, play
from tests.scenes.shapes import TIME, fits
from tests.scenes.stage import Person, Stage, stage

Call = tuple[str, Any]


def number(who: Person) -> int:
    return who.id


def object_id(who: Person) -> str:
    return who.object_id


def uuid(who: Person) -> str:
    return f"{who.object_id[:8]}-0000-8000-8000-{who.id:012x}"


class Voice(NamedTuple):
    """One dialect's words. `{t}` is the conversation and `{u}` a user as it spells them; None is: no word for it."""

    dialect: str
    namespace: str
    spell: Callable[[Person], Any]
    talks: str  # where its REST lists conversations
    id: str  # and the key of their ids there
    send: Call
    said: str  # the event
    messages: str | None = None  # where its REST lists messages
    join: Call | None = None
    type: Call | None = None
    typed: Call | None = None
    read: Call | None = None  # `{m}` is the message
    was_read: Call | None = None
    was_read_by_me: bool = False  # whether the reader's own devices hear it


VOICES = (
    Voice(
        "colon",
        "/chat",
        number,
        "/conversations",
        "_id",
        ("message:send", {"conversationId": "{t}", "content": "{c}"}),
        "message:created",
        messages="/conversations/{t}/messages",
        join=("conversation:join", {"conversationId": "{t}"}),
        type=("typing", {"conversationId": "{t}", "isTyping": True}),
        typed=("typing", {"conversationId": "{t}", "userId": "{u}", "isTyping": True}),
        read=("message:read", {"messageId": "{m}"}),
        was_read=("message:read", {"messageId": "{m}", "readerId": "{u}", "readAt": TIME}),
        was_read_by_me=True,
    ),
    Voice(
        "kebab",
        "/chat",
        number,
        "/api/chats/conversations",
        "id",
        ("send-message", {"sender_id": "{u}", "conversation_id": "{t}", "message_type": "text", "content": "{c}"}),
        "receive-message",
        messages="/api/chats/conversations/{t}/messages?limit=200",
        join=("join-conversation", {"conversationId": "{t}", "userId": "{u}"}),
        type=("typing", {"conversationId": "{t}", "userId": "{u}", "isTyping": True}),
        typed=("user-typing", {"conversationId": "{t}", "userId": "{u}", "isTyping": True}),
    ),
    Voice(
        "rooms",
        "/chat",
        object_id,
        "/chat/rooms",
        "_id",
        ("send_message", {"roomId": "{t}", "content": "{c}"}),
        "message",
        messages="/chat/rooms/{t}/messages",
        join=("join_room", {"roomId": "{t}"}),
        type=("typing", {"roomId": "{t}"}),
        typed=("user_typing", {"userId": "{u}", "roomId": "{t}"}),
    ),
    Voice(
        "pairs",
        "/",
        number,
        "/api/conversations",
        "id",
        ("send_message", {"conversationId": "{t}", "content": "{c}"}),
        "new_message",
        messages="/api/conversations/{t}/messages",
        join=("join_conversation", "{t}"),
        type=("typing_start", {"conversationId": "{t}"}),
        typed=("typing_start", {"conversationId": "{t}", "userId": "{u}"}),
        read=("mark_read", {"conversationId": "{t}"}),
        was_read=("messages_read", {"conversationId": "{t}", "userId": "{u}", "readAt": TIME}),
    ),
    Voice(
        "inbox",
        "/",
        uuid,
        "/api/messages/conversations",
        "id",
        ("send_message", {"conversationId": "{t}", "content": "{c}"}),
        "new_message",
        read=("read_messages", {"conversationId": "{t}"}),
    ),
)


class Guest:
    """Somebody at the table, with a voice of their own."""

    def __init__(self, voice: Voice, who: Person, player: Player, talk: Any) -> None:
        self.voice = voice
        self.who = who
        self.player = player
        self.talk = talk

    def says(self, template: Any, **more: Any) -> Any:
        """A template of this voice, filled in."""
        if isinstance(template, dict):
            return {key: self.says(value, **more) for key, value in template.items()}
        values = {"{t}": self.talk, "{u}": self.voice.spell(self.who), **more}
        return values.get(template, template) if isinstance(template, str) else template

    async def does(self, call: Call, **more: Any) -> None:
        await self.player.does(call[0], self.says(call[1], **more))

    async def hears(self, event: str) -> list[Any]:
        """All of one event that has come by now; everything else is forgotten."""
        return [payload for name, payload in await self.player.hears_all() if name == event]

    async def last(self) -> Any:
        """The last message, as the REST of this dialect has it."""
        if self.voice.messages is None:
            [talk] = await self.who.asks("GET", self.voice.talks)
            return talk["lastMessage"]
        path = self.voice.messages.replace("{t}", str(self.talk))
        listed = await self.who.asks("GET", path)
        return (listed["data"] if isinstance(listed, dict) else listed)[-1]


async def seated(on: Stage, people: list[Person], ways: tuple[Way, ...]) -> list[Guest]:
    """One guest for each voice, in its turn; each finds the conversation in its own REST, and joins it."""
    guests = []
    for index, voice in enumerate(VOICES):
        who = people[index % len(people)]
        player = await play(on, ways[index % len(ways)], voice.dialect, who, voice.namespace)
        [talk] = await who.asks("GET", voice.talks)
        guests.append(Guest(voice, who, player, talk[voice.id]))
        if voice.join:
            await guests[-1].does(voice.join)
    return guests


async def sends(speaker: Guest, guests: list[Guest], content: str) -> dict[str, Any]:
    """Send: everybody hears it once, as their own REST has it. Its id, by dialect."""
    await speaker.does(speaker.voice.send, **{"{c}": content})
    ids = {}
    for guest in guests:
        [heard] = await guest.hears(guest.voice.said)
        assert heard == await guest.last()
        assert heard["content"] == content
        ids[guest.voice.dialect] = heard["_id" if "_id" in heard else "id"]
    return ids


async def types(speaker: Guest, guests: list[Guest]) -> None:
    assert speaker.voice.type
    await speaker.does(speaker.voice.type)
    for guest in guests:
        if guest.voice.typed:
            event, template = guest.voice.typed
            expected = guest.says(template, **{"{u}": guest.voice.spell(speaker.who)})
            assert await guest.hears(event) == ([] if guest.who is speaker.who else [expected])


async def reads(reader: Guest, guests: list[Guest], ids: dict[str, Any]) -> None:
    assert reader.voice.read
    await reader.does(reader.voice.read, **{"{m}": ids[reader.voice.dialect]})
    for guest in guests:
        if guest.voice.was_read:
            event, template = guest.voice.was_read
            heard = await guest.hears(event)
            told = {"{u}": guest.voice.spell(reader.who), "{m}": ids[guest.voice.dialect]}
            if guest.voice.was_read_by_me or guest.who is not reader.who:
                [payload] = heard
                fits(payload, guest.says(template, **told))
            else:
                assert heard == []


async def table(on: Stage, people: list[Person], ways: tuple[Way, ...]) -> None:
    guests = await seated(on, people, ways)
    for speaker in guests:
        if speaker.voice.type:
            await types(speaker, guests)
        await sends(speaker, guests, f"said in {speaker.voice.dialect}")
    for reader in guests:
        if reader.voice.read:
            another = next(guest for guest in guests if guest.who is not reader.who)
            ids = await sends(another, guests, f"to be read in {reader.voice.dialect}")
            await reads(reader, guests, ids)


MIXED = pytest.mark.parametrize("ways", [("jsonrpc", "socketio"), ("socketio", "jsonrpc")])


@MIXED
async def test_a_group_of_five(tmp_path: Path, ways: tuple[Way, ...]) -> None:
    async with stage(tmp_path) as on:
        people = [await on.person(name) for name in ("ann", "bob", "cyd", "dan", "eve")]
        members = [who.id for who in people[1:]]
        body = {"type": "group", "participants": members}
        await people[0].asks("POST", "/conversations", body, status=201)
        await table(on, people, ways)


@MIXED
async def test_two_people_with_five_clients(tmp_path: Path, ways: tuple[Way, ...]) -> None:
    async with stage(tmp_path) as on:
        people = [await on.person(name) for name in ("ann", "bob")]
        await people[0].asks("POST", "/api/conversations", {"toUserId": people[1].id}, status=201)
        await table(on, people, ways)
