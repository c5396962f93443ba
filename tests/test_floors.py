"""Imports go down only: this test reads the imports of every file, also those inside functions.

The floor of a file is that of the longest row below that names the file or a package around it. A file may import from
lower floors, and from its own floor as long as no circle arises. A new folder needs a row.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

FLOORS: tuple[tuple[str, ...], ...] = (  # from the lowest floor up, one name a folder
    ("protocol",),
    ("protocol.framings", "protocol.dialects"),
    ("chatd.telemetry", "chatd.rate_limit", "chatd.program", "chatd.store"),
    ("chatd.net", "chatd.client", "chatd.supervisor", "chatd.store.sqlite"),
    ("chatd.engineio", "chatd.terminal", "chatd.store.queries", "chatd.config"),
    ("chatd.auth", "chatd.realtime"),
    ("chatd.services",),
    ("chatd.core",),
    ("chatd.admin", "chatd.connections", "chatd.files"),
    ("chatd.rest", "chatd.server"),
    ("chatd.cli", "chatd.__main__"),
)
GROUND = ("protocol", "chatd")  # the packages' own files: a docstring and a version

# Folders with stricter rules: the modules or libraries that they may import.
SENDERS = ("chatd.net", "chatd.engineio")
SENDERS_KNOW = ("protocol.errors", "protocol.frames", "protocol.framings", *SENDERS)
LIBRARIES = {
    "protocol": {"msgspec"},
    "chatd.config.settings": {"msgspec"},
    "chatd.cli": set[str](),
}
SQL = {"sqlite3", "aiosqlite", "sqlalchemy", "alembic"}


def modules() -> Iterator[tuple[str, Path]]:
    for package in ("protocol", "chatd"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if ".migrations.versions" not in name:
                yield name, path


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports; `from package import module` counts as that module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the floor"
            assert node.module
            inside = {name.name: f"{node.module}.{name.name}" for name in node.names}
            parts = [full for full in inside.values() if full in MODULES]
            yield from parts
            if len(parts) < len(inside):
                yield node.module


MODULES = dict(modules())
OWN = {name: {other for other in imports(path) if other in MODULES} for name, path in MODULES.items()}


def floor(name: str) -> int:
    """The floor of a module: that of the longest name in the table that contains it."""
    rows = [
        (len(row), level) for level, names in enumerate(FLOORS) for row in names if f"{name}.".startswith(f"{row}.")
    ]
    if name in GROUND:
        return -1
    assert rows, f"{name} has no floor: add a row to FLOORS"
    return max(rows)[1]


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down_only(name: str) -> None:
    up = [other for other in OWN[name] if floor(other) > floor(name)]
    assert not up, f"{name} imports {', '.join(up)} from above"


def test_there_is_no_circle() -> None:
    try:
        tuple(TopologicalSorter({name: OWN[name] - {name} for name in OWN}).static_order())
    except CycleError as circle:
        pytest.fail(" → ".join(circle.args[1]))


@pytest.mark.parametrize("name", [name for name in MODULES if within(name, SENDERS)])
def test_the_network_knows_nothing_of_chat(name: str) -> None:
    strangers = [other for other in OWN[name] if not within(other, SENDERS_KNOW)]
    assert not strangers, f"{name} imports {', '.join(strangers)}; hand it plain arguments instead"


@pytest.mark.parametrize("package", LIBRARIES)
def test_folders_with_few_libraries(package: str) -> None:
    import sys

    allowed = LIBRARIES[package] | {"protocol", "chatd"} | sys.stdlib_module_names
    for name, path in MODULES.items():
        if within(name, (package,)):
            strangers = {other for other in imports(path) if other.partition(".")[0] not in allowed}
            assert not strangers, f"{name} imports {', '.join(strangers)}"


def test_only_the_store_uses_sql() -> None:
    for name, path in MODULES.items():
        if not within(name, ("chatd.store",)):
            assert not {other.partition(".")[0] for other in imports(path)} & SQL, name


def test_framings_and_dialects_do_not_know_each_other() -> None:
    for name, known in OWN.items():
        for one, other in (("protocol.framings", "protocol.dialects"), ("protocol.dialects", "protocol.framings")):
            if within(name, (one,)):
                assert not any(within(module, (other,)) for module in known), name


def test_no_folder_is_on_two_floors() -> None:
    rows = [row for names in FLOORS for row in names]
    assert len(rows) == len(set(rows))
