"""`python -m chatd` is `chatd`."""

import sys

from chatd.cli import main

if getattr(sys, "frozen", False):
    from chatd.cli.frozen import guard_folder

    guard_folder()
sys.exit(main())
