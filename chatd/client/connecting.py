"""`connect`: the entry point of the package."""

from __future__ import annotations

import math
import random as random_module
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import trio

from chatd.client.chat import Chat, Options
from chatd.client.events import Mark
from chatd.client.token_source import Token
from chatd.client.wire import Dial, dial

SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


@asynccontextmanager
async def connect(
    url: str,
    token: Token,
    *,
    namespace: str = "/chat",
    dialect: str | None = None,
    resume: Mark | None = None,
    buffer: int = 1000,
    patience: float = math.inf,
    random: Callable[[], float] = random_module.random,
    dial: Dial = dial,
) -> AsyncIterator[Chat]:
    """A chat, connected when the block begins. It connects again as needed until the block ends.

    `token`     a string, or an async function that returns one: called first, and when the server rejects the last one
    `resume`    the `chat.mark` of an earlier chat, to continue after the events that it has read
    `buffer`    how many events may wait for their reader
    `patience`  seconds without a connection after which Unreachable is raised
    """
    chat = Chat(_websocket(url, namespace), url, token, Options(dial, random, dialect, buffer, patience, resume))
    problem: BaseException | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(chat.run)
        try:
            await chat.wait_connected()
            yield chat
        except BaseException as raised:  # raised again below, so that it is not wrapped in an exception group
            problem = raised
        chat.close()
        nursery.cancel_scope.cancel()
    if problem is not None:
        raise problem


def _websocket(url: str, namespace: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise ValueError(f"{url!r} is not the address of a server; expected http:// or https:// and a host")
    path = parts.path.rstrip("/") + "/" + namespace.lstrip("/")
    return urlunsplit((SCHEMES[parts.scheme], parts.netloc, path, "", ""))
