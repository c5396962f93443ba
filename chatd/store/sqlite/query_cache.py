"""Results of queries that the writer keeps, each until something that it was read from changes.

Only one connection writes to a file, and the cache sees the effects of every statement before it runs. So a cached
result equals what SQLite would return. The queries that every message makes (the sender, the sender's membership) run
once. Effects can't describe a rollback or a write by another program: both clear the whole cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from chatd.store.prepared import Prepared
from chatd.store.sqlite.statement_effects import StatementEffects

T = TypeVar("T")

MAX_RESULTS_PER_QUERY = 20_000
"""Results that are kept per query: some 10 MB. When there would be one more, all results of the query are dropped."""


class CachedQuery(Generic[T]):
    """A SELECT of one row, the names of its parameters, and a function that makes the result from the row.

    No caller changes the result. At most `max_results` are kept.
    The result must depend only on the tables that the statement reads, not on the time or on chance.
    """

    __slots__ = ("build", "max_results", "parameters", "statement")

    def __init__(
        self,
        statement: Prepared,
        parameters: str,
        build: Callable[[tuple[Any, ...]], T],
        *,
        max_results: int = MAX_RESULTS_PER_QUERY,
    ) -> None:
        self.statement = statement
        self.parameters = tuple(parameters.split())
        self.build = build
        self.max_results = max_results


class QueryCache:
    """Results by query and by the values of its parameters."""

    __slots__ = ("_effects", "results")

    def __init__(self) -> None:
        self.results: dict[CachedQuery[Any], dict[tuple[Any, ...], Any]] = {}
        self._effects: dict[CachedQuery[Any], StatementEffects] = {}

    def store(self, query: CachedQuery[Any], key: tuple[Any, ...], result: Any, effects: StatementEffects) -> None:
        """Keep a result, and what it was read from."""
        results = self.results.setdefault(query, {})
        if len(results) >= query.max_results:
            results.clear()
        results[key] = result
        self._effects[query] = effects

    def invalidate(self, change: StatementEffects) -> None:
        """Drop the results that a change may affect."""
        for query, results in self.results.items():
            if results and change.invalidates(self._effects[query]):
                results.clear()

    def clear(self) -> None:
        self.results.clear()
        self._effects.clear()
