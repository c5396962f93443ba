"""What `chatd chat` does once it knows where: join, print what was said, send what is typed."""

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
    """The chat could not begin, or could not go on; the text says why."""


class OpenedConversation(NamedTuple):
    """A conversation of a server, as a user; `renew` opens it again, for a new token."""

    url: str
    token: str
    conversation: str
    title: str
    renew: Callable[[], OpenedConversation] | None = None


def chat(place: OpenedConversation, last: int | None) -> bool:
    """Chat to the end of the input; whether everything was sent."""
    try:
        return _run_unwrapped(partial(ChatScreen(place).run, last))
    except ChatError as problem:
        raise ChatFailed(f"{place.url}: {problem}") from None
    except ValueError as problem:
        raise ChatFailed(str(problem)) from None


def _run_unwrapped(task: Callable[[], Awaitable[bool]]) -> bool:
    """Run a task; what ends it comes out as it is, not in a nursery's group."""
    try:
        return trio.run(task)
    except BaseExceptionGroup as group:
        problem: BaseException = group
        while isinstance(problem, BaseExceptionGroup):
            problem = problem.exceptions[0]
        raise problem from None


class ChatScreen:
    """One conversation on a terminal."""

    def __init__(self, place: OpenedConversation) -> None:
        self._place = place
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
        """Print the last messages, then what arrives; send each line. The end of the input is the end."""
        interactive = self._terminal.interactive
        shown = last if last is not None else DEFAULT_MESSAGES if interactive else 0
        token = self._token if self._place.renew is not None else self._place.token
        with self._terminal.restored_at_exit():
            async with connect(self._place.url, token, patience=PATIENCE_SECONDS) as chat:
                await self._join(chat)
                await self._show_last(shown)
                if not interactive:
                    return await self._send_all(chat)
                self._terminal.print(f"-- {printable(self._place.title)}. {HELP}")
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._print_events, chat)
                    sent = await self._send_all(chat)
                    nursery.cancel_scope.cancel()
                return sent

    async def _token(self) -> str:
        """The token of the place; when that is no longer valid, the one of a place opened again."""
        if self._token_used and self._place.renew is not None:
            self._place = await trio.to_thread.run_sync(self._place.renew)
        self._token_used = True
        return self._place.token

    async def _join(self, chat: Chat) -> None:
        await chat.call("conversation:join", {"conversationId": self._place.conversation})

    async def _send_all(self, chat: Chat) -> bool:
        """Send every line; whether all were taken."""
        taken = True
        async for line in self._terminal.lines():
            if line.strip() == "/quit" and self._terminal.interactive:
                break
            if line.strip():
                taken &= await self._send(chat, line)
        return taken

    async def _send(self, chat: Chat, line: str) -> bool:
        try:
            await chat.send("message:send", {"conversationId": self._place.conversation, "content": line})
        except Refused as refused:
            self._terminal.print(f"-- not sent: {refused.message}")
            return False
        return True

    async def _print_events(self, chat: Chat) -> None:
        async for event in chat.events():
            if isinstance(event, StreamGap):
                await self._show_last(PAGE_MESSAGES)
            elif event.room is None or event.room == f"conversation:{self._place.conversation}":
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
            path = f"/conversations/{quote(self._place.conversation)}/messages?limit={min(count, PAGE_MESSAGES)}"
            for message in await self._get(path):
                await self._message(message)

    async def _name(self, user: int) -> str:
        if user not in self._names:
            found = await self._get(f"/users/{user}")
            self._names[user] = printable(str(found.get("username", user)))
        return self._names[user]

    async def _get(self, path: str) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the address is the caller's
            self._place.url.rstrip("/") + path, headers={"Authorization": f"Bearer {self._place.token}"}
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
