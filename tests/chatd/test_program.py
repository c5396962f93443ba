"""The hints that the shell and the server print call the program by a name that works when it is pasted."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from chatd.cli import VERBS, main
from chatd.config.settings import Config
from chatd.program import program_name
from chatd.server.main import making_administrator

ROOT = Path(__file__).parents[3]


def program(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / "chatd"
    made.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m chatd "$@"\n')
    made.chmod(0o755)
    return made


def called_as(monkeypatch: pytest.MonkeyPatch, path: object, search: str) -> str:
    monkeypatch.setattr(sys, "argv", [str(path)])
    monkeypatch.setenv("PATH", search)
    return program_name()


def test_the_name_alone_where_the_shell_finds_this_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = program(tmp_path / "bin")
    assert called_as(monkeypatch, mine, f"/bin{os.pathsep}{mine.parent}") == "chatd"


def test_a_path_where_the_shell_finds_none_or_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mine, other = program(tmp_path / ".venv" / "bin"), program(tmp_path / "other")
    assert called_as(monkeypatch, mine, "/nowhere") == ".venv/bin/chatd"
    assert called_as(monkeypatch, ".venv/bin/chatd", str(other.parent)) == ".venv/bin/chatd"
    monkeypatch.chdir(other.parent)
    assert called_as(monkeypatch, mine, "/nowhere") == str(mine)
    assert called_as(monkeypatch, other, "/nowhere") == str(other)  # `chatd` alone is looked up in PATH


def test_a_path_with_a_space_can_be_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = program(tmp_path / "a b")
    name = called_as(monkeypatch, mine, os.environ["PATH"])
    done = subprocess.run(["sh", "-c", f"{name} version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout[:6]) == (0, "chatd ")


def test_python_m_chatd_is_named_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    assert called_as(monkeypatch, "/somewhere/chatd/__main__.py", "/nowhere") == f"{sys.executable} -m chatd"


def test_the_one_file_program_by_whatever_name_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = program(tmp_path).rename(tmp_path / "chatd-0.1")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(mine))
    assert called_as(monkeypatch, "chatd-0.1", "/nowhere") == str(mine)


def test_hints_help_and_first_steps_use_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert called_as(monkeypatch, program(tmp_path / "bin"), "/nowhere") == "bin/chatd"
    assert main(["config", "check", "-c", "absent.toml"]) == 2
    assert "(`bin/chatd init` writes one)" in capsys.readouterr().err
    for verb, usage in (("token", "usage: bin/chatd token USER"), ("notify", "usage: bin/chatd notify USER")):
        with pytest.raises(SystemExit):
            main([verb, "--help"])
        assert capsys.readouterr().out.startswith(usage)
    assert making_administrator(Config()) == "bin/chatd user add NAME --admin"


def test_no_text_names_a_verb_that_does_not_exist() -> None:
    words = {verb.name for verb in VERBS} | {"VERB"}
    for path in sorted((ROOT / "chatd").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                unknown = set(re.findall(r"[`(]chatd ([A-Za-z]+)", node.value)) - words
                assert not unknown, f"{path}, line {node.lineno}: {unknown}"
