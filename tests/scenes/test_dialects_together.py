"""Five clients, one for each dialect, over two framings, in one conversation.

When one client sends, types or reads, every other client receives it in its own format, as in its own REST answers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.scenes.chat_server import ChatServer, RegisteredUser, chat_server
from tests.scenes.clients import Client, Framing, open_client
from tests.scenes.shapes import TIME, fits

Call = tuple[str, Any]


def number(who: RegisteredUser) -> int:
    return who.id


def object_id(who: RegisteredUser) -> str:
    return who.object_id


def uuid(who: RegisteredUser) -> str:
    return f"{who.object_id[:8]}-0000-8000-8000-{who.id:012x}"


class DialectExample(NamedTuple):
    """The calls and events of one dialect. `{t}` is the conversation's id, `{u}` a user's; None: there is none."""

    dialect: str
    namespace: str
    spell: Callable[[RegisteredUser], Any]
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
    was_read_by_me: bool = False  # whether the reader's own devices receive it


EXAMPLES = (
    DialectExample(
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
    DialectExample(
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
    DialectExample(
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
    DialectExample(
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
    DialectExample(
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


class Participant:
    """A user with a client of one dialect."""

    def __init__(self, example: DialectExample, who: RegisteredUser, client: Client, talk: Any) -> None:
        self.example = example
        self.who = who
        self.client = client
        self.talk = talk

    def filled(self, template: Any, **more: Any) -> Any:
        """A template with the ids of this dialect."""
        if isinstance(template, dict):
            return {key: self.filled(value, **more) for key, value in template.items()}
        values = {"{t}": self.talk, "{u}": self.example.spell(self.who), **more}
        return values.get(template, template) if isinstance(template, str) else template

    async def performs(self, call: Call, **more: Any) -> None:
        await self.client.performs(call[0], self.filled(call[1], **more))

    async def receives(self, event: str) -> list[Any]:
        """The payloads of one event until now; other events are dropped."""
        return [payload for name, payload in await self.client.receives_all() if name == event]

    async def last(self) -> Any:
        """The last message, as the REST of this dialect has it."""
        if self.example.messages is None:
            [talk] = await self.who.asks("GET", self.example.talks)
            return talk["lastMessage"]
        path = self.example.messages.replace("{t}", str(self.talk))
        listed = await self.who.asks("GET", path)
        return (listed["data"] if isinstance(listed, dict) else listed)[-1]


async def connect_all(
    server: ChatServer, people: list[RegisteredUser], framings: tuple[Framing, ...]
) -> list[Participant]:
    """One participant for each dialect. Each finds the conversation by its own REST, and joins it."""
    participants = []
    for index, example in enumerate(EXAMPLES):
        who = people[index % len(people)]
        client = await open_client(server, framings[index % len(framings)], example.dialect, who, example.namespace)
        [talk] = await who.asks("GET", example.talks)
        participants.append(Participant(example, who, client, talk[example.id]))
        if example.join:
            await participants[-1].performs(example.join)
    return participants


async def sends(speaker: Participant, participants: list[Participant], content: str) -> dict[str, Any]:
    """Send a message: each participant receives it once, as in its own REST. Its id, by dialect."""
    await speaker.performs(speaker.example.send, **{"{c}": content})
    ids = {}
    for participant in participants:
        [received] = await participant.receives(participant.example.said)
        assert received == await participant.last()
        assert received["content"] == content
        ids[participant.example.dialect] = received["_id" if "_id" in received else "id"]
    return ids


async def types(speaker: Participant, participants: list[Participant]) -> None:
    assert speaker.example.type
    await speaker.performs(speaker.example.type)
    for participant in participants:
        if participant.example.typed:
            event, template = participant.example.typed
            expected = participant.filled(template, **{"{u}": participant.example.spell(speaker.who)})
            assert await participant.receives(event) == ([] if participant.who is speaker.who else [expected])


async def reads(reader: Participant, participants: list[Participant], ids: dict[str, Any]) -> None:
    assert reader.example.read
    await reader.performs(reader.example.read, **{"{m}": ids[reader.example.dialect]})
    for participant in participants:
        if participant.example.was_read:
            event, template = participant.example.was_read
            received = await participant.receives(event)
            told = {"{u}": participant.example.spell(reader.who), "{m}": ids[participant.example.dialect]}
            if participant.example.was_read_by_me or participant.who is not reader.who:
                [payload] = received
                fits(payload, participant.filled(template, **told))
            else:
                assert received == []


async def send_type_and_read(server: ChatServer, people: list[RegisteredUser], framings: tuple[Framing, ...]) -> None:
    participants = await connect_all(server, people, framings)
    for speaker in participants:
        if speaker.example.type:
            await types(speaker, participants)
        await sends(speaker, participants, f"said in {speaker.example.dialect}")
    for reader in participants:
        if reader.example.read:
            another = next(participant for participant in participants if participant.who is not reader.who)
            ids = await sends(another, participants, f"to be read in {reader.example.dialect}")
            await reads(reader, participants, ids)


MIXED = pytest.mark.parametrize("framings", [("jsonrpc", "socketio"), ("socketio", "jsonrpc")])


@MIXED
async def test_a_group_of_five(tmp_path: Path, framings: tuple[Framing, ...]) -> None:
    async with chat_server(tmp_path) as server:
        people = [await server.register(name) for name in ("ann", "bob", "cyd", "dan", "eve")]
        members = [who.id for who in people[1:]]
        body = {"type": "group", "participants": members}
        await people[0].asks("POST", "/conversations", body, status=201)
        await send_type_and_read(server, people, framings)


@MIXED
async def test_two_people_with_five_clients(tmp_path: Path, framings: tuple[Framing, ...]) -> None:
    async with chat_server(tmp_path) as server:
        people = [await server.register(name) for name in ("ann", "bob")]
        await people[0].asks("POST", "/api/conversations", {"toUserId": people[1].id}, status=201)
        await send_type_and_read(server, people, framings)
