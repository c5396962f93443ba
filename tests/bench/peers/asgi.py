# mypy: ignore-errors
"""Serves a peer on uvicorn with uvloop and httptools, its fastest parts, on a free port.

Not part of chatd: runs in its own environment (tests/bench/requirements.txt).
"""

import socket
import sys

import uvicorn


def serve(app, name: str) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(f"{name} listening on http://127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
    config = uvicorn.Config(app, loop="uvloop", http="httptools", log_level="warning", backlog=4096)
    uvicorn.Server(config).run(sockets=[listener])
