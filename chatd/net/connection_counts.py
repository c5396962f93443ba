"""How many connections each client address has, and how many it may have.

Addresses are counted by `address_block`: IPv4 as it is, IPv6 by its /64. A direct peer counts from accept to close. A
client behind a trusted proxy counts only during its requests. The proxy keeps its connections open, and uses them for
one client after the other. A WebSocket is such a request until it ends.
"""

from __future__ import annotations

from collections import Counter

from chatd.net.proxies import address_block
from chatd.net.stream import Stream


class ConnectionCounts:
    """Counts the connections of each address. `limit` is for one address; 0 sets no limit."""

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit
        self._count: Counter[str] = Counter()
        self._clients: dict[Stream, str] = {}

    def __len__(self) -> int:
        return len(self._count)

    def count(self, address: str) -> int:
        """How many connections the client has."""
        return self._count[address_block(address)]

    def add(self, address: str) -> None:
        self._count[address_block(address)] += 1

    def remove(self, address: str) -> None:
        counted = address_block(address)
        self._count[counted] -= 1
        if not self._count[counted]:
            del self._count[counted]

    def begin_request(self, stream: Stream, client: str) -> bool:
        """Count the client of a request on this stream, unless it is the stream's peer, which counts already.

        Returns False when the client has as many connections as it may have.
        """
        if client == stream.peer:
            return True
        if 0 < self.limit <= self.count(client):
            return False
        self.add(client)
        self._clients[stream] = client
        return True

    def end_request(self, stream: Stream) -> None:
        """The request on this stream has ended."""
        client = self._clients.pop(stream, None)
        if client is not None:
            self.remove(client)
