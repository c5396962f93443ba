"""The fixture of the tests of transactions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chatd.store.sqlite.library_writer import LibraryWriter


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[LibraryWriter]:
    writer = LibraryWriter(tmp_path / "x.db")
    yield writer
    writer.connection.close()
