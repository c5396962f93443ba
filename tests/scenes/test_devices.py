"""The devices of a user, another password, and invites by an administrator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.scenes.chat_server import ChatServer, RegisteredUser, chat_server
from tests.scenes.v1_clients import Wire, connect, every_wire

PASSWORD = "correct horse"


async def sign_in(server: ChatServer, name: str, password: str = PASSWORD, agent: str = "Netscape 4") -> Any:
    body = {"username": name, "password": password}
    return await server.rest.ask("POST", "/auth/login", body, headers={"User-Agent": agent})


async def test_devices_are_listed_and_signed_out(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo = await server.register("romeo")
        tokens = [(await sign_in(server, "romeo", agent=f"Browser {number}"))[1]["accessToken"] for number in range(3)]
        found = await romeo.asks("GET", "/v1/sessions")
        assert sorted(one["device"] for one in found)[:3] == ["Browser 0", "Browser 1", "Browser 2"]
        assert [one["isCurrent"] for one in found].count(True) == 1
        socket = await server.rpc(tokens[0], "/v1")
        ids = {one["device"]: one["id"] for one in found}
        await romeo.asks("DELETE", f"/v1/sessions/{ids['Browser 0']}")
        assert await socket.is_closed_by_server() == 4401
        assert [(await server.rest.ask("GET", "/v1/me", token=token))[0] for token in tokens] == [401, 200, 200]
        await romeo.asks("DELETE", f"/v1/sessions/{ids['Browser 0']}", status=404)
        await romeo.asks("DELETE", "/v1/sessions")
        assert [(await server.rest.ask("GET", "/v1/me", token=token))[0] for token in tokens] == [401, 401, 401]
        assert [one["isCurrent"] for one in await romeo.asks("GET", "/v1/sessions")] == [True]


async def test_one_sees_no_devices_of_others(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = [await server.register(name) for name in ("romeo", "juliet")]
        [hers] = await juliet.asks("GET", "/v1/sessions")
        await romeo.asks("DELETE", f"/v1/sessions/{hers['id']}", status=404)
        assert (await juliet.asks("GET", "/v1/me"))["username"] == "juliet"


@every_wire
async def test_another_password_signs_out_elsewhere(tmp_path: Path, framing: Wire) -> None:
    async with chat_server(tmp_path) as server:
        romeo = await server.register("romeo")
        elsewhere = (await sign_in(server, "romeo"))[1]["accessToken"]
        client = await connect(server, framing, romeo)
        change = "password.change"
        assert await client.fails(change, password="wrong", newPassword="battery staple") == ("FORBIDDEN", "password")
        assert (await client.fails(change, password=PASSWORD, newPassword="short"))[0] == "BAD_REQUEST"
        assert (await server.rest.ask("GET", "/v1/me", token=elsewhere))[0] == 200
        await client.does(change, password=PASSWORD, newPassword="battery staple")
        assert (await server.rest.ask("GET", "/v1/me", token=elsewhere))[0] == 401
        assert (await romeo.asks("GET", "/v1/me"))["username"] == "romeo"
        assert [(await sign_in(server, "romeo", word))[0] for word in ("battery staple", PASSWORD)] == [200, 401]


async def test_a_password_is_not_guessed_with_a_stolen_token(tmp_path: Path) -> None:
    limits = {"limits__logins_per_account": "3/30m", "limits__logins_per_account_burst": "3"}
    async with chat_server(tmp_path, **limits) as server:
        romeo = await server.register("romeo")
        body = {"password": "guess", "newPassword": "battery staple"}
        given = [(await romeo.rest.ask("POST", "/v1/me/password", body, token=romeo.token))[0] for _ in range(5)]
        assert given == [403, 403, 403, 429, 429]


async def test_invites_of_an_administrator(tmp_path: Path) -> None:
    async with chat_server(tmp_path, auth__registration="invite") as server:
        link = server.running.accounts.open_setup()
        body = {"username": "romeo", "password": PASSWORD, "invite": link}
        _, account, _ = await server.rest.ask("POST", "/auth/register", body)
        romeo = RegisteredUser(server.rest, account)
        made = await romeo.asks("POST", "/v1/invites", {"uses": 2, "ttlSeconds": 3600}, status=201)
        assert (made["uses"], made["isAdmin"]) == (2, False)
        body |= {"username": "juliet", "invite": made["token"]}
        _, account, _ = await server.rest.ask("POST", "/auth/register", body)
        juliet = RegisteredUser(server.rest, account)
        [listed] = await romeo.asks("GET", "/v1/invites")
        assert (listed["id"], listed["uses"], listed["token"]) == (made["id"], 1, None)
        for method, path in (("GET", "/v1/invites"), ("POST", "/v1/invites"), ("DELETE", f"/v1/invites/{made['id']}")):
            await juliet.asks(method, path, {} if method == "POST" else None, status=403)
        await romeo.asks("POST", "/v1/invites", {"uses": 10_001}, status=400)
        await romeo.asks("DELETE", f"/v1/invites/{made['id']}")
        refused = {**body, "username": "nurse", "invite": made["token"]}
        assert (await server.rest.ask("POST", "/auth/register", refused))[0] == 403
        actions = [one["action"] for one in (await romeo.asks("GET", "/v1/audit"))["items"]]
        assert actions == ["invite.revoke", "invite.create"]
