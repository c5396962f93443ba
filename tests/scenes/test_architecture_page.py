"""docs/architecture.md is true: its functions exist, its floors are the real ones, and its example dialect runs."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatd.cli import main
from protocol import dialects
from tests.scenes.chat_server import chat_server
from tests.scenes.clients import Framing, both_framings, open_client
from tests.scenes.shapes import INTEGER, TIME, fits
from tests.test_floors import FLOORS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PICTURE = (ROOT / "docs" / "pictures" / "architecture.svg").read_text(encoding="utf-8")
STEPS = re.findall(r"(?m)^\| (\d+) \| `([\w/.]+\.py)` \| `([\w.]+)` \|", PAGE)
MODULE = "protocol.dialects.brief"


def definitions(path: Path) -> set[str]:
    """The functions, classes and methods of a file: `send`, `Broker`, `Broker.publish`."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = (one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
            found |= {f"{node.name}.{method.name}" for method in methods}
    return found


def test_the_way_of_a_message_has_ten_steps() -> None:
    assert [int(number) for number, _, _ in STEPS] == list(range(1, 11))


@pytest.mark.parametrize(("path", "name"), [(path, name) for _, path, name in STEPS])
def test_each_function_of_the_way_exists(path: str, name: str) -> None:
    assert name in definitions(ROOT / path), f"docs/architecture.md names {name}, which is not in {path}"


def test_each_class_in_the_text_exists() -> None:
    known = {
        name
        for package in ("chatd", "protocol")
        for path in (ROOT / package).rglob("*.py")
        for name in definitions(path)
    }
    text = re.sub(r"(?s)```.*?```", "", PAGE)
    named = set(re.findall(r"`([A-Z]+[a-z]\w*(?:\.\w+)?)`", text))
    assert named <= known, f"docs/architecture.md names what does not exist: {', '.join(sorted(named - known))}"


def test_the_floors_of_the_page_are_the_real_ones() -> None:
    rows = re.findall(r"(?m)^\| (\d+) \| (`[\w.]+`(?: `[\w.]+`)*) \|$", PAGE)
    assert {int(number): set(re.findall(r"[\w.]+", names)) for number, names in rows} == {
        number: set(names) for number, names in enumerate(FLOORS)
    }


@pytest.mark.parametrize("name", [name for names in FLOORS for name in names])
def test_each_folder_is_in_the_picture(name: str) -> None:
    label = name if name.startswith("protocol") else name.removeprefix("chatd.")
    assert f">{label.replace('.', '/')}</text>" in PICTURE


@pytest.fixture
def brief(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page's example dialect, as a part of protocol/dialects/ for the length of a test."""
    [source] = re.findall(r"(?ms)^```python\n(.*?)^```$", PAGE)
    folder = tmp_path / "dialects"
    folder.mkdir()
    (folder / "brief.py").write_text(source, encoding="utf-8")

    def forget() -> None:
        sys.modules.pop(MODULE, None)
        dialects.names.cache_clear()
        dialects.dialect.cache_clear()

    monkeypatch.setattr(dialects, "__path__", [*dialects.__path__, str(folder)])
    forget()
    yield
    monkeypatch.undo()
    forget()


@both_framings
@pytest.mark.usefixtures("brief")
async def test_the_example_dialect_runs(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path / "data") as server:
        ann, bob = await server.register("ann"), await server.register("bob")
        room = (await ann.asks("POST", "/brief", {"members": [bob.id]}, status=201))["room"]
        a = await open_client(server, framing, "brief", ann, "/brief")
        b = await open_client(server, framing, "brief", bob, "/brief")
        await a.performs("join", {"room": room})
        await b.performs("join", {"room": room})
        await a.notifies("type", {"room": room})
        assert await b.receives("typing") == {"user": ann.id}
        sent = await a.asks("send", {"room": room, "text": "hello"})
        fits(sent, {"id": INTEGER, "room": room, "from": "ann", "text": "hello", "at": TIME})
        assert await a.receives("line") == sent
        assert await b.receives("line") == sent
        assert await b.asks("send", {"room": room + 1, "text": "hello"}) == {"error": "NOT_FOUND"}
        assert await bob.asks("GET", f"/brief/{room}") == [sent]

        colon = await open_client(server, framing, "colon", bob, ignoring=("unread:count", "notification:created"))
        [conversation] = await bob.asks("GET", "/conversations")
        await colon.asks("conversation:join", {"conversationId": conversation["_id"]})
        await a.asks("send", {"room": room, "text": "to all dialects"})
        assert (await colon.receives("message:created"))["content"] == "to all dialects"


@pytest.mark.usefixtures("brief")
def test_the_shell_prints_the_example_dialect(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dialects", "brief"]) == 0
    assert "/brief/{room}" in capsys.readouterr().out
