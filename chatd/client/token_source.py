"""The token of a chat: a fixed string, or the result of a function of the application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from chatd.client.problems import ConnectionLost

Token = str | Callable[[], Awaitable[str]]


class TokenSource:
    """Keeps one token until the server rejects it. A function then supplies the next one."""

    def __init__(self, token: Token) -> None:
        self._token = token
        self._current: str | None = token if isinstance(token, str) else None
        self._renewed = False
        self._lock = trio.Lock()  # the function is called once at a time: a refresh token may be used only once

    async def get(self) -> str:
        """The token for the next connection or request. Raises ConnectionLost if the function raises an OSError."""
        if self._current is None:
            async with self._lock:
                if self._current is None:
                    assert not isinstance(self._token, str)
                    try:
                        self._current = await self._token()
                    except OSError as problem:
                        raise ConnectionLost(reason=str(problem)) from None
        return self._current

    def accepted(self) -> None:
        """The server has accepted the token."""
        self._renewed = False

    def renew(self, rejected: str) -> bool:
        """The server has rejected a token. Return whether to try another: only once until one is accepted."""
        if rejected != self._current and not isinstance(self._token, str):
            return True  # it was renewed meanwhile: calls and uploads use the same token
        if isinstance(self._token, str) or self._renewed:
            return False
        self._renewed = True
        self._current = None
        return True
