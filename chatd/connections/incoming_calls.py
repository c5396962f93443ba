"""The calls of one connection.

    receive   frame → dialect → command → dispatch; the next frame does not wait for the outcome
    reply     outcome → dialect → frame → the broker's queue for this connection, in order with its events

A call is not a task: dispatch calls back with its outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Protocol

import outcome
import trio
from msgspec.structs import replace

from chatd.connections.call_rate_limits import CallRateLimits
from chatd.connections.channel import Channel
from chatd.connections.replies import Replies
from chatd.core.app import App
from chatd.core.dispatch import Answer
from chatd.services.table import writes
from protocol import commands as ask
from protocol.dialects.grammar import Inbound
from protocol.errors import AUTH_INVALID, BAD_REQUEST, FLOOD, INTERNAL, Closing, Refusal
from protocol.events import JOINED, Event
from protocol.frames import Acknowledged, Call, Frame, Framing, InvalidFrame, Ping

MAX_CALLS_IN_PROGRESS = 256
"""The calls of one connection that may be in progress before the server reads no more of its frames."""

ROOM_COMMANDS = (ask.Join, ask.Leave)


class Caller(Protocol):
    """The connection that makes the calls."""

    app: App
    framing: Framing
    channels: dict[str, Channel]
    replies: Replies
    is_open: bool
    is_closing: bool

    def send_state(self, channel: Channel, kind: type[Event]) -> None: ...

    def close_with(self, closing: Closing) -> None: ...


class ClosedCaller:
    """Takes the place of a connection that is closed: its calls are not answered."""

    is_open = False
    is_closing = True


CLOSED_CALLER: Any = ClosedCaller()


class IncomingCalls:
    """Takes the frames of one connection, and knows how many of its calls are in progress."""

    __slots__ = ("_caller", "_may_continue", "in_progress", "limits", "writes_in_progress")

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self.limits = CallRateLimits(caller.app)
        self.in_progress = 0
        self.writes_in_progress = 0
        self._may_continue: trio.Event | None = None

    def release(self) -> None:
        """Let the closed connection go. Otherwise its buffers would wait for the garbage collector."""
        self._caller = CLOSED_CALLER

    # Receiving

    async def receive_all(self, frames: Iterable[Frame]) -> None:
        """Receive frames. Wait whenever too many calls are in progress."""
        for frame in frames:
            if self.in_progress >= MAX_CALLS_IN_PROGRESS:
                self._may_continue = trio.Event()
                await self._may_continue.wait()
            self.receive(frame)

    def receive_now(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        """Receive frames without waiting. Return the frames that must wait."""
        for index, frame in enumerate(frames):
            if self.in_progress >= MAX_CALLS_IN_PROGRESS:
                return frames[index:]
            self.receive(frame)
        return ()

    def receive(self, frame: Frame) -> None:
        """Receive one frame. A server that stops ignores it: the client calls again on its next connection.

        Calls that are already in progress are still answered.
        """
        if self._caller.is_closing or self._caller.app.stopping:
            return
        if type(frame) is Call:
            self._call(frame)
            return
        match frame:
            case InvalidFrame(refusal=refusal, id=id):
                if self.is_allowed(None, id):
                    channel = next(iter(self._caller.channels.values()), None)
                    self._caller.replies.refuse(channel, None, id, refusal)
            case Acknowledged():
                self.is_allowed(None, None)  # the server asks for no acknowledgement: many of them are a flood
            case Ping(id=id):
                if self.is_allowed(None, id) and id is not None:
                    self._caller.replies.send(self._caller.framing.answer(id, b'"pong"'))

    def is_allowed(self, channel: Channel | None, id: Any) -> bool:
        """Count one call. Above the limit, refuse it, and close a connection that has had too many refusals."""
        refusal = self.limits.count_call()
        if refusal is None:
            return True
        self._caller.replies.refuse(channel, None, id, refusal)
        if self.limits.count_refusal():
            self._caller.app.broker.flush_now()
            self._caller.close_with(FLOOD)
        return False

    def _call(self, call: Call) -> None:
        channel = self._caller.channels.get(call.namespace)
        if channel is None:
            if self.is_allowed(None, call.id):
                closed = Refusal(AUTH_INVALID, "This namespace is not open on this connection")
                self._caller.replies.refuse(None, None, call.id, closed)
            return
        if not self.is_allowed(channel, call.id):
            return
        row: Inbound | None = None
        try:
            row = channel.codec.row(call.name)
            command = channel.codec.decode(call.name, call.arguments)
            self._perform(channel, row, call, command)
        except Refusal as refusal:
            self._caller.replies.refuse(channel, row, call.id, refusal)

    # Performing

    def _perform(self, channel: Channel, row: Inbound, call: Call, command: ask.Command) -> None:
        kind = type(command)
        if kind is ask.SetTyping:
            self.limits.check_typing()
        elif isinstance(command, ask.Join):
            command = self._begin_join(channel, command)
        elif isinstance(command, ask.Leave):
            command = self._begin_leave(channel, command)
        behind = self.writes_in_progress > 0  # a connection reads what it wrote before
        writing = writes(kind)
        self._begin(writing)
        reply = partial(self._performed, channel, row, call.id, command, writing)
        try:
            self._caller.app.dispatch.perform(channel.actor, command, reply, behind=behind)
        except Refusal:  # the database's queue is full: the command has not begun
            self._end(writing)
            if isinstance(command, ROOM_COMMANDS):
                channel.room_changes.end(command.conversation.number)
            raise

    def _begin(self, writing: bool) -> None:
        self.in_progress += 1
        self.writes_in_progress += writing

    def _end(self, writing: bool) -> None:
        self.in_progress -= 1
        self.writes_in_progress -= writing
        if self._may_continue is not None and self.in_progress < MAX_CALLS_IN_PROGRESS:
            self._may_continue.set()
            self._may_continue = None

    def _performed(
        self, channel: Channel, row: Inbound, id: Any, command: ask.Command, writing: bool, answer: Answer
    ) -> None:
        self._end(writing)
        caller = self._caller
        if isinstance(command, ROOM_COMMANDS):
            channel.room_changes.end(command.conversation.number)
            if type(command) is ask.Leave and caller.is_open:  # also after a failure: the client receives no more
                caller.app.broker.leave(channel, (JOINED, command.conversation.number))
        if not caller.is_open:
            return
        if type(answer) is outcome.Error:
            caller.replies.refuse(channel, row, id, refusal_of(answer.error))
            return
        result = answer.result
        if type(command) is ask.Join and channel.groups:  # the channel is still subscribed
            caller.app.broker.join(channel, (JOINED, result.conversation.number))
        caller.replies.answer(channel, row, id, result)
        if row.resends is not None and result is False:
            caller.send_state(channel, row.resends)

    # Rooms

    def _begin_join(self, channel: Channel, command: ask.Join) -> ask.Join:
        """Check the limit before the join is submitted: a join above it must not be stored either."""
        limit, number = self._caller.app.config.limits.rooms_per_socket, command.conversation.number
        if not channel.room_changes.allow_join(number, channel.groups, limit):
            raise Refusal(BAD_REQUEST, f"One socket joins at most {limit} conversations")
        channel.room_changes.begin(number, joins=True)
        return command if channel.session is None else replace(command, session=channel.session)

    def _begin_leave(self, channel: Channel, command: ask.Leave) -> ask.Leave:
        """Complete the command. It leaves a room that is joined, or that a call in progress may join.

        A dialect that documents FORBIDDEN refuses to leave a conversation of other users. So the membership is checked
        when the channel is not in the room. The other dialects confirm every leave.
        """
        number = command.conversation.number
        is_joined = (JOINED, number) in channel.groups
        channel.room_changes.begin(number, joins=False)
        return replace(
            command,
            session=channel.session if self.writes_in_progress or is_joined else None,
            must_be_member=not is_joined and channel.encoder.dialect.forbidden_text is not None,
        )


def refusal_of(error: BaseException) -> Refusal:
    """The refusal that the client receives for an error: its own, or INTERNAL."""
    return error if isinstance(error, Refusal) else Refusal(INTERNAL)
