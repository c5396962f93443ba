"""A new database of notes for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatd.store.sqlite.database import Database
from tests.chatd.store.notes import SCHEMA


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "chatd.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    async with Database.open(path, SCHEMA, busy_seconds=0.05) as opened:
        yield opened
