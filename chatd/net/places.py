"""How many connections each client address has, and how many it may have.

An address is counted as `block` has it: IPv4 as it is, IPv6 by its /64. A direct peer is counted from accept to close.
A client behind a trusted proxy is counted while one of its requests is under way, for the proxy keeps its connections
open and lends them to one client after the other; a WebSocket is such a request until it ends.
"""

from __future__ import annotations

from collections import Counter

from chatd.net.proxies import block
from chatd.net.stream import Stream


class Places:
    """See above. `limit` connections for each address; 0 sets no limit."""

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit
        self._count: Counter[str] = Counter()
        self._lent: dict[Stream, str] = {}

    def __len__(self) -> int:
        return len(self._count)

    def count(self, address: str) -> int:
        """How many connections the client has."""
        return self._count[block(address)]

    def enter(self, address: str) -> None:
        self._count[block(address)] += 1

    def leave(self, address: str) -> None:
        place = block(address)
        self._count[place] -= 1
        if not self._count[place]:
            del self._count[place]

    def lend(self, stream: Stream, client: str) -> bool:
        """A request of a client behind a trusted proxy has come by this stream; whether the client may have one more.

        Whoever is the stream's own peer has been counted already.
        """
        if client == stream.peer:
            return True
        if 0 < self.limit <= self.count(client):
            return False
        self.enter(client)
        self._lent[stream] = client
        return True

    def take_back(self, stream: Stream) -> None:
        """That request is over."""
        client = self._lent.pop(stream, None)
        if client is not None:
            self.leave(client)
