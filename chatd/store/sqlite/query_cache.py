"""Answers that the writer remembers, each until something that it was read from changes.

One connection writes to a file, and every statement that it runs shows its footprint here before it runs. So what is
remembered is what SQLite would say, and a question that is asked with every message (who is the sender, and where do
they stand) is asked once. What the footprints can't tell forgets everything: a rollback, a write by another program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from sqlalchemy import Select

from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.statement_effects import StatementEffects

T = TypeVar("T")

ANSWERS = 20_000
"""Answers that are remembered per question: some 10 MB. With one more, all are forgotten, and learnt again."""


class CachedQuery(Generic[T]):
    """A SELECT of one row, the names of its parameters, and what is made of the row: something that never changes.

    Its answer must depend on nothing but the tables that it reads: not on the time, nor on chance.
    """

    __slots__ = ("build", "names", "statement")

    def __init__(self, statement: Select[Any], names: str, build: Callable[[tuple[Any, ...]], T]) -> None:
        self.statement = Prepared(statement)
        self.names = tuple(names.split())
        self.build = build


class QueryCache:
    """Answers by question and by the values of its parameters."""

    __slots__ = ("_footprints", "answers")

    def __init__(self) -> None:
        self.answers: dict[CachedQuery[Any], dict[tuple[Any, ...], Any]] = {}
        self._footprints: dict[CachedQuery[Any], StatementEffects] = {}

    def keep(self, question: CachedQuery[Any], key: tuple[Any, ...], answer: Any, footprint: StatementEffects) -> None:
        """Remember an answer, and what it was read from."""
        answers = self.answers.setdefault(question, {})
        if len(answers) >= ANSWERS:
            answers.clear()
        answers[key] = answer
        self._footprints[question] = footprint

    def forget(self, change: StatementEffects) -> None:
        """Forget what a change can have made untrue."""
        for question, answers in self.answers.items():
            if answers and change.spoils(self._footprints[question]):
                answers.clear()

    def forget_all(self) -> None:
        self.answers.clear()
        self._footprints.clear()
