"""Sessions of the page: the refresh token is in a cookie that no script can read, and the page has the access token.

A request asks for it with the header `X-Chatd-Session: cookie`, which a page of another origin can't send without a
permission that this server never gives. The cookie is sent to /auth only, and only by pages of the same site; because
another port is the same site, the Origin is checked as well. All other paths, and sockets, never look at cookies.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from chatd.core.app import App
from chatd.net import origins
from chatd.net.request import Request, Response
from protocol import commands as ask
from protocol.commands import Command
from protocol.dialects.accounts import TOKENS
from protocol.dialects.encode import compile_shape, encode
from protocol.errors import AUTH_INVALID, FORBIDDEN, Refusal
from protocol.model import Tokens

SESSION_HEADER, IN_COOKIE = b"x-chatd-session", "cookie"
NAME_CHARS = 8
_show = compile_shape({name: part for name, part in TOKENS.items() if "efresh" not in name})

OwnOrigin = Callable[[Request], "str | None"]
"""The server's own origin, as the browser of a request sees it."""


class PageSessions:
    """Reads and writes the cookie. Its name contains the database's, because all ports of a host share cookies."""

    def __init__(self, app: App, own_origin: OwnOrigin) -> None:
        self._app = app
        self._own_origin = own_origin
        self._name = f"chatd_{re.sub('[^0-9a-z]', '', app.database.epoch)[:NAME_CHARS]}"

    def wants_cookie(self, request: Request) -> bool:
        """Whether a request asks for the cookie. A Refusal if it comes from a page that may not."""
        if request.get(SESSION_HEADER) != IN_COOKIE:
            return False
        origin = request.get(b"origin")
        if origin is None or origins.normal(origin) != self._own_origin(request):
            raise Refusal(FORBIDDEN, "Only the page of this server keeps its session in a cookie")
        return True

    def with_token(self, request: Request, command: Command) -> Command:
        """The command, with the refresh token of the cookie."""
        if isinstance(command, ask.Logout):
            return ask.Logout(refresh=self._read(request))
        return command

    def refresh(self, request: Request) -> Command:
        """The command that renews the session of the cookie."""
        token = self._read(request)
        if token is None:
            raise Refusal(AUTH_INVALID, "There is no session")
        return ask.Refresh(refresh=token)

    def _read(self, request: Request) -> str | None:
        for header in request.all(b"cookie"):
            for pair in header.decode("latin-1").split(";"):
                name, _, value = pair.strip().partition("=")
                if name == self._name and value:
                    return value
        return None

    def answer(self, request: Request, status: int, result: Any) -> Response:
        """The answer to a request that asked for the cookie: tokens without the refresh token."""
        if not isinstance(result, Tokens):
            return Response(status, headers=(self._cookie(request, "", 0),))
        age = int(self._app.config.auth.refresh_ttl)
        cookie = self._cookie(request, result.refresh, age)
        return Response(status, encode(_show(result)), ((b"content-type", b"application/json"), cookie))

    def forget(self, request: Request, refusal: Response) -> Response:
        """A refusal that removes the cookie: its session is over."""
        return Response(refusal.status, refusal.body, (*refusal.headers, self._cookie(request, "", 0)))

    def _cookie(self, request: Request, value: str, age_seconds: int) -> tuple[bytes, bytes]:
        secure = "; Secure" if (self._own_origin(request) or "").startswith("https:") else ""
        text = f"{self._name}={value}; Path=/auth; Max-Age={age_seconds}; HttpOnly; SameSite=Strict{secure}"
        return b"set-cookie", text.encode()
