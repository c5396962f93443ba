"""`chatd token` on real data, without a running server."""

from __future__ import annotations

import io
from pathlib import Path

import jwt
import pytest

from chatd.cli import main


@pytest.fixture(autouse=True)
def data_with_ada(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    assert main(["user", "add", "ada", "--no-password"]) == 0
    capsys.readouterr()


def made(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["token", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("\n") == 1
    return str(out.strip())


def test_only_the_token_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = made(capsys, "ada", "--ttl", "1h")
    claims = jwt.decode(token, (tmp_path / "data" / "secret").read_bytes(), algorithms=["HS256"])
    assert (claims["sub"], claims["name"], "role" in claims) == ("1", "ada", False)
    assert 3600 <= claims["exp"] - claims["iat"] <= 3602
    assert "administrator" not in checked(capsys, token)
    assert "administrator" in checked(capsys, made(capsys, "1", "--admin"))


def checked(capsys: pytest.CaptureFixture[str], token: str) -> str:
    assert main(["token", "check", token]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("valid: user 1 (ada)")
    return str(printed)


def test_from_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{made(capsys, 'ada')}\n"))
    checked(capsys, "-")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["zed"], "There is no user zed"),
        (["2"], "There is no user 2"),
        (["check", "nonsense"], "The token"),
        (["check", ""], "The token"),
        (["ada", "--ttl", "100000d"], "A token lasts more than nothing and at most ten years"),
    ],
)
def test_a_refusal_is_one_line_and_exit_code_1(
    capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    assert main(["token", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"chatd: {line}")
    assert err.count("\n") == 1


def test_a_token_of_a_closed_account(capsys: pytest.CaptureFixture[str]) -> None:
    token = made(capsys, "ada")
    assert main(["user", "disable", "ada"]) == 0
    capsys.readouterr()
    assert main(["token", "check", token]) == 1
    assert capsys.readouterr() == ("", "chatd: This account is disabled\n")
    assert main(["token", "ada"]) == 1


def test_a_foreign_token(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "a secret that is shared with an issuer"
    monkeypatch.setenv("CHATD_AUTH__SECRET", secret)
    token = jwt.encode({"sub": "abc", "name": "Bob", "exp": 4_000_000_000}, secret, "HS256")
    assert main(["token", "check", token]) == 0
    assert capsys.readouterr().out == "valid: user abc (Bob), until 2096-10-02 07:06:40+00:00\n"
    assert main(["token", "check", token, "--set", "auth.provision=off"]) == 1
    assert capsys.readouterr().err == "chatd: The token names a user who does not exist here\n"
