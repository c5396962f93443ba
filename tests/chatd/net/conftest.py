"""The fixtures of the network tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.chatd.net.http_client import Line


@pytest.fixture
async def line(nursery: trio.Nursery) -> AsyncIterator[Line]:
    made = Line(nursery)
    yield made.start()
    made.client.close()
    await made.over.wait()
    await wait_all_tasks_blocked()
    assert not nursery.child_tasks, "a task is left behind"
