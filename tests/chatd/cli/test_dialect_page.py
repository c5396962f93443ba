"""The pages of the dialects contain all rows of the tables, in both framings, and the links to them work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chatd.cli import main
from protocol.dialects import dialect, names

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"


@pytest.mark.parametrize("name", names())
def test_every_call_event_and_route_is_on_its_page(name: str) -> None:
    page = (DOCS / "dialects" / f"{name}.md").read_text(encoding="utf-8")
    for namespace, vocabulary in dialect(name).vocabularies.items():
        mark = "" if namespace == "/" else f"{namespace},"
        for inbound in vocabulary.inbound:
            assert f'→ {{"jsonrpc":"2.0","id":1,"method":"{inbound.name}"' in page
            assert f'→ 42{mark}1["{inbound.name}"' in page
        for say in vocabulary.outbound:
            assert f'← {{"jsonrpc":"2.0","method":"{say.name}"' in page
            assert f'← 42{mark}["{say.name}",' in page
    for route in dialect(name).routes:
        assert f"| `{route.method} {route.path}` |" in page


def test_the_round_table_has_every_dialect() -> None:
    table = (DOCS / "round-table.md").read_text(encoding="utf-8")
    for name in names():
        assert f"| `{name}` | " in table


def test_the_command_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dialects", "inbox", "--page"]) == 0
    assert capsys.readouterr().out == (DOCS / "dialects" / "inbox.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["README.md", "docs/dialects/README.md", "docs/round-table.md"])
def test_its_links_to_the_dialects_lead_somewhere(page: str) -> None:
    links = re.findall(
        r"\]\(([^)#:]*dialects[^)#:]*|[a-z]+\.md|\.\./[^)]+)\)", (ROOT / page).read_text(encoding="utf-8")
    )
    assert links or page == "docs/round-table.md"
    for link in links:
        assert ((ROOT / page).parent / link).exists(), link
