"""The first start of a server without users: one line with a link that makes the first administrator, once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.outside.server import Chatd

ACCOUNT = {"username": "ann", "password": "correct horse"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Chatd]:
    chatd = Chatd(tmp_path, {"auth.registration": "invite", "log.format": "json"})
    del chatd.settings["auth.secret"]
    try:
        yield chatd
        assert chatd.faults == []
    finally:
        chatd.end()


def register(server: Chatd, account: dict[str, Any]) -> tuple[int, Any]:
    body = json.dumps(account).encode()
    try:
        with urlopen(Request(f"http://{server.address}/auth/register", body), timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as problem:
        with problem:
            return problem.code, json.loads(problem.read())


def setup_line(server: Chatd) -> str:
    server.stop()
    lines = [line for line in server.log if "no user yet" in line]
    server.log.clear()
    assert len(lines) == 1
    return lines[0]


def token_in(line: str) -> str:
    return line.partition("/#setup=")[2].split()[0]


def test_the_setup_link(server: Chatd) -> None:
    old = token_in(setup_line(server.start()))
    server.start()
    assert register(server, {**ACCOUNT, "invite": old})[0] == 403, "a restart makes another"
    line = setup_line(server)
    assert f"http://{server.address}/#setup=" in line
    assert "user add NAME --admin" in line
    assert f"--data {server.data}" in line
    server.start()
    shown = next(line for line in iter_log(server) if "/#setup=" in line)
    assert register(server, ACCOUNT)[0] == 403
    status, made = register(server, {**ACCOUNT, "invite": token_in(shown)})
    assert status == 201
    assert server.run("token", "check", made["accessToken"]).stdout.startswith("valid: user 1 (ann), administrator")
    assert register(server, {"username": "eve", "password": "correct horse", "invite": token_in(shown)})[0] == 403
    assert server.stop() == 0
    assert not any(token_in(shown) in line for line in server.log if line != shown)
    server.log.clear()
    assert server.start().stop() == 0
    assert not any("no user yet" in line for line in server.log)


def iter_log(server: Chatd) -> Iterator[str]:
    """The lines as they come. The link comes right after the ready line."""
    at, until = 0, time.monotonic() + 10
    while time.monotonic() < until:
        if at < len(server.log):
            yield server.log[at]
            at += 1
        else:
            time.sleep(0.01)
