"""One Engine.IO session: it outlives its transports, and to its application it looks like one connection.

    opened by      transport    it may become
    polling        polling      a WebSocket, once, after a probe
    WebSocket      WebSocket    -

The application uses a session like a WebSocket. `listen` passes on the client's packets, `write` and `outbox` take
complete WebSocket frames, and `close` ends the session. After the end, Gone is raised. Both transports get the same
frames, so an event is encoded once for the clients of both. A GET takes the frames apart (chatd/engineio/polling.py).
An upgrade sends the frames that still wait as the first bytes on the WebSocket, so nothing is lost or overtaken.

The requests of the polling transport and the upgrade are functions beside this class (chatd/engineio/transports.py).

The heartbeat is two moments. At `due` a ping must go out, or its pong must have come. `due` counts from the previous
`due`, not from the time of the check. At `connect_by` the client must have opened its first namespace.

The end of a session has a last packet, for the poll that waits. Unless the client broke the rules, the next poll within
`linger_seconds` gets it too. It is close when the server ends the session, noop when the client did. It has a payload
of its own, because the stock client acts on a close before it delivers the events beside it. It would keep these for
its next connection, and request them again there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import trio

from chatd.engineio.polling import Polling, PollingOutbox
from chatd.engineio.rules import CLIENT_PINGED, LEFT, MALFORMED, TOO_MANY_STRAYS, SessionRules
from chatd.net.framer import frame_text
from chatd.net.outbox import Outbox
from chatd.net.socket import Gone, WebSocket
from chatd.net.timer_wheel import NO_SLOT
from protocol.errors import SIGNED_OUT, SILENT, SLOW
from protocol.frames import Packet
from protocol.framings.engineio import CLOSE, MESSAGE, NOOP, PING, PONG, MalformedPacket, read_message

LAST_FIVE_SECONDS = 1.0  # how long a session that has ended waits for the end of an upgrade
MAX_STRAYS = 100  # between two pings
PING_FRAME = frame_text(PING)


class SessionKeeper(Protocol):
    """What holds the sessions."""

    def forget(self, session: EngineSession) -> None:
        """No request may find the session by its sid any more."""

    def reschedule(self, session: EngineSession) -> None:
        """The session has another deadline now."""


class EngineSession:
    """One client's session. `keeper` is told when no request may find the session by its sid any more."""

    __slots__ = (
        "_awaiting_pong",
        "_inbound",
        "_over",
        "_received_at",
        "_strays",
        "_wake",
        "address",
        "connect_by",
        "due",
        "end",
        "keeper",
        "last_packet",
        "outbox",
        "owner",
        "polling",
        "probe",
        "probe_time",
        "rules",
        "sid",
        "slot",
        "socket",
    )

    def __init__(self, sid: str, rules: SessionRules, keeper: SessionKeeper, socket: WebSocket | None = None) -> None:
        now = trio.current_time()
        self.sid = sid
        self.owner: object = None
        self.address = ""
        self.rules = rules
        self.keeper = keeper
        self.slot = NO_SLOT
        self.socket = socket
        self.polling: Polling | None = None
        self.probe: WebSocket | None = None  # a WebSocket that may become the transport
        self.probe_time: trio.CancelScope | None = None  # ends the probe when its time is over
        self.outbox: Outbox | PollingOutbox  # another one after an upgrade
        if socket is not None:
            self.outbox = socket.outbox
        else:
            self.outbox = PollingOutbox(rules.outbox_bytes, self._overflow)
            self.polling = Polling(self.outbox)
        self._inbound: list[Packet] = []
        self._wake: trio.Event | None = None  # wakes the reader
        self.end: tuple[int, str] | None = None  # the close code and reason, once the session has ended
        self.last_packet = CLOSE
        self._awaiting_pong = False
        self._strays = 0
        self._received_at = now
        self.due = now + rules.interval_seconds
        self.connect_by = now + (rules.connect_seconds or math.inf)
        self._over: trio.Event | None = None  # wakes the task whose WebSocket an upgrade has taken

    # -- for the application ---------------------------------------------------------------------------------------

    async def listen(self, on_packets: Callable[[list[Packet]], bool]) -> None:
        """Call `on_packets` with the client's packets (text without its "4"), until it returns False. Gone at the end.

        It also returns after an upgrade: from then on `outbox` is another one. One task at a time.
        """
        while self.socket is None or self._inbound or self.end is not None:
            if self._inbound:
                if not on_packets(self._take_inbound()):
                    return
            elif self.end is not None:
                raise Gone(*self.end)
            else:
                self._wake = trio.Event()
                await self._wake.wait()
                if self.socket is not None:
                    return

        def on_messages(messages: list[Packet]) -> bool:
            self.receive_messages(messages)
            wants_more = on_packets(self._take_inbound()) if self._inbound else True
            return wants_more and self.end is None

        try:
            await self.socket.listen(on_messages)
        except Gone as gone:
            self.finish((gone.code, gone.reason))
            raise

    def write(self, frames: bytes, droppable: bool = False) -> None:
        """Send complete WebSocket frames by the transport of the moment. It never raises."""
        self.outbox.push(frames, droppable)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session, behind everything written before. The first call counts."""
        self.finish((code, reason), linger=True)

    def namespace_opened(self) -> None:
        """The client has opened a namespace, so that `connect_by` no longer applies."""
        self.connect_by = math.inf

    def postpone(self) -> None:
        """Give the client one more timeout: it is present, but its pongs are not being read now."""
        self.due = max(self.due, trio.current_time() + self.rules.timeout_seconds)

    @property
    def last_received(self) -> float:
        return self._received_at if self.socket is None else self.socket.last_received

    @property
    def closing(self) -> bool:
        """Whether a write does nothing any more."""
        return self.end is not None or self.outbox.closed

    @property
    def transport(self) -> str:
        return "polling" if self.socket is None else "websocket"

    # -- for the transports ----------------------------------------------------------------------------------------

    def mark_received(self) -> None:
        """A request of the polling transport has arrived."""
        self._received_at = trio.current_time()

    def receive_packet(self, kind: bytes, data: bytes, binary: bool) -> None:
        if self.end is not None:
            return
        if kind == MESSAGE:
            self._inbound.append(Packet(data, binary))
        elif kind == PONG and self._awaiting_pong:
            self._awaiting_pong = False
            self.due = trio.current_time() + self.rules.interval_seconds
            self.keeper.reschedule(self)
        elif kind == CLOSE:
            self.last_packet = NOOP
            self.finish(LEFT, linger=True)
        elif kind == PING:
            self.finish(CLIENT_PINGED)
        else:
            self.count_stray()

    def receive_messages(self, messages: list[Packet]) -> None:
        """Take the messages of a WebSocket, each of which is one packet."""
        inbound = self._inbound
        for message in messages:
            if self.end is not None:
                return
            data, binary = message
            if binary:
                inbound.append(message)
            elif data[:1] == MESSAGE:
                inbound.append(Packet(data[1:]))
            else:
                try:
                    self.receive_packet(*read_message(message))
                except MalformedPacket:
                    self.finish(MALFORMED)

    @property
    def has_inbound(self) -> bool:
        """Whether packets wait for the reader."""
        return bool(self._inbound)

    def wake_reader(self) -> None:
        if self._wake is not None:
            self._wake.set()

    def move_to(self, socket: WebSocket) -> None:
        """Make a WebSocket the transport."""
        polling, self.polling = self.polling, None
        assert polling is not None
        self.socket = socket
        self.outbox = socket.outbox
        polling.outbox.move_to(socket.outbox)
        polling.end()
        self._over = trio.Event()

    async def wait_over(self) -> None:
        """After an upgrade, wait until no task reads the WebSocket any more."""
        if self._over is not None:
            await self._over.wait()

    def finish(self, end: tuple[int, str], *, linger: bool = False) -> None:
        """End the session and wake all waiters. With `linger` one more poll may get the last packet."""
        if self.end is not None:
            return
        self.end = end
        self.connect_by = math.inf
        if self.socket is not None:
            self.socket.close(*end)
        if self.probe is not None:
            self._end_probe(linger)
        polling = self.polling
        if linger and polling is not None and (polling.outbox.waiting or not polling.getting):
            self.due = trio.current_time() + self.rules.linger_seconds
            self.keeper.reschedule(self)
        else:
            self.keeper.forget(self)
        if polling is not None:
            polling.outbox.closed = True
            polling.end()
        self.wake_reader()

    def _end_probe(self, linger: bool) -> None:
        """End the probe of a session that ends. The "5" may be on its way: then the client reads here what is left."""
        assert self.end is not None
        assert self.probe is not None
        if linger and self.probe_time is not None:
            self.probe_time.deadline = min(self.probe_time.deadline, trio.current_time() + LAST_FIVE_SECONDS)
        else:
            self.probe.close(*self.end)

    # -- for the engine --------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """The task that ran the session has ended."""
        self.close()
        if self._over is not None:
            self._over.set()

    @property
    def next_due(self) -> float:
        """The moment at which something is due."""
        return min(self.due, self.connect_by)

    def count_stray(self) -> None:
        """Count a packet or a request that has no meaning."""
        self._strays += 1
        if self._strays > MAX_STRAYS:
            self.finish(TOO_MANY_STRAYS)

    def beat(self, now: float) -> None:
        """Do the due work: the ping, or the end of a silent client or of an ended session."""
        if self.end is not None:
            self.keeper.forget(self)
        elif now >= self.connect_by:
            self.finish((SIGNED_OUT.code, SIGNED_OUT.reason), linger=True)
        elif now < self.due:
            return
        elif self._awaiting_pong:
            self.finish((SILENT.code, SILENT.reason))
        else:
            self._awaiting_pong = True
            self._strays = 0
            self.due += self.rules.timeout_seconds
            self.write(PING_FRAME)

    def catch_up(self, now: float) -> None:
        """Do everything that is due before a request is answered: a late sweep must not help the client."""
        while self.end is None and (now >= self.due or now >= self.connect_by):
            self.beat(now)

    def _take_inbound(self) -> list[Packet]:
        packets, self._inbound = self._inbound, []
        if self.polling is not None:
            self.polling.release()
        return packets

    def _overflow(self) -> None:
        self.finish((SLOW.code, SLOW.reason), linger=True)
