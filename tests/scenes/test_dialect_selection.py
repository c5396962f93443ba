"""How a client selects a dialect, and how it is rejected in that dialect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection

from chatd.services.context import SHELL, ServiceContext
from chatd.store.queries import users
from protocol.events import AccountChanged
from protocol.ids import Ref
from tests.scenes.chat_server import TIMEOUT, ChatServer, RegisteredUser, RpcClient, chat_server
from tests.scenes.clients import open_client
from tests.scenes.shapes import TEXT, fits
from tests.scenes.socketio_client import CLOSED, EVENT, OPENED, TURNED_AWAY, IoSocket, open_namespace

GREETED = {"colon": "unread:count", "inbox": "unread_count"}
SPEAKERS = [
    ("colon", "/chat", lambda talk: ("conversation:join", {"conversationId": talk})),
    ("kebab", "/chat", lambda talk: ("join-conversation", {"conversationId": 1, "userId": 1})),
    ("rooms", "/chat", lambda talk: ("join_room", {"roomId": talk})),
    ("pairs", "/", lambda talk: ("join_conversation", 1)),
    ("inbox", "/", lambda talk: ("read_messages", {"conversationId": as_uuid(talk)})),
]
TOKENLESS = {"pairs": "/", "inbox": "/", "rooms": "/chat", "kebab": "/chat", "colon": "/chat"}


def as_uuid(object_id: str) -> str:
    return f"{object_id[:8]}-0000-8000-8000-{object_id[12:]}"


async def ann_and_conversation(server: ChatServer) -> tuple[RegisteredUser, str]:
    ann, bob = await server.register("ann"), await server.register("bob")
    talk = await ann.asks("POST", "/conversations", {"type": "private", "participants": [bob.id]}, status=201)
    return ann, talk["_id"]


async def understands(io: IoSocket, call: tuple[str, Any]) -> None:
    """Check that the namespace knows the call: no error comes before the answer to an unknown call."""
    kind, _, data = await io.receive()
    assert kind == OPENED, data
    await io.emit(call[0], call[1:])
    await io.emit("nonsense", ())
    while True:
        _, _, [name, payload] = await io.receive()
        if name == "error":
            assert "nonsense" in payload["message"], payload
            return


@pytest.mark.parametrize(("dialect", "namespace", "call"), SPEAKERS)
async def test_by_the_url_by_auth_and_by_the_table(tmp_path: Path, dialect: str, namespace: str, call: Any) -> None:
    other = "rooms" if dialect == "colon" else "colon"
    async with chat_server(tmp_path, **{f"dialects__{namespace}": other}) as server:
        ann, talk = await ann_and_conversation(server)
        shown = {"token": ann.token}
        await understands(await open_namespace(server, namespace, shown, dialect=dialect), call(talk))
        await understands(await open_namespace(server, namespace, {**shown, "dialect": dialect}), call(talk))
        both = await open_namespace(server, namespace, {**shown, "dialect": other}, dialect=dialect)
        await understands(both, call(talk))  # the URL comes first
        rpc = await open_client(server, "jsonrpc", dialect, ann, namespace, ignoring=GREETED.values())
        await rpc.asks(*call(talk))
        assert [name for name, _ in await rpc.receives_all() if name == "error"] == []
    async with chat_server(tmp_path, **{f"dialects__{namespace}": dialect}) as server:
        await understands(await open_namespace(server, namespace, shown), call(talk))


async def test_a_client_that_asks_receives_the_room_of_each_push(tmp_path: Path) -> None:
    """With `?rooms=1`, or `rooms` in the first call. Other clients receive the documented members only."""
    async with chat_server(tmp_path) as server:
        ann, talk = await ann_and_conversation(server)
        early = RpcClient(await server.socket("/chat"))
        await early.asks("auth", {"token": ann.token, "rooms": 1})
        await early.receives("ready")
        plain, asking, shared = [await server.rpc(ann, path) for path in ("/chat", "/chat?rooms=1", "/ws?rooms=1")]
        for client in (plain, asking, early):
            await client.asks("conversation:join", {"conversationId": talk})
        await shared.calls("conversation:join", {"conversationId": talk}, ns="/chat")
        await plain.asks("message:send", {"conversationId": talk, "content": "hello"})
        members = {"jsonrpc", "method", "params", "pos"}
        for client, beside in ((plain, set()), (asking, {"room"}), (early, {"room"}), (shared, {"room", "ns"})):
            await client.asks("rpc.ping")  # everything that was sent has arrived by then
            said = next(said for said in client._received if said["method"] == "message:created")
            assert set(said) == members | beside
            assert said.get("room", f"conversation:{talk}") == f"conversation:{talk}"


async def test_each_namespace_of_one_connection_may_speak_its_own(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        ann, talk = await ann_and_conversation(server)
        io = await open_namespace(server, "/chat", {"token": ann.token, "dialect": "rooms"})
        assert (await io.receive())[0] == OPENED
        await io.socket.send_message(f"40{json.dumps({'token': ann.token, 'dialect': 'inbox'})}")
        await understands(IoSocket(io.socket, "/"), ("read_messages", {"conversationId": as_uuid(talk)}))


async def rejected(server: ChatServer, path: str, token: str) -> tuple[int, Any]:
    """The answer to a rejected upgrade: its status and its body."""
    host, _, port = server.address.rpartition(":")
    async with await trio.open_tcp_stream(host, int(port)) as stream:
        await stream.send_all(
            f"GET {path} HTTP/1.1\r\nHost: {server.address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode()
        )
        answer = b""
        with trio.fail_after(TIMEOUT):
            while not answer.endswith(b"}"):
                answer += await stream.receive_some()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize("path", ["/chat", "/", "/ws"])
async def test_an_unknown_dialect_is_refused_clearly_over_jsonrpc(tmp_path: Path, path: str) -> None:
    async with chat_server(tmp_path) as server:
        ann, _ = await ann_and_conversation(server)
        status, said = await rejected(server, f"{path}?dialect=klingon", ann.token)
        assert status == 404
        assert said["message"] == "There is no dialect 'klingon'; there are colon, inbox, kebab, pairs, rooms, v1"


@pytest.mark.parametrize(
    ("namespace", "auth", "query", "code"),
    [
        ("/chat", {}, {"dialect": "klingon"}, "NOT_FOUND"),
        ("/chat", {"dialect": "klingon"}, {}, "NOT_FOUND"),
        ("/chat", {"dialect": ["colon"]}, {}, "BAD_REQUEST"),
        ("/nowhere", {}, {"dialect": "colon"}, "NOT_FOUND"),
        ("/nowhere", {}, {}, "NOT_FOUND"),
    ],
)
async def test_an_unknown_dialect_is_refused_clearly_over_socketio(
    tmp_path: Path, namespace: str, auth: Mapping[str, Any], query: dict[str, str], code: str
) -> None:
    async with chat_server(tmp_path) as server:
        ann, _ = await ann_and_conversation(server)
        io = await open_namespace(server, namespace, {"token": ann.token, **auth}, **query)
        kind, _, data = await io.receive()
        assert kind == TURNED_AWAY
        fits(data, {"message": TEXT, "data": {"code": code, "message": data["message"]}})


# Rejected


@pytest.mark.parametrize("dialect", ["colon", "rooms", "pairs"])
@pytest.mark.parametrize("auth", [None, {}, {"token": ""}, {"token": "nonsense"}, {"token": "Bearer x.y.z"}])
async def test_connect_error(tmp_path: Path, dialect: str, auth: Any) -> None:
    async with chat_server(tmp_path) as server:
        kind, _, data = await (await open_namespace(server, TOKENLESS[dialect], auth, dialect=dialect)).receive()
        assert kind == TURNED_AWAY
        body = {"code": "AUTH_INVALID"} if dialect == "colon" else {}
        fits(data, {"message": TEXT, "data": {**body, "message": data["message"]}})


@pytest.mark.parametrize("auth", [None, {"token": "nonsense"}])
async def test_inbox_sends_nothing_to_a_rejected_client(tmp_path: Path, auth: Any) -> None:
    async with chat_server(tmp_path) as server:
        io = await open_namespace(server, "/", auth, dialect="inbox")
        assert [(await io.receive())[0] for _ in range(2)] == [OPENED, CLOSED]


@pytest.mark.parametrize(
    ("auth", "query"), [(None, {}), (None, {"userId": "1"}), ({"token": "nonsense"}, {}), ("own", {"userId": "2"})]
)
async def test_kebab_sends_a_rejected_client_an_error(tmp_path: Path, auth: Any, query: dict[str, str]) -> None:
    async with chat_server(tmp_path) as server:
        ann, _ = await ann_and_conversation(server)
        shown = {"token": ann.token} if auth == "own" else auth
        io = await open_namespace(server, "/chat", shown, dialect="kebab", **query)
        assert (await io.receive())[0] == OPENED
        kind, _, [name, payload] = await io.receive()
        assert (kind, name) == (EVENT, "error")
        fits(payload, {"message": TEXT})
        assert (await io.receive())[0] == CLOSED


async def goodbye(socket: WebSocketConnection) -> tuple[list[Any], int]:
    """The messages until the socket closes, and the close code."""
    said = []
    with trio.fail_after(TIMEOUT):
        while True:
            try:
                said.append(json.loads(await socket.get_message()))
            except ConnectionClosed as closed:
                return said, closed.reason.code if closed.reason else 1006


@pytest.mark.parametrize(
    ("dialect", "payload"),
    [
        ("colon", {"code": "AUTH_INVALID", "message": TEXT}),
        ("kebab", {"message": TEXT}),
        ("rooms", {"message": TEXT}),
        ("pairs", {"message": TEXT}),
        ("inbox", None),
    ],
)
async def test_over_jsonrpc_the_close_code_says_it_too(tmp_path: Path, dialect: str, payload: Any) -> None:
    async with chat_server(tmp_path) as server:
        path = f"{TOKENLESS[dialect]}?dialect={dialect}"
        said, code = await goodbye(await server.socket(path, headers={"Authorization": "Bearer nonsense"}))
        assert code == 4401
        if payload is None:
            assert said == []
        else:
            [push] = said
            fits(push, {"jsonrpc": "2.0", "method": "error", "params": payload})


# Places of the token


async def test_only_inbox_takes_the_token_from_the_query(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        ann, _ = await ann_and_conversation(server)
        for dialect, namespace in TOKENLESS.items():
            io = await open_namespace(server, namespace, None, dialect=dialect, token=ann.token)
            kind, _, _ = await io.receive()
            if dialect == "inbox":
                assert (kind, await io.receive()) == (OPENED, (EVENT, None, ["unread_count", {"count": 0}]))
            else:
                assert kind == TURNED_AWAY or (await io.receive())[2][0] == "error"
        first = await (
            await open_namespace(server, "/", {"token": ann.token}, dialect="inbox", token="nonsense")
        ).receive()
        assert first[0] == OPENED


async def test_every_dialect_takes_the_token_from_the_header_and_with_or_without_bearer(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        ann, _ = await ann_and_conversation(server)
        for dialect, namespace in TOKENLESS.items():
            for auth, header in (
                (None, f"Bearer {ann.token}"),
                ({"token": ann.token}, ""),
                ({"token": f"Bearer {ann.token}"}, ""),
            ):
                io = await open_namespace(server, namespace, auth, authorization=header, dialect=dialect)
                assert (await io.receive())[0] == OPENED


# Without a token, where the server accepts that


@pytest.mark.parametrize("user", ["0", "-1", "²", "1.5", "x", "", "99999999999999999999999"])
async def test_a_user_id_that_is_none_is_refused(tmp_path: Path, user: str) -> None:
    async with chat_server(tmp_path, auth__insecure_userid="true") as server:
        io = await open_namespace(server, "/chat", None, dialect="kebab", userId=user)
        assert (await io.receive())[0] == OPENED
        assert (await io.receive())[2] == ["error", {"message": "userId must be a positive integer"}]


async def test_a_user_who_names_themselves_may_connect_after_their_account_has_changed(tmp_path: Path) -> None:
    async with chat_server(tmp_path, auth__insecure_userid="true") as server:
        talk = {"sender_id": 1, "receiver_id": 2}
        assert (await server.rest.ask("POST", "/api/chats/conversations", talk))[0] == 201
        join = ("join-conversation", {"conversationId": 1, "userId": 1})
        await understands(await open_namespace(server, "/chat", None, dialect="kebab", userId="1"), join)
        await server.running.app.dispatch.commit(SHELL, revoke)
        await understands(await open_namespace(server, "/chat", None, dialect="kebab", userId="1"), join)


def revoke(context: ServiceContext) -> None:
    """Revoke all earlier tokens of a user."""
    tx = context.tx
    users.set_account(tx, 1, password=None, email=None, admin=False, disabled=False, valid_from=tx.now + 60_000)
    context.publish(AccountChanged(Ref(1, 0)))


async def test_rest_believes_it_too_in_the_dialects_that_say_who_asks(tmp_path: Path) -> None:
    async with chat_server(tmp_path, auth__insecure_userid="true") as server:
        talk = {"sender_id": 1, "receiver_id": 2}
        status, made, _ = await server.rest.ask("POST", "/api/chats/conversations", talk)
        assert (status, made) == (201, {"id": 1, **talk})
        messages = "/api/chats/conversations/1/messages"
        said = {"sender_id": 2, "message_type": "text", "content": "Hello"}
        assert (await server.rest.ask("POST", messages, said))[0] == 201
        status, page, _ = await server.rest.ask("GET", f"{messages}?page=1&limit=20&userId=1")
        assert (status, page["total"]) == (200, 1)
        for method, path, body, expected in (
            ("GET", f"{messages}?page=1&limit=20", None, 401),
            ("GET", f"{messages}?page=1&limit=20&userId=3", None, 403),
            ("GET", f"{messages}?userId=²", None, 400),
            ("POST", f"{messages}?userId=1", said, 403),
            ("GET", "/conversations?userId=1", None, 401),
            ("POST", "/api/conversations", {"toUserId": 2}, 401),
        ):
            path = path.replace("²", "%C2%B2")
            assert (await server.rest.ask(method, path, body))[0] == expected, path
        status, _, _ = await server.rest.ask("POST", messages, said, token="nonsense")
        assert status == 401


async def test_rest_needs_a_token_without_the_flag(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        body = {"sender_id": 1, "receiver_id": 2}
        for path in ("/api/chats/conversations", "/api/chats/conversations?userId=1"):
            assert (await server.rest.ask("POST", path, body))[0] == 401
