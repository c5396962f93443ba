"""The files of other authors are those that the README lists."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import chatd

VENDOR = Path(chatd.__file__).parent / "web" / "vendor"


def test_every_file_is_in_the_table_with_its_checksum() -> None:
    readme = (VENDOR / "README.md").read_text()
    table = dict(re.findall(r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", readme, re.MULTILINE))
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir() if path.suffix == ".js"
    }
    assert table == files
    assert files


def test_each_file_contains_its_version_and_licence() -> None:
    version = re.search(r"`socket\.io-client` (\S+),", (VENDOR / "README.md").read_text())
    assert version
    for path in VENDOR.glob("socket.io*.js"):
        head = path.read_text()[:200]
        assert f"Socket.IO v{version[1]}" in head
        assert "MIT" in head
