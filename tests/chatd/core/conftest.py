"""The fixture of the tests of accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chatd.accounts_app import AccountsApp, accounts_on_a_store


@pytest.fixture
async def accounts_app(tmp_path: Path) -> AsyncIterator[AccountsApp]:
    async with accounts_on_a_store(tmp_path) as made:
        yield made
