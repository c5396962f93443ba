"""`python -m chatd` is `chatd`."""

import sys

from chatd.cli import main

if getattr(sys, "frozen", False):
    from chatd.cli.frozen import guard_folder

    if sys.argv[1:2] == ["picture-worker"]:  # chatd/files/pictures.py starts this program again for a picture
        from chatd.files.picture_worker import main as read_picture

        sys.exit(read_picture(sys.argv[2:]))
    guard_folder()
sys.exit(main())
