"""A dialect in one namespace, compiled: event names to commands, results to replies, refusals to errors."""

from __future__ import annotations

from typing import Any

from msgspec import Raw

from protocol.commands import Command, Join
from protocol.dialects.decode import CallDecoder, call_decoder
from protocol.dialects.encode import build_body, build_cached_body, encode
from protocol.dialects.grammar import NO_ACK, Dialect, Inbound, Shape
from protocol.errors import UNKNOWN_CALL, Refusal

EncodedEvent = tuple[str, bytes]
"""An event as a client receives it: its name and its JSON body."""


class NamespaceCodec:
    """Made once for each dialect and namespace. `has_rooms` is whether its clients join conversations."""

    def __init__(self, dialect: Dialect, namespace: str) -> None:
        self.dialect = dialect
        self.replies = dialect.replies
        self.vocabulary = dialect.vocabulary(namespace)
        error_texts = dialect.replies.error_texts
        self._rows: dict[str, tuple[Inbound, CallDecoder]] = {
            row.name: (row, call_decoder(row, error_texts)) for row in self.vocabulary.inbound
        }
        self.has_rooms = any(row.command is Join for row in self.vocabulary.inbound)

    def row(self, name: str) -> Inbound:
        """The row of a request; raises UNKNOWN_CALL where there is none."""
        found = self._rows.get(name)
        if found is None:
            raise Refusal(UNKNOWN_CALL, f"There is no call {name[:100]!r} here")
        return found[0]

    def decode(self, name: str, arguments: Raw) -> Command:
        """The command of a request whose row exists."""
        return self._rows[name][1].decode(arguments)

    def answer(self, row: Inbound, result: Any) -> tuple[bytes | None, EncodedEvent | None]:
        """The ack of a success (None: no ack), and the row's `reply_event` if it has one."""
        body = build_cached_body(row.reply, result)
        ack = self.replies.success(body)
        event = (row.reply_event, encode(body)) if row.reply_event else None
        return (None if ack is NO_ACK else encode(ack)), event

    def refuse(
        self, row: Inbound | None, refusal: Refusal, *, wants_ack: bool
    ) -> tuple[Refusal, bytes | None, EncodedEvent | None]:
        """The refusal in the dialect's text, its ack (None: no ack), and the event that reports it.

        The event is the row's `error_event` if it has one. Else it is the dialect's, and only where the caller
        receives no ack.
        """
        refusal = self.dialect.reword(refusal)
        ack = self.replies.failure(refusal)
        event: EncodedEvent | None = None
        if row is not None and row.error_event:
            event = _encode_error(row.error_event, refusal)
        elif ack is NO_ACK or not wants_ack:
            event = _encode_error(self.replies.error_event, refusal)
        return refusal, (None if ack is NO_ACK else encode(ack)), event


def error_body(dialect: Dialect, refusal: Refusal) -> Any:
    """A refusal in the shape of the dialect's `error_event`."""
    return build_body(dialect.replies.error_event[1], refusal)


def _encode_error(error_event: tuple[str, Shape], refusal: Refusal) -> EncodedEvent:
    name, shape = error_event
    return name, encode(build_body(shape, refusal))
