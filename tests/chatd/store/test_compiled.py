"""The printed SQL is what the statements and the tables give, and every statement runs on the schema."""

from __future__ import annotations

import importlib
import sqlite3
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from chatd.store.compiled.schema import CREATE
from chatd.store.prepared import Prepared, RowInsert

ROOT = Path(__file__).parent.parent.parent.parent
FOLDER = ROOT / "chatd" / "store" / "compiled"
STATEMENTS = [
    pytest.param(value, id=f"{path.stem}.{name}")
    for path in sorted(FOLDER.glob("*.py"))
    for name, value in vars(importlib.import_module(f"chatd.store.compiled.{path.stem}")).items()
    if isinstance(value, Prepared | RowInsert)
]


def printer() -> ModuleType:
    spec = spec_from_file_location("print_sql", ROOT / "scripts" / "print_sql.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_files_are_printed_from_the_statements() -> None:
    """When this fails, a statement or a table has changed: run `make sql`."""
    printed = dict(printer().files())
    assert printed.keys() == {path.name for path in FOLDER.glob("*.py")} - {"__init__.py"}
    for name, text in printed.items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, name


@pytest.mark.parametrize("statement", STATEMENTS)
def test_sqlite_accepts_the_statement(statement: Prepared | RowInsert) -> None:
    connection = sqlite3.connect(":memory:")
    try:
        for table in CREATE:
            connection.execute(table)
        connection.execute(f"EXPLAIN {statement.sql}", statement.null_parameters).fetchall()
    finally:
        connection.close()


def test_a_server_does_without_sqlalchemy() -> None:
    """Its import takes a third of the start."""
    program = "import chatd.server.main, sys; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0
