"""Route rows, compiled: path, query and body become a command; a result becomes a body.

The path's fields come from the path, the others from the query (GET, DELETE) or the JSON body.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

from msgspec import Struct

from protocol.commands import Command
from protocol.dialects.decode import CallDecoder, unknown_fields
from protocol.dialects.encode import build_body, encode, next_cursor
from protocol.dialects.grammar import MAX_PROBLEMS, ErrorTexts, Field, ListOf, PageOf, Route
from protocol.errors import BAD_REQUEST, Problem, Refusal
from protocol.model import Page
from protocol.strict import check_size

_PATH_FIELDS = re.compile(r"\{(\w+)\}")


class RouteAnswer(Struct, frozen=True):
    """A REST answer: the status, the body (b"" for none), and the query parameter of the next page."""

    status: int
    body: bytes
    next: tuple[str, str] | None = None


class RouteCodec:
    """One compiled route."""

    def __init__(self, route: Route, error_texts: ErrorTexts) -> None:
        self.route = route
        self.error_texts = error_texts
        names = set(_PATH_FIELDS.findall(route.path))
        self._in_path = tuple(field for field in route.fields if field.name in names)
        others = tuple(field for field in route.fields if field.name not in names)
        self._in_query = others if route.method in ("GET", "DELETE") else ()
        self._in_body = () if self._in_query else others
        self._body_decoder = CallDecoder(route.command, self._in_body, route.fixed, error_texts)

    def decode(self, path: Mapping[str, str], query: Iterable[tuple[str, str]], body: bytes) -> Command:
        """The command; raises a Refusal that names all invalid fields of path and query, or of the body."""
        values = {"page": 1, **self.route.fixed} if self.route.numbered_pages else dict(self.route.fixed)
        pairs = list(query)
        parameters = dict(pairs)
        if len(parameters) != len(pairs):
            raise Refusal(BAD_REQUEST, "A query parameter is there twice")
        problems = tuple(islice(self._read(path, parameters, values), MAX_PROBLEMS))
        if problems:
            text = self.error_texts.describe(problems)
            raise Refusal(BAD_REQUEST, text, field=problems[0].field, problems=problems)
        if self._in_body or (body.strip() and self.route.method not in ("GET", "DELETE")):
            check_size(body)
            return self._body_decoder.decode(body, values)
        return self.route.command(**values)

    def _read(self, path: Mapping[str, str], query: Mapping[str, str], values: dict[str, Any]) -> Iterator[Problem]:
        """The problems of path and query. When the caller has taken all of them, `values` has the valid attributes."""
        in_path = (_read_field(field, path, values) for field in self._in_path)
        in_query = (_read_field(field, query, values) for field in self._in_query)
        return chain(unknown_fields(self._in_query, query), filter(None, chain(in_path, in_query)))

    def answer(self, result: Any) -> RouteAnswer:
        route = self.route
        if route.reply is None:
            return RouteAnswer(route.status if route.status != 200 else 204, b"")
        body = build_body(route.reply, result)
        if not isinstance(result, Page):
            return RouteAnswer(route.status, encode(body))
        if route.numbered_pages:
            page = {"data": body, "page": result.page or 1, "limit": result.limit, "total": result.total}
            return RouteAnswer(route.status, encode(page))
        next_page = None
        if isinstance(route.reply, ListOf | PageOf) and (cursor := next_cursor(route.reply.shape, result)):
            [(direction, id)] = cursor.items()
            next_page = (direction, str(id))
        return RouteAnswer(route.status, encode(body), next_page)


def _read_field(field: Field, texts: Mapping[str, str], values: dict[str, Any]) -> Problem | None:
    """Read a field from a path or a query into `values`; the problem where it is not valid."""
    text = texts.get(field.name)
    if text is None:
        return Problem(field.name, "missing", field.type.expected) if field.required else None
    try:
        values[field.attribute] = field.type.read_text(text)
    except Refusal as refusal:
        return Problem(field.name, "value", refusal.message)
    return None
