"""`rooms`, section by section of its specification, over both framings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.scenes.players import Player, Way, both_ways, play
from tests.scenes.shapes import OBJECT_ID, TEXT, TIME, fits
from tests.scenes.stage import Person, Stage, stage


async def room(on: Stage) -> tuple[Person, Person, str]:
    ann = await on.person("ann", email="ann@example.org", displayName="Ann A.")
    bob = await on.person("bob")
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


async def connect_all(on: Stage, way: Way, *people: Person) -> list[Player]:
    return [await play(on, way, "rooms", who) for who in people]


def message(place: str, sender: dict[str, Any], content: str) -> dict[str, Any]:
    return {"id": OBJECT_ID, "roomId": place, "sender": sender, "content": content, "createdAt": TIME}


def known(ann: Person) -> dict[str, Any]:
    return {"_id": ann.object_id, "email": "ann@example.org", "displayName": "Ann A."}


@both_ways
async def test_the_token_of_a_login_opens_the_chat(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        await room(on)
        status, login, _ = await on.rest.ask(
            "POST", "/auth/login", {"email": "ann@example.org", "password": "correct horse"}
        )
        assert status == 200
        again = Person(on.rest, login)
        [player] = await connect_all(on, way, again)
        assert [one["_id"] for one in await again.asks("GET", "/chat/rooms")]
        await player.hears_nothing()


@both_ways
async def test_join_room_and_send_message(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        ann, bob, place = await room(on)
        a, b = await connect_all(on, way, ann, bob)
        await b.does("join_room", {"roomId": place})
        await a.does("send_message", {"roomId": place, "content": "Hello!"})
        sent = fits(await b.hears("message"), message(place, known(ann), "Hello!"))
        await a.hears_nothing()  # it has not joined
        await a.does("join_room", {"roomId": place})
        await b.tells("send_message", {"roomId": place, "content": "x" * 10_000})
        answer = fits(await a.hears("message"), message(place, {"_id": bob.object_id}, "x" * 10_000))
        assert await b.hears("message") == answer
        assert await bob.asks("GET", f"/chat/rooms/{place}/messages") == [sent, answer]


@both_ways
async def test_a_message_by_rest_is_heard_alike(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        ann, bob, place = await room(on)
        [b] = await connect_all(on, way, bob)
        await b.does("join_room", {"roomId": place})
        sent = await ann.asks("POST", f"/chat/rooms/{place}/messages", {"content": "by REST"}, status=201)
        fits(sent, message(place, known(ann), "by REST"))
        assert await b.hears("message") == sent
        assert (await bob.asks("GET", f"/chat/rooms/{place}"))["_id"] == place


@both_ways
async def test_typing(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        ann, bob, place = await room(on)
        a, b = await connect_all(on, way, ann, bob)
        for player in (a, b):
            await player.does("join_room", {"roomId": place})
        await a.does("typing", {"roomId": place})
        assert await b.hears("user_typing") == {"userId": ann.object_id, "roomId": place}
        await a.hears_nothing()
        await a.does("send_message", {"roomId": place, "content": "!"})
        await b.hears("message")
        await b.hears_nothing()  # the dialect has no event for the end of typing


@both_ways
async def test_who_may_not_join_is_told(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as on:
        _, _, place = await room(on)
        [s] = await connect_all(on, way, await on.person("eve"))
        nowhere = place[:-1] + "9"
        for call, more in (("join_room", {}), ("send_message", {"content": "!"}), ("typing", {})):
            said = []
            for number in (place, nowhere):
                await s.tells(call, {"roomId": number, **more})
                said.append(fits(await s.hears("error"), {"message": TEXT}))
            assert said[0] == said[1]
