"""Sources of keys, and values that are not keys."""

from __future__ import annotations

import datetime
import json
import os
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from chatd.auth.claims import ClaimRules
from chatd.auth.jwks import MAX_KEY_SET_BYTES, JwksSource, check_url
from chatd.auth.keys import KeyRing, KeySettings, load_or_make_secret, make_ring
from chatd.auth.public_keys import KeyProblem
from chatd.auth.verifier import Verifier
from protocol.errors import AUTH_INVALID, UNAVAILABLE, Refusal

NOW = 1_800_000_000.0
SECRET = b"0123456789abcdef0123456789abcdef"
GOOD = {"sub": "7", "exp": NOW + 600}
OLD, NEW = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
BIG = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(private: Any) -> str:
    data: bytes = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return data.decode()


def jwk(private: Any, **more: Any) -> dict[str, Any]:
    kinds = [(ec.EllipticCurvePrivateKey, ECAlgorithm), (rsa.RSAPrivateKey, RSAAlgorithm)]
    kind: Any = next((reader for key, reader in kinds if isinstance(private, key)), OKPAlgorithm)
    return {**kind.to_jwk(private.public_key(), as_dict=True), **more}


def jwks(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


def ring(**settings: Any) -> KeyRing:
    return make_ring(KeySettings(own_secret=SECRET, **settings))


def token(private: Any, kid: str | None, algorithm: str = "ES256") -> str:
    return jwt.encode(GOOD, private, algorithm, headers={"kid": kid} if kid else None)


# ---- the server's own secret ----


def test_the_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    secret = load_or_make_secret(path)
    assert len(secret) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_make_secret(path) == secret
    assert os.listdir(tmp_path) == ["secret"]


def test_programs_that_start_at_the_same_time_share_one_secret(tmp_path: Path) -> None:
    found: list[bytes] = []
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait()
        found.append(load_or_make_secret(tmp_path / "secret"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_the_mode_of_a_readable_secret_is_corrected(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(SECRET)
    path.chmod(0o644)
    assert load_or_make_secret(path) == SECRET
    assert path.stat().st_mode & 0o777 == 0o600


def test_invalid_secrets(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"x" * 31)
    (tmp_path / "folder").mkdir()
    for name, why in (("short", "31 bytes"), ("folder", "directory"), ("missing/secret", "cannot make")):
        with pytest.raises(KeyProblem, match=why):
            load_or_make_secret(tmp_path / name)


# ---- the configuration ----


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"secret": "x" * 31}, "auth.secret: 31 bytes"),
        ({"secret": pem(OLD)}, "both configured|found a key"),
        ({"secret": "ssh-rsa " + "A" * 99}, "found a key"),
        ({"secret": json.dumps(jwk(OLD))}, "found a key"),
        ({"keys": {"a": "x" * 31}}, "auth.keys.a: 31 bytes"),
        ({"keys": {"a": "x" * 32, "b": pem(OLD)}}, "both configured"),
        ({"keys": {"chatd": "x" * 32}}, "taken"),
        ({"secret": "x" * 32, "public_key": pem(OLD)}, "both configured"),
        ({"secret": "x" * 32, "jwks_url": "https://id.example/keys"}, "both configured"),
        ({"algorithms": ("HS256", "RS256")}, "RS256 cannot be used with secrets"),
        ({"algorithms": ("none",)}, "none cannot"),
        ({"secret": "x" * 32, "algorithms": ("ES256",)}, "ES256 cannot"),
        ({"public_key": pem(OLD), "algorithms": ("HS256",)}, "HS256 cannot be used with public keys"),
        ({"public_key": pem(OLD), "algorithms": ("RS256",)}, "serves none of RS256"),
        ({"public_key": pem(ec.generate_private_key(ec.SECP256K1()))}, "serves none"),
        ({"public_key": pem(rsa.generate_private_key(public_exponent=65537, key_size=1024))}, "1024 bits"),
        ({"public_key": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"}, "not a public key"),
        ({"public_key": "nonsense"}, "not a public key"),
        ({"jwks": b"nonsense"}, "not a key set"),
        ({"jwks": b"[" * 100_000}, "not a key set"),
        ({"jwks": b'{"keys": 5}'}, "not a key set"),
        ({"jwks": jwks()}, "no usable"),
        ({"jwks": jwks(jwk(OLD, kid="a"), jwk(NEW, kid="a"))}, "same kid"),
        ({"jwks": jwks(jwk(OLD), jwk(NEW))}, "same kid"),
        ({"jwks": jwks(jwk(OLD, kid="a")), "keys": {"a": pem(NEW)}}, "of that name"),
    ],
)
def test_keys_that_are_rejected_at_the_start(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(KeyProblem, match=why) as caught:
        ring(**settings)
    assert "xxxxx" not in str(caught.value)
    assert "AAAA" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_private_key_is_rejected() -> None:
    private = OLD.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(KeyProblem, match="private"):
        ring(public_key=private)


def test_settings_and_keys_do_not_print_secrets() -> None:
    settings = KeySettings(own_secret=SECRET, secret="hidden" * 8, keys={"a": "hidden" * 8})
    made = make_ring(settings)
    for shown in (repr(settings), repr(made.own), repr(made.find("a")), repr(made.signer)):
        assert "hidden" not in shown
        assert SECRET.decode() not in shown


def test_a_certificate_gives_its_public_key() -> None:
    name = x509.Name([])
    day = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(name, name, OLD.public_key(), 5, day, day + datetime.timedelta(days=1))
    certificate = builder.sign(OLD, SHA256()).public_bytes(Encoding.PEM).decode()
    assert verify(ring(public_key=certificate), token(OLD, None)) == 7


# ---- key sets ----


def verify(made: KeyRing, text: str) -> int | str:
    return Verifier(made, ClaimRules(), now=lambda: NOW).verify(text).subject


def test_a_key_set_may_have_keys_of_all_types_and_unusable_ones_are_ignored() -> None:
    edwards = ed25519.Ed25519PrivateKey.generate()
    made = ring(
        jwks=jwks(
            jwk(OLD, kid="ec", alg="ES256", use="sig"),
            jwk(BIG, kid="rsa", key_ops=["verify"]),
            jwk(edwards, kid="ed"),
            jwk(NEW, kid="for encryption", use="enc"),
            jwk(NEW, kid="for another algorithm", alg="ES384"),
            jwk(NEW, kid="to sign", key_ops=["sign"]),
            {**ECAlgorithm.to_jwk(NEW, as_dict=True), "kid": "private"},
            {"kty": "oct", "k": "x" * 43, "kid": "secret"},
            {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "broken"},
            {"kty": ["EC"], "kid": "odd"},
            {"kty": "EC", "kid": 5},
            "no object",
        )
    )
    assert verify(made, token(OLD, "ec")) == verify(made, token(edwards, "ed", "EdDSA")) == 7
    assert verify(made, token(BIG, "rsa", "RS256")) == 7
    for kid in ("for encryption", "for another algorithm", "to sign", "private", "secret", "broken", "odd"):
        with pytest.raises(Refusal, match="not known"):
            verify(made, token(NEW, kid))


def test_a_key_serves_only_the_algorithm_that_its_set_names() -> None:
    made = ring(jwks=jwks(jwk(BIG, kid="a", alg="RS256")), algorithms=("RS256", "RS512"))
    assert verify(made, token(BIG, "a", "RS256")) == 7
    with pytest.raises(Refusal, match="signature"):
        verify(made, token(BIG, "a", "RS512"))


def test_a_token_without_kid_is_checked_with_the_only_key() -> None:
    assert verify(ring(jwks=jwks(jwk(OLD, kid="a"))), token(OLD, None)) == 7
    with pytest.raises(Refusal, match="not known"):
        verify(ring(jwks=jwks(jwk(OLD, kid="a"), jwk(NEW, kid="b"))), token(OLD, None))


# ---- the issuer's address ----


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
