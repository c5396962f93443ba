"""Outbound rows and shapes, compiled: a shape becomes one function, a vocabulary a table from event to encoders.

Bodies are encoded to JSON bytes here; no code past this file handles an event's attributes.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import Raw, Struct

from protocol.dialects.grammar import Body, ListOf, Outbound, PageOf, Shape, ShapeValue, Vocabulary, unchanged
from protocol.events import Event
from protocol.model import Page

encode = msgspec.json.Encoder().encode


def compile_shape(shape: Shape) -> Callable[[Any], dict[str, Any]]:
    """A shape as a function from an object of the model to a dict for JSON.

    The keys are written as one expression and compiled: that takes half the time of a loop over them, for every event.
    """
    items = [(key, value) for key, value in shape.items() if not value.spread]
    spread = [(_getter(value.path), value.convert) for value in shape.values() if value.spread]
    build = _compile_items(items)

    def build_with_extra_keys(source: Any) -> dict[str, Any]:
        result = build(source)
        for get, convert in spread:
            result |= {key: value for key, value in convert(get(source)).items() if key not in shape}
        return result

    return build_with_extra_keys if spread else build


def _compile_items(items: list[tuple[str, ShapeValue]]) -> Callable[[Any], dict[str, Any]]:
    """A function for `{"_id": convert0(source.ref), "content": source.content, ...}`, less the keys to omit."""
    names: dict[str, Any] = {}
    entries = []
    for index, (key, value) in enumerate(items):
        assert all(map(str.isidentifier, filter(None, value.path.split(".")))), value.path
        expression = f"source.{value.path}" if value.path else "source"
        if value.convert is not unchanged:
            names[f"convert{index}"] = value.convert
            if value.keep_none:
                expression = f"None if (value := {expression}) is None else convert{index}(value)"
            else:
                expression = f"convert{index}({expression})"
        entries.append(f"{key!r}: {expression}")
    deletions = [f"\n    if result[{key!r}] is None: del result[{key!r}]" for key, value in items if value.omit_none]
    exec(  # noqa: S102 - the source consists of our own tables
        f"def build(source):\n    result = {{{', '.join(entries)}}}{''.join(deletions)}\n    return result", names
    )
    build: Callable[[Any], dict[str, Any]] = names["build"]
    return build


def _getter(path: str) -> Callable[[Any], Any]:
    return attrgetter(path) if path else unchanged


class ShapeEncoder:
    """A compiled shape. It keeps its last result: an ack and an event often encode the same object in turn."""

    __slots__ = ("_last_result", "_last_source", "build")

    def __init__(self, shape: Shape) -> None:
        self.build = compile_shape(shape)
        self._last_source: Any = self
        self._last_result = b""

    def encode(self, source: Any) -> bytes:
        """The JSON of an object of the model."""
        if source is not self._last_source:
            self._last_result = encode(self.build(source))
            self._last_source = source
        return self._last_result


_shape_encoders: dict[int, tuple[Shape, ShapeEncoder]] = {}


def shape_encoder(shape: Shape) -> ShapeEncoder:
    """The one encoder of a shape. A dict has no hash, so the key is its identity. The table keeps a reference to the
    dict."""
    known = _shape_encoders.get(id(shape))
    if known is None:
        known = _shape_encoders[id(shape)] = (shape, ShapeEncoder(shape))
    return known[1]


def build_body(body: Body, result: Any) -> Any:
    """The result of a request in the shape of the row's `reply`, ready to be encoded."""
    if body is None or result is None:
        return None
    if isinstance(body, ListOf | PageOf):
        build = shape_encoder(body.shape).build
        items = [build(item) for item in (result.items if isinstance(result, Page) else result)]
        return items if isinstance(body, ListOf) else {"items": items, "next": next_cursor(body.shape, result)}
    return shape_encoder(body).build(result)


def next_cursor(shape: Shape, page: Page) -> dict[str, Any] | None:
    """The parameter of the next page, `{"before": id}` or `{"after": id}`, in the format of the items' ids."""
    if page.next is None:
        return None
    direction, ref = page.next
    id_value = next(value for value in shape.values() if value.path == "ref")
    return {direction: id_value.convert(ref)}


def build_cached_body(body: Body, result: Any) -> Any:
    """The same as `build_body`, except that a single object is JSON already: the encoder's last result if possible."""
    if isinstance(body, ListOf | PageOf) or body is None or result is None:
        return build_body(body, result)
    return Raw(shape_encoder(body).encode(result))


class OutboundEncoder(Struct, frozen=True):
    """A compiled Outbound row."""

    name: str
    audience: str
    others_only: bool
    when: tuple[str, Any] | None
    select_part: Callable[[Any], Any]
    encoder: ShapeEncoder

    def applies(self, event: Event) -> bool:
        return self.when is None or getattr(event, self.when[0]) == self.when[1]

    def encode(self, event: Event) -> bytes:
        """The body as JSON."""
        return self.encoder.encode(self.select_part(event))

    def build(self, event: Event) -> dict[str, Any]:
        """The body as a dict."""
        return self.encoder.build(self.select_part(event))


def outbound_encoders(vocabulary: Vocabulary) -> dict[type[Event], tuple[OutboundEncoder, ...]]:
    """The encoders of a vocabulary's rows, by event."""
    table: dict[type[Event], tuple[OutboundEncoder, ...]] = {}
    for row in vocabulary.outbound:
        table[row.event] = (*table.get(row.event, ()), _outbound_encoder(row))
    return table


def _outbound_encoder(row: Outbound) -> OutboundEncoder:
    encoder = shape_encoder(row.body)
    return OutboundEncoder(row.name, row.audience, row.others_only, row.when, _getter(row.part), encoder)
