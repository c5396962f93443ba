"""A dialect in one namespace, ready to be spoken: names to commands, results to answers, refusals to either."""

from __future__ import annotations

from typing import Any

from msgspec import Raw

from protocol.commands import Command, Join
from protocol.dialects.decode import CallDecoder, call_decoder
from protocol.dialects.encode import encode, spell_body, spoken_body
from protocol.dialects.grammar import SILENT, Dialect, Inbound, Shape
from protocol.errors import UNKNOWN_CALL, Refusal

Said = tuple[str, bytes]
"""An event: its name and its JSON body."""


class NamespaceCodec:
    """Made once for each dialect and namespace."""

    def __init__(self, dialect: Dialect, namespace: str) -> None:
        self.dialect = dialect
        self.manners = dialect.replies
        self.vocabulary = dialect.vocabulary(namespace)
        complaints = dialect.replies.complaints
        self._rows: dict[str, tuple[Inbound, CallDecoder]] = {
            row.name: (row, call_decoder(row, complaints)) for row in self.vocabulary.inbound
        }
        self.joins = any(row.command is Join for row in self.vocabulary.inbound)
        """Whether there are rooms to join here."""

    def row(self, name: str) -> Inbound:
        """The row of a call; UNKNOWN_CALL where there is none."""
        found = self._rows.get(name)
        if found is None:
            raise Refusal(UNKNOWN_CALL, f"There is no call {name[:100]!r} here")
        return found[0]

    def decode(self, name: str, arguments: Raw) -> Command:
        """What a call means."""
        return self._rows[name][1].decode(arguments)

    def answer(self, row: Inbound, result: Any) -> tuple[bytes | None, Said | None]:
        """The ack of a success, and the event that tells it where the dialect tells it so."""
        body = spoken_body(row.reply, result)
        ack = self.manners.success(body)
        told = (row.reply_event, encode(body)) if row.reply_event else None
        return (None if ack is SILENT else encode(ack)), told

    def refuse(
        self, row: Inbound | None, refusal: Refusal, *, asked: bool
    ) -> tuple[Refusal, bytes | None, Said | None]:
        """A refusal in the dialect's own words: itself, its ack, and the event that tells it.

        The event is the row's own, if it has one; else the dialect's `error`, for whoever wants no ack or gets none.
        """
        refusal = self.dialect.answer(refusal)
        ack = self.manners.failure(refusal)
        told: Said | None = None
        if row is not None and row.error_event:
            told = _say(row.error_event, refusal)
        elif ack is SILENT or not asked:
            told = _say(self.manners.error, refusal)
        return refusal, (None if ack is SILENT else encode(ack)), told


def error_body(spoken: Dialect, refusal: Refusal) -> Any:
    """A refusal in the shape of the dialect's event `error`."""
    return spell_body(spoken.replies.error[1], refusal)


def _say(words: tuple[str, Shape], refusal: Refusal) -> Said:
    return words[0], encode(spell_body(words[1], refusal))
