"""The token of a chat: a fixed string, or the result of a function of the application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from chatd.client.problems import ConnectionLost

Token = str | Callable[[], Awaitable[str]]


class TokenSource:
    """Keeps one token until the server rejects it. A function then supplies the next one."""

    def __init__(self, token: Token) -> None:
        self._token = token
        self._current: str | None = token if isinstance(token, str) else None
        self._renewed = False

    async def get(self) -> str:
        """The token for the next connection. Raises ConnectionLost when the function fails with an OSError."""
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

    def renew(self) -> bool:
        """The server has rejected the token. Returns whether to try another: only once until one is accepted."""
        if isinstance(self._token, str) or self._renewed:
            return False
        self._renewed = True
        self._current = None
        return True
