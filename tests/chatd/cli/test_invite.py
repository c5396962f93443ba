"""`chatd invite` on real data: without a server, and beside a server through its control socket."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

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
from chatd.services.context import SHELL, anonymous
from chatd.store.compiled.schema import SCHEMA
from chatd.store.sqlite.database import Database
from protocol.commands import Register
from tests.chatd.accounts_app import dispatch_of


@pytest.fixture(autouse=True)
def in_folder_with_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    capsys.readouterr()


def test_before_the_first_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "add", "ann", "--no-password"]) == 0
    capsys.readouterr()
    assert main(["invite"]) == 0
    link = capsys.readouterr().out.strip()
    assert link.startswith("http://127.0.0.1:3000/#invite=")
    where = ["--set", "server.public_url=https://chat.example.org"]
    assert main(["invite", "--admin", "--uses", "3", "--ttl", "2h", "--json", *where]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["link"] == f"https://chat.example.org/#invite={made['token']}"
    assert main(["invite", "list", "--json"]) == 0
    one, other = json.loads(capsys.readouterr().out)
    assert (one["uses"], one["admin"], one["maker"]) == (1, False, "shell")
    assert (other["uses"], other["admin"]) == (3, True)
    assert other["expires"] - other["created"] == 7_200_000
    assert one["expires"] - one["created"] == 7 * 86_400_000
    assert main(["invite", "revoke", "1"]) == 0
    assert main(["invite", "list"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == ["id", "uses", "left", "role", "expires", "made", "by"]
    assert [line.split()[0] for line in printed[1:]] == ["2"]
    assert "administrator" in printed[1]


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["revoke", "7"], 1, "There is no invite 7"),
        (["revoke"], 2, "expected options for a new invite"),
        (["revoke", "seven"], 2, "expected options for a new invite"),
        (["list", "--admin"], 2, "expected options for a new invite"),
        (["nonsense"], 2, "expected options for a new invite"),
        (["--uses", "0"], 1, "An invite has 1 to 10000 uses"),
        (["--ttl", "366d"], 1, "The lifetime of an invite"),
    ],
)
def test_a_refusal_is_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, line: str) -> None:
    assert main(["user", "add", "ann", "--no-password"]) == 0
    capsys.readouterr()
    assert main(["invite", *arguments]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"chatd: {line}")
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize("ttl", ["0", "0s", "-1h", "nonsense"])
def test_a_bad_time_is_exit_code_2(capsys: pytest.CaptureFixture[str], ttl: str) -> None:
    with pytest.raises(SystemExit) as end:
        main(["invite", f"--ttl={ttl}"])
    assert end.value.code == 2


async def test_beside_a_running_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "data"
    async with Database.open(folder / "chatd.db", SCHEMA) as store, trio.open_nursery() as nursery:
        config, passwords = Config(), Passwords(Cost(memory_kib=8, passes=1))
        accounts = Accounts(config, store, open_identity(config, folder), passwords=passwords)
        dispatch = dispatch_of(config, store, accounts, CommandLimits(config), EventBus())
        account_admin = AccountAdmin(accounts, partial(dispatch.commit, SHELL), "http://127.0.0.1:4711")
        await nursery.start(partial(serve_control, folder / FILE_NAME, account_admin.handlers))
        assert await trio.to_thread.run_sync(main, ["invite", "--uses", "2"]) == 0
        address, _, token = capsys.readouterr().out.strip().partition("/#invite=")
        assert address == "http://127.0.0.1:4711"
        command = Register(name="ann", password="correct horse", invite=token)
        made = await dispatch.request(anonymous("192.0.2.1"), command)
        assert made is not None
        assert await trio.to_thread.run_sync(main, ["invite", "list"]) == 0
        assert capsys.readouterr().out.splitlines()[1].split()[:2] == ["1", "1"]
        nursery.cancel_scope.cancel()
