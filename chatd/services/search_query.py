"""The language of search: a text becomes Criteria.

word  "a phrase"  -word  -"a phrase"        what the message has, and has not; the last word may be a beginning
from:NAME  from:me  in:ID  in:"TITLE"       its sender, its conversation
before:2026-01-31  after:2026-01-31         its day, in UTC
has:file  has:link  has:image               what it has
is:unread  is:mention  is:pinned            what it is to the caller
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from chatd.services.context import ServiceContext
from chatd.store.queries import conversations, users
from chatd.store.queries.search import HAS_FILE, HAS_IMAGE, HAS_LINK, Criteria, Term
from chatd.store.search_text import fold
from protocol.errors import BAD_REQUEST, Refusal

MAX_QUERY_CHARS, MAX_TERMS = 500, 10
DAY_MS = 86_400_000
_PIECE = re.compile(
    r'(?P<minus>-?)(?:(?P<name>from|in|before|after|has|is):)?(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))'
)
_HAS = {"file": HAS_FILE, "link": HAS_LINK, "image": HAS_IMAGE}
_IS = ("unread", "mention", "pinned")


def parse(context: ServiceContext, text: str) -> Criteria:
    """Read a query. Refuse one that has an error or that would find everything."""
    if len(text) > MAX_QUERY_CHARS:
        raise _invalid(f"q must have at most {MAX_QUERY_CHARS} characters")
    if text.count('"') % 2:
        raise _invalid("q has a quotation mark without its partner")
    terms: list[Term] = []
    excluded: list[Term] = []
    found: dict[str, Any] = {}
    pieces = list(_PIECE.finditer(text))
    for piece in pieces:
        value, name = piece["phrase"] if piece["word"] is None else piece["word"], piece["name"]
        if name is not None:
            _FILTERS[name](context, value, found)
        elif fold(value).strip():
            is_last = piece is pieces[-1] and piece["word"] is not None
            (excluded if piece["minus"] else terms).append(Term(fold(value).strip(), prefix=is_last))
    if len(terms) + len(excluded) > MAX_TERMS:
        raise _invalid(f"q must have at most {MAX_TERMS} words and phrases")
    if not terms and not found:
        raise _invalid("q must have a word, a phrase or a filter")
    return Criteria(tuple(terms), tuple(excluded), **found)


def _invalid(text: str) -> Refusal:
    return Refusal(BAD_REQUEST, text, field="q")


def _from(context: ServiceContext, value: str, found: dict[str, Any]) -> None:
    if value.lower() == "me":
        found["sender"] = context.actor.id
        return
    account = users.find_account(context.tx, name=value)
    if account is None:
        raise _invalid(f"from: names no user: {value[:100]}")
    found["sender"] = account.user.ref.number


def _in(context: ServiceContext, value: str, found: dict[str, Any]) -> None:
    """A conversation of the caller, by its id or its title."""
    me = context.actor.id
    if value.isascii() and value.isdigit() and len(value) <= 16:
        if conversations.is_member(context.tx, int(value), me):
            found["conversation"] = int(value)
            return
    else:
        number = conversations.find_own(context.tx, me, value)
        if number is not None:
            found["conversation"] = number
            return
    raise _invalid(f"in: names no conversation of yours: {value[:100]}")


def _day(value: str) -> int:
    try:
        return int(datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        raise _invalid(f"before: and after: need a day such as 2026-01-31, not {value[:100]}") from None


def _before(context: ServiceContext, value: str, found: dict[str, Any]) -> None:
    found["until"] = _day(value)


def _after(context: ServiceContext, value: str, found: dict[str, Any]) -> None:
    found["since"] = _day(value) + DAY_MS


def _has(context: ServiceContext, value: str, found: dict[str, Any]) -> None:
    if value not in _HAS:
        raise _invalid(f"has: must be one of {', '.join(_HAS)}")
    found["flags"] = found.get("flags", 0) | _HAS[value]


def _is(context: ServiceContext, value: str, found: dict[str, Any]) -> None:
    if value not in _IS:
        raise _invalid(f"is: must be one of {', '.join(_IS)}")
    found[value] = True


_FILTERS: dict[str, Callable[[ServiceContext, str, dict[str, Any]], None]] = {
    "from": _from,
    "in": _in,
    "before": _before,
    "after": _after,
    "has": _has,
    "is": _is,
}
