"""Keys from the address of an issuer: when they are fetched, and what holds while the issuer is down."""

from __future__ import annotations

import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import trio

from chatd.auth.claims import ClaimRules
from chatd.auth.jwks import MAX_KEY_SET_BYTES, JwksSource, check_url
from chatd.auth.public_keys import KeyProblem
from chatd.auth.verifier import Verifier
from protocol.errors import AUTH_INVALID, UNAVAILABLE, Refusal
from tests.chatd.auth.key_samples import NOW, jwk, jwks, ring, token
from tests.chatd.auth.test_keys import NEW, OLD


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://id.example/keys", "id.example/keys", "https://", ""])
def test_only_http_addresses(url: str) -> None:
    with pytest.raises(KeyProblem, match="http"):
        check_url(url)


def problem(source: JwksSource) -> str:
    return source.problem or ""


class Issuer:
    """An issuer with a key set that the test changes; `answer` may be an exception."""

    def __init__(self, answer: bytes | Exception) -> None:
        self.answer = answer
        self.times: list[float] = []
        self.warnings: list[str] = []
        self.ring = ring(jwks_url="https://id.example/keys?token=hidden")
        self.source = JwksSource("https://id.example/keys?token=hidden", self.ring, warn=self.warn, fetch=self.fetch)
        self.verifier = Verifier(self.ring, ClaimRules(), self.source, now=lambda: NOW)

    async def fetch(self, url: str) -> bytes:
        self.times.append(trio.current_time())
        await trio.sleep(1)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def warn(self, event: str, **values: Any) -> None:
        self.warnings.append(f"{event} {values}")


