"""A model of the chat: actions of users, clients and the server, in any order.

A turn is one action, or several at once. After each turn the test waits until the server has finished. At the end every
client reconnects. Then the view of each viewer must equal the content of the store.
"""

from __future__ import annotations

import math
import socket
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import trio

from chatd.store.queries import event_log
from chatd.store.queries import read_states as stored
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from tests.outside.server import SECRET, token
from tests.scenes.chat_server import ChatServer, chat_server
from tests.scenes.viewers import Viewer, history

USERS = (1, 2, 3)
DEVICES = 2
CHANGES = (
    "SELECT position, kind, conversation, user FROM events WHERE kind IN ('add','remove','close') AND position > ?"
)


class Step(NamedTuple):
    """An action of a user; `which` selects its object."""

    what: str
    who: int
    which: int


class Change(NamedTuple):
    """A row of the event log about a membership."""

    position: int
    kind: str
    conversation: int
    user: int | None


class Model:
    """The server, its users, and the viewers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.viewers = [Viewer(user, token(user), self.load) for user in USERS for _ in range(DEVICES)]
        self.server: ChatServer = None  # type: ignore[assignment]
        self.conversations: dict[str, set[int]] = {}
        self.messages: list[str] = []
        self.changes: list[Change] = []
        self.trimmed = 0
        self._stack = AsyncExitStack()
        self._said = 0
        self._forward = 0.0

    # The server

    async def open(self) -> None:
        self.server = await self._stack.enter_async_context(
            chat_server(self.folder, auth__secret=SECRET, limits__outbox_bytes="64KiB", limits__replay_batch="7")
        )
        for listener in self.server.running.front._listeners:  # small buffers: a slow client reaches its limit soon
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)

    async def close(self) -> None:
        for viewer in self.viewers:
            viewer.cut()
        await self._stack.aclose()

    async def ask(self, method: str, path: str, user: int, body: Any = None) -> tuple[int, Any]:
        status, said, _ = await self.server.rest.ask(method, path, body, token=token(user))
        assert status < 500, (method, path, status, said)
        assert status != 400 or "member" in said["message"], (
            method,
            path,
            said,
        )  # the model checks the state of the server itself
        return status, said

    async def load(self, user: int, path: str) -> Any:
        try:
            status, said = await self.ask("GET", path, user)
        except OSError:
            return None
        assert status in (200, 403, 404), (path, status, said)
        return said if status == 200 else None

    async def look(self) -> None:
        """Record the changes of memberships."""
        self.changes += await self.server.running.app.database.read(self._changes)

    def _changes(self, tx: ReadTransaction) -> list[Change]:
        since = self.changes[-1].position if self.changes else 0
        return [Change(*row) for row in tx.control(CHANGES, (since,)).fetchall()]

    # What happens

    async def do(self, step: Step) -> None:
        match step.what:
            case "restart":
                await self.close()
                await self.open()
            case "trim":
                await self.trim(step.which)
            case "cut" | "back" | "back anew" | "slow" | "wake" | "part" | "follow":
                viewer = self.viewers[(step.who * DEVICES + step.which) % len(self.viewers)]
                await self.move(step.what, viewer, step.which)
            case _:
                await self.act(step, USERS[step.who % len(USERS)])

    async def move(self, what: str, viewer: Viewer, which: int) -> None:
        rooms = sorted(viewer.rooms)
        match what:
            case "cut":
                viewer.cut()
            case "back" | "back anew" if not viewer.connected and not viewer.coming:
                viewer.coming = True
                await self.connect(viewer, named=what == "back")
                viewer.coming = False
            case "slow" if viewer.connected and not (viewer.coming or viewer.has_open_calls) and viewer.awake.is_set():
                viewer.awake = trio.Event()
            case "wake":
                viewer.awake.set()
            case "part" if rooms and viewer.awake.is_set():
                await viewer.leave_room(rooms[which % len(rooms)])
            case "follow" if viewer.left and viewer.connected and viewer.awake.is_set():
                where = min(viewer.left)
                viewer.left.discard(where)
                viewer.follow(where)

    async def connect(self, viewer: Viewer, *, named: bool, judge: bool = False) -> None:
        """Reconnect. With `judge` nothing else happens, so that the view must be right at once."""
        app = self.server.running.app
        start, known = app.broker.position, bool(viewer.place)
        recovered = await viewer.connect(self.server.address, self.server.nursery, named=named)
        viewer.span.append(start)
        await viewer.settle()
        viewer.span.append(app.broker.position)
        if not recovered:
            if known:
                self.judge_gap(*viewer.gaps[-1])
            await viewer.load_all()
            return
        if judge:
            await self.judge_rooms(viewer)
        viewer.rejoin(all=not named)

    async def trim(self, left: int) -> None:
        def unit(tx: Transaction) -> int:
            self.changes += self._changes(tx)
            event_log.trim(tx, before=0, position=tx.sequences["position"] - left, limit=10_000)
            return (event_log.first(tx) or 1) - 1

        self.trimmed = await self.server.running.app.database.write(unit)

    async def act(self, step: Step, me: int) -> None:
        what, which = step.what, step.which
        where = list(self.conversations)[which % len(self.conversations)]
        other = {"userId": USERS[(step.who + 1 + which % 2) % len(USERS)]}
        about = f"/messages/{self.messages[-1 - which % len(self.messages)]}" if self.messages else ""
        match what:
            case "say" | "flood":
                for _ in range(1 if what == "say" else 40):
                    self._said += 1
                    content = f"{self._said}" + ("x" * 9_000 if what == "flood" else "")
                    status, said = await self.ask("POST", f"/conversations/{where}/messages", me, {"content": content})
                    if status == 201:
                        self.messages.append(said["_id"])
            case "edit" if about:
                self._said += 1
                await self.ask("PATCH", about, me, {"content": f"{self._said} edited"})
            case "unsay" if about:
                await self.ask("DELETE", about, me)
            case "read" if about:
                await self.ask("POST", f"{about}/read", me)
            case "add":
                await self.ask("POST", f"/conversations/{where}/members", me, other)
            case "remove":
                await self.ask("DELETE", f"/conversations/{where}/members?userId={other['userId']}", me)
            case "leave":
                await self.ask("DELETE", f"/conversations/{where}/members?userId={me}", me)
            case "destroy" if len(self.conversations) > 1:
                await self.ask("DELETE", f"/conversations/{where}", me)
            case "create":
                await self.create(me, [other["userId"]] if which % 3 else list(USERS))

    async def create(self, me: int, others: list[int], kind: str = "group") -> None:
        status, made = await self.ask("POST", "/conversations", me, {"type": kind, "participants": others})
        assert status in (200, 201), made
        self.conversations[made["_id"]] = {me, *others}

    # What must be so

    async def rest(self) -> None:
        """Wait until every call is carried out and every event is sent."""
        app = self.server.running.app
        self._forward += 10
        for _ in range(2):
            app.viewers.flush()
            await app.dispatch.settled()
            await app.notifier.round()
            for counts in app.online_users.due_counts(trio.current_time() + self._forward):
                app.broker.publish(counts, None)
            app.unread_counts.send_changed()
        await app.dispatch.settled()
        await app.broker.flush()
        await self.look()

    async def end(self, *, named: bool) -> None:
        """Every client reconnects; every view is compared with the store."""
        with trio.fail_after(10):
            await self.rest()
            for viewer in self.viewers:
                viewer.awake.set()
                await viewer.settle()
                while not viewer.connected:
                    await self.connect(viewer, named=named, judge=True)
                    await viewer.settle()
            while any(room.waiting is not None for viewer in self.viewers for room in viewer.rooms.values()):  # noqa: ASYNC110
                await trio.sleep(0.002)
            await self.rest()
            for viewer in self.viewers:
                await viewer.settle()
                await self.judge(viewer)

    async def judge(self, viewer: Viewer) -> None:
        mine = {one["_id"] for one in await self.load(viewer.user, "/conversations?limit=200")}
        assert set(viewer.rooms) - viewer.left <= mine
        assert mine <= set(viewer.rooms) | viewer.left
        await self.judge_rooms(viewer)
        unread = await self.unread(viewer.user)
        assert viewer.unread == unread, f"{viewer.user} was told {viewer.unread}, and it is {unread}"
        for span, push in viewer.received:
            where = push.get("room", "").removeprefix("conversation:")
            if where:
                self.judge_push(viewer.user, span, push, int(where[8:], 16), self.conversations.get(where, set()))

    async def unread(self, user: int) -> Any:
        """Count the unread messages from the tables."""
        read_states = await self.server.running.app.database.read(lambda tx: stored.read_states(tx, user))
        names = {int(id[8:], 16): id for id in self.conversations}
        counts = {names[one.conversation.number]: one.unread for one in read_states if one.unread}
        return {"total": sum(counts.values()), "byConversation": counts}

    async def judge_rooms(self, viewer: Viewer) -> None:
        for where, room in viewer.rooms.items():
            if room.waiting is not None:
                continue
            said = await history(self.load, viewer.user, where)
            assert said is not None, f"{viewer.user} was never told of the end of {where}"
            truth = {one["_id"]: one["content"] for one in said}
            assert room.messages == truth, (
                f"{viewer.user}, who came back {viewer.resumed} times: missed {set(truth) - set(room.messages)}, "
                f"too many {set(room.messages) - set(truth)}"
            )
            members = await self.load(viewer.user, f"/conversations/{where}/members")
            assert room.members == {one["user_id"] for one in members}
            number = int(where[8:], 16)
            always = self.conversations[where] - {one.user for one in self.changes if one.conversation == number}
            for one in said:
                assert room.seen[one["_id"]] & always == set(one["seen_by"]) & always, one

    def judge_gap(self, position: int, reason: str) -> None:
        """Check that a reported gap is a gap."""
        assert reason in ("trimmed", "connection"), reason
        assert position < self.trimmed + (reason == "connection"), f"{reason}: {position} of {self.trimmed}"

    def judge_push(self, user: int, span: list[int], push: dict[str, Any], conversation: int, first: set[int]) -> None:
        """A user may receive an event from before the membership only after becoming a member."""
        position = push["pos"]
        mine = [one for one in self.changes if one.conversation == conversation]

        def was_in(at: float) -> bool:
            inside = user in first
            for one in mine:
                if one.position <= at and one.kind == "close":
                    inside = False
                elif one.position <= at and one.user == user:
                    inside = one.kind == "add"
            return inside

        if was_in(position) or any(one.position == position for one in mine if one.kind in ("remove", "close")):
            return
        start, came = [*span, 0, math.inf][:2] if span else (0, math.inf)
        then = [start, *(one.position for one in mine if start < one.position <= came)]
        assert position <= came, f"{user} received of {push} at {span}"
        assert any(was_in(at) for at in then), f"{user} received of {push} at {span}"
