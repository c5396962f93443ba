"""Say rows and shapes, made quick: a shape becomes one function, a vocabulary one table from event to its spellings.

Bodies come out as JSON bytes: nothing below this ever sees an event again.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import Raw, Struct

from protocol.dialects.grammar import Body, Many, Say, Shape, Vocabulary
from protocol.events import Event
from protocol.model import Page

encode = msgspec.json.Encoder().encode


def speller(shape: Shape) -> Callable[[Any], dict[str, Any]]:
    """A shape as a function from something of the model to what JSON says of it."""
    rows = [(key, _getter(item.path), item.spell) for key, item in shape.items() if not (item.omit_none or item.spread)]
    rare = [(key, _getter(item.path), item.spell) for key, item in shape.items() if item.omit_none]
    spread = [(_getter(item.path), item.spell) for item in shape.values() if item.spread]
    order = list(shape)
    ordered = order[len(rows) :] == [key for key, _, _ in rare]  # what may be left out comes last anyway

    def spell(thing: Any) -> dict[str, Any]:
        return {key: write(get(thing)) for key, get, write in rows}

    def spell_all(thing: Any) -> dict[str, Any]:
        said = spell(thing)
        for key, get, write in rare:
            value = write(get(thing))
            if value is not None:
                said[key] = value
        return said if ordered else {key: said[key] for key in order if key in said}

    def spell_more(thing: Any) -> dict[str, Any]:
        said = spell_all(thing)
        for get, write in spread:
            said |= {key: value for key, value in write(get(thing)).items() if key not in shape}
        return said

    return spell_more if spread else spell_all if rare else spell


def _getter(path: str) -> Callable[[Any], Any]:
    return attrgetter(path) if path else (lambda thing: thing)


_spellers: dict[int, tuple[Shape, Callable[[Any], dict[str, Any]]]] = {}


def _speller_of(shape: Shape) -> Callable[[Any], dict[str, Any]]:
    """Shapes are dicts, so they are remembered by identity (and kept, so that the identity stays theirs)."""
    known = _spellers.get(id(shape))
    if known is None:
        known = _spellers[id(shape)] = (shape, speller(shape))
    return known[1]


def spell_body(body: Body, result: Any) -> Any:
    """What a call gave, as the row's `reply` spells it."""
    if body is None or result is None:
        return None
    if isinstance(body, Many):
        spell = _speller_of(body.shape)
        return [spell(item) for item in (result.items if isinstance(result, Page) else result)]
    return _speller_of(body)(result)


_last: dict[int, tuple[Any, bytes]] = {}


def spoken(shape: Shape, thing: Any) -> bytes:
    """Something of the model as JSON. The last of each shape is remembered: an ack says what an event has just said."""
    known = _last.get(id(shape))
    if known is not None and known[0] is thing:
        return known[1]
    said = encode(_speller_of(shape)(thing))
    _last[id(shape)] = (thing, said)
    return said


def spoken_body(body: Body, result: Any) -> Any:
    """The same as `spell_body`, with a single thing as ready-made JSON."""
    if isinstance(body, Many) or body is None or result is None:
        return spell_body(body, result)
    return Raw(spoken(body, result))


class Saying(Struct, frozen=True):
    """One way of telling an event: under which name, where it is heard, and to whom."""

    name: str
    at: str
    others: bool
    when: tuple[str, Any] | None
    about: Callable[[Any], Any]
    shape: Shape

    def applies(self, event: Event) -> bool:
        return self.when is None or getattr(event, self.when[0]) == self.when[1]

    def body(self, event: Event) -> bytes:
        return spoken(self.shape, self.about(event))

    def spell(self, event: Event) -> dict[str, Any]:
        return _speller_of(self.shape)(self.about(event))


def sayings(vocabulary: Vocabulary) -> dict[type[Event], tuple[Saying, ...]]:
    """All that a vocabulary says, by event."""
    table: dict[type[Event], tuple[Saying, ...]] = {}
    for say in vocabulary.says:
        table[say.event] = (*table.get(say.event, ()), _saying(say))
    return table


def _saying(say: Say) -> Saying:
    return Saying(say.name, say.at, say.others, say.when, _getter(say.of), say.body)
