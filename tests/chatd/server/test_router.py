"""Which pages may use a server, by its settings: its own origin, other origins, and the answers to refused ones."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chatd.config.load import load
from chatd.net.http import ExchangeHandler, LateBodyHandler
from chatd.net.request import Request, Response
from chatd.server.main import RunningServer, running
from chatd.telemetry.log import log

MACHINE = socket.gethostname().lower()


@asynccontextmanager
async def server_with(folder: Path, **settings: str) -> AsyncIterator[RunningServer]:
    """A server with some settings of [server], and others by their whole name (`auth__registration`)."""
    named = {name.replace("__", ".") if "__" in name else f"server.{name}": value for name, value in settings.items()}
    flags = tuple(("--set", name, value) for name, value in named.items())
    given = (("--data", "data.directory", str(folder)), ("--port", "server.port", "0"), *flags)
    async with running(load(None, given, {})) as server:
        yield server


def asks(
    server: RunningServer, host: str, origin: str | None = None, method: str = "POST", **more: str
) -> Response | None:
    """The refusal of a request, None when it goes on."""
    headers = [(b"host", host.encode())]
    headers += [(b"origin", origin.encode())] if origin is not None else []
    headers += [(name.replace("_", "-").encode(), value.encode()) for name, value in more.items()]
    return server.site.refuse(Request(method, b"/conversations", headers))


def reason(answer: Response | None) -> str:
    assert answer is not None
    assert answer.status == 403
    return str(json.loads(answer.body)["message"])


@pytest.mark.parametrize(
    "host",
    ["localhost:3000", "chat.localhost", "127.0.0.1:3000", "192.168.1.5:3000", "[::1]:3000", "[2001:db8::1]", MACHINE,
     f"{MACHINE}.local:3000", "chat.lan:3000", "CHAT.lan:3000"],
)  # fmt: skip
async def test_its_own_page_is_one_at_a_name_of_the_server(tmp_path: Path, host: str) -> None:
    async with server_with(tmp_path, hosts="chat.lan") as server:
        assert asks(server, host, f"http://{host}") is None


@pytest.mark.parametrize(
    "host", ["evil.example:3000", "localhost.evil.example", "127.0.0.1.evil.example", "chat.local"]
)
async def test_a_page_that_points_its_own_name_at_the_server_is_refused(tmp_path: Path, host: str) -> None:
    async with server_with(tmp_path) as server:
        name = host.partition(":")[0]
        assert f"add {name} to server.hosts, or set server.public_url" in reason(asks(server, host, f"http://{host}"))
        assert asks(server, host) is None  # no page: a token is needed anyway


async def test_behind_a_default_nginx_its_own_page_is_that_of_the_public_url(tmp_path: Path) -> None:
    async with server_with(tmp_path, public_url="https://Chat.example.org/") as server:
        assert asks(server, "127.0.0.1:3000", "https://chat.example.org") is None
        assert asks(server, "upstream", "https://chat.example.org") is None
        why = reason(asks(server, "127.0.0.1:3000", "http://127.0.0.1:3000"))
        assert "its own origin is server.public_url, https://chat.example.org" in why
        headers = dict(server.site.headers(Request("GET", b"/", [(b"origin", b"https://chat.example.org")])))
        assert headers[b"access-control-allow-origin"] == b"https://chat.example.org"


async def test_without_the_public_url_the_refusal_names_the_setting(tmp_path: Path) -> None:
    async with server_with(tmp_path) as server:
        assert "set server.public_url" in reason(asks(server, "127.0.0.1:3000", "https://chat.example.org"))
        assert "add it to server.allowed_origins" in reason(asks(server, "127.0.0.1:3000", "https://other.example"))
        assert "without an origin" in reason(asks(server, "127.0.0.1:3000", "null"))


async def test_without_tokens_a_foreign_host_is_refused_for_every_request(tmp_path: Path) -> None:
    async with server_with(tmp_path, auth__insecure_userid="true") as server:
        assert "evil.example is no name of this server" in reason(asks(server, "evil.example:3000", method="GET"))
        assert asks(server, "localhost:3000", method="GET") is None


async def test_every_origin_when_the_list_says_so_and_then_without_credentials(tmp_path: Path) -> None:
    async with server_with(tmp_path, allowed_origins="*,https://listed.example") as server:
        for origin in ("https://any.example", "null", "http://evil.example:3000"):
            assert asks(server, "evil.example:3000", origin) is None
            request = Request("GET", b"/", [(b"host", b"evil.example:3000"), (b"origin", origin.encode())])
            headers = dict(server.site.headers(request))
            assert headers[b"access-control-allow-origin"] == b"*"
            assert b"access-control-allow-credentials" not in headers
        listed = dict(server.site.headers(Request("GET", b"/", [(b"origin", b"https://listed.example")])))
        assert listed[b"access-control-allow-credentials"] == b"true"
        answer = asks(server, "h", "https://any.example", "OPTIONS", access_control_request_method="POST")
        assert answer is not None
        assert (b"access-control-allow-origin", b"*") in answer.headers


async def test_a_refused_origin_is_logged_once_and_not_without_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with server_with(tmp_path) as server:
        log.configure("text", "info")
        for _ in range(3):
            asks(server, "127.0.0.1:3000", "https://other.example")
        asks(server, "127.0.0.1:3000", "https://third.example", "OPTIONS", access_control_request_method="POST")
        lines = [line for line in capsys.readouterr().err.splitlines() if "an origin was refused" in line]
        assert len(lines) == 2
        assert "https://other.example" in lines[0]
        assert "server.allowed_origins" in lines[0]
        for number in range(100):
            asks(server, "127.0.0.1:3000", f"https://{number}.example")
        assert capsys.readouterr().err.count("an origin was refused") < 12


async def test_a_page_can_ask_why_its_handshake_fails(tmp_path: Path) -> None:
    async with server_with(tmp_path) as server:

        async def explained(query: str, origin: str | None = None) -> dict[str, object]:
            headers = [(b"host", b"127.0.0.1:3000"), *([(b"origin", origin.encode())] if origin else [])]
            request = Request("POST", f"/handshake{query}".encode(), headers)
            assert server.site.refuse(request) is None
            handler = server.site.direct(request)
            assert handler is not None
            assert not isinstance(handler, LateBodyHandler | ExchangeHandler)
            answer = await handler(request, b"")
            assert (b"access-control-allow-origin", b"*") in answer.headers
            return dict(json.loads(answer.body))

        assert await explained("", "http://127.0.0.1:3000") == {"allowed": True}
        assert await explained("?namespace=/chat&dialect=colon") == {"allowed": True}
        refused = await explained("", "https://other.example")
        assert (refused["allowed"], refused["close"]) == (False, 4403)
        assert "server.allowed_origins" in str(refused["message"])
        assert (await explained("?namespace=/nothing"))["close"] == 4404
        assert (await explained("?dialect=klingon"))["close"] == 4404
