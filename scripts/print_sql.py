"""Writes the SQL of every statement and table into chatd/store/compiled. `make sql` runs it; a test compares."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from sqlalchemy import CompoundSelect, Select
from sqlalchemy.sql.dml import UpdateBase

from chatd.store.compiler import prepare, prepare_rows, schema_of
from chatd.store.prepared import Prepared, RowInsert
from chatd.store.statements.rows import Rows
from chatd.store.tables import metadata

STORE = Path(__file__).parent.parent / "chatd" / "store"
HEAD = '"""Printed from chatd/store/{source} by `make sql`. Do not edit."""\n\nfrom __future__ import annotations\n\n'


def files() -> Iterator[tuple[str, str]]:
    """The name and the text of each file in chatd/store/compiled, except `__init__.py`."""
    yield "schema.py", schema()
    for path in sorted((STORE / "statements").glob("*.py")):
        text = statements(importlib.import_module(f"chatd.store.statements.{path.stem}"))
        if text:
            yield path.name, HEAD.format(source=f"statements/{path.name}") + text


def schema() -> str:
    made = schema_of(metadata)
    create = "".join(f"    {literal(statement)},\n" for statement in made.create)
    last = "".join(f'    "{noun}": {prepared_text(query)},\n' for noun, query in made.last_numbers.items())
    imports = "from chatd.store.prepared import Prepared\nfrom chatd.store.schema import Schema\n\n"
    tables = f"CREATE = (\n{create})\nLAST_NUMBERS = {{\n{last}}}\nSCHEMA = Schema(CREATE, LAST_NUMBERS)\n"
    return HEAD.format(source="tables") + imports + tables


def statements(module: ModuleType) -> str:
    """The text for one noun's statements; empty when the module has none."""
    lines = [f"{name} = {text}\n" for name, value in vars(module).items() if name.isupper() and (text := shown(value))]
    public = "".join(line for line in lines if not line.startswith("_"))
    kinds = sorted(kind for kind in ("Prepared", "RowInsert") if f"= {kind}(" in public)
    if not kinds:
        return ""
    return f"from chatd.store.prepared import {', '.join(kinds)}\n\n{public}"


def shown(value: object) -> str:
    """The text of a statement or a number; empty for anything else."""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Rows):
        return rows_text(prepare_rows(value.table, value.columns))
    if isinstance(value, Select | CompoundSelect | UpdateBase):
        return prepared_text(prepare(value))
    return ""


def prepared_text(statement: Prepared) -> str:
    arguments = [literal(statement.sql)]
    if statement.parameters or statement.constants:
        arguments.append(repr(" ".join(statement.parameters)))
    if statement.constants:
        arguments.append(repr(dict(statement.constants)))
    return f"Prepared({', '.join(arguments)})"


def rows_text(insert: RowInsert) -> str:
    return f"RowInsert({literal(insert.sql)}, {' '.join(insert.columns)!r})"


def literal(sql: str) -> str:
    """SQL as a literal of Python, with SQLAlchemy's own lines."""
    lines = [line.rstrip() for line in sql.replace("\t", "    ").splitlines()]
    assert not {'"""', "\\"} & set(sql), sql
    text = "\n".join(lines)
    return f'"""{text}"""' if len(lines) > 1 or '"' in text else f'"{text}"'


def main() -> None:
    folder = STORE / "compiled"
    texts = dict(files())
    for path in folder.glob("*.py"):
        if path.name not in texts and path.name != "__init__.py":
            path.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
