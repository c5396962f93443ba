"""Prepare a running chatd: tokens, users and conversations, over REST as a client does.

The runner and chatd share a secret. So the runner makes the access tokens itself, as a foreign issuer does, and chatd
makes a user for each new token.
"""

import base64
import hashlib
import hmac
import http.client
import json
import shutil
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import seeds
from .load import Crowd
from .seeds import Seed
from .servers import BUILD, ROOT, Server, start
from .workloads import Kind, Workload

SECRET = "a-benchmark-secret-that-guards-nothing-0123456789"
ENVIRONMENT = {"CHATD_AUTH__SECRET": SECRET}
FIRST_USER = 1000
PARTICIPANTS = 1000  # of one request; further ones are added one by one


class RequestRefused(Exception):
    """chatd rejected one of the preparing requests."""


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def mint(user: int, lifetime: int = 7200) -> str:
    now = int(time.time())
    parts = ({"alg": "HS256", "typ": "JWT"}, {"user_id": user, "iat": now, "exp": now + lifetime})
    signed = ".".join(_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    mac = hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256)
    return f"{signed}.{_base64url(mac)}"


@dataclass
class RestConnection:
    """One kept-alive REST connection to chatd."""

    port: int

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(self, method: str, path: str, token: str, body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body)
        self._connection.request(method, path, content, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RequestRefused(f"{method} {path}: {answer.status} {text[:200]!r}")
        return json.loads(text) if text else None


def make_conversation(connection: RestConnection, users: list[int]) -> str:
    """A group of these users; the first one owns it."""
    owner = mint(users[0])
    made = connection.ask("POST", "/conversations", owner, {"type": "group", "participants": users[:PARTICIPANTS]})
    for user in users[PARTICIPANTS:]:
        connection.ask("POST", f"/conversations/{made['_id']}/members", owner, {"userId": user})
    return str(made["_id"])


def make_users(port: int, users: list[int]) -> RestConnection:
    connection = RestConnection(port)
    for user in users:
        connection.ask("GET", "/users/me", mint(user))
    return connection


def write_tokens(data: Path, users: list[int]) -> Path:
    path = data / "tokens"
    path.write_text("".join(f"{mint(user)}\n" for user in users))
    return path


def prepare(workload: Workload, port: int, data: Path) -> Crowd:
    """Tokens for every connection, and a conversation for every room unless the connections are idle."""
    rest = workload.kind is Kind.REST
    if not workload.members:
        return Crowd()
    users = [FIRST_USER] if rest else list(range(FIRST_USER, FIRST_USER + workload.rooms * workload.members))
    tokens = write_tokens(data, users)
    if workload.kind is Kind.IDLE:
        make_users(port, users[:1])  # what chatd imports at its first request is not a connection's cost
        return Crowd(tokens=tokens)
    connection = make_users(port, users)
    size = 1 if rest else workload.members
    rooms = [make_conversation(connection, users[at : at + size]) for at in range(0, len(users), size)]
    conversations = data / "conversations"
    conversations.write_text("".join(f"{room}\n" for room in rooms))
    return Crowd(tokens, conversations, rooms[0])


def schema_mark() -> int:
    """A digest of the schema: a kept store of another schema is not used."""
    return zlib.crc32((ROOT / "chatd" / "store" / "compiled" / "schema.py").read_bytes())


def prepare_seeded(server: Server, seed: Seed, core: int, data: Path) -> Crowd:
    """A store with a history. It is filled once and copied later. chatd must not run yet."""
    kept = BUILD / "seeded" / f"{seed.name}-{schema_mark():08x}"
    if not kept.exists():
        with start(server, core, data, ENVIRONMENT) as running:
            make_users(running.port, [FIRST_USER, FIRST_USER + 1])
        seeds.keep(data, kept, seeds.fill(data / "chatd.db", seed, FIRST_USER, FIRST_USER + 1))
    else:
        shutil.copy(kept / "chatd.db", data)
    return Crowd(write_tokens(data, [FIRST_USER]), None, (kept / "conversation").read_text())
