"""The words that run this program again: for advice that can be pasted, also when `chatd` is not on PATH."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

NAME = "chatd"


def program_name() -> str:
    """`chatd` where a shell finds this program by that name, else its path; quoted for a shell."""
    if getattr(sys, "frozen", False):
        running = Path(sys.executable)
    elif Path(sys.argv[0]).name == NAME:
        running = Path(sys.argv[0])
    else:  # python -m chatd
        return f"{shlex.quote(sys.executable)} -m chatd"
    found = shutil.which(NAME)
    if found is not None and Path(found).resolve() == running.resolve():
        return NAME
    return shlex.quote(str(running if len(running.parts) > 1 else running.absolute()))
