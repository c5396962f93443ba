"""The command that runs this program, as every hint to a user shows it."""

from __future__ import annotations

import os
import shlex
import shutil
import sys

COMMAND_NAME = "chatd"


def program_name() -> str:
    """`chatd` if the shell finds this program under that name; else a path to it that can be pasted."""
    frozen = getattr(sys, "frozen", False)
    called = sys.executable if frozen else sys.argv[0]
    if not frozen and (os.path.basename(called) != COMMAND_NAME or not os.path.exists(called)):
        return f"{shlex.quote(sys.executable)} -m {COMMAND_NAME}"
    found = shutil.which(COMMAND_NAME)
    if found is not None and os.path.samefile(found, called):
        return COMMAND_NAME
    here = os.path.relpath(called)
    return shlex.quote(here if not here.startswith("..") and os.sep in here else os.path.abspath(called))
