"""What the server sends to one client alone: answers, refusals and single events.

All of it goes through the broker's queue for the connection, in order with the events of the channels.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chatd.connections.channel import Channel
from chatd.net.socket import frame_binary, frame_text
from chatd.realtime.broker import Broker, Sink
from protocol.dialects.encode import encode
from protocol.dialects.grammar import Inbound
from protocol.errors import Refusal
from protocol.frames import Framing, Packet


class NoOutbox:
    """The outbox of a closed connection: it drops everything."""

    is_slow = False

    def send(self, data: bytes) -> None:
        """Drop the bytes."""

    def queue_unsent(self, data: bytes, taken: int) -> None:
        """Drop the rest."""


class Replies:
    """Sends replies to one client: a dialect's codec makes the body, the framing makes the packets."""

    __slots__ = ("_broker", "_framing", "_sink")

    def __init__(self, broker: Broker, framing: Framing, sink: Sink) -> None:
        self._broker = broker
        self._framing = framing
        self._sink = sink

    def release(self) -> None:
        """Let the closed connection go. Otherwise its buffers would wait for the garbage collector."""
        self._sink = Sink(NoOutbox())

    def answer(self, channel: Channel, row: Inbound, id: Any, result: Any) -> None:
        """Answer a call. Without an id, only the event that the dialect sends for it goes out."""
        ack, event = channel.codec.answer(row, result)
        if event is not None:
            self.push(channel, *event)
        if id is not None:
            self.send(self._framing.answer(id, ack))

    def refuse(self, channel: Channel | None, row: Inbound | None, id: Any, refusal: Refusal) -> None:
        """Refuse a call, in the dialect of the channel if there is one."""
        if channel is None:
            if id is not None:
                self.send(self._framing.refuse(id, refusal, encode(plain_refusal(refusal))))
            return
        refusal, ack, event = channel.codec.refuse(row, refusal, wants_ack=id is not None)
        if event is not None:
            self.push(channel, *event)
        if id is not None:
            self.send(self._framing.refuse(id, refusal, ack))

    def send(self, packets: Iterable[Packet]) -> None:
        for packet in packets:
            self._broker.send(self._sink, frame_binary(packet.data) if packet.binary else frame_text(packet.data))

    def push(self, channel: Channel, name: str, body: bytes) -> None:
        """Send an event that only this connection receives."""
        self._broker.send(self._sink, channel.encoder.frame(name, body))


def plain_refusal(refusal: Refusal) -> dict[str, Any]:
    """The body of a refusal that no dialect shapes."""
    return {"ok": False, "error": {"code": refusal.code.code, "message": refusal.message}}
