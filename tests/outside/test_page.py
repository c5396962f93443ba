"""The page in Debian's Chromium, driven by Playwright: the scenes of tests/node/page, one process for each file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import trio

from tests import needs

SCENES = sorted((needs.NODE_FOLDER / "page").glob("*.test.mjs"))
ROOT = Path(__file__).parent.parent.parent
SECONDS = 240


@pytest.mark.parametrize("scenes", SCENES, ids=lambda path: path.name.partition(".")[0])
async def test_scenes(scenes: Path) -> None:
    command = [needs.node(), "--test", "--test-concurrency=1", "--test-reporter=tap", str(scenes)]
    given = {"CHATD_ROOT": str(ROOT), "CHATD_PYTHON": sys.executable, "CHATD_CHROMIUM": needs.chromium()}
    with trio.fail_after(SECONDS):
        done = await trio.run_process(command, env={**os.environ, **given}, capture_stdout=True, check=False)
    assert done.returncode == 0, done.stdout.decode()[-6000:]
