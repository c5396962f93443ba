"""The end of a session closes its connections, and its tokens are not valid any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from chatd.config.load import load
from chatd.server.main import running
from tests.scenes.chat_server import QUIET, ChatServer, RegisteredUser, Rest, chat_server

WORD = "correct horse"
End = Callable[[ChatServer, dict[str, Any]], Awaitable[None]]


async def logs_out(server: ChatServer, tokens: dict[str, Any]) -> None:
    assert (await server.rest.ask("POST", "/auth/logout", {"refreshToken": tokens["refreshToken"]}))[0] == 204


async def shows_an_old_token(server: ChatServer, tokens: dict[str, Any]) -> None:
    old = {"refreshToken": tokens["refreshToken"]}
    assert (await server.rest.ask("POST", "/auth/refresh", old))[0] == 200
    assert (await server.rest.ask("POST", "/auth/refresh", old))[0] == 401


async def signs_in(rest: Rest, name: str = "ann") -> dict[str, Any]:
    status, said, _ = await rest.ask("POST", "/auth/login", {"username": name, "password": WORD})
    assert status == 200
    found: dict[str, Any] = said
    return found


async def may_ask(rest: Rest, token: str) -> bool:
    return bool((await rest.ask("GET", "/conversations", token=token))[0] == 200)


@pytest.mark.parametrize("end", [logs_out, shows_an_old_token])
async def test_ending_a_session_closes_what_it_opened_and_nothing_else(tmp_path: Path, end: End) -> None:
    async with chat_server(tmp_path) as server:
        await server.register("ann")
        tokens, elsewhere = await signs_in(server.rest), await signs_in(server.rest)
        ann = RegisteredUser(server.rest, tokens)
        here, there = await server.rpc(ann), await server.rpc(RegisteredUser(server.rest, elsewhere))
        assert await may_ask(server.rest, ann.token)
        async with await stream(server, ann.token) as listening:
            with trio.fail_after(5):
                await end(server, tokens)
                assert await here.is_closed_by_server() == 4401
                async for _ in listening:
                    pass  # to its end
        assert not await may_ask(server.rest, ann.token)
        await there.receives_all()  # it is open and answers
        assert await may_ask(server.rest, elsewhere["accessToken"])


async def stream(server: ChatServer, token: str) -> trio.SocketStream:
    """The recovery stream, once it has begun."""
    host, _, port = server.address.rpartition(":")
    listening = await trio.open_tcp_stream(host, int(port))
    head = (
        f"GET /events HTTP/1.1\r\nHost: {server.address}\r\nAuthorization: Bearer {token}\r\nAccept: text/event-stream"
    )
    await listening.send_all(f"{head}\r\nConnection: close\r\n\r\n".encode())
    said = b""
    while b"ready" not in said:
        said += await listening.receive_some()
    return listening


async def test_what_the_token_did_before_its_session_ended_is_not_remembered_for_it(tmp_path: Path) -> None:
    """Also after a restart: the sessions are in the store."""
    flags = {"server.port": "0", "data.directory": str(tmp_path / "data"), "auth.registration": "open", **QUIET}
    config = load(flags=tuple(("test", name, value) for name, value in flags.items()), environ={})
    async with running(config) as server:
        rest = Rest(f"http://{server.front.addresses[0]}")
        _, kept, _ = await rest.ask("POST", "/auth/register", {"username": "ann", "password": WORD})
        ended = await signs_in(rest)
        assert await may_ask(rest, ended["accessToken"])
        assert (await rest.ask("POST", "/auth/logout", {"refreshToken": ended["refreshToken"]}))[0] == 204
        assert not await may_ask(rest, ended["accessToken"])
    async with running(config) as server:
        rest = Rest(f"http://{server.front.addresses[0]}")
        assert not await may_ask(rest, ended["accessToken"])
        assert await may_ask(rest, kept["accessToken"])


async def test_a_connection_that_is_being_set_up_when_its_session_ends_is_closed(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        await server.register("ann")
        tokens = await signs_in(server.rest)
        authenticator = server.running.app.authenticator
        actor = await authenticator.authenticate(tokens["accessToken"])
        assert actor.sid is not None
        authenticator.check_current(actor)
        await logs_out(server, tokens)
        with pytest.raises(Exception, match="session of this token has ended"):
            authenticator.check_current(actor)


async def test_a_token_of_the_shell_belongs_to_no_session(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        ann = await server.register("ann")
        token = server.running.accounts.identity.issuer.access(1, ttl=60)
        await logs_out(server, await signs_in(server.rest))
        assert await may_ask(server.rest, token)
        assert await may_ask(server.rest, ann.token)
