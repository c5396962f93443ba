"""Say rows and shapes, made quick: a shape becomes one function, a vocabulary one table from event to its spellings.

Bodies come out as JSON bytes: nothing below this ever sees an event again.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import Raw, Struct

from protocol.dialects.grammar import Body, Item, Many, Outbound, Shape, Vocabulary, as_it_is
from protocol.events import Event
from protocol.model import Page

encode = msgspec.json.Encoder().encode


def speller(shape: Shape) -> Callable[[Any], dict[str, Any]]:
    """A shape as a function from something of the model to what JSON says of it.

    Its rows are written out as one expression and compiled: half the time of a loop over them, for every event told.
    """
    items = [(key, item) for key, item in shape.items() if not item.spread]
    spread = [(_getter(item.path), item.spell) for item in shape.values() if item.spread]
    spell = _compiled(items)

    def spell_more(thing: Any) -> dict[str, Any]:
        said = spell(thing)
        for get, write in spread:
            said |= {key: value for key, value in write(get(thing)).items() if key not in shape}
        return said

    return spell_more if spread else spell


def _compiled(items: list[tuple[str, Item]]) -> Callable[[Any], dict[str, Any]]:
    """`{"_id": write0(thing.ref), "content": thing.content, ...}`, less what is left out when None, as a function."""
    known: dict[str, Any] = {}
    said = []
    for at, (key, item) in enumerate(items):
        assert all(map(str.isidentifier, filter(None, item.path.split(".")))), item.path
        value = f"thing.{item.path}" if item.path else "thing"
        if item.spell is not as_it_is:
            known[f"write{at}"] = item.spell
            value = f"write{at}({value})"
        said.append(f"{key!r}: {value}")
    rare = [f"\n    if said[{key!r}] is None: del said[{key!r}]" for key, item in items if item.omit_none]
    exec(f"def spell(thing):\n    said = {{{', '.join(said)}}}{''.join(rare)}\n    return said", known)  # noqa: S102 - made of our tables
    spell: Callable[[Any], dict[str, Any]] = known["spell"]
    return spell


def _getter(path: str) -> Callable[[Any], Any]:
    return attrgetter(path) if path else as_it_is


class ShapeEncoder:
    """A shape, ready to be said. What it said last is remembered: an ack says what an event has just said."""

    __slots__ = ("_said", "_thing", "spell")

    def __init__(self, shape: Shape) -> None:
        self.spell = speller(shape)
        self._thing: Any = self
        self._said = b""

    def say(self, thing: Any) -> bytes:
        """Something of the model as JSON."""
        if thing is not self._thing:
            self._said = encode(self.spell(thing))
            self._thing = thing
        return self._said


_speakers: dict[int, tuple[Shape, ShapeEncoder]] = {}


def shape_encoder(shape: Shape) -> ShapeEncoder:
    """The shape's own. Shapes are dicts, so they are known by identity (and kept, so that it stays theirs)."""
    known = _speakers.get(id(shape))
    if known is None:
        known = _speakers[id(shape)] = (shape, ShapeEncoder(shape))
    return known[1]


def spell_body(body: Body, result: Any) -> Any:
    """What a call gave, as the row's `reply` spells it."""
    if body is None or result is None:
        return None
    if isinstance(body, Many):
        spell = shape_encoder(body.shape).spell
        return [spell(item) for item in (result.items if isinstance(result, Page) else result)]
    return shape_encoder(body).spell(result)


def spoken_body(body: Body, result: Any) -> Any:
    """The same as `spell_body`, with a single thing as ready-made JSON."""
    if isinstance(body, Many) or body is None or result is None:
        return spell_body(body, result)
    return Raw(shape_encoder(body).say(result))


class Saying(Struct, frozen=True):
    """One way of telling an event: under which name, where it is heard, and to whom."""

    name: str
    at: str
    others: bool
    when: tuple[str, Any] | None
    about: Callable[[Any], Any]
    speaker: ShapeEncoder

    def applies(self, event: Event) -> bool:
        return self.when is None or getattr(event, self.when[0]) == self.when[1]

    def body(self, event: Event) -> bytes:
        return self.speaker.say(self.about(event))

    def spell(self, event: Event) -> dict[str, Any]:
        return self.speaker.spell(self.about(event))


def sayings(vocabulary: Vocabulary) -> dict[type[Event], tuple[Saying, ...]]:
    """All that a vocabulary says, by event."""
    table: dict[type[Event], tuple[Saying, ...]] = {}
    for say in vocabulary.outbound:
        table[say.event] = (*table.get(say.event, ()), _saying(say))
    return table


def _saying(say: Outbound) -> Saying:
    return Saying(say.name, say.at, say.others, say.when, _getter(say.of), shape_encoder(say.body))
