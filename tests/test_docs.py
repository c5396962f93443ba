"""Tables document themselves: the pages equal what the tables print, and limits have their promised values."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from chatd.config import text
from chatd.config.settings import DEFAULT_DIALECTS, ROWS, SECTIONS
from chatd.telemetry.metrics import REGISTRY
from protocol.errors import CLOSINGS, CODES

ROOT = Path(__file__).parent.parent
RATES = [
    "calls_per_connection",
    "typing_per_connection",
    "sends_per_user",
    "rest_per_user",
    "groups_per_user",
    "additions_per_user",
    "registrations_per_address",
    "renewals_per_address",
    "logins_per_account",
    "logins_per_address",
]
REGISTRY_HOSTS = re.compile(
    rb"pypi\.(?:org|python)|pythonhosted|registry\.npmjs|npmjs\.(?:com|org)/|index-url|\"resolved\""
)


def printer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("print_docs", ROOT / "scripts" / "print_docs.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES = printer().PAGES


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_what_its_table_prints(page: str) -> None:
    assert (ROOT / page).read_text(encoding="utf-8") == PAGES[page](), f"{page} is old; `make docs` prints it again"


def test_every_setting_is_in_chatd_toml_and_in_the_manual() -> None:
    toml = tomllib.loads(re.sub(r"(?m)^#(?=\S+ = )", "", (ROOT / "chatd.toml").read_text(encoding="utf-8")))
    assert toml.pop("dialects") == DEFAULT_DIALECTS
    assert {name: set(section) for name, section in toml.items()} == {name: set(rows) for name, rows in ROWS.items()}
    manual = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for name, rows in ROWS.items():
        section = manual.partition(f"## [{name}]")[2].partition("\n## ")[0]
        for key, row in rows.items():
            assert f"| `{key}` | `{row.write(getattr(SECTIONS[name](), key))}` | {row.about}" in section


def test_every_error_and_close_code_is_in_the_manual() -> None:
    manual = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    for name, code in CODES.items():
        assert f"| {name} | `{code.code}` | {code.text} | {code.status} | {code.number} | {code.close} |" in manual
    for name, closing in CLOSINGS.items():
        assert f"| {name} | {closing.code} | {closing.reason} |" in manual


def test_every_metric_is_in_the_manual() -> None:
    manual = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    for metric in REGISTRY.values():
        assert f"| `{metric.name}` | {metric.kind} |" in manual
        assert metric.help in manual


@pytest.mark.parametrize("rate", RATES)
def test_every_rate_has_its_burst_and_changes_live(rate: str) -> None:
    assert ROWS["limits"][rate].live
    assert ROWS["limits"][f"{rate}_burst"].live


@pytest.mark.parametrize("key", ROWS["limits"])
def test_every_limit_can_be_turned_off(key: str) -> None:
    if key != "page_default":
        assert ROWS["limits"][key].parse(0) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("message_bytes", 65536),
        ("outbox_bytes", 1048576),
        ("calls_per_connection", 50),
        ("calls_per_connection_burst", 100),
        ("typing_per_connection", 5),
        ("sends_per_user", 20),
        ("sends_per_user_burst", 60),
        ("rest_per_user", 50),
        ("rest_per_user_burst", 100),
        ("connections_per_address", 200),
        ("logins_per_account_burst", 5),
        ("logins_per_address_burst", 30),
    ],
)
def test_the_promised_limits(name: str, value: float) -> None:
    assert getattr(SECTIONS["limits"](), name) == value


def test_no_committed_file_names_a_package_registry() -> None:
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    for name in filter(None, listed.decode().split("\0")):
        path = ROOT / name
        if path.is_file() and path != Path(__file__):
            found = REGISTRY_HOSTS.search(path.read_bytes())
            assert found is None or name == "Makefile", f"{name}: {found}"


def test_the_sentences_of_the_table_are_sentences() -> None:
    for name, section in SECTIONS.items():
        assert section.__doc__, name
        assert section.__doc__.endswith("."), name
    assert text.as_toml().startswith("#")
