"""One event is one line, without control characters and without secrets."""

from __future__ import annotations

import datetime
import io
import json
import logging
from collections.abc import Callable

import pytest

from chatd.telemetry.log import Log, adopt_logging, log

STAMP = "2026-01-02T03:04:05.678Z"


@pytest.fixture
def written() -> tuple[Log, Callable[[], str]]:
    stream = io.StringIO()
    made = Log(stream)
    made.clock = lambda: datetime.datetime(2026, 1, 2, 3, 4, 5, 678999, tzinfo=datetime.UTC)
    return made, stream.getvalue


Written = tuple[Log, Callable[[], str]]


def test_text_for_people(written: Written) -> None:
    made, text = written
    made.info("socket closed", code=1000, address="::1", reason="bye now", empty="", gone=None)
    assert text() == f'{STAMP} info    socket closed code=1000 address=::1 reason="bye now" empty="" gone=null\n'


def test_json_for_machines(written: Written) -> None:
    made, text = written
    made.configure("json", "info")
    made.warning("slow", bytes=5, who="ünï")
    assert json.loads(text()) == {"time": STAMP, "level": "warning", "event": "slow", "bytes": 5, "who": "ünï"}
    assert text().count("\n") == 1


@pytest.mark.parametrize("format", ["text", "json"])
def test_control_characters_are_escaped(written: Written, format: str) -> None:
    made, text = written
    made.configure(format, "info")
    made.info("a\nb", path="x\r\n2026 error faked\x1b[2J\u2028\u202e\ud800", raw=b"\x00\xff")
    line = text()
    assert line.endswith("\n")
    assert line[:-1].isprintable()
    assert "\\n2026 error faked" in line.replace("\\\\", "\\")


def test_the_level_decides_what_is_written(written: Written) -> None:
    made, text = written
    made.configure("text", "warning")
    made.debug("one")
    made.info("two")
    made.warning("three")
    made.error("four")
    assert [line.split()[2] for line in text().splitlines()] == ["three", "four"]


@pytest.mark.parametrize(
    "values",
    [
        {"token": "canary"},
        {"Authorization": "canary"},
        {"old_password": "canary"},
        {"path": "/chat?token=canary&x=1"},
        {"path": "/chat?x=1&access_token=canary"},
        {"subprotocols": "chatd.jsonrpc, bearer.canary"},
        {"header": "Bearer canary"},
        {"note": "got eyJhbGciOiJIUzI1NiJ9.canary.canary"},
    ],
)
def test_secrets_are_hidden(written: Written, values: dict[str, str]) -> None:
    made, text = written
    made.info("asked", **values)
    assert "canary" not in text()


def test_long_values_are_cut(written: Written) -> None:
    made, text = written
    made.info("long", value="x" * 5000)
    assert len(text()) < 600


def test_a_fault_is_one_line_with_its_place(written: Written) -> None:
    made, text = written
    try:
        raise ValueError("no\ngood")
    except ValueError as problem:
        made.fault("connection failed", problem, connection=7)
    assert text().count("\n") == 1
    assert 'connection=7 problem="ValueError: no\\\\ngood" at=test_log.py:' in text()


def test_a_closed_stream_ends_nothing() -> None:
    stream = io.StringIO()
    stream.close()
    Log(stream).info("a lost line")


def test_the_log_of_the_server_writes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    log.error("here")
    assert " error   here\n" in capsys.readouterr().err


def test_python_s_logging_speaks_through_the_log(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    made, text = written
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    monkeypatch.setattr(root, "level", root.level)
    adopt_logging(made)
    logging.getLogger("elsewhere").warning("odd %s", "thing\n")
    logging.getLogger("elsewhere").debug("not worth a line")
    try:
        raise KeyError("x")
    except KeyError:
        logging.getLogger("elsewhere").exception("broke")
    first, second = text().splitlines()
    assert first == f"{STAMP} warning odd thing\\n logger=elsewhere"
    assert second.startswith(f"{STAMP} error   broke logger=elsewhere problem=\"KeyError: 'x'\" at=test_log.py:")


def test_what_is_announced_is_bare_in_text_and_an_event_in_json(written: Written) -> None:
    made, text = written
    made.configure("text", "error")
    made.announce("chatd 1.0 listening on http://127.0.0.1:3000")
    assert text() == "chatd 1.0 listening on http://127.0.0.1:3000\n"
    made.configure("json", "error")
    made.announce("chatd 1.0 listening on http://127.0.0.1:3000")
    line = json.loads(text().splitlines()[1])
    assert line == {"time": STAMP, "level": "info", "event": "chatd 1.0 listening on http://127.0.0.1:3000"}
