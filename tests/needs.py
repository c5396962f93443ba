"""What some tests need from outside Python. Missing, they are skipped and say why; with CI=true they fail."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

NODE_FOLDER = Path(__file__).parent / "node"


def node() -> str:
    """Node's path, and the assurance that tests/node has its packages."""
    program = shutil.which("node") or missing("node is not installed")
    if not (NODE_FOLDER / "node_modules").is_dir():
        missing("tests/node has no packages; `make node` installs them")
    return program


def chromium() -> str:
    """Chromium's path."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or missing("chromium is not installed")


def missing(what: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
