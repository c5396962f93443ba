"""`python -m chatd` is `chatd`."""

import sys

from chatd.cli import main

if getattr(sys, "frozen", False):
    from chatd.cli.frozen import guard_folder
    from chatd.files.picture_worker import WORKER_VERB
    from chatd.files.picture_worker import main as read_picture

    if sys.argv[1:2] == [WORKER_VERB]:  # chatd/files/pictures.py starts this program again for a picture
        sys.exit(read_picture(sys.argv[2:]))
    guard_folder()
sys.exit(main())
