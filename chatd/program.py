"""How to call this program again: what every hint to a person uses."""

from __future__ import annotations

import os
import shlex
import shutil
import sys

NAME = "chatd"


def program_name() -> str:
    """`chatd` where the shell finds this very program under that name, else a path to it that can be pasted."""
    frozen = getattr(sys, "frozen", False)
    called = sys.executable if frozen else sys.argv[0]
    if not frozen and (os.path.basename(called) != NAME or not os.path.exists(called)):
        return f"{shlex.quote(sys.executable)} -m {NAME}"
    found = shutil.which(NAME)
    if found is not None and os.path.samefile(found, called):
        return NAME
    here = os.path.relpath(called)
    return shlex.quote(here if not here.startswith("..") and os.sep in here else os.path.abspath(called))
