"""`rooms`, section by section of its specification, over both framings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.scenes.chat_server import ChatServer, RegisteredUser, chat_server
from tests.scenes.clients import Client, Framing, both_framings, open_client
from tests.scenes.shapes import OBJECT_ID, TEXT, TIME, fits


async def room(server: ChatServer) -> tuple[RegisteredUser, RegisteredUser, str]:
    ann = await server.register("ann", email="ann@example.org", displayName="Ann A.")
    bob = await server.register("bob")
    made = await ann.asks("POST", "/chat/rooms", {"participants": [bob.object_id], "name": "Plans"}, status=201)
    fits(
        made,
        {
            "_id": OBJECT_ID,
            "type": "group",
            "name": "Plans",
            "participants": [ann.object_id, bob.object_id],
            "createdAt": TIME,
        },
    )
    return ann, bob, made["_id"]


async def connect_all(server: ChatServer, framing: Framing, *people: RegisteredUser) -> list[Client]:
    return [await open_client(server, framing, "rooms", who) for who in people]


def message(place: str, sender: dict[str, Any], content: str) -> dict[str, Any]:
    return {"id": OBJECT_ID, "roomId": place, "sender": sender, "content": content, "createdAt": TIME}


def known(ann: RegisteredUser) -> dict[str, Any]:
    return {"_id": ann.object_id, "email": "ann@example.org", "displayName": "Ann A."}


@both_framings
async def test_the_token_of_a_login_opens_the_chat(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        await room(server)
        status, login, _ = await server.rest.ask(
            "POST", "/auth/login", {"email": "ann@example.org", "password": "correct horse"}
        )
        assert status == 200
        again = RegisteredUser(server.rest, login)
        [client] = await connect_all(server, framing, again)
        assert [one["_id"] for one in await again.asks("GET", "/chat/rooms")]
        await client.receives_nothing()


@both_framings
async def test_join_room_and_send_message(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        ann, bob, place = await room(server)
        a, b = await connect_all(server, framing, ann, bob)
        await b.performs("join_room", {"roomId": place})
        await a.performs("send_message", {"roomId": place, "content": "Hello!"})
        sent = fits(await b.receives("message"), message(place, known(ann), "Hello!"))
        await a.receives_nothing()  # it has not joined
        await a.performs("join_room", {"roomId": place})
        await b.notifies("send_message", {"roomId": place, "content": "x" * 10_000})
        answer = fits(await a.receives("message"), message(place, {"_id": bob.object_id}, "x" * 10_000))
        assert await b.receives("message") == answer
        assert await bob.asks("GET", f"/chat/rooms/{place}/messages") == [sent, answer]


@both_framings
async def test_a_message_by_rest_is_received_alike(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        ann, bob, place = await room(server)
        [b] = await connect_all(server, framing, bob)
        await b.performs("join_room", {"roomId": place})
        sent = await ann.asks("POST", f"/chat/rooms/{place}/messages", {"content": "by REST"}, status=201)
        fits(sent, message(place, known(ann), "by REST"))
        assert await b.receives("message") == sent
        assert (await bob.asks("GET", f"/chat/rooms/{place}"))["_id"] == place


@both_framings
async def test_typing(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        ann, bob, place = await room(server)
        a, b = await connect_all(server, framing, ann, bob)
        for client in (a, b):
            await client.performs("join_room", {"roomId": place})
        await a.performs("typing", {"roomId": place})
        assert await b.receives("user_typing") == {"userId": ann.object_id, "roomId": place}
        await a.receives_nothing()
        await a.performs("send_message", {"roomId": place, "content": "!"})
        await b.receives("message")
        await b.receives_nothing()  # the dialect has no event for the end of typing


@both_framings
async def test_who_may_not_join_is_told(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        _, _, place = await room(server)
        [s] = await connect_all(server, framing, await server.register("eve"))
        nowhere = place[:-1] + "9"
        for call, more in (("join_room", {}), ("send_message", {"content": "!"}), ("typing", {})):
            said = []
            for number in (place, nowhere):
                await s.notifies(call, {"roomId": number, **more})
                said.append(fits(await s.receives("error"), {"message": TEXT}))
            assert said[0] == said[1]
