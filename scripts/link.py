"""Make this checkout importable in the environment, and add its `chatd` command, as an editable install would.

Unlike an editable install, this needs no build backend, which the locked requirements do not contain. The checkout is
also compiled to bytecode. Where Python may not write bytecode later, chatd would take twice as long to start.
"""

import compileall
import shlex
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A path with a space cannot stand in the first line (#!), so the shell starts Python. Python reads both as a string.
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
    for package in ("chatd", "protocol"):
        compileall.compile_dir(ROOT / package, quiet=1)
