"""Route rows, made quick: path, query and body become a command; a result becomes a body.

Fields named in the path come from the path, the others from the query (GET, DELETE) or from the JSON body.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

from msgspec import Struct

from protocol.commands import Command
from protocol.dialects.decode import CallDecoder, unknown
from protocol.dialects.encode import encode, spell_body
from protocol.dialects.grammar import MOST_PROBLEMS, Complaints, Field, Many, Route
from protocol.errors import BAD_REQUEST, Problem, Refusal
from protocol.model import Page
from protocol.strict import check_size

_NAMES = re.compile(r"\{(\w+)\}")


class Answered(Struct, frozen=True):
    """What REST says: the status, the body (b"" for none), and the query that leads to the next page."""

    status: int
    body: bytes
    next: tuple[str, str] | None = None


class RouteCodec:
    """One route, ready to be asked."""

    def __init__(self, route: Route, complaints: Complaints) -> None:
        self.route = route
        self.complaints = complaints
        named = set(_NAMES.findall(route.path))
        self._in_path = tuple(field for field in route.takes if field.name in named)
        rest = tuple(field for field in route.takes if field.name not in named)
        self._in_query = rest if route.method in ("GET", "DELETE") else ()
        self._in_body = () if self._in_query else rest
        self._listener = CallDecoder(route.command, self._in_body, route.fixed, complaints)

    def decode(self, path: Mapping[str, str], query: Iterable[tuple[str, str]], body: bytes) -> Command:
        values = {"page": 1, **self.route.fixed} if self.route.numbered else dict(self.route.fixed)
        found = list(query)
        given = dict(found)
        if len(given) != len(found):
            raise Refusal(BAD_REQUEST, "A query parameter is there twice")
        problems = tuple(islice(self._problems(path, given, values), MOST_PROBLEMS))
        if problems:
            raise Refusal(BAD_REQUEST, self.complaints.say(problems), field=problems[0].field, problems=problems)
        if self._in_body or (body.strip() and self.route.method not in ("GET", "DELETE")):
            check_size(body)
            return self._listener.decode(body, values)
        return self.route.command(**values)

    def _problems(self, path: Mapping[str, str], query: Mapping[str, str], values: dict[str, Any]) -> Iterator[Problem]:
        """What is wrong with path and query; all that is right is in `values` when the last one has been asked for."""
        read = (_read(field, path, values) for field in self._in_path)
        asked = (_read(field, query, values) for field in self._in_query)
        return chain(unknown(self._in_query, query), filter(None, chain(read, asked)))

    def answer(self, result: Any) -> Answered:
        route = self.route
        if route.reply is None:
            return Answered(route.status if route.status != 200 else 204, b"")
        said = spell_body(route.reply, result)
        if not isinstance(result, Page):
            return Answered(route.status, encode(said))
        if route.numbered:
            page = {"data": said, "page": result.page or 1, "limit": result.limit, "total": result.total}
            return Answered(route.status, encode(page))
        following = None
        if result.next is not None and isinstance(route.reply, Many):
            direction, ref = result.next
            item = next(item for item in route.reply.shape.values() if item.path == "ref")
            following = (direction, str(item.spell(ref)))
        return Answered(route.status, encode(said), following)


def _read(field: Field, texts: Mapping[str, str], values: dict[str, Any]) -> Problem | None:
    """Read a field from the text of a path or a query."""
    text = texts.get(field.name)
    if text is None:
        return Problem(field.name, "missing", field.word.expected) if field.required else None
    try:
        values[field.to] = field.word.read_text(text)
    except Refusal as refusal:
        return Problem(field.name, "value", refusal.message)
    return None
