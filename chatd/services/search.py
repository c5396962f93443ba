"""Search in the messages of the caller's conversations: the newest first, with the marked places of what was found."""

from __future__ import annotations

from chatd.services.context import ServiceContext
from chatd.services.pages import make_page, page_size
from chatd.services.search_query import parse
from chatd.store.queries import messages
from chatd.store.queries import search as index
from chatd.store.search_text import find_marks
from protocol import commands as ask
from protocol.model import Message, Page, SearchHit, TextMark

SNIPPET_CHARS = 200
CHARS_BEFORE = 40  # of the first mark


def search(context: ServiceContext, command: ask.Search) -> Page:
    index.check_attached(context.tx)
    limit, criteria = page_size(context, command), parse(context, command.query)
    before = index.NEWEST if command.before is None else command.before.number
    ids = index.find(context.tx, context.actor.id, criteria, limit + 1, before)
    found = messages.many(context.tx, ids) if ids else {}
    shown = [found[id][0] for id in ids if id in found and not found[id][1]]  # the index may be a moment behind
    terms = [term.text for term in criteria.terms]
    return make_page(context, command, limit, [_hit(message, terms) for message in shown], ascending=False)


def _hit(message: Message, terms: list[str]) -> SearchHit:
    """Cut a snippet around the first mark."""
    marks = find_marks(message.content, terms)
    start = max(0, marks[0][0] - CHARS_BEFORE) if marks else 0
    end = start + SNIPPET_CHARS
    inside = tuple(TextMark(begin - start, min(finish, end) - start) for begin, finish in marks if begin < end)
    return SearchHit(message.ref, message, message.content[start:end], inside)
