"""The log: one line for each event, for people or for machines, on standard error.

An event is a short text and named values; never a body, never a token. Everything that came from outside is escaped. So
one event is one line, and no value can move a terminal's cursor. Values with the name of a secret are hidden, as a
second line of defence: no caller should log them.
"""

from __future__ import annotations

import datetime
import json
import logging
import re
import sys
import traceback
from collections.abc import Callable
from typing import Any, TextIO

from chatd.telemetry import metrics
from chatd.telemetry.redact import redact

LEVELS = ("debug", "info", "warning", "error")
NUMBERS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
SECRET_NAMES = re.compile(r"token|password|secret|authorization|cookie", re.IGNORECASE)
BEARER = re.compile(r"(?i)\b(bearer[ .+]+)[^\s&\"']+")
HIDDEN = "(hidden)"
MAX_VALUE_CHARACTERS = 500
PLAIN = re.compile(r"[^\s\"=]+")


class Log:
    """Writes lines of at least one level to a stream. The server uses `log`, below; tests make their own."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream
        self.lowest_level = LEVELS.index("info")
        self._format: Callable[[str, str, dict[str, Any]], str] = as_text
        self.clock: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)

    def configure(self, format: str, level: str) -> None:
        """Use these settings from now on."""
        self._format = as_json if format == "json" else as_text
        self.lowest_level = LEVELS.index(level)

    def debug(self, event: str, **values: Any) -> None:
        self.write("debug", event, values)

    def info(self, event: str, **values: Any) -> None:
        self.write("info", event, values)

    def warning(self, event: str, **values: Any) -> None:
        self.write("warning", event, values)

    def error(self, event: str, **values: Any) -> None:
        self.write("error", event, values)

    def fault(self, event: str, problem: BaseException, **values: Any) -> None:
        """Log an exception that is a fault of chatd: its type, its text, and where it was raised, in one line."""
        kind = type(problem).__name__
        self.write("error", event, {**values, "problem": f"{kind}: {problem}", "at": whereabouts(problem)})

    def write(self, level: str, event: str, values: dict[str, Any]) -> None:
        """Write one line, if its level is high enough. A broken stream is no error: the server continues."""
        metrics.LOG_LINES.add(level)
        if LEVELS.index(level) < self.lowest_level:
            return
        stamp = self._stamp()
        safe = {name: guarded(name, value) for name, value in values.items()}
        self._print(self._format(stamp, level, {"event": cleaned(event), **safe}))

    def announce(self, text: str, level: str = "info") -> None:
        """Write a line for the user who started the server, at any level: the bare text, or an event in JSON."""
        if self._format is as_json:
            text = as_json(self._stamp(), level, {"event": text})
        self._print(text)

    def _stamp(self) -> str:
        return self.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _print(self, line: str) -> None:
        try:
            stream = self.stream or sys.stderr
            stream.write(line + "\n")
            stream.flush()
        except (OSError, ValueError):
            pass


class LogHandler(logging.Handler):
    """Writes the records of Python's logging, of libraries and of chatd's lower folders, to this log."""

    def __init__(self, to: Log) -> None:
        super().__init__()
        self.to = to

    def emit(self, record: logging.LogRecord) -> None:
        level = next((word for word in reversed(LEVELS) if record.levelno >= NUMBERS[word]), "debug")
        values: dict[str, Any] = {"logger": record.name}
        problem = record.exc_info[1] if record.exc_info else None
        if problem is not None:
            values |= {"problem": f"{type(problem).__name__}: {problem}", "at": whereabouts(problem)}
        self.to.write(level, record.getMessage(), values)


def adopt_logging(to: Log) -> None:
    """Send all records of Python's logging to the log `to`, from its level on."""
    root = logging.getLogger()
    root.handlers[:] = [LogHandler(to)]
    root.setLevel(NUMBERS[LEVELS[to.lowest_level]])


def whereabouts(problem: BaseException) -> str:
    """The last frames of a traceback, innermost first: `acceptor.py:120 < main.py:33`."""
    frames = traceback.extract_tb(problem.__traceback__)[-4:]
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))


def guarded(name: str, value: Any) -> Any:
    """The value in a form that may be logged."""
    if SECRET_NAMES.search(name):
        return HIDDEN
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return cleaned(value.decode("latin-1") if isinstance(value, bytes) else str(value))


def cleaned(text: str) -> str:
    """The text without tokens and control characters, cut to MAX_VALUE_CHARACTERS."""
    text = BEARER.sub(rf"\1{HIDDEN}", redact(text[: 4 * MAX_VALUE_CHARACTERS]))
    text = text if len(text) <= MAX_VALUE_CHARACTERS else f"{text[:MAX_VALUE_CHARACTERS]}…"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def as_text(stamp: str, level: str, values: dict[str, Any]) -> str:
    """`2026-01-01T00:00:00.000Z info listening address=127.0.0.1`."""
    pairs = [f"{name}={quoted(value)}" for name, value in values.items() if name != "event"]
    return " ".join([stamp, f"{level:7}", values["event"], *pairs])


def quoted(value: Any) -> str:
    """The value as it is, or in JSON's quotes where it would be ambiguous."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text if PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def as_json(stamp: str, level: str, values: dict[str, Any]) -> str:
    """The line as one JSON object."""
    return json.dumps({"time": stamp, "level": level, **values}, ensure_ascii=False)


log = Log()
