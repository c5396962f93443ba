"""The clients' records, compared with the database."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from tests.trials.mixed.listeners import Listener
from tests.trials.mixed.senders import Sender


class Absence(NamedTuple):
    """The time in which a user was no member: the outer positions, the inner positions, and the moment of its end."""

    user: int
    before: int
    removed: int
    adding: int
    after: int
    until: float


def rows(data: Path, question: str) -> list[tuple[object, ...]]:
    """Query the database, with or without a running server."""
    with closing(sqlite3.connect(data / "chatd.db", timeout=10)) as database:
        return database.execute(question).fetchall()


def position(data: Path) -> int:
    """The last position of the event log."""
    found = rows(data, "SELECT max(position) FROM events")[0][0]
    assert isinstance(found, int)
    return found


def committed(data: Path) -> set[str]:
    """The clientIds of all messages."""
    return {str(name) for (name,) in rows(data, "SELECT client_id FROM messages")}


def truth(data: Path) -> dict[str, int]:
    """The position of every message, in order."""
    question = (
        "SELECT m.client_id, e.position FROM events e JOIN messages m ON m.id = e.about"
        " WHERE e.kind = 'message' ORDER BY e.position"
    )
    found = rows(data, question)
    known = {str(name): int(str(place)) for name, place in found}
    assert len(known) == len(found), "a message was stored twice"
    return known


def judge_listener(listener: Listener, known: dict[str, int], absences: Sequence[Absence]) -> Counter[str]:
    """The figures of one listener."""
    mine = [absence for absence in absences if absence.user == listener.user]
    due = {name for name, at in known.items() if not any(one.before < at <= one.after for one in mine)}
    figures = Counter(gaps=len(listener.gaps))
    for event in listener.spoken.notifies:
        received = listener.received[event]
        distinct = list(dict.fromkeys(received))
        places = [known[name] for name in distinct if name in known]
        figures += Counter(
            due=len(due),
            missed=len(due - set(received)),
            doubled=len(received) - len(distinct),
            disordered=sum(later < earlier for earlier, later in pairwise(places)),
            unknown=len(distinct) - len(places),
        )
    figures["unasked"] = sum(
        one.removed < known[name] <= one.adding and at < one.until
        for one in mine
        for name, at in listener.first.items()
        if name in known
    )
    return figures


def judge_listeners(
    listeners: Sequence[Listener], known: dict[str, int], absences: Sequence[Absence]
) -> dict[str, Counter[str]]:
    """The figures of each wire."""
    found: dict[str, Counter[str]] = {}
    for listener in listeners:
        mine = found.setdefault(listener.wire, Counter())
        mine.update(judge_listener(listener, known, absences))
        mine["clients"] += 1
    return found


def details(listeners: Sequence[Listener], known: dict[str, int], absences: Sequence[Absence]) -> Iterator[str]:
    """A line for each listener that missed an event."""
    for listener in listeners:
        mine = [absence for absence in absences if absence.user == listener.user]
        for event in listener.spoken.notifies:
            received = set(listener.received[event])
            due = [name for name, at in known.items() if not any(one.before < at <= one.after for one in mine)]
            missed = [name for name in due if name not in received]
            if missed:
                yield f"{listener.who}: {event}: {len(missed)} missed, from position {known[missed[0]]} on"


def judge_senders(senders: Sequence[Sender], stored: set[str], silent: dict[str, int]) -> dict[str, Counter[str]]:
    """The figures of the senders."""
    found: dict[str, Counter[str]] = {}
    for sender in senders:
        mine = found.setdefault(sender.wire, Counter())
        mine["clients"] += 1
        mine["acked"] += len(sender.acked)
        mine["lost"] += len(sender.acked - stored)
        mine["never acked"] += len(sender.pending)
        mine["refused"] += sum(sender.refused.values())
    for wire, count in silent.items():
        found[wire]["silent"] += count
    return found
