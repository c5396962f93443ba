"""Failing starts: one line with the fault and its remedy, the right exit code, no traceback."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.outside.server import Chatd


def refused(server: Chatd, *words: str, code: int) -> str:
    """A start that must fail with that code; its one line."""
    ran = subprocess.run(
        server.command("serve", "--port", "0", *words), capture_output=True, text=True, timeout=30, check=False
    )
    assert ran.returncode == code, ran.stderr
    assert "Traceback" not in ran.stderr
    lines = ran.stderr.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("chatd: ")
    return lines[0]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a server that has run once."""
    server = Chatd(tmp_path_factory.mktemp("left")).start()
    try:
        assert server.stop() == 0
    finally:
        server.end()
    return server.data


def test_a_second_server_on_the_same_data_names_the_first(tmp_path: Path) -> None:
    server = Chatd(tmp_path).start()
    try:
        assert f"pid {server.process.pid}" in refused(server, code=1)
        assert server.alive
        assert server.stop() == 0
        assert server.faults == []
    finally:
        server.end()


def read_only_folder(server: Chatd) -> None:
    server.data.chmod(0o500)


def read_only_file(server: Chatd) -> None:
    (server.data / "chatd.db").chmod(0o400)


def a_corrupt_header(server: Chatd) -> None:
    with (server.data / "chatd.db").open("r+b") as file:
        file.write(os.urandom(100))


def a_folder_instead(server: Chatd) -> None:
    (server.data / "chatd.db").unlink()
    (server.data / "chatd.db").mkdir()


def a_database_of_another_program(server: Chatd) -> None:
    (server.data / "chatd.db").unlink()
    with sqlite3.connect(server.data / "chatd.db") as database:
        database.execute("CREATE TABLE recipes (id INTEGER PRIMARY KEY)")
    database.close()


def a_newer_schema(server: Chatd) -> None:
    with sqlite3.connect(server.data / "chatd.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (read_only_folder, "read-only"),
        (read_only_file, "read-only"),
        (a_corrupt_header, "not a database"),
        (a_folder_instead, "chatd.db"),
        (a_database_of_another_program, "chatd.db"),
        (a_newer_schema, "9999"),
    ],
)
def test_data_that_cannot_be_served(left: Path, tmp_path: Path, harm: Callable[[Chatd], None], says: str) -> None:
    server = Chatd(tmp_path)
    shutil.copytree(left, server.data, ignore=shutil.ignore_patterns("*.sock"))
    harm(server)
    try:
        line = refused(server, code=1)
    finally:
        server.data.chmod(0o700)
    assert says in line
    assert str(server.data) in line


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert port in refused(Chatd(tmp_path), "--port", port, code=1)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--set", "server.prot=3000"], ["server.prot"]),
        (["--set", "server.port=many"], ["server.port", "many"]),
        (["--set", "server.port=70000"], ["server.port", "70000"]),
        (["--set", "limits.message_bytes=-1"], ["limits.message_bytes"]),
        (["--set", "auth.secret=short"], ["auth.secret", "32"]),
        (["--dialect", "/chat=klingon"], ["klingon"]),
        (["--set", "server.tls_certificate=/nowhere.pem"], ["server.tls_key"]),
        (["-c", "/nowhere/chatd.toml"], ["/nowhere/chatd.toml"]),
        (["--insecure-userid", "--host", "0.0.0.0"], ["insecure"]),
    ],
)
def test_a_configuration_that_makes_no_sense(tmp_path: Path, words: Sequence[str], says: list[str]) -> None:
    line = refused(Chatd(tmp_path), *words, code=2)
    for word in says:
        assert word in line
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[server\n", "line 1"),
        ("[server]\nport = 3000\nport = 3001\n", "line 3"),
        ('[limits]\n\nmessage_bytes = "a lot"\n', "message_bytes"),
        ("[server]\nhots = 'x'\n", "hots"),
        ("\xff", "UTF-8"),
    ],
)
def test_a_configuration_file_that_makes_no_sense(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "chatd.toml"
    file.write_bytes(text.encode("latin-1"))
    line = refused(Chatd(tmp_path), "-c", str(file), code=2)
    assert str(file) in line
    assert says in line


def test_with_json_every_line_is_json_from_the_first_on(tmp_path: Path) -> None:
    server = Chatd(tmp_path, {"log.format": "json", "server.unix": str(tmp_path / "chatd.sock")})
    with subprocess.Popen(server.command("serve", "--port", "0"), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = [json.loads(process.stderr.readline())]
        while " listening on " not in lines[-1]["event"]:
            lines.append(json.loads(process.stderr.readline()))
        assert 'add "unix" to server.trusted_proxies' in lines[0]["event"]
        process.terminate()
        for line in process.stderr:
            json.loads(line)
        assert process.wait(15) == 0
