"""The limits on the calls of one connection."""

from __future__ import annotations

import trio

from chatd.core.app import App
from chatd.rate_limit import Bucket
from protocol.errors import RATE_LIMITED, Refusal

REFUSALS_SECONDS = 10.0
"""The time in which refusals are counted: `limits.refusals` of them end the connection."""


class CallRateLimits:
    """Two token buckets, one for calls and one for typing, and the times of the last refusals."""

    __slots__ = ("_app", "_calls", "_refused_at", "_typing")

    def __init__(self, app: App) -> None:
        self._app = app
        self._calls = Bucket(app.call_rate)
        self._typing: Bucket | None = None
        self._refused_at: list[float] | None = None

    def count_call(self) -> Refusal | None:
        """Count one call. Return a refusal when it is above the limit."""
        now = trio.current_time()
        if self._calls.take(now):
            return None
        wait = round(self._calls.retry_after(now), 3)
        return Refusal(RATE_LIMITED, "You are calling too fast", retry_after=wait)

    def count_refusal(self) -> bool:
        """Count one refusal. Return whether the connection must end."""
        now = trio.current_time()
        refused_at = [at for at in self._refused_at or () if at > now - REFUSALS_SECONDS]
        refused_at.append(now)
        self._refused_at = refused_at
        limit = self._app.config.limits.refusals
        return 0 < limit <= len(refused_at)

    def check_typing(self) -> None:
        """Count one typing call, or refuse it."""
        now = trio.current_time()
        if self._typing is None:
            self._typing = Bucket(self._app.typing_rate)
        if not self._typing.take(now):
            wait = round(self._typing.retry_after(now), 3)
            raise Refusal(RATE_LIMITED, "You are typing too fast", retry_after=wait)
