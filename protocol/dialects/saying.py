"""Say rows and shapes, made quick: a shape becomes one function, a vocabulary one table from event to its spellings.

Bodies come out as JSON bytes: nothing below this ever sees an event again.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import Raw, Struct

from protocol.dialects.grammar import Body, Many, Say, Shape, Vocabulary, as_it_is
from protocol.events import Event
from protocol.model import Page

encode = msgspec.json.Encoder().encode


def speller(shape: Shape) -> Callable[[Any], dict[str, Any]]:
    """A shape as a function from something of the model to what JSON says of it.

    One attrgetter takes all values at once, in C; only what is not said as it is gets a call of its own.
    """
    items = [(key, item) for key, item in shape.items() if not item.spread]
    keys = [key for key, _ in items]
    take = attrgetter(*[item.path or "__class__" for _, item in items], "__class__")  # two at least: a tuple
    parts = [(at, item.spell) for at, (_, item) in enumerate(items) if item.path and item.spell is not as_it_is]
    whole = [(at, item.spell) for at, (_, item) in enumerate(items) if not item.path]
    rare = [key for key, item in items if item.omit_none]
    spread = [(_getter(item.path), item.spell) for item in shape.values() if item.spread]

    def spell(thing: Any) -> dict[str, Any]:
        values = list(take(thing))
        for at, write in parts:
            values[at] = write(values[at])
        for at, write in whole:
            values[at] = write(thing)
        said = dict(zip(keys, values))  # noqa: B905 - saying `strict` costs a tenth of all this
        for key in rare:
            if said[key] is None:
                del said[key]
        return said

    def spell_more(thing: Any) -> dict[str, Any]:
        said = spell(thing)
        for get, write in spread:
            said |= {key: value for key, value in write(get(thing)).items() if key not in shape}
        return said

    return spell_more if spread else spell


def _getter(path: str) -> Callable[[Any], Any]:
    return attrgetter(path) if path else as_it_is


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
