"""`chatd user` on real data: without a server, and beside a server through its control socket."""

from __future__ import annotations

import io
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from chatd.admin.accounts import AccountAdmin
from chatd.admin.control_socket import FILE_NAME, serve_control
from chatd.auth.identity import open_identity
from chatd.auth.passwords import Cost, Passwords
from chatd.cli import main
from chatd.config.settings import Config
from chatd.core.accounts import Accounts
from chatd.core.command_limits import CommandLimits
from chatd.realtime.event_bus import EventBus
from chatd.services.context import SHELL
from chatd.store.compiled.schema import SCHEMA
from chatd.store.sqlite.database import Database
from protocol.events import AccountClosed
from tests.chatd.accounts_app import dispatch_of

CHEAP = Cost(memory_kib=8, passes=1)


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("chatd.auth.passwords.Cost", lambda: CHEAP)


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def list_users(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["user", "list", "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_the_life_of_an_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init"]) == 0
    capsys.readouterr()
    typed(monkeypatch, "correct horse\n")
    assert main(["user", "add", "ada", "--admin", "--email", "a@b.example", "--display", "Ada L."]) == 0
    assert capsys.readouterr() == ("ada (id 1, administrator): made\n", "")
    (tmp_path / "word").write_text("another horse\nand more\n")
    assert main(["user", "add", "bob", "--password-file", "word"]) == 0
    ada, bob = list_users(capsys)
    assert (ada["display"], ada["email"], ada["admin"], bob["name"]) == ("Ada L.", "a@b.example", True, "bob")
    for arguments, printed in (
        (["disable", "bob"], "bob (id 2, user disabled): disabled"),
        (["enable", "2"], "bob (id 2, user): open again"),
        (["set", "bob", "--name", "bert", "--admin", "yes"], "bert (id 2, administrator): changed"),
        (["delete", "bert", "--yes"], "bert (id 2, administrator): deleted"),
    ):
        assert main(["user", *arguments]) == 0
        assert capsys.readouterr().out == f"{printed}\n"
    assert list_users(capsys) == [ada]
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["disable", "zed"], 1, "There is no user zed"),
        (["add", "ADA", "--no-password"], 1, "Another user has that name"),
        (["add", "a b", "--no-password"], 1, "The name is not valid; expected"),
        (["passwd", "ada", "--password-stdin"], 1, "The password must have 8 to 1024 bytes"),
        (
            ["passwd", "ada", "--password-file", "nowhere"],
            1,
            "--password-file: nowhere cannot be read (No such file or directory)",
        ),
        (["passwd", "ada", "--password-file", "latin"], 2, "latin is not UTF-8"),
        (["passwd", "ada", "--password-file", "empty"], 2, "no password on empty"),
        (
            ["list", "--set", "auth.secret=12345678901234567890123456789012", "--set", "auth.algorithms=RS256"],
            2,
            "auth",
        ),
        (["list", "--data", "latin"], 1, "data.directory: latin is a file; expected a folder"),
    ],
)
def test_a_refusal_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    line: str,
) -> None:
    assert main(["init"]) == 0
    assert main(["user", "add", "ada", "--no-password"]) == 0
    (tmp_path / "latin").write_bytes(b"\xe4\xf6\xfc\n")
    (tmp_path / "empty").write_bytes(b"\n")
    typed(monkeypatch, "short\n")
    capsys.readouterr()
    assert main(["user", *arguments]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"chatd: {line}")
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    "verb",
    [
        ["user", "list"],
        ["user", "add", "ada", "--no-password"],
        ["user", "add", "ada"],
        ["user", "passwd", "ada"],
        ["user", "disable", "ada"],
        ["user", "delete", "ada", "--yes"],
        ["token", "ada"],
        ["token", "check", "a.b.c"],
        ["token", "--service", "robot"],
        ["token", "--list"],
        ["notify", "--all", "Hello"],
    ],
)
def test_without_data_a_verb_names_the_folder_and_creates_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: list[str]
) -> None:
    monkeypatch.setattr("chatd.cli.user.read_password", lambda options: pytest.fail("asked for a password"))
    assert main(verb) == 1
    assert capsys.readouterr() == (
        "",
        f"chatd: no data in {tmp_path}/data (looked for chatd.db): run `chatd init` or `chatd serve` first, "
        "or name the folder with --data DIR\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_one_source_of_passwords(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["user", "add", "ada", "--no-password", "--password-stdin"])
    assert end.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


async def test_beside_a_running_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "data"
    async with Database.open(folder / "chatd.db", SCHEMA) as store, trio.open_nursery() as nursery:
        signed_out: list[int] = []
        bus = EventBus()
        bus.after(AccountClosed, lambda event: signed_out.append(event.user.number))
        config = Config()
        accounts = Accounts(config, store, open_identity(config, folder), passwords=Passwords(CHEAP))
        dispatch = dispatch_of(config, store, accounts, CommandLimits(config), bus)
        account_admin = AccountAdmin(accounts, partial(dispatch.commit, SHELL))
        await nursery.start(partial(serve_control, folder / FILE_NAME, account_admin.handlers))

        async def shell(*arguments: str) -> tuple[int, str, str]:
            code = await trio.to_thread.run_sync(main, arguments)
            return (code, *capsys.readouterr())

        assert await shell("user", "add", "ada", "--no-password") == (0, "ada (id 1, user): made\n", "")
        assert await shell("user", "disable", "ada") == (0, "ada (id 1, user disabled): disabled\n", "")
        assert signed_out == [1]
        assert await shell("user", "set", "bob", "--admin", "yes") == (1, "", "chatd: There is no user bob\n")
        assert await shell("token", "ada") == (1, "", "chatd: The account ada is disabled\n")
        assert (await shell("user", "enable", "ada"))[0] == 0
        code, token, _ = await shell("token", "ada", "--ttl", "1h")
        assert code == 0
        assert (await shell("token", "check", token.strip()))[1].startswith("valid: user 1 (ada), until ")
        nursery.cancel_scope.cancel()
