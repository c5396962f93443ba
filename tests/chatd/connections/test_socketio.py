"""How a Socket.IO connection begins and ends, packet by packet, against a whole server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection

from tests.scenes.chat_server import TIMEOUT, ChatServer, RegisteredUser, chat_server

PATH = "/socket.io/?EIO=4&transport=websocket"


class Wire:
    """A raw Engine.IO WebSocket."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self.socket = socket

    async def send(self, *packets: str) -> None:
        for packet in packets:
            await self.socket.send_message(packet)

    async def receive(self) -> str:
        with trio.fail_after(TIMEOUT):
            packet = await self.socket.get_message()
        assert isinstance(packet, str)
        return packet

    async def is_closed(self) -> bool:
        """Whether the server closes the connection; packets before that are ignored."""
        with trio.fail_after(TIMEOUT):
            while True:
                try:
                    await self.socket.get_message()
                except ConnectionClosed:
                    return True

    async def open(self, namespace: str, auth: dict[str, Any]) -> str:
        await self.send(f"40{namespace},{json.dumps(auth)}")
        return await self.receive()


@asynccontextmanager
async def wired(
    tmp_path: Path, query: str = "", **settings: str
) -> AsyncIterator[tuple[ChatServer, RegisteredUser, Wire]]:
    async with chat_server(tmp_path, **settings) as server:
        romeo = await server.register("romeo")
        wire = Wire(await server.socket(PATH + query))
        assert (await wire.receive())[0] == "0"
        yield server, romeo, wire


async def test_a_namespace_is_opened_then_greeted(tmp_path: Path) -> None:
    async with wired(tmp_path) as (_, romeo, wire):
        opened = await wire.open("/chat", {"token": romeo.token})
        assert opened.startswith("40/chat,")
        assert set(json.loads(opened.removeprefix("40/chat,"))) == {"sid"}
        assert await wire.receive() == '42/chat,["unread:count",{"total":0,"byConversation":{}}]'


async def test_an_answer_is_the_dialects_ack(tmp_path: Path) -> None:
    async with wired(tmp_path) as (_, romeo, wire):
        await wire.open("/chat", {"token": romeo.token})
        await wire.receive()
        await wire.send('42/chat,7["conversation:join",{"conversationId":"zz"}]')
        head, body = (await wire.receive()).split("[", 1)
        assert head == "43/chat,7"
        assert json.loads("[" + body)[0]["error"]["code"] == "BAD_REQUEST"


async def test_arguments_nested_too_deep_are_refused_with_the_id(tmp_path: Path) -> None:
    async with wired(tmp_path) as (_, romeo, wire):
        await wire.open("/chat", {"token": romeo.token})
        await wire.receive()
        await wire.send('42/chat,8["conversation:join",' + "[" * 50 + "]" * 50 + "]")
        assert (await wire.receive()).startswith('43/chat,8[{"ok":false')


@pytest.mark.parametrize("dialect", ["kebab", "inbox", "rooms"])
async def test_each_dialect_rejects_as_its_specification_documents(tmp_path: Path, dialect: str) -> None:
    async with wired(tmp_path, f"&dialect={dialect}") as (_, _, wire):
        first = await wire.open("/chat", {"token": "none"})
        if dialect == "rooms":
            error = json.loads(first.removeprefix("44/chat,"))
            assert error["data"] == {"message": error["message"]}
            return
        assert first.startswith('40/chat,{"sid"')
        if dialect == "kebab":
            name, body = json.loads((await wire.receive()).removeprefix("42/chat,"))
            assert name == "error"
            assert set(body) == {"message"}
        assert await wire.receive() == "41/chat,"


async def test_userid_must_be_the_tokens_own(tmp_path: Path) -> None:
    async with wired(tmp_path, "&dialect=kebab&userId=99") as (_, romeo, wire):
        assert (await wire.open("/chat", {"token": romeo.token})).startswith("40/chat,")
        assert (await wire.receive()).startswith('42/chat,["error"')


