"""The issuer's key set: a task fetches it in the background and keeps it.

The task fetches at the start, every `refresh_seconds`, and when a token names an unknown key. Two fetches have at least
`min_interval_seconds` between them. Otherwise any client could make this server flood the issuer with requests. While
the issuer is down or sends invalid data, the last good keys stay. The fetch uses urllib in a worker thread, because it
is rare.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import trio

from chatd.auth.keys import KeyRing
from chatd.auth.public_keys import KeyProblem, read_jwks
from chatd.telemetry.redact import redact

MAX_KEY_SET_BYTES = 1024 * 1024
FETCH_TIMEOUT_SECONDS = 10.0
FIRST_RETRY_SECONDS = 5.0


def check_url(url: str) -> None:
    """Reject a URL that is not HTTP or HTTPS (`file:` would read this machine)."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("https", "http") and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid:
        raise KeyProblem("auth.jwks_url: expected an address that begins with https:// or http://")


def fetch(url: str) -> bytes:
    """GET the key set from a checked URL. A redirect is rejected: it could lead from https to any address."""
    from urllib.error import HTTPError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class NoRedirect(HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    request = Request(url, headers={"Accept": "application/json", "User-Agent": "chatd"})  # noqa: S310
    try:
        with build_opener(NoRedirect).open(request, timeout=FETCH_TIMEOUT_SECONDS) as response:
            body = bytes(response.read(MAX_KEY_SET_BYTES + 1))
    except HTTPError as error:
        error.close()
        raise KeyProblem(f"auth.jwks_url: the issuer answers {error.code}") from None
    if len(body) > MAX_KEY_SET_BYTES:
        raise KeyProblem(f"auth.jwks_url: the answer is larger than {MAX_KEY_SET_BYTES} bytes")
    return body


async def fetch_in_thread(url: str) -> bytes:
    """Fetch in a worker thread, with a time limit that the issuer cannot extend."""
    with trio.fail_after(2 * FETCH_TIMEOUT_SECONDS):
        return await trio.to_thread.run_sync(partial(fetch, url), abandon_on_cancel=True)


class JwksSource:
    """Keeps the keys of a ring up to date with the issuer's.

    `problem` is the reason why the last fetch failed, or None. `warn` logs the first failure and the recovery.
    """

    def __init__(
        self,
        url: str,
        ring: KeyRing,
        *,
        warn: Callable[..., None],
        refresh_seconds: float = 300.0,
        min_interval_seconds: float = 10.0,
        fetch: Callable[[str], Awaitable[bytes]] = fetch_in_thread,
    ) -> None:
        check_url(url)
        self.problem: str | None = None
        self._url = url
        self._ring = ring
        self._warn = warn
        self._refresh_seconds = refresh_seconds
        self._min_interval_seconds = min_interval_seconds
        self._fetch = fetch
        self._failures = 0
        self._tried_at = -math.inf
        self._fetching = False
        self._requested = trio.Event()
        self._done = trio.Event()

    async def run(self) -> None:
        """Fetch repeatedly, until cancelled."""
        while True:
            self._requested, self._fetching = trio.Event(), True
            await self._try()
            self._fetching, self._tried_at = False, trio.current_time()
            done, self._done = self._done, trio.Event()
            done.set()
            with trio.move_on_after(self._pause_seconds()):
                await self._requested.wait()
            await trio.sleep_until(self._tried_at + self._min_interval_seconds)

    def request_fetch(self) -> bool:
        """Request a fetch because a key is missing. Return whether the fetch runs now or starts at once."""
        self._requested.set()
        return self._fetching or trio.current_time() >= self._tried_at + self._min_interval_seconds

    async def wait_fetched(self, within: float) -> None:
        """Wait for the end of the current fetch, at most `within` seconds."""
        with trio.move_on_after(within):
            await self._done.wait()

    def _pause_seconds(self) -> float:
        """Return the pause before the next fetch. After a failure it is short, and doubles with each failure."""
        if not self._failures:
            return self._refresh_seconds
        return min(FIRST_RETRY_SECONDS * 2.0 ** min(self._failures - 1, 20), self._refresh_seconds)

    async def _try(self) -> None:
        try:
            keys = read_jwks(await self._fetch(self._url), self._ring.algorithms, "auth.jwks_url")
        except (OSError, ValueError, trio.TooSlowError) as error:
            self._report_failure(str(error) if isinstance(error, KeyProblem) else f"{type(error).__name__}: {error}")
            return
        except Exception as error:  # http.client raises errors of its own; none may end the server
            self._report_failure(type(error).__name__)
            return
        if self.problem is not None:
            self._warn("the issuer's keys are back", url=redact(self._url))
        self.problem, self._failures = None, 0
        self._ring.replace_issuer_keys(keys)

    def _report_failure(self, problem: str) -> None:
        self._failures += 1
        if self.problem is None:
            self._warn("cannot fetch the issuer's keys", url=redact(self._url), problem=problem)
        self.problem = problem
