"""The log: one line an event, for people or for machines, on standard error.

An event is a few words and named values; never a body, never a token. Everything that came from outside is escaped,
so that one event stays one line and nothing in it can move a terminal's cursor. Values whose names sound secret are
hidden, as a second line of defence: the first is not to log them.
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
LONGEST = 500
PLAIN = re.compile(r"[^\s\"=]+")


class Log:
    """Where lines go and which are worth one. There is one, `log`, below; tests make their own."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream
        self.least = LEVELS.index("info")
        self.spell: Callable[[str, str, dict[str, Any]], str] = as_text
        self.clock: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)

    def configure(self, format: str, level: str) -> None:
        """Take up `[log]`; may be called again at any time."""
        self.spell = as_json if format == "json" else as_text
        self.least = LEVELS.index(level)

    def debug(self, event: str, **values: Any) -> None:
        self.write("debug", event, values)

    def info(self, event: str, **values: Any) -> None:
        self.write("info", event, values)

    def warning(self, event: str, **values: Any) -> None:
        self.write("warning", event, values)

    def error(self, event: str, **values: Any) -> None:
        self.write("error", event, values)

    def fault(self, event: str, problem: BaseException, **values: Any) -> None:
        """A fault of chatd's own: its kind, its words, and where it happened, still in one line."""
        kind = type(problem).__name__
        self.write("error", event, {**values, "problem": f"{kind}: {problem}", "at": whereabouts(problem)})

    def write(self, level: str, event: str, values: dict[str, Any]) -> None:
        """One line, if it is worth one. A log that nobody reads any more ends nothing."""
        metrics.LOG_LINES.add(level)
        if LEVELS.index(level) < self.least:
            return
        stamp = self._stamp()
        safe = {name: guarded(name, value) for name, value in values.items()}
        self._print(self.spell(stamp, level, {"event": cleaned(event), **safe}))

    def announce(self, text: str, level: str = "info") -> None:
        """A line for whoever started the server, at any level: the bare text, or an event among the others in JSON."""
        if self.spell is as_json:
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


class Bridge(logging.Handler):
    """What libraries and the house's own rooms say through Python's logging becomes lines of this log."""

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
    """Make Python's logging speak through `to`; its level then decides."""
    root = logging.getLogger()
    root.handlers[:] = [Bridge(to)]
    root.setLevel(NUMBERS[LEVELS[to.least]])


def whereabouts(problem: BaseException) -> str:
    """`front.py:120 < main.py:33`: the last frames of a traceback, innermost first."""
    frames = traceback.extract_tb(problem.__traceback__)[-4:]
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))


def guarded(name: str, value: Any) -> Any:
    """A value as it may be logged."""
    if SECRET_NAMES.search(name):
        return HIDDEN
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return cleaned(value.decode("latin-1") if isinstance(value, bytes) else str(value))


def cleaned(text: str) -> str:
    """Without what looks like a token, without control characters, not too long."""
    text = BEARER.sub(rf"\1{HIDDEN}", redact(text[: 4 * LONGEST]))
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def as_text(stamp: str, level: str, values: dict[str, Any]) -> str:
    """`2026-01-01T00:00:00.000Z info listening address=127.0.0.1`."""
    pairs = [f"{name}={quoted(value)}" for name, value in values.items() if name != "event"]
    return " ".join([stamp, f"{level:7}", values["event"], *pairs])


def quoted(value: Any) -> str:
    """As it is where that is unambiguous, in JSON's quotes elsewhere."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text if PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def as_json(stamp: str, level: str, values: dict[str, Any]) -> str:
    """The same as one JSON object."""
    return json.dumps({"time": stamp, "level": level, **values}, ensure_ascii=False)


log = Log()
