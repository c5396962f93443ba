"""`chatd dialects`: prints the calls, events and routes of a dialect from its tables."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from chatd.cli import EXIT_OK, WrongUse
from chatd.cli.table import table_lines

if TYPE_CHECKING:
    from protocol.dialects.grammar import Body, Dialect, Inbound, Outbound, Route


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="the dialect to print (default: list all dialects)")
    parser.add_argument(
        "--page", action="store_true", help="print a page of Markdown, with examples of every call in both framings"
    )
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
        raise WrongUse(f"there is no dialect {options.name!r}; expected one of {', '.join(names())}")
    return EXIT_OK


def tables(dialect: Dialect) -> Iterator[str]:
    """The tables of a dialect, namespace by namespace."""
    yield f"{dialect.name}: {dialect.title}"
    for namespace, vocabulary in dialect.vocabularies.items():
        yield f"\n{namespace}"
        yield from section("clients call", [call_row(inbound) for inbound in vocabulary.inbound])
        yield from section("the server sends", [event_row(outbound) for outbound in vocabulary.outbound])
    yield from section("REST", [route_row(route) for route in dialect.routes])


def section(title: str, rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Rows under a title, in columns."""
    if not rows:
        return
    yield f"  {title}"
    for line in table_lines(rows):
        yield f"    {line}"


def call_row(inbound: Inbound) -> tuple[str, ...]:
    return inbound.name, fields(inbound), f"→ {body(inbound.reply)}"


def event_row(outbound: Outbound) -> tuple[str, ...]:
    return (
        outbound.name,
        body(outbound.body),
        f"to {outbound.audience}" + (", others only" if outbound.others_only else ""),
    )


def route_row(route: Route) -> tuple[str, ...]:
    return route.method, route.path, fields(route), f"→ {route.status} {body(route.reply)}"


def fields(row: Inbound | Route) -> str:
    """The fields that a call takes. `?` marks optional ones."""
    names = [f"{field.name}{'' if field.required else '?'}" for field in row.fields]
    return f"({', '.join(names)})"


def body(shape: Body) -> str:
    """The fields of a body."""
    if shape is None:
        return "nothing"
    if isinstance(shape, Mapping):
        return f"{{{', '.join(shape)}}}"
    return f"[{{{', '.join(shape.shape)}}}]"
