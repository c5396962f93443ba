"""`chatd user` and `chatd token` beside a running server: the calls that it receives, and the output."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatd.admin.control_socket import FILE_NAME, listen_at
from chatd.cli import main

ADA = {
    "id": 1,
    "name": "ada",
    "display": None,
    "email": "a@b.example",
    "admin": True,
    "disabled": False,
    "created": 1_800_000_000_000,
}
BOB = {**ADA, "id": 22, "name": "bob", "email": None, "admin": False, "disabled": True}
ANSWERS: dict[str, Any] = {
    "user.list": [ADA, BOB],
    "token.make": {"token": "t.o.k", "expires": 1_800_000_000},
    "token.check": {"user": 1, "name": "ada", "admin": True, "expires": 1_800_000_000},
}


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """The calls received by a server that answers each from ANSWERS."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    listening = listen_at(tmp_path / "data" / FILE_NAME)
    listening.settimeout(10)
    calls: list[dict[str, Any]] = []

    def serve() -> None:
        while True:
            connection, _ = listening.accept()
            with connection, connection.makefile("rb") as lines:
                line = lines.readline()
                if not line:
                    return
                calls.append(json.loads(line))
                refused = calls[-1]["arguments"].get("user") == "zed"
                answer = {"ok": True, "data": ANSWERS.get(calls[-1]["call"], ADA)}
                no = {"ok": False, "message": "There is no user zed"}
                connection.sendall(json.dumps(no if refused else answer).encode() + b"\n")

    thread = threading.Thread(target=serve)
    thread.start()
    yield calls
    with socket.socket(socket.AF_UNIX) as last:
        last.connect(str(tmp_path / "data" / FILE_NAME))
        last.shutdown(socket.SHUT_WR)
    thread.join()
    listening.close()


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_add_reads_the_password_from_standard_input(
    asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "correct horse\n")
    assert main(["user", "add", "ada", "--admin", "--email", "a@b.example"]) == 0
    account = {"name": "ada", "password": "correct horse", "email": "a@b.example", "display": None, "admin": True}
    assert asked == [{"call": "user.add", "arguments": account}]
    assert capsys.readouterr().out == "ada (id 1, administrator): made\n"


def test_add_without_a_password_needs_its_option(
    asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "")
    assert main(["user", "add", "ada"]) == 2
    assert capsys.readouterr().err == (
        "chatd: no password on standard input; expected one line (or `chatd user add --no-password`)\n"
    )
    assert main(["user", "add", "ada", "--no-password"]) == 0
    assert [call["arguments"]["password"] for call in asked] == [None]


def test_two_different_passwords_change_nothing(
    asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    passwords = iter(["one", "two"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(passwords))
    assert main(["user", "passwd", "ada"]) == 1
    assert "differ; nothing changed" in capsys.readouterr().err
    assert asked == []


def test_list_in_columns_and_as_json(asked: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "id  name  email        role           created",
        "1   ada   a@b.example  administrator  2027-01-15 08:00",
        "22  bob   -            user disabled  2027-01-15 08:00",
    ]
    assert main(["user", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [ADA, BOB]


@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        (["set", "ada", "--admin", "no"], {"call": "user.set", "arguments": {"user": "ada", "admin": False}}),
        (["set", "7", "--display", "Ada L."], {"call": "user.set", "arguments": {"user": "7", "display": "Ada L."}}),
        (["set", "ada", "--disabled", "no"], {"call": "user.set", "arguments": {"user": "ada", "disabled": False}}),
        (["set", "ada", "--name", "bob"], {"call": "user.set", "arguments": {"user": "ada", "name": "bob"}}),
        (["enable", "ada"], {"call": "user.set", "arguments": {"user": "ada", "disabled": False}}),
        (["disable", "ada"], {"call": "user.set", "arguments": {"user": "ada", "disabled": True}}),
        (["delete", "ada", "--yes"], {"call": "user.delete", "arguments": {"user": "ada"}}),
    ],
)
def test_each_action_makes_its_call(asked: list[dict[str, Any]], arguments: list[str], call: dict[str, Any]) -> None:
    assert main(["user", *arguments]) == 0
    assert asked == [call]


def test_deleting_needs_a_confirmation(
    asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "")
    assert main(["user", "delete", "ada"]) == 2
    assert main(["user", "set", "ada"]) == 2
    assert asked == []


def test_a_refusal_is_one_line_and_exit_code_1(asked: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "disable", "zed"]) == 1
    assert capsys.readouterr().err == "chatd: There is no user zed\n"


def test_a_token_is_printed_alone(asked: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "ada", "--ttl", "1h", "--admin"]) == 0
    assert main(["token", "check"]) == 0  # a user may have this name
    assert capsys.readouterr().out == "t.o.k\nt.o.k\n"
    assert [call["arguments"] for call in asked] == [
        {"user": "ada", "ttl": 3600.0, "admin": True},
        {"user": "check", "ttl": 900.0, "admin": False},
    ]


def test_a_token_is_checked(asked: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "check", "t.o.k"]) == 0
    assert asked == [{"call": "token.check", "arguments": {"token": "t.o.k"}}]
    assert capsys.readouterr().out == "valid: user 1 (ada), administrator, until 2027-01-15 08:00:00+00:00\n"


def test_a_bad_time_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["token", "ada", "--ttl", "soon"])
    assert end.value.code == 2
    assert "'soon' is not a time" in capsys.readouterr().err
