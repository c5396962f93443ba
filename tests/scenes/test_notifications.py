"""The notification service, section by section of its specification: two devices of one user, over both framings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from chatd.services import accounts
from chatd.services.context import SHELL
from tests.scenes.chat_server import ChatServer, RegisteredUser, chat_server
from tests.scenes.clients import Client, Framing, both_framings, open_client
from tests.scenes.test_colon_chat import OBJECT_ID, TIME, group

NOWHERE = "65a1b2c3" + "0" * 15 + "9"


async def administrator(server: ChatServer) -> RegisteredUser:
    root = await server.register("root")
    app = server.running.app
    changes = accounts.AccountUpdate(admin=True)
    await app.dispatch.commit(SHELL, lambda context: accounts.update(context, "root", changes))
    return root


async def device(server: ChatServer, framing: Framing, who: RegisteredUser, *, count: int = 0) -> Client:
    """A socket in /notifications that has received its count."""
    client = await open_client(server, framing, "colon", who, "/notifications")
    assert await client.receives("notification:count") == {"count": count}
    return client


async def both_receive(devices: list[Client], event: str, payload: Any) -> None:
    for client in devices:
        assert await client.receives(event) == payload


@both_framings
async def test_the_specifications_own_example_on_two_devices(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        root, juliet = await administrator(server), await server.register("juliet")
        phone, laptop = devices = [await device(server, framing, juliet), await device(server, framing, juliet)]

        body = {"user_id": juliet.id, "title": "Ball tonight", "content": "At the Capulets'", "related_id": "ball-7"}
        made = await root.asks("POST", "/notifications", body, status=201)
        assert OBJECT_ID.fullmatch(made["_id"])
        assert TIME.fullmatch(made["created_at"])
        assert made == {
            "_id": made["_id"],
            "user_id": juliet.id,
            "type": "system",
            "title": "Ball tonight",
            "content": "At the Capulets'",
            "is_read": False,
            "related_id": "ball-7",
            "created_at": made["created_at"],
        }
        await both_receive(devices, "notification:created", made)
        await both_receive(devices, "notification:count", {"count": 1})

        this = {"notificationId": made["_id"]}
        assert await phone.asks("notification:list", {"unreadOnly": True}) == {"ok": True, "data": [made]}
        assert await phone.asks("notification:get", this) == {"ok": True, "data": made}

        read = {**made, "is_read": True}
        assert await phone.asks("notification:read", this) == {"ok": True, "data": read}
        await both_receive(devices, "notification:read", {**this, "is_read": True})
        await both_receive(devices, "notification:count", {"count": 0})
        assert await laptop.asks("notification:list", {"unreadOnly": True}) == {"ok": True, "data": []}
        assert await laptop.asks("notification:list", {}) == {"ok": True, "data": [read]}

        assert await laptop.asks("notification:delete", this) == {"ok": True}
        await both_receive(devices, "notification:deleted", this)
        await both_receive(devices, "notification:count", {"count": 0})
        gone = await phone.asks("notification:get", this)
        assert gone == {"ok": False, "error": {"code": "NOT_FOUND", "message": "Notification not found"}}

        await phone.notifies("notification:ping", {"action": "ping"})
        pong = await phone.receives("pong")
        assert set(pong) == {"timestamp"}
        assert type(pong["timestamp"]) is int
        for client in devices:
            await client.receives_nothing()


@both_framings
async def test_anothers_is_forbidden_on_any_transport(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        root, juliet, tybalt = (
            await administrator(server),
            await server.register("juliet"),
            await server.register("tybalt"),
        )
        made = await root.asks("POST", "/notifications", {"user_id": juliet.id, "title": "Hush"}, status=201)
        t = await device(server, framing, tybalt)
        for call in ("notification:get", "notification:read", "notification:delete"):
            theirs = await t.asks(call, {"notificationId": made["_id"]})
            assert theirs["error"]["code"] == "FORBIDDEN"
            nobodys = await t.asks(call, {"notificationId": NOWHERE})
            assert nobodys["error"]["code"] == "NOT_FOUND"
        for method, path in (("GET", "{}"), ("DELETE", "{}"), ("POST", "{}/read")):
            for id, status in ((made["_id"], 403), (NOWHERE, 404)):
                await tybalt.asks(method, f"/notifications/{path}".format(id), status=status)
        await tybalt.asks("POST", "/notifications", {"user_id": juliet.id, "title": "Boo"}, status=403)
        await tybalt.asks("POST", "/notifications/broadcast", {"title": "Boo"}, status=403)
        await t.receives_nothing()
        assert await juliet.asks("GET", "/notifications") == [made]


@both_framings
async def test_a_message_notifies_a_member_outside_the_room(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, nurse = [await server.register(name) for name in ("romeo", "juliet", "nurse")]
        verona = await group(romeo, juliet, nurse, title="Verona")
        where = {"conversationId": verona}
        looking = await open_client(
            server, framing, "colon", nurse, ignoring=("unread:count", "message:created", "message:read")
        )
        await looking.asks("conversation:join", where)
        bell = await device(server, framing, nurse)
        phone, laptop = devices = [await device(server, framing, juliet), await device(server, framing, juliet)]
        chat = await open_client(server, framing, "colon", juliet, ignoring=("unread:count", "message:read"))
        r = await open_client(server, framing, "colon", romeo, ignoring=("unread:count",))

        await r.asks("message:send", {**where, "content": "Good morrow"})
        told = await phone.receives("notification:created")
        assert told == {
            "_id": told["_id"],
            "user_id": juliet.id,
            "type": "message",
            "title": "romeo (Verona)",
            "content": "Good morrow",
            "is_read": False,
            "related_id": verona,
            "created_at": told["created_at"],
        }
        assert await laptop.receives("notification:created") == await chat.receives("notification:created") == told
        await both_receive(devices, "notification:count", {"count": 1})

        again = (await r.asks("message:send", {**where, "content": "Is the day so young?"}))["data"]
        updated = {**told, "content": "Is the day so young?"}
        for client in (*devices, chat):
            assert await client.receives("notification:created") == updated
        assert await juliet.asks("GET", "/notifications") == [updated]

        assert await chat.asks("message:read", {"messageId": again["_id"]}) == {"ok": True}
        await both_receive(devices, "notification:read", {"notificationId": told["_id"], "is_read": True})
        await both_receive(devices, "notification:count", {"count": 0})
        for client in (*devices, chat, bell, looking, r):
            await client.receives_nothing()
        assert await nurse.asks("GET", "/notifications") == []
        assert await nurse.asks("GET", "/notifications/unread/count") == {"count": 0}


@both_framings
async def test_being_added_to_a_group(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        romeo, nurse = await server.register("romeo"), await server.register("nurse")
        verona = await group(romeo, title="Verona")
        n = await device(server, framing, nurse)
        await romeo.asks("POST", f"/conversations/{verona}/members", {"userId": nurse.id}, status=204)
        told = await n.receives("notification:created")
        assert (told["type"], told["title"], told["content"], told["related_id"]) == (
            "group_invite",
            "Verona",
            "romeo added you",
            verona,
        )
        assert await n.receives("notification:count") == {"count": 1}
        await romeo.asks("DELETE", f"/conversations/{verona}/members?userId={nurse.id}", status=204)
        assert await n.receives("notification:deleted") == {"notificationId": told["_id"]}
        assert await n.receives("notification:count") == {"count": 0}


@both_framings
async def test_a_broadcast_reaches_connected_and_later_users(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        root, romeo, juliet = (
            await administrator(server),
            await server.register("romeo"),
            await server.register("juliet"),
        )
        r = await device(server, framing, romeo)
        taken = await root.asks("POST", "/notifications/broadcast", {"title": "The gates close"}, status=202)
        assert set(taken) == {"_id", "created_at"}
        told = await r.receives("notification:created")
        assert (told["_id"], told["user_id"], told["title"], told["is_read"]) == (
            taken["_id"],
            romeo.id,
            "The gates close",
            False,
        )
        assert await r.receives("notification:count") == {"count": 1}
        j = await device(server, framing, juliet, count=1)
        assert (await j.asks("notification:list", {}))["data"] == [{**told, "user_id": juliet.id}]
        await j.asks("notification:delete", {"notificationId": told["_id"]})
        assert await j.receives("notification:deleted") == {"notificationId": told["_id"]}
        assert await j.receives("notification:count") == {"count": 0}
        await r.receives_nothing()
        late = await server.register("late")
        assert await late.asks("GET", "/notifications") == []


async def test_the_same_by_rest_alone(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        root, juliet = await administrator(server), await server.register("juliet")
        made = [
            await root.asks("POST", "/notifications", {"user_id": juliet.id, "title": f"{n}"}, status=201)
            for n in range(5)
        ]
        newest_first = made[::-1]
        assert await juliet.asks("GET", "/notifications") == newest_first
        _, page, headers = await server.rest.ask("GET", "/notifications?limit=2", token=juliet.token)
        assert page == newest_first[:2]
        found = re.fullmatch(r"<(.+)>; rel=\"next\"", headers["Link"])
        assert found
        assert await juliet.asks("GET", found[1]) == newest_first[2:4]
        assert await juliet.asks("GET", f"/notifications?limit=2&after={made[0]['_id']}") == [made[2], made[1]]
        assert await juliet.asks("GET", "/notifications/unread/count") == {"count": 5}
        read = await juliet.asks("POST", f"/notifications/{made[0]['_id']}/read")
        assert read == {**made[0], "is_read": True}
        assert await juliet.asks("GET", "/notifications?unreadOnly=true") == newest_first[:4]
        await juliet.asks("DELETE", f"/notifications/{made[1]['_id']}", status=204)
        assert await juliet.asks("GET", "/notifications/unread/count") == {"count": 3}
        assert await juliet.asks("POST", "/notifications/read") == {"count": 0}
        assert await juliet.asks("GET", f"/notifications/{made[2]['_id']}") == {**made[2], "is_read": True}
        for wrong in ({"title": "x"}, {"user_id": juliet.id}, {"user_id": juliet.id, "title": "x", "type": "odd"}):
            await root.asks("POST", "/notifications", wrong, status=400)


async def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        root, romeo, juliet = (
            await administrator(server),
            await server.register("romeo"),
            await server.register("juliet"),
        )
        verona = await group(romeo, juliet)
        watched = await group(romeo, juliet)
        looking = await open_client(server, "jsonrpc", "colon", juliet)
        await looking.asks("conversation:join", {"conversationId": watched})
        for place in (verona, watched):
            await romeo.asks("POST", f"/conversations/{place}/messages", {"content": "Stay"}, status=201)
        await root.asks("POST", "/notifications/broadcast", {"title": "All"}, status=202)
        await root.asks("POST", "/notifications", {"user_id": juliet.id, "title": "One"}, status=201)
        before = await juliet.asks("GET", "/notifications")
        assert {one["title"] for one in before} == {"romeo", "All", "One"}
    async with chat_server(tmp_path) as server:
        juliet.rest = server.rest
        assert await juliet.asks("GET", "/notifications") == before
        await device(server, "jsonrpc", juliet, count=3)


async def test_a_user_who_reconnects_receives_what_was_missed(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        root, juliet = await administrator(server), await server.register("juliet")
        j = await server.rpc(juliet, "/notifications")
        assert await j.receives("notification:count") == {"count": 0}
        epoch, position = j.ready["epoch"], j.position
        await j.leaves()
        made = await root.asks("POST", "/notifications", {"user_id": juliet.id, "title": "One"}, status=201)
        all_ = await root.asks("POST", "/notifications/broadcast", {"title": "All"}, status=202)
        await juliet.asks("POST", f"/notifications/{made['_id']}/read")
        await juliet.asks("DELETE", f"/notifications/{all_['_id']}", status=204)
        j = await server.rpc(juliet, f"/notifications?epoch={epoch}&pos={position}")
        assert j.ready["recovered"] is True
        assert (await j.receives("notification:created"))["_id"] == made["_id"]
        assert await j.receives("notification:read") == {"notificationId": made["_id"], "is_read": True}
        assert await j.receives("notification:deleted") == {"notificationId": all_["_id"]}
        assert await j.receives("notification:count") == {"count": 0}
