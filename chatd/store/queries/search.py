"""Search: messages that match words, parts of words and filters, the newest first. And what the index is built from.

The index is attached to the readers' connections (chatd/store/sqlite/search_index.py). So the membership, the blocks
and the index are read in one statement: a removed member finds nothing from the moment of the removal.

Two indexes are asked, and their results are merged: `words` for words, phrases and the beginning of the last word;
`parts` for any part of three or more characters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from chatd.store.prepared import Prepared
from chatd.store.search_text import space_ideographs
from chatd.store.sqlite.search_index import Doc
from chatd.store.sqlite.transaction import ReadTransaction
from protocol.errors import UNAVAILABLE, Refusal

HAS_FILE, HAS_LINK, HAS_IMAGE = 1, 2, 4
MIN_PART_CHARS = 3
NEWEST = 2**62


class Term(Struct, frozen=True):
    """A folded word or phrase. A `prefix` may be the beginning of a word."""

    text: str
    prefix: bool = False


class Criteria(Struct, frozen=True):
    """What a message must be to be found. Times are milliseconds; `flags` are the HAS_ bits that it must have."""

    terms: tuple[Term, ...] = ()
    excluded: tuple[Term, ...] = ()
    sender: int | None = None
    conversation: int | None = None
    since: int | None = None
    until: int | None = None
    flags: int = 0
    unread: bool = False
    mention: bool = False
    pinned: bool = False


_AND_MEMBER = "CROSS JOIN main.members m ON m.conversation = d.conversation AND m.user = :me"
"""CROSS keeps the order of the tables: the index gives its rows newest first, and the statement stops at the limit."""
_FROM = f"search.docs d {_AND_MEMBER}"
_ALWAYS = (
    "d.id < :before",
    "NOT EXISTS (SELECT 1 FROM main.blocks b WHERE b.user = :me AND b.blocked = d.sender)",
)
_MENTIONED = "EXISTS (SELECT 1 FROM main.mentions n WHERE n.message = d.id AND n.user IN (0, :me))"
_UNREAD = "d.id > max(coalesce(m.marked, m.cursor), m.began) AND d.sender <> :me"
_FILTERS: dict[str, str] = {
    "sender": "d.sender = :sender",
    "conversation": "d.conversation = :conversation",
    "since": "d.created >= :since",
    "until": "d.created < :until",
    "flags": "d.flags & :flags = :flags",
    "unread": _UNREAD,
    "mention": _MENTIONED,
    "pinned": "d.id IN (SELECT message FROM main.pins)",
}
"""The condition of each field of Criteria that is set."""

_DOCS = Prepared(
    "SELECT id, conversation, sender, created, content, type, attached FROM messages"
    " WHERE id >= :first AND deleted IS NULL AND conversation NOT IN (SELECT conversation FROM removals)"
    " ORDER BY id LIMIT :limit",
    "first limit",
)
_COUNT = Prepared(
    "SELECT count(*) FROM messages WHERE deleted IS NULL AND conversation NOT IN (SELECT conversation FROM removals)"
)
_DOCS_BY_ID = Prepared(
    "SELECT id, conversation, sender, created, content, type, attached FROM messages"
    " WHERE id IN (SELECT value FROM json_each(:ids)) AND deleted IS NULL",
    "ids",
)


def find(tx: ReadTransaction, user: int, criteria: Criteria, limit: int, before: int = NEWEST) -> list[int]:
    """The ids of the messages that a user may see and that meet the criteria, the newest first."""
    clauses = [*_ALWAYS, *(clause for name, clause in _FILTERS.items() if getattr(criteria, name))]
    values = {name: getattr(criteria, name) for name in ("sender", "conversation", "since", "until", "flags")}
    parameters = {"me": user, "before": before, "limit": limit, **values}
    if not criteria.terms:
        excluded = _any_word(criteria.excluded)
        if excluded:
            clauses.append("d.id NOT IN (SELECT rowid FROM search.words WHERE words MATCH :excluded)")
            parameters["excluded"] = excluded
        return _run(tx, _FROM, clauses, parameters)
    found = set(_match(tx, "words", _word_expression(criteria), clauses, parameters))
    if all(len(term.text) >= MIN_PART_CHARS for term in (*criteria.terms, *criteria.excluded)):
        found.update(_match(tx, "parts", _part_expression(criteria), clauses, parameters))
    return sorted(found, reverse=True)[:limit]


def _match(
    tx: ReadTransaction, index: str, expression: str, clauses: list[str], parameters: dict[str, Any]
) -> list[int]:
    if not expression:
        return []
    tables = f"search.{index} f CROSS JOIN search.docs d ON d.id = f.rowid {_AND_MEMBER}"
    matching = [f"f.{index} MATCH :expression", "f.rowid < :before", *clauses]
    return _run(tx, tables, matching, {**parameters, "expression": expression}, order="f.rowid")


def _run(
    tx: ReadTransaction, tables: str, clauses: list[str], parameters: dict[str, Any], *, order: str = "d.id"
) -> list[int]:
    statement = Prepared(
        f"SELECT d.id FROM {tables} WHERE {' AND '.join(clauses)} ORDER BY {order} DESC LIMIT :limit"  # noqa: S608
    )
    used = {name: value for name, value in parameters.items() if f":{name}" in statement.sql}
    return [row[0] for row in tx.all(statement, **used)]


# The expressions of FTS5. Every term is a quoted string: nothing in it is syntax.


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _word(term: Term) -> str:
    """A term for the index of words; empty for one without letters and digits."""
    text = space_ideographs(term.text)
    if not any(map(str.isalnum, text)):
        return ""
    return _quoted(text) + (" *" if term.prefix and text[-1].isalnum() else "")


def _any_word(terms: Iterable[Term]) -> str:
    return " OR ".join(filter(None, map(_word, terms)))


def _word_expression(criteria: Criteria) -> str:
    words = [_word(term) for term in criteria.terms]
    if not all(words):
        return ""
    excluded = _any_word(criteria.excluded)
    return " AND ".join(words) if not excluded else f"({' AND '.join(words)}) NOT ({excluded})"


def _part_expression(criteria: Criteria) -> str:
    parts = " AND ".join(_quoted(term.text) for term in criteria.terms)
    excluded = " OR ".join(_quoted(term.text) for term in criteria.excluded)
    return parts if not excluded else f"({parts}) NOT ({excluded})"


# What the index is built from


def docs_from(tx: ReadTransaction, first: int, limit: int) -> list[Doc]:
    """The next messages from a number on."""
    return [_doc(row) for row in tx.all(_DOCS, first=first, limit=limit)]


def docs_by_id(tx: ReadTransaction, ids: list[int]) -> list[Doc]:
    """The messages with these numbers that are not deleted."""
    return [_doc(row) for row in tx.all(_DOCS_BY_ID, ids=str(ids))]


def _doc(row: tuple[Any, ...]) -> Doc:
    id, conversation, sender, created, content, type, attached = row
    flags = (
        (HAS_FILE if attached or type == "file" else 0)
        | (HAS_LINK if "http://" in content or "https://" in content else 0)
        | (HAS_IMAGE if type == "image" else 0)
    )
    return Doc(id, conversation, sender, created, flags, content)


def count_messages(tx: ReadTransaction) -> int:
    """How many messages the index should have: those that are not deleted, of conversations that exist."""
    row = tx.one(_COUNT)
    return int(row[0]) if row else 0


def check_attached(tx: ReadTransaction) -> None:
    """Refuse where the connection has no index."""
    if not any(name == "search" for _, name, _ in tx.all(Prepared("PRAGMA database_list"))):
        raise Refusal(UNAVAILABLE, "This server has no search index")
