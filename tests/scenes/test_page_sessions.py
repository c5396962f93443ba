"""Sessions of the page: the refresh token is in a cookie that only /auth receives, from this server's page alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.scenes.chat_server import ChatServer, chat_server

PASSWORD = "correct horse"
AS_COOKIE = {"X-Chatd-Session": "cookie"}


class PageVisitor:
    """A browser with the page of the server: it keeps the cookie, and sends its origin."""

    def __init__(self, server: ChatServer, origin: str | None = None) -> None:
        self._server = server
        self.headers = {"Origin": origin or f"http://{server.address}", **AS_COOKIE}
        self.cookie = ""
        self.attributes = ""

    async def asks(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        cookie = {"Cookie": f"other=1; {self.cookie}"} if self.cookie else {}
        given, said, headers = await self._server.rest.ask("POST", path, body or {}, headers={**self.headers, **cookie})
        assert given == status, said
        if (text := headers.get("Set-Cookie")) is not None:
            self.cookie, _, self.attributes = text.partition("; ")
        return said


async def test_a_session_from_sign_in_to_sign_out(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        await server.register("romeo")
        page = PageVisitor(server)
        signed_in = await page.asks("/auth/login", {"username": "romeo", "password": PASSWORD})
        assert not [name for name in signed_in if "efresh" in name]
        assert re.fullmatch(r"chatd_[0-9a-z]{8}=[\w.-]{20,}", page.cookie)
        assert page.attributes == "Path=/auth; Max-Age=2592000; HttpOnly; SameSite=Strict"
        first = page.cookie
        renewed = await page.asks("/auth/refresh")
        assert renewed["accessToken"] != signed_in["accessToken"]
        assert page.cookie != first
        assert (await server.rest.ask("GET", "/users/me", token=renewed["accessToken"]))[0] == 200
        given, _, _ = await server.rest.ask("GET", "/users/me", headers={"Cookie": page.cookie})
        assert given == 401, "no other path looks at cookies"
        await page.asks("/auth/logout", status=204)
        assert page.cookie.endswith("=")
        assert "Max-Age=0" in page.attributes
        assert (await server.rest.ask("GET", "/users/me", token=renewed["accessToken"]))[0] == 401
        await page.asks("/auth/refresh", status=401)


async def test_a_cookie_that_is_over_is_removed(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        await server.register("romeo")
        page = PageVisitor(server)
        await page.asks("/auth/login", {"username": "romeo", "password": PASSWORD})
        stolen = page.cookie
        await page.asks("/auth/refresh")
        page.cookie = stolen
        await page.asks("/auth/refresh", status=401)
        assert page.cookie.endswith("=")


@pytest.mark.parametrize("origin", ["http://127.0.0.1:1", "https://evil.example", "null", ""])
async def test_pages_of_other_origins_get_no_cookie(tmp_path: Path, origin: str) -> None:
    async with chat_server(tmp_path, server__allowed_origins="http://127.0.0.1:1") as server:
        await server.register("romeo")
        page = PageVisitor(server)
        await page.asks("/auth/login", {"username": "romeo", "password": PASSWORD})
        if origin:
            page.headers["Origin"] = origin
        else:
            del page.headers["Origin"]
        await page.asks("/auth/refresh", status=403)
        await page.asks("/auth/login", {"username": "romeo", "password": PASSWORD}, status=403)


async def test_other_clients_get_the_refresh_token_as_before(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        await server.register("romeo")
        body = {"username": "romeo", "password": PASSWORD}
        given, said, headers = await server.rest.ask("POST", "/auth/login", body)
        assert given == 200
        assert said["refreshToken"]
        assert headers.get("Set-Cookie") is None
