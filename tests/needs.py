"""What some tests need beside Python. Without it, a test is skipped with a reason; with CI=true it fails."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

NODE_FOLDER = Path(__file__).parent / "node"


def node() -> str:
    """The path of Node. tests/node has its packages."""
    program = shutil.which("node") or missing("node is not installed")
    if not (NODE_FOLDER / "node_modules").is_dir():
        missing("tests/node has no packages; `make node` installs them")
    return program


def chromium() -> str:
    """The path of Chromium."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or missing("chromium is not installed")


def missing(what: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
