"""Reads lines from standard input and prints lines to standard output, with Trio.

On a terminal, a line that is printed while the user types appears above the line that is being typed. `printable`
removes control characters from the text of other users, so that a message cannot move the cursor or change a colour.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import trio

CLEAR_LINE = "\r\x1b[K"
READ_BYTES = 65_536


class Terminal:
    """Standard input and output. `interactive`: standard input is a terminal."""

    def __init__(self, prompt: str = "") -> None:
        self.prompt = prompt
        self.interactive = sys.stdin.isatty()
        self._typing = False

    def print(self, line: str) -> None:
        """Print a line, above the line that the user types."""
        if not (self._typing and sys.stdout.isatty()):
            print(line, flush=True)
            return
        import readline

        print(f"{CLEAR_LINE}{line}\n{self.prompt}{readline.get_line_buffer()}", end="", flush=True)

    async def lines(self) -> AsyncIterator[str]:
        """The lines of the input, until its end."""
        read = self._typed_lines if self.interactive else self._piped_lines
        async for line in read():
            yield line

    async def _typed_lines(self) -> AsyncIterator[str]:
        import readline  # noqa: F401 - makes the line of input() editable

        while True:
            self._typing = True
            try:
                line = await trio.to_thread.run_sync(input, self.prompt, abandon_on_cancel=True)
            except EOFError:
                print(flush=True)
                return
            finally:
                self._typing = False
            self._erase_typed_line(line)
            yield line

    def _erase_typed_line(self, line: str) -> None:
        """Remove the typed line from the screen: it appears again as a message."""
        if sys.stdout.isatty():
            rows = (len(self.prompt) + len(line)) // shutil.get_terminal_size().columns + 1
            print(f"\x1b[{rows}A\r\x1b[J", end="", flush=True)

    async def _piped_lines(self) -> AsyncIterator[str]:
        """Read the file descriptor. A thread that waits in sys.stdin would hold its lock when the program ends."""
        rest = b""
        while data := await trio.to_thread.run_sync(os.read, 0, READ_BYTES, abandon_on_cancel=True):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                yield line.decode("utf-8", "replace")
        if rest:
            yield rest.decode("utf-8", "replace")

    @contextmanager
    def restored_at_exit(self) -> Iterator[None]:
        """Restore the terminal at the end. A program that ends while the user types would leave it without echo."""
        if not self.interactive:
            yield
            return
        import termios

        found = termios.tcgetattr(0)
        try:
            yield
        finally:
            termios.tcsetattr(0, termios.TCSANOW, found)


def printable(text: str) -> str:
    """Replace every control character except the newline."""
    return "".join(one if one.isprintable() or one == "\n" else "\N{REPLACEMENT CHARACTER}" for one in text)
