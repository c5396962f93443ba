"""The command line: exit codes, one line for each error, and no import that is not needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from chatd import __version__
from chatd.cli import VERBS, CommandFailed, explain, main
from chatd.cli.init import CHECKOUT_MARKER
from protocol.errors import CONFLICT, Refusal

ROOT = Path(__file__).parents[3]
HEAVY = ("trio", "sqlalchemy", "quart", "msgspec", "jwt", "aiosqlite", "websockets", "h11", "chatd.config.load")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CHATD_SERVER__PORT", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([verb.name, "--help"] for verb in VERBS)])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom chatd.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\nassert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    printed = capsys.readouterr().out
    for verb in VERBS:
        assert f"    {verb.name} " in printed
        assert verb.about in printed


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["--nonsense"],
        ["serve", "--nonsense"],
        ["serve", "--set", "x"],
        ["serve", "--dialect", "x"],
        ["config"],
        ["config", "nonsense"],
        ["init", "more"],
    ],
)
def test_wrong_use_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "chatd" in capsys.readouterr().err


def test_python_m_chatd_is_chatd() -> None:
    done = subprocess.run([sys.executable, "-m", "chatd", "version"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"chatd {__version__}\n", "")


# ---- init


def test_init_writes_the_committed_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init"]) == 0
    assert (tmp_path / "chatd.toml").read_text("utf-8") == (ROOT / "chatd.toml").read_text("utf-8")
    assert capsys.readouterr().out.splitlines() == [
        "chatd.toml: written; it lists every setting as a comment, with its default",
        "data: created, with an empty database and a new secret",
    ]
    assert {path.name for path in (tmp_path / "data").iterdir()} >= {"chatd.db", "secret"}
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert main(["config", "check"]) == 0


def test_init_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "chatd.toml").write_text("# mine\n[data]\ndirectory = 'store'\n")
    assert main(["init"]) == 0
    assert capsys.readouterr().out == "store: created, with an empty database and a new secret\n"
    secret = (tmp_path / "store" / "secret").read_bytes()
    assert main(["init"]) == 1
    assert (tmp_path / "chatd.toml").read_text().startswith("# mine")
    assert (tmp_path / "store" / "secret").read_bytes() == secret
    assert capsys.readouterr().err == (
        "chatd: chatd.toml: exists already, and so does the data in store; "
        "`chatd config default` prints a fresh configuration\n"
    )


def test_init_in_a_checkout_writes_the_file_that_git_ignores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = (ROOT / "chatd.toml").read_text("utf-8")
    (tmp_path / "chatd.toml").write_text(shipped, "utf-8")
    marker = tmp_path / CHECKOUT_MARKER
    marker.parent.mkdir(parents=True)
    marker.touch()
    assert (ROOT / CHECKOUT_MARKER).exists()
    assert main(["init"]) == 0
    assert capsys.readouterr().out.startswith("chatd.local.toml: written; for your own settings; ")
    assert (tmp_path / "chatd.toml").read_text("utf-8") == shipped
    assert main(["config", "check"]) == 0
    assert capsys.readouterr().out == "fine: chatd.toml, chatd.local.toml, 0 settings that are not the default\n"
    assert "/chatd.local.toml" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


# ---- config


def test_config_default_is_what_init_writes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "default"]) == 0
    assert capsys.readouterr().out == (ROOT / "chatd.toml").read_text("utf-8")


@pytest.mark.parametrize("word", ["check", "show", "env"])
def test_a_bad_configuration_is_one_line_and_2(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", word, "--port", "x"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == 'chatd: --port: server.port is "x"; expected a whole number from 0 to 65535\n'


def test_check_prints_a_note_on_every_origin(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", "--set", "server.allowed_origins=*"]) == 0
    fine, note = capsys.readouterr().out.splitlines()
    assert fine.startswith("fine: ")
    assert note.startswith('note: server.allowed_origins is "*": ')
    assert "withCredentials" in note


def test_serve_refuses_a_bad_configuration_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "chatd.toml").write_text("[server]\nprt = 1\n")
    assert main(["serve"]) == 2
    assert capsys.readouterr().err == (
        "chatd: chatd.toml, line 2: server.prt is not a setting; did you mean server.port?\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["chatd.toml"]


def test_config_takes_every_kind_of_flag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.toml").write_text("[limits]\npage = 99\n")
    flags = ["-c", "other.toml", "--host", "::1", "--port", "0", "--data", "d", "--dialect", "/x=colon"]
    assert main(["config", "show", *flags, "--set", "log.level=debug"]) == 0
    lines = [line.split("#") for line in capsys.readouterr().out.splitlines() if "#" in line]
    given = {line[0].strip(): line[1].strip() for line in lines if line[1].strip() != "default"}
    assert given == {
        'host = "::1"': "--host",
        "port = 0": "--port",
        'directory = "d"': "--data",
        '"/x" = "colon"': "--dialect",
        'level = "debug"': "--set",
        "page = 99": "other.toml, line 2",
    }


# ---- dialects


def test_dialects_lists_them_and_prints_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dialects"]) == 0
    assert "colon" in capsys.readouterr().out
    assert main(["dialects", "colon"]) == 0
    printed = capsys.readouterr().out
    assert "message:send" in printed
    assert "/conversations/{conversationId}/messages" in printed


def test_an_unknown_dialect_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dialects", "klingon"]) == 2
    assert capsys.readouterr().err.startswith("chatd: there is no dialect 'klingon'; expected one of ")


# ---- errors


@pytest.mark.parametrize(
    ("problem", "code", "line"),
    [
        (CommandFailed("no"), 1, "no"),
        (Refusal(CONFLICT, "There already"), 1, "There already"),
        (PermissionError(13, "Permission denied", "data"), 1, "data: Permission denied"),
        (OSError("odd"), 1, "odd"),
    ],
)
def test_errors_of_the_user_and_the_machine_have_a_line(problem: Exception, code: int, line: str) -> None:
    assert explain(problem) == (code, line)


def test_a_bug_in_chatd_is_not_hidden() -> None:
    assert explain(ZeroDivisionError()) is None


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m chatd config default | true"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == ""


def test_an_interrupt_prints_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(options: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("chatd.cli.version.run", interrupted)
    assert main(["version"]) == 1
    assert capsys.readouterr() == ("", "")