async def test_a_new_key_is_fetched_when_a_token_names_it(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    issuer = Issuer(jwks(jwk(OLD, kid="old")))
    nursery.start_soon(issuer.source.run)
    old = token(OLD, "old")
    assert (await issuer.verifier.verify_or_fetch_keys(old)).subject == 7, "it waits for the first fetch"
    await trio.sleep(60)
    issuer.answer = jwks(jwk(NEW, kid="new"))
    with pytest.raises(Refusal, match="not known"):
        issuer.verifier.verify(token(NEW, "new"))
    assert (await issuer.verifier.verify_or_fetch_keys(token(NEW, "new"))).subject == 7
    with pytest.raises(Refusal, match="not known"):
        issuer.verifier.verify(old)
    assert len(issuer.times) == 2


async def test_the_only_key_of_an_issuer_needs_no_name(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    issuer = Issuer(jwks(jwk(OLD)))
    nursery.start_soon(issuer.source.run)
    assert (await issuer.verifier.verify_or_fetch_keys(token(OLD, None))).subject == 7


async def test_unknown_keys_do_not_flood_the_issuer_with_requests(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    issuer = Issuer(jwks(jwk(OLD, kid="old")))
    nursery.start_soon(issuer.source.run)
    for _ in range(100):
        with pytest.raises(Refusal, match="not known"):
            await issuer.verifier.verify_or_fetch_keys(token(NEW, "invented"))
        await trio.sleep(0.3)
    gaps = [after - before for before, after in zip(issuer.times, issuer.times[1:], strict=False)]
    assert len(gaps) >= 2
    assert min(gaps) >= 10


async def test_without_unknown_keys_the_key_set_is_fetched_at_fixed_intervals(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    issuer = Issuer(jwks(jwk(OLD, kid="old")))
    nursery.start_soon(issuer.source.run)
    await trio.sleep(1000)
    gaps = [after - before for before, after in zip(issuer.times, issuer.times[1:], strict=False)]
    assert gaps == [301, 301, 301]


@pytest.mark.parametrize(
    "failure",
    [OSError("down"), TimeoutError(), RuntimeError("odd"), b"<html>", jwks(), jwks(jwk(OLD), jwk(NEW)), b"\xff"],
)
async def test_the_keys_are_kept_while_the_issuer_is_down(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery, failure: bytes | Exception
) -> None:
    issuer = Issuer(jwks(jwk(OLD, kid="old")))
    nursery.start_soon(issuer.source.run)
    await trio.sleep(5)
    issuer.answer = failure
    await trio.sleep(3600)
    assert issuer.verifier.verify(token(OLD, "old")).subject == 7
    assert problem(issuer.source)
    issuer.answer = jwks(jwk(NEW, kid="new"))
    await trio.sleep(400)
    assert issuer.verifier.verify(token(NEW, "new")).subject == 7
    assert problem(issuer.source) == ""
    assert [text.split(" {")[0] for text in issuer.warnings] == [
        "cannot fetch the issuer's keys",
        "the issuer's keys are back",
    ]
    assert "hidden" not in "".join(issuer.warnings)


async def test_before_the_first_keys_a_token_is_not_called_invalid(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    issuer = Issuer(OSError("down"))
    nursery.start_soon(issuer.source.run)
    with pytest.raises(Refusal) as caught:
        await issuer.verifier.verify_or_fetch_keys(token(OLD, "old"))
    assert caught.value.code is UNAVAILABLE
    with pytest.raises(Refusal) as caught:
        await issuer.verifier.verify_or_fetch_keys("nonsense")
    assert caught.value.code is AUTH_INVALID


async def test_a_key_set_cannot_replace_the_servers_own_key(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    issuer = Issuer(jwks(jwk(OLD, kid="chatd"), jwk(NEW, kid="new")))
    nursery.start_soon(issuer.source.run)
    with pytest.raises(Refusal, match="signature"):
        await issuer.verifier.verify_or_fetch_keys(token(OLD, "chatd"))


# ---- over HTTP, from a server in a thread ----

Answer = Callable[[BaseHTTPRequestHandler], None]


class KeyServer:
    """A loopback HTTP server. The test sets its answer."""

    def __init__(self) -> None:
        self.answer: Answer = lambda request: respond(request, b"")
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"


def respond(request: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.end_headers()
    with suppress(OSError):
        request.wfile.write(body)


@pytest.fixture
def site() -> Iterator[KeyServer]:
    made = KeyServer()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


async def next_fetch(source: JwksSource) -> None:
    source.request_fetch()
    await source.wait_fetched(30)


async def test_rotation_and_failure_over_http(site: KeyServer, nursery: trio.Nursery) -> None:
    made = ring(jwks_url=site.url)
    warnings: list[str] = []
    source = JwksSource(site.url, made, warn=lambda event, **_: warnings.append(event), min_interval_seconds=0)
    check = Verifier(made, ClaimRules(), source, now=lambda: NOW)
    site.answer = lambda request: respond(request, jwks(jwk(OLD, kid="old")))
    nursery.start_soon(source.run)
    assert (await check.verify_or_fetch_keys(token(OLD, "old"))).subject == 7

    site.answer = lambda request: respond(request, jwks(jwk(NEW, kid="new")))
    assert (await check.verify_or_fetch_keys(token(NEW, "new"))).subject == 7

    bad: list[tuple[Answer, str]] = [
        (lambda request: respond(request, b"", 500), "500"),
        (lambda request: respond(request, b"", 302, Location=site.url), "302"),
        (lambda request: respond(request, b" " * (MAX_KEY_SET_BYTES + 1)), "larger"),
        (lambda request: respond(request, b"nonsense"), "not a key set"),
        (lambda request: None, "RemoteDisconnected"),
    ]
    for site.answer, why in bad:
        await next_fetch(source)
        assert why in problem(source)
        assert check.verify(token(NEW, "new")).subject == 7
    assert warnings == ["cannot fetch the issuer's keys"]
    nursery.cancel_scope.cancel()


async def test_an_unreachable_issuer(nursery: trio.Nursery) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        source = JwksSource(url, ring(jwks_url=url), warn=lambda *_, **__: None, min_interval_seconds=0)
        nursery.start_soon(source.run)
        await source.wait_fetched(30)
    assert "refused" in problem(source)
    nursery.cancel_scope.cancel()


async def test_the_wait_for_an_issuer_that_never_answers_is_limited(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    async def never(url: str) -> bytes:
        await trio.sleep(20)
        raise trio.TooSlowError

    hang: Callable[[str], Awaitable[bytes]] = never
    made = ring(jwks_url="https://id.example/")
    source = JwksSource("https://id.example/", made, warn=lambda *_, **__: None, fetch=hang)
    nursery.start_soon(source.run)
    with pytest.raises(Refusal) as caught:
        await Verifier(made, ClaimRules(), source).verify_or_fetch_keys(token(OLD, "old"))
    assert trio.current_time() == pytest.approx(5), "the caller waits 5 seconds, not longer"
    assert caught.value.code is UNAVAILABLE
    await source.wait_fetched(60)
    assert problem(source)
