"""No file and no function is so long that a reader loses the thread."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("chatd", "protocol", "tests", "scripts")
INSTALLED = {"node_modules", ".venv"}
PRINTED = ROOT / "chatd/store/compiled"
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50


def sources() -> Iterator[tuple[Path, str]]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not INSTALLED & set(path.parts) and PRINTED not in path.parents:
                yield path.relative_to(ROOT), path.read_text(encoding="utf-8")


def functions(text: str) -> Iterator[tuple[str, int, int]]:
    """Each function, nested ones included: its name, its first line, and the number of its lines."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def test_no_file_is_too_long() -> None:
    sizes = [(len(text.splitlines()), path) for path, text in sources()]
    long = [f"{path}: {lines} lines" for lines, path in sizes if lines > MAX_FILE_LINES]
    assert not long, f"a file has at most {MAX_FILE_LINES} lines; divide it by subject:\n" + "\n".join(long)


def test_no_function_is_too_long() -> None:
    long = [
        f"{path}:{line}: {name} has {lines} lines"
        for path, text in sources()
        for name, line, lines in functions(text)
        if lines > MAX_FUNCTION_LINES
    ]
    assert not long, f"a function has at most {MAX_FUNCTION_LINES} lines:\n" + "\n".join(long)