@pytest.mark.parametrize(
    "packets",
    [
        ['42/chat,["message:send",{}]'],
        ['42["message:send",{}]'],
        ["42{}"],
        ["4nonsense"],
        ["451-[]"],
        ['44/chat,{"message":"x"}'],
        ["2"],
    ],
)
async def test_an_invalid_packet_ends_the_session(tmp_path: Path, packets: list[str]) -> None:
    async with wired(tmp_path) as (server, _, wire):
        await wire.send(*packets)
        assert await wire.is_closed()
        assert not server.running.app.connections


async def test_a_second_connect_ends_the_session(tmp_path: Path) -> None:
    async with wired(tmp_path) as (_, romeo, wire):
        await wire.open("/chat", {"token": romeo.token})
        await wire.send(f"40/chat,{json.dumps({'token': romeo.token})}")
        assert await wire.is_closed()


async def test_an_event_for_a_namespace_that_has_just_closed_is_ignored(tmp_path: Path) -> None:
    async with wired(tmp_path) as (_, romeo, wire):
        await wire.open("/chat", {"token": romeo.token})
        await wire.receive()
        await wire.send("41/chat,", '42/chat,["message:send",{}]')
        assert (await wire.open("/chat", {"token": romeo.token})).startswith('40/chat,{"sid"')


async def test_a_flood_of_namespaces_is_refused(tmp_path: Path) -> None:
    settings = {f"dialects__/n{number}": "rooms" for number in range(20)}
    async with wired(tmp_path, **settings) as (server, romeo, wire):
        for number in range(20):
            packet = await wire.open(f"/n{number}", {"token": romeo.token})
            while not packet.startswith((f"40/n{number},", f"44/n{number},")):
                packet = await wire.receive()
            assert packet.startswith("40" if number < 16 else "44")
        assert len(server.running.app.connections) == 1


async def test_a_flood_of_wrong_tokens_ends_the_connection(tmp_path: Path) -> None:
    settings = {"limits__calls_per_connection": "1", "limits__calls_per_connection_burst": "3"}
    async with wired(tmp_path, **settings) as (_, _, wire):
        await wire.send(*['40/chat,{"token":"wrong"}'] * 10)
        assert await wire.is_closed()


async def test_an_event_may_be_larger_than_in_json_rpc(tmp_path: Path) -> None:
    async with wired(tmp_path) as (_, romeo, wire):
        await wire.open("/chat", {"token": romeo.token})
        await wire.receive()
        await wire.send('42/chat,1["message:send","' + "x" * 500_000 + '"]')
        assert (await wire.receive()).startswith('43/chat,1[{"ok":false')
        await wire.send("4" * 1_000_001)
        assert await wire.is_closed()


async def connect_recovering(wire: Wire, token: str, **auth: Any) -> dict[str, Any]:
    """The answer to a CONNECT that asks for recovery."""
    opened = await wire.open("/chat", {"token": token, "recovery": True, **auth})
    answer: dict[str, Any] = json.loads(opened.removeprefix("40/chat,"))
    return answer


async def test_a_client_that_has_received_no_event_needs_no_offset(tmp_path: Path) -> None:
    async with wired(tmp_path) as (server, romeo, wire):
        first = await connect_recovering(wire, romeo.token)
        await romeo.asks("POST", "/conversations", {"type": "group", "participants": []}, status=201)
        again = Wire(await server.socket(PATH))
        await again.receive()
        assert await connect_recovering(again, romeo.token, pid=first["pid"]) == first
        assert (await again.receive()).startswith('42/chat,["conversation:created"')


async def test_a_pid_is_valid_for_its_owner_and_for_positions_that_are_kept(tmp_path: Path) -> None:
    async with wired(tmp_path) as (server, romeo, wire):
        juliet = await server.register("juliet")
        first = await connect_recovering(wire, romeo.token)
        offset = first["pid"].partition(".")[2]
        epoch, _, position = offset.rpartition("-")
        good = {"pid": first["pid"], "offset": offset}
        bad: list[tuple[RegisteredUser, dict[str, Any]]] = [
            (juliet, good),
            (romeo, good | {"pid": first["pid"] + "x"}),
            (romeo, good | {"pid": first["sid"]}),
            (romeo, good | {"pid": 7}),
            (romeo, good | {"pid": ""}),
            (romeo, good | {"offset": f"{epoch}-{int(position) + 1000}"}),
            (romeo, good | {"offset": f"{epoch}--1"}),
            (romeo, good | {"offset": f"00000000-0000-0000-0000-000000000000-{position}"}),
            (romeo, good | {"offset": "nonsense"}),
            (romeo, {"offset": offset}),
        ]
        for person, auth in bad:
            again = Wire(await server.socket(PATH))
            await again.receive()
            fresh = await connect_recovering(again, person.token, **auth)
            assert fresh["pid"] != first["pid"], auth
            assert fresh["sid"] != first["sid"], auth
        again = Wire(await server.socket(PATH))
        await again.receive()
        assert await connect_recovering(again, romeo.token, **good) == first


