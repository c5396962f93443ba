"""One task that reads from many sockets: what arrives is handed on at once, without waking the task that waits for it.

A task of its own for every connection is what their lives are written in, but to wake one costs 6 µs, and most of what
wakes it is a small message that is heard in less. So whoever has nothing to do but to listen parks here with a
function, which is called with every piece that its socket brings; the task wakes when that function has had enough,
when it raises, or at the end of the stream.

The sockets are in an epoll set of their own, whose readiness is the only thing that Trio waits for. It is
level-triggered, each socket is read once a turn, and a turn ends after AT_ONCE of them: a client that sends without
end holds nobody up. Where there is no epoll, `Readers.made()` is None, and tasks read for themselves.
"""

from __future__ import annotations

import contextlib
import select
import socket
import sys
from collections.abc import Callable
from typing import NamedTuple

import outcome
import trio

AT_ONCE = 64
READ_BYTES = 65_536

Take = Callable[[bytes], bool]
"""Is given what arrives, b"" at the end, and says whether it wants more."""


class Reader(NamedTuple):
    """Somebody who listens: how to read, whom to give it to, and the task that waits for the end of that."""

    receive: Callable[[int], bytes]
    take: Take
    task: trio.lowlevel.Task


class Readers:
    """See above. `run` serves all who `listen`; both belong to one Trio run."""

    def __init__(self) -> None:
        assert sys.platform == "linux"
        self._epoll = select.epoll()
        self._readers: dict[int, Reader] = {}

    @staticmethod
    def made() -> Readers | None:
        """Readers, where the system has what they need."""
        return Readers() if sys.platform == "linux" else None

    def __len__(self) -> int:
        return len(self._readers)

    async def listen(self, connected: socket.socket, take: Take) -> None:
        """Have `take` called with everything that arrives, until it has had enough or has been told of the end."""
        number = connected.fileno()
        if number < 0:
            take(b"")
            return
        await trio.lowlevel.checkpoint_if_cancelled()
        self._epoll.register(number, select.EPOLLIN)
        self._readers[number] = Reader(connected.recv, take, trio.lowlevel.current_task())

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
                await trio.lowlevel.wait_readable(self._epoll.fileno())
                for number, _ in self._epoll.poll(0, AT_ONCE):
                    self._read(number)
        finally:
            self._epoll.close()

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

    def _give(self, number: int, reader: Reader, data: bytes) -> None:
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
