"""One task reads from many sockets, and passes on what arrives without waking the task of the connection.

Every connection has a task of its own. To wake a task costs 6 µs, and most wake-ups are for a small message that is
handled in less. So a task that only waits for input parks here with a function. The function is called with all bytes
that arrive at the socket. The task wakes when the function returns False or raises, or at the end of the stream.

The sockets are in an epoll set of their own, and Trio waits for that set only. The set is level-triggered, and each
socket is read once a turn. A turn ends after SOCKETS_PER_TURN or TURN_SECONDS. The next turn reads the sockets that are
left before it polls the set again. So clients that send without end delay the other tasks by one turn at a time.
Where the system has no epoll, `EpollReader.create()` is None, and each task reads its own socket.

Tasks of any nursery may listen. When `run` ends, all listeners receive the end.
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

SOCKETS_PER_TURN = 64
TURN_SECONDS = 0.005
READ_BYTES = 65_536

DataHandler = Callable[[bytes], bool]
"""Is called with the bytes that arrive, and with b"" at the end. Returns whether it wants more."""


class SocketReader(NamedTuple):
    """One listener: the socket's `recv`, the function that gets the bytes, and the task that waits meanwhile."""

    receive: Callable[[int], bytes]
    on_data: DataHandler
    task: trio.lowlevel.Task


class EpollReader:
    """Reads for all tasks that `listen`, while `run` runs. Both belong to one Trio run."""

    def __init__(self) -> None:
        assert sys.platform == "linux"
        self._epoll = select.epoll()
        self._readers: dict[int, SocketReader] = {}
        self._ready: deque[int] = deque()  # readable, and not yet read in this turn
        self._clock = time.perf_counter

    @staticmethod
    def create() -> EpollReader | None:
        """A reader, or None where the system has no epoll."""
        return EpollReader() if sys.platform == "linux" else None

    def __len__(self) -> int:
        return len(self._readers)

    async def listen(self, connected: socket.socket, on_data: DataHandler) -> None:
        """Call `on_data` with all that arrives, until it returns False or has received b"", the end."""
        number = connected.fileno()
        if number < 0 or self._epoll.closed:
            on_data(b"")
            return
        await trio.lowlevel.checkpoint_if_cancelled()
        self._epoll.register(number, select.EPOLLIN)
        self._readers[number] = SocketReader(connected.recv, on_data, trio.lowlevel.current_task())

        def abort(_: object) -> trio.lowlevel.Abort:
            self._forget(number)
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    def close(self, connected: socket.socket) -> None:
        """End listening to a socket that is about to be closed."""
        reader = self._readers.get(connected.fileno())
        if reader is not None:
            self._hand_on(connected.fileno(), reader, b"")

    async def run(self) -> None:
        """Read until cancelled."""
        try:
            while True:
                if self._ready:
                    await trio.lowlevel.checkpoint()
                else:
                    await trio.lowlevel.wait_readable(self._epoll.fileno())
                    self._ready.extend(number for number, _ in self._epoll.poll(0, SOCKETS_PER_TURN))
                self._take_turn()
        finally:
            for number, reader in list(self._readers.items()):
                self._hand_on(number, reader, b"")
            self._epoll.close()

    def _take_turn(self) -> None:
        """Read the ready sockets, each once, until none is left or the turn is over."""
        end = self._clock() + TURN_SECONDS
        while self._ready:
            self._read(self._ready.popleft())
            if self._clock() >= end:
                return

    def _read(self, number: int) -> None:
        reader = self._readers.get(number)
        if reader is None:  # the handler of a socket read before it in this turn has ended it
            return
        try:
            data = reader.receive(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._hand_on(number, reader, data)

    def _hand_on(self, number: int, reader: SocketReader, data: bytes) -> None:
        try:
            if reader.on_data(data) and data:
                return
        except BaseException as error:
            ended: outcome.Outcome[None] = outcome.Error(error)
        else:
            ended = outcome.Value(None)
        if self._readers.get(number) is reader:  # the handler may have ended it, by a cancellation for example
            self._forget(number)
            trio.lowlevel.reschedule(reader.task, ended)

    def _forget(self, number: int) -> None:
        """Remove a socket before it is closed: another socket may get its number at once."""
        del self._readers[number]
        with contextlib.suppress(OSError):  # closed elsewhere: then the kernel has removed it already
            self._epoll.unregister(number)
