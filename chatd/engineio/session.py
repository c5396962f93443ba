"""One Engine.IO session: the thing that outlives its transports, and looks like one connection from above.

    opened by      transport    it may become
    polling        polling      a WebSocket, once, when that has been probed
    WebSocket      WebSocket    -

To the floor above a session is what a WebSocket is: `receive` gives what the client said, `write` takes WebSocket
frames ready-made, `close` ends it, and Gone says that it is over. Both transports are given the same frames, so that
an event is rendered once per face: a GET takes them apart (chatd/engineio/polling.py), and an upgrade sends what still
waits, unread, as the first bytes of the WebSocket. So nothing is lost or overtaken by moving.

    the upgrade, on the new WebSocket     meanwhile a GET
    "2probe" → "3probe"                   that waits is answered at once: with a noop if there is nothing better
    "5"                                   that comes later waits PROBE_SECONDS for the "5", so that the two may
                                          arrive in any order: after the "5" polling is over, and it is refused
    anything else, or silence             goes on: the session stays where it was

The heartbeat is two moments: `due`, when a ping must go out or its pong must have come, counted from when it was due
and not from when somebody looked; and `connect_by`, when the first namespace must have been opened.

The end has a last word for the poll that waits, or for the next one within `linger` seconds when nothing was wrong:
close when the server ends it, noop when the client did. It has a payload of its own: the stock client acts on a close
before it hands on the events beside it, keeps these for its next connection, and asks for them again there.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import trio

from chatd.engineio.polling import Polling, unframe
from chatd.engineio.rules import ABANDONED, BROKEN, LEFT, MISDIRECTED, NOISE, OVERLAP, OutOfTurn, SessionRules
from chatd.net.framer import Message, frame_text
from chatd.net.outbox import SendFunction, ignore
from chatd.net.socket import Gone, WebSocket, Write
from protocol.errors import SIGNED_OUT, SILENT, SLOW
from protocol.frames import Packet
from protocol.framings.engineio import (
    CLOSE,
    MESSAGE,
    NOOP,
    PING,
    PING_PROBE,
    PONG,
    PONG_PROBE,
    UPGRADE,
    MalformedPacket,
    read_message,
    read_payload,
    write_payload,
)

PROBE_SECONDS = 0.1
STRAYS = 100
PING_FRAME = frame_text(PING)


class EngineSession:
    """See above. `forget` is called when nobody may find the session by its sid any more."""

    __slots__ = (
        "_awaiting_pong",
        "_end",
        "_forget",
        "_heard_at",
        "_inbound",
        "_last_word",
        "_over",
        "_polling",
        "_probe",
        "_rules",
        "_socket",
        "_strays",
        "_wake",
        "address",
        "connect_by",
        "due",
        "on_send_changed",
        "owner",
        "sid",
        "write",
    )

    def __init__(
        self, sid: str, rules: SessionRules, forget: Callable[[EngineSession], None], socket: WebSocket | None = None
    ) -> None:
        now = trio.current_time()
        self.sid = sid
        self.owner: object = None
        self.address = ""
        self._rules = rules
        self._forget = forget
        self._socket = socket
        self._polling = Polling(rules.outbox_bytes) if socket is None else None
        self._probe: WebSocket | None = None
        self.write: Write = self._hold if socket is None else socket.write
        self.on_send_changed: Callable[[SendFunction], None] = ignore  # hears of the new `way` whenever there is one
        if socket is not None:
            socket.outbox.on_send_changed = self._send_changed
        self._inbound: list[Packet] = []
        self._wake: trio.Event | None = None  # wakes the reader
        self._end: tuple[int, str] | None = None
        self._last_word = CLOSE
        self._awaiting_pong = False
        self._strays = 0
        self._heard_at = now
        self.due = now + rules.interval
        self.connect_by = now + (rules.connect_seconds or math.inf)
        self._over: trio.Event | None = None  # wakes the task that lends us its WebSocket

    # -- to the floor above ----------------------------------------------------------------------------------------

    async def receive(self) -> list[Packet]:
        """What the client said, at least one packet, text without its "4"; Gone at the end. One task at a time."""
        while True:
            if self._inbound:
                return self._take_inbound()
            if self._end is not None:
                raise Gone(*self._end)
            if self._socket is None:
                self._wake = trio.Event()
                await self._wake.wait()
                continue
            try:
                messages = await self._socket.receive()
            except Gone as gone:
                self._finish((gone.code, gone.reason))
                raise
            self._hear_messages(messages)

    async def listen(self, hear: Callable[[list[Packet]], bool]) -> None:
        """Have `hear` called with what the client says, until it has had enough; Gone at the end."""

        def take(messages: list[Message]) -> bool:
            self._hear_messages(messages)
            wants_more = hear(self._take_inbound()) if self._inbound else True
            return wants_more and self._end is None

        while self._socket is None or self._inbound or self._end is not None:
            if not hear(await self.receive()):
                return
        try:
            await self._socket.listen(take)
        except Gone as gone:
            self._finish((gone.code, gone.reason))
            raise

    def close(self, code: int = 1000, reason: str = "") -> None:
        """End it, behind everything written before. The first call counts."""
        self._finish((code, reason), linger=True)

    def admit(self) -> None:
        """The client has opened a namespace: it may stay."""
        self.connect_by = math.inf

    @property
    def last_heard(self) -> float:
        return self._heard_at if self._socket is None else self._socket.last_heard

    @property
    def closing(self) -> bool:
        """Nothing that is written now will arrive."""
        return self._end is not None or (self._socket is not None and self._socket.closing)

    @property
    def send_function(self) -> SendFunction:
        """How frames go out just now; what that does not take goes to `keep_rest`. See chatd/net/outbox.py."""
        return self._hold if self._socket is None else self._socket.outbox.send_function

    def queue_unsent(self, data: bytes, taken: int) -> None:
        """What `way` did not take."""
        assert self._socket is not None
        self._socket.outbox.queue_unsent(data, taken)

    def _send_changed(self, way: SendFunction) -> None:
        self.on_send_changed(way)

    @property
    def waiting(self) -> int:
        """Bytes that wait for the client."""
        if self._socket is not None:
            return self._socket.outbox.waiting
        return 0 if self._polling is None else self._polling.size

    @property
    def transport(self) -> str:
        return "polling" if self._socket is None else "websocket"

    # -- polling ---------------------------------------------------------------------------------------------------

    def _hold(self, data: bytes, droppable: bool = False) -> None:
        """Keep frames for the next poll. Whoever remembers this method from before an upgrade is served as well."""
        if self._socket is not None:
            self._socket.write(data, droppable)
        elif self._end is None and self._polling is not None and not self._polling.keep(data, droppable):
            self._finish((SLOW.code, SLOW.reason), linger=True)

    async def poll(self) -> bytes:
        """The body of the answer to a GET, as soon as there is something to say."""
        polling = self._polling
        if polling is None:
            raise OutOfTurn
        if polling.getting:
            self._finish(OVERLAP)
            raise OutOfTurn
        polling.getting = True
        self._heard_at = trio.current_time()
        try:
            if not polling.size and self._end is None:
                await polling.wait(math.inf if self._probe is None else PROBE_SECONDS)
        except trio.Cancelled:
            self._finish(ABANDONED)
            raise
        finally:
            polling.getting = False
        if self._polling is None:
            raise OutOfTurn
        packets = list(unframe(polling.take()))
        if self._end is not None and not packets:
            self._forget(self)
            packets.append(Packet(self._last_word))
        return write_payload(packets or [Packet(NOOP)])

    def begin_post(self) -> None:
        """A POST's head is here. It counts from now on, for a body can take its time, and may never come."""
        polling = self._polling
        if polling is None:
            raise OutOfTurn
        if polling.posting:
            self._finish(OVERLAP)
            raise OutOfTurn
        polling.posting = True

    async def post(self, body: bytes) -> None:
        """A POST's body is here; MalformedPacket when it is not all packets. Returns when the reader has taken it."""
        polling = self._polling
        if polling is None:
            raise OutOfTurn
        self._heard_at = trio.current_time()
        packets, wrong = read_payload(body, self._rules.payload_packets)
        for kind, data, binary in packets:
            self._hear(kind, data, binary)
        self._wake_reader()
        if wrong is not None:
            self._finish(BROKEN)
            raise wrong
        if self._inbound and self._end is None:
            await polling.hand_over()
        polling.posting = False

    def spoil_post(self) -> None:
        """A POST's body is longer than was promised, or ends too soon: what was in it is lost."""
        self._finish(BROKEN)

    # -- WebSocket -------------------------------------------------------------------------------------------------

    async def upgrade(self, socket: WebSocket) -> bool:
        """Probe a WebSocket that wants to be the transport; whether it is now. The rest is the reader's."""
        if self._probe is not None or self._polling is None or self._end is not None:
            return False
        self._probe = socket
        try:
            with trio.move_on_after(self._rules.upgrade_seconds):
                while self._end is None and self._socket is None:
                    if not self._hear_probe(await socket.receive()):
                        break
        except Gone:
            pass
        finally:
            self._probe = None
        if self._socket is not socket:
            return False
        self._over = trio.Event()
        return True

    async def wait_over(self) -> None:
        """After an upgrade, until nobody reads the WebSocket any more."""
        if self._over is not None:
            await self._over.wait()

    def leave(self) -> None:
        """Whoever ran the session is done with it."""
        self.close()
        if self._over is not None:
            self._over.set()

    def _hear_probe(self, messages: list[Message]) -> bool:
        """What came over the probed WebSocket; whether to go on."""
        assert self._probe is not None
        assert self._polling is not None
        for index, (data, binary) in enumerate(messages):
            if not binary and data == PING_PROBE:
                self._probe.write(frame_text(PONG_PROBE))
                self._polling.wake()
            elif not binary and data == UPGRADE and self._end is None:
                self._move(self._probe, self._polling)
                self._hear_messages(messages[index + 1 :])
                self._wake_reader()
                return True
            else:
                return False
        return True

    def _move(self, socket: WebSocket, polling: Polling) -> None:
        """The probed WebSocket is the transport from now on."""
        self._socket = socket
        self._polling = None
        self.write = socket.write
        if polling.size:
            socket.write(polling.take())
        self.on_send_changed(self.send_function)
        socket.outbox.on_send_changed = self._send_changed
        polling.wake()
        polling.release()

    def _hear_messages(self, messages: list[Message]) -> None:
        inbound = self._inbound
        for data, binary in messages:
            if self._end is not None:
                return
            if binary:
                inbound.append(Packet(data, True))
            elif data[:1] == MESSAGE:
                inbound.append(Packet(data[1:]))
            else:
                try:
                    self._hear(*read_message(Packet(data)))
                except MalformedPacket:
                    self._finish(BROKEN)

    # -- both ------------------------------------------------------------------------------------------------------

    def _hear(self, kind: bytes, data: bytes, binary: bool) -> None:
        if self._end is not None:
            return
        if kind == MESSAGE:
            self._inbound.append(Packet(data, binary))
        elif kind == PONG and self._awaiting_pong:
            self._awaiting_pong = False
            self.due = trio.current_time() + self._rules.interval
        elif kind == CLOSE:
            self._last_word = NOOP
            self._finish(LEFT, linger=True)
        elif kind == PING:
            self._finish(MISDIRECTED)
        else:
            self.stray()

    def stray(self) -> None:
        """Count a packet or a request that means nothing."""
        self._strays += 1
        if self._strays > STRAYS:
            self._finish(NOISE)

    def beat(self, now: float) -> None:
        """Do what is due."""
        if self._end is not None:
            self._forget(self)
        elif now >= self.connect_by:
            self._finish((SIGNED_OUT.code, SIGNED_OUT.reason), linger=True)
        elif now < self.due:
            return
        elif self._awaiting_pong:
            self._finish((SILENT.code, SILENT.reason))
        else:
            self._awaiting_pong = True
            self._strays = 0
            self.due += self._rules.timeout
            self.write(PING_FRAME)

    def postpone(self) -> None:
        """The client is there, though its pongs are not read just now."""
        self.due = max(self.due, trio.current_time() + self._rules.timeout)

    def catch_up(self, now: float) -> None:
        """Do everything that is due, for somebody who asks and must not profit from our being late."""
        while self._end is None and (now >= self.due or now >= self.connect_by):
            self.beat(now)

    def _take_inbound(self) -> list[Packet]:
        packets, self._inbound = self._inbound, []
        if self._polling is not None:
            self._polling.release()
        return packets

    def _wake_reader(self) -> None:
        if self._wake is not None:
            self._wake.set()

    def _finish(self, end: tuple[int, str], *, linger: bool = False) -> None:
        """It is over: tell everybody who waits for anything. With `linger` the next poll still hears the last word."""
        if self._end is not None:
            return
        self._end = end
        for socket in (self._socket, self._probe):
            if socket is not None:
                socket.close(*end)
        waits = self._polling is not None and self._polling.getting and not self._polling.size
        if linger and self._socket is None and not waits:
            self.due = trio.current_time() + self._rules.linger
        else:
            self._forget(self)
        if self._polling is not None:
            self._polling.wake()
            self._polling.release()
        self._wake_reader()
