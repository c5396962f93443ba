"""`python -m chatd` is `chatd`."""

import sys

from chatd.cli import main

if getattr(sys, "frozen", False):
    from chatd.cli.frozen import guard

    guard()
sys.exit(main())
