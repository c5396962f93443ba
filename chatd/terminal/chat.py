"""The chat of `chatd chat`: joins the conversation, prints its messages, and sends the typed lines."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

import trio

from chatd.client import Chat, ChatError, Refused, StreamEvent, StreamGap, connect
from chatd.terminal.lines import Terminal, printable

PATIENCE_SECONDS = 60.0
REQUEST_SECONDS = 20.0
PAGE_MESSAGES = 200
DEFAULT_MESSAGES = 20
HELP = "Each line is a message. /quit or Ctrl-D ends."


class ChatFailed(Exception):
    """The chat could not begin or continue. The text is the reason."""


class OpenedConversation(NamedTuple):
    """A conversation on a server, opened by a user. `renew` opens it again, with a new token."""

    url: str
    token: str
    conversation: str
    title: str
    renew: Callable[[], OpenedConversation] | None = None


def chat(opened: OpenedConversation, last: int | None) -> bool:
    """Chat until the end of the input. Returns whether every line was sent."""
    try:
        return _run_unwrapped(partial(ChatScreen(opened).run, last))
    except ChatError as problem:
        raise ChatFailed(f"{opened.url}: {problem}") from None
    except ValueError as problem:
        raise ChatFailed(str(problem)) from None


def _run_unwrapped(task: Callable[[], Awaitable[bool]]) -> bool:
    """Run a task. Raises its error itself, not in the exception group of a nursery."""
    try:
        return trio.run(task)
    except BaseExceptionGroup as group:
        problem: BaseException = group
        while isinstance(problem, BaseExceptionGroup):
            problem = problem.exceptions[0]
        raise problem from None


class ChatScreen:
    """One conversation on a terminal."""

    def __init__(self, opened: OpenedConversation) -> None:
        self._opened = opened
        self._names: dict[int, str] = {}
        self._printed: set[str] = set()
        self._token_used = False
        self._terminal = Terminal("> ")
        self._events: dict[str, Callable[[Any], Awaitable[None]]] = {
            "message:created": self._message,
            "message:updated": partial(self._message, note=" (edited)"),
            "members:added": partial(self._member, what="joined"),
            "members:removed": partial(self._member, what="left"),
        }

    async def run(self, last: int | None) -> bool:
        """Print the last messages and each new one, and send each line, until the end of the input."""
        interactive = self._terminal.interactive
        shown = last if last is not None else DEFAULT_MESSAGES if interactive else 0
        token = self._token if self._opened.renew is not None else self._opened.token
        with self._terminal.restored_at_exit():
            async with connect(self._opened.url, token, patience=PATIENCE_SECONDS) as chat:
                await self._join(chat)
                await self._show_last(shown)
                if not interactive:
                    return await self._send_all(chat)
                self._terminal.print(f"-- {printable(self._opened.title)}. {HELP}")
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._print_events, chat)
                    sent = await self._send_all(chat)
                    nursery.cancel_scope.cancel()
                return sent

    async def _token(self) -> str:
        """The token of the conversation. When the server rejects it, the conversation is opened again for a new one."""
        if self._token_used and self._opened.renew is not None:
            self._opened = await trio.to_thread.run_sync(self._opened.renew)
        self._token_used = True
        return self._opened.token

    async def _join(self, chat: Chat) -> None:
        await chat.call("conversation:join", {"conversationId": self._opened.conversation})

    async def _send_all(self, chat: Chat) -> bool:
        """Send every line. Returns whether the server accepted all."""
        accepted = True
        async for line in self._terminal.lines():
            if line.strip() == "/quit" and self._terminal.interactive:
                break
            if line.strip():
                accepted &= await self._send(chat, line)
        return accepted

    async def _send(self, chat: Chat, line: str) -> bool:
        try:
            await chat.send("message:send", {"conversationId": self._opened.conversation, "content": line})
        except Refused as refused:
            self._terminal.print(f"-- not sent: {refused.message}")
            return False
        return True

    async def _print_events(self, chat: Chat) -> None:
        async for event in chat.events():
            if isinstance(event, StreamGap):
                await self._show_last(PAGE_MESSAGES)
            elif event.room is None or event.room == f"conversation:{self._opened.conversation}":
                await self._print_event(event)

    async def _print_event(self, event: StreamEvent) -> None:
        show = self._events.get(event.name)
        if show is not None:
            await show(event.data)

    async def _message(self, message: dict[str, Any], note: str = "") -> None:
        key = message["_id"] + note + message["content"] * bool(note)
        if key in self._printed:
            return
        self._printed.add(key)
        at = datetime.fromisoformat(message["created_at"]).astimezone()
        content = printable(message["content"]) or " ".join(message.get("attachments") or ())
        name = await self._name(message["sender_id"])
        self._terminal.print(f"{at:%H:%M} {name}: {content}{note}")

    async def _member(self, change: dict[str, Any], what: str) -> None:
        self._terminal.print(f"-- {await self._name(change['userId'])} {what}")

    # REST

    async def _show_last(self, count: int) -> None:
        """Print the last messages that are not on the screen yet."""
        if count > 0:
            path = f"/conversations/{quote(self._opened.conversation)}/messages?limit={min(count, PAGE_MESSAGES)}"
            for message in await self._get(path):
                await self._message(message)

    async def _name(self, user: int) -> str:
        if user not in self._names:
            found = await self._get(f"/users/{user}")
            self._names[user] = printable(str(found.get("username", user)))
        return self._names[user]

    async def _get(self, path: str) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the user gives the address
            self._opened.url.rstrip("/") + path, headers={"Authorization": f"Bearer {self._opened.token}"}
        )
        return await trio.to_thread.run_sync(_fetch_json, request, abandon_on_cancel=True)


def _fetch_json(request: urllib.request.Request) -> Any:
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as problem:
        raise ChatFailed(f"{request.full_url}: HTTP {problem.code}") from None
    except (urllib.error.URLError, ssl.SSLError, ValueError) as problem:
        raise ChatFailed(f"{request.full_url}: {problem}") from None
