"""Make this checkout importable in the environment, with its `chatd` command: what an editable install would do.

It needs no build backend, and so nothing that is not in the locked requirements.
"""

import shlex
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The kernel ends the path in a first line at a space, so the shell finds Python; to Python those lines are a string.
COMMAND = """\
#!/bin/sh
'''exec' {python} "$0" "$@"
' '''
import sys

from chatd.cli import main

sys.exit(main())
"""

if __name__ == "__main__":
    (Path(sysconfig.get_path("purelib")) / "chatd-checkout.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    command = Path(sysconfig.get_path("scripts")) / "chatd"
    command.write_text(COMMAND.format(python=shlex.quote(sys.executable)), encoding="utf-8")
    command.chmod(0o755)