async def test_a_client_that_opens_no_namespace_in_time_is_disconnected(tmp_path: Path) -> None:
    async with wired(tmp_path, socketio__connect_timeout="1s") as (server, romeo, wire):
        other = Wire(await server.socket(PATH))
        await other.receive()
        await other.open("/chat", {"token": romeo.token})
        await other.receive()
        assert await wire.is_closed()
        await other.send('42/chat,7["nonsense"]')
        assert (await other.receive()).startswith("43/chat,7")


async def test_calls_where_no_namespace_is_open_are_counted_too(tmp_path: Path) -> None:
    settings = {"limits__calls_per_connection": "1", "limits__calls_per_connection_burst": "3"}
    async with chat_server(tmp_path, **settings) as server:
        romeo = await server.register("romeo")
        client = await server.rpc(romeo, "/ws")
        with suppress(ConnectionClosed):  # the server may close before all calls are sent
            for _ in range(20):
                await client.sends('{"jsonrpc":"2.0","method":"x","ns":"/nowhere"}')
        assert await client.is_closed_by_server() == 4029


async def test_a_connection_breaks_between_two_events_of_one_position(tmp_path: Path) -> None:
    async with wired(tmp_path, "&dialect=pairs") as (server, romeo, wire):
        juliet = await server.register("juliet")
        first = await connect_recovering(wire, romeo.token)
        made = await juliet.asks("POST", "/api/conversations", {"toUserId": romeo.id})
        await wire.send(f'42/chat,["join_conversation",{made["id"]}]')
        await juliet.asks("POST", f"/api/conversations/{made['id']}/messages", {"content": "Romeo!"})
        events: list[Any] = []
        while [event[0] for event in events[-2:]] != ["new_message", "message_notification"]:
            events.append(json.loads((await wire.receive()).removeprefix("42/chat,")))
        message, notification = events[-2:]
        for received, missed in ((message, [notification]), (notification, [])):
            again = Wire(await server.socket(PATH + "&dialect=pairs"))
            await again.receive()
            offset = received[-1]
            assert await connect_recovering(again, romeo.token, pid=first["pid"], offset=offset) == first
            await juliet.asks("POST", f"/api/conversations/{made['id']}/messages", {"content": "next"})
            later: list[Any] = []
            while "next" not in str(later):
                later.append(json.loads((await again.receive()).removeprefix("42/chat,")))
            of_that_position = [event for event in later if event[-1].startswith(offset.partition(".")[0])]
            assert of_that_position[: len(missed)] == missed
            assert "new_message" not in [event[0] for event in of_that_position]


async def test_a_client_that_has_not_authenticated_sends_short_packets(tmp_path: Path) -> None:
    async with wired(tmp_path) as (_, romeo, wire):
        await wire.send(f'40/chat,{{"token":"{romeo.token}","more":"{"x" * 20_000}"}}')
        assert await wire.is_closed()


async def test_a_client_that_has_authenticated_sends_long_packets(tmp_path: Path) -> None:
    async with wired(tmp_path) as (_, romeo, wire):
        await wire.open("/chat", {"token": romeo.token})
        await wire.receive()
        await wire.send(f'42/chat,7["message:edit",{{"content":"{"x" * 200_000}"}}]')
        assert (await wire.receive()).startswith("43/chat,7[")


async def test_acknowledgements_without_a_request_count_as_calls(tmp_path: Path) -> None:
    async with wired(tmp_path, limits__calls_per_connection="50") as (_, romeo, wire):
        await wire.open("/chat", {"token": romeo.token})
        await wire.receive()
        with suppress(ConnectionClosed):
            await wire.send(*["43/chat,1[]"] * 200)
        assert await wire.is_closed()
