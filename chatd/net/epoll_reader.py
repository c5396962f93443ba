"""One task that reads from many sockets: what arrives is handed on at once, without waking the task that waits for it.

A task of its own for every connection is what their lives are written in, but to wake one costs 6 µs, and most of what
wakes it is a small message that is heard in less. So whoever has nothing to do but to listen parks here with a
function, which is called with every piece that its socket brings; the task wakes when that function has had enough,
when it raises, or at the end of the stream.

The sockets are in an epoll set of their own, whose readiness is the only thing that Trio waits for. It is
level-triggered, each socket is read once a turn, and a turn ends after AT_ONCE of them or after TURN_SECONDS: the
sockets that are left are read in the next turn, before the set is asked again. So clients that send without end delay
the other tasks by one turn at a time. Where there is no epoll, `Readers.made()` is None, and tasks read for themselves.

Tasks of any nursery may listen. When `run` ends, all that still listen are told of the end.
"""

from __future__ import annotations

import contextlib
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import outcome
import trio

AT_ONCE = 64
TURN_SECONDS = 0.005
READ_BYTES = 65_536

Take = Callable[[bytes], bool]
"""Is given what arrives, b"" at the end, and says whether it wants more."""


class SocketReader(NamedTuple):
    """Somebody who listens: how to read, whom to give it to, and the task that waits for the end of that."""

    receive: Callable[[int], bytes]
    take: Take
    task: trio.lowlevel.Task


class EpollReader:
    """See above. `run` serves all who `listen`; both belong to one Trio run."""

    def __init__(self) -> None:
        assert sys.platform == "linux"
        self._epoll = select.epoll()
        self._readers: dict[int, SocketReader] = {}
        self._ready: deque[int] = deque()  # readable, and not yet read in this turn
        self._clock = time.perf_counter

    @staticmethod
    def made() -> EpollReader | None:
        """Readers, where the system has what they need."""
        return EpollReader() if sys.platform == "linux" else None

    def __len__(self) -> int:
        return len(self._readers)

    async def listen(self, connected: socket.socket, take: Take) -> None:
        """Have `take` called with everything that arrives, until it has had enough or has been told of the end."""
        number = connected.fileno()
        if number < 0 or self._epoll.closed:
            take(b"")
            return
        await trio.lowlevel.checkpoint_if_cancelled()
        self._epoll.register(number, select.EPOLLIN)
        self._readers[number] = SocketReader(connected.recv, take, trio.lowlevel.current_task())

        def abort(_: object) -> trio.lowlevel.Abort:
            self._forget(number)
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    def close(self, connected: socket.socket) -> None:
        """Whoever listens to a socket that is about to be closed is told of the end."""
        reader = self._readers.get(connected.fileno())
        if reader is not None:
            self._give(connected.fileno(), reader, b"")

    async def run(self) -> None:
        """Read, for as long as the server runs."""
        try:
            while True:
                if self._ready:
                    await trio.lowlevel.checkpoint()
                else:
                    await trio.lowlevel.wait_readable(self._epoll.fileno())
                    self._ready.extend(number for number, _ in self._epoll.poll(0, AT_ONCE))
                self._take_turn()
        finally:
            for number, reader in list(self._readers.items()):
                self._give(number, reader, b"")
            self._epoll.close()

    def _take_turn(self) -> None:
        """Read sockets that are ready, each once, until none is left or the time is over."""
        end = self._clock() + TURN_SECONDS
        while self._ready:
            self._read(self._ready.popleft())
            if self._clock() >= end:
                return

    def _read(self, number: int) -> None:
        reader = self._readers.get(number)
        if reader is None:  # its neighbour, who was read a moment ago, has ended it
            return
        try:
            data = reader.receive(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._give(number, reader, data)

    def _give(self, number: int, reader: SocketReader, data: bytes) -> None:
        try:
            if reader.take(data) and data:
                return
        except BaseException as error:
            ended: outcome.Outcome[None] = outcome.Error(error)
        else:
            ended = outcome.Value(None)
        if self._readers.get(number) is reader:  # unless what was called has ended it: by a cancellation, say
            self._forget(number)
            trio.lowlevel.reschedule(reader.task, ended)

    def _forget(self, number: int) -> None:
        """Before anybody can close the socket: its number may be another's at once."""
        del self._readers[number]
        with contextlib.suppress(OSError):  # closed behind our back: then the kernel has forgotten it already
            self._epoll.unregister(number)
