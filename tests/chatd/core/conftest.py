"""The fixture of the tests of accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chatd.services_app import World, accounts_on_a_store


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with accounts_on_a_store(tmp_path) as made:
        yield made
