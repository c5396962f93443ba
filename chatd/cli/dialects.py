"""`chatd dialects`: what a dialect hears, says and serves, printed from its tables."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from chatd.cli import FINE, Misused

if TYPE_CHECKING:
    from protocol.dialects.grammar import Body, Dialect, Inbound, Outbound, Route


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="print this one's tables; without a name, list all")
    parser.add_argument("--page", action="store_true", help="as a page of Markdown, with every call on both wires")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from protocol.dialects import dialect, names

    if options.name is None:
        for name in names():
            print(f"{name:8} {dialect(name).title}  ({', '.join(dialect(name).vocabularies)})")
    elif options.name in names() and options.page:
        from chatd.cli.dialect_page import page

        print(page(dialect(options.name)), end="")
    elif options.name in names():
        print("\n".join(tables(dialect(options.name))))
    else:
        raise Misused(f"there is no dialect {options.name!r}; expected one of {', '.join(names())}")
    return FINE


def tables(dialect: Dialect) -> Iterator[str]:
    """The whole dialect, a namespace at a time."""
    yield f"{dialect.name}: {dialect.title}"
    for namespace, vocabulary in dialect.vocabularies.items():
        yield f"\n{namespace}"
        yield from section("clients call", [call(hear) for hear in vocabulary.inbound])
        yield from section("the server tells", [told(say) for say in vocabulary.outbound])
    yield from section("REST", [served(route) for route in dialect.routes])


def section(title: str, rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Rows under a title, in columns."""
    if not rows:
        return
    yield f"  {title}"
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield f"    {'  '.join(cells)}".rstrip()


def call(hear: Inbound) -> tuple[str, ...]:
    return hear.name, fields(hear), f"→ {body(hear.reply)}"


def told(say: Outbound) -> tuple[str, ...]:
    return say.name, body(say.body), f"to {say.audience}" + (", others only" if say.others_only else "")


def served(route: Route) -> tuple[str, ...]:
    return route.method, route.path, fields(route), f"→ {route.status} {body(route.reply)}"


def fields(row: Inbound | Route) -> str:
    """What a call takes."""
    names = [f"{field.name}{'' if field.required else '?'}" for field in row.fields]
    return f"({', '.join(names)})"


def body(shape: Body) -> str:
    """The names that a body has."""
    if shape is None:
        return "nothing"
    if isinstance(shape, Mapping):
        return f"{{{', '.join(shape)}}}"
    return f"[{{{', '.join(shape.shape)}}}]"
