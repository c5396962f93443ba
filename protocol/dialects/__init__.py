"""The dialects: one file of tables each, found by its name.

How to add a dialect:

1. Create `protocol/dialects/NAME.py`. No other file needs an edit: its name is the dialect's name from then on.
2. Declare the shapes of the bodies that clients receive: `MESSAGE: Shape = {"id": as_id("ref", UUID), ...}`. The
   functions are in `shapes.py`, the attributes in `protocol/model.py` and `protocol/events/`.
3. Declare the fields that clients send: `field("roomId", UUID, "conversation")`, `optional("limit",
   POSITIVE_INTEGER)`. The types are in `fields.py`, the formats of ids in `protocol/ids.py`.
4. For each request a row `Inbound(event name, command, fields, reply)`. The commands are in `protocol/commands.py`;
   the fields and `fixed` together must set every required attribute of the command.
5. For each event a row `Outbound(event, event name, body, audience)`. The events and their audiences are in
   `protocol/events/`; an event without a row is not sent to this dialect.
6. Join both in a `Vocabulary` for each namespace. A client receives its `initial_events` on
   connect; each of them needs an Outbound row.
7. For each REST request a row `Route(method, path, command, fields, reply, status)`. The accounts' routes exist
   already. No other dialect may have the same method and path.
8. Choose the acks and errors: `ReplyStyle(success, failure, error_event, error_texts)`.
9. Assign all of it to `DIALECT = Dialect(name="NAME", ...)`. Each further difference is an entry in the table
   of `grammar.py`. A new difference becomes a new entry, never a branch on the dialect's name.
10. Run `make docs` to print its page, write its scenes in `tests/scenes/`, and run `make check`.

`tests/protocol/dialects/test_sixth.py` and `tests/scenes/test_sixth_dialect.py` follow these steps.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from protocol.dialects.grammar import Dialect

_SHARED_MODULES = {"grammar", "fields", "shapes", "encode", "decode", "codec", "routing", "accounts"}


@cache
def names() -> tuple[str, ...]:
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name not in _SHARED_MODULES))


@cache
def dialect(name: str) -> Dialect:
    """The dialect of that name; KeyError where there is none."""
    if name not in names():
        raise KeyError(name)
    found: Dialect = import_module(f"{__name__}.{name}").DIALECT
    return found
