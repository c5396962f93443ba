"""What few messages have: replies, threads, reactions, mentions, pins. `messages.features` says which of them exist.

A message without any costs nothing: no table is read for it. A page of messages reads each table at most once. The
summary of a thread and the excerpt of a quote are never stored; they are what the messages of today give.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from chatd.store.compiled import features as sql
from chatd.store.queries.users import build_user
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.ids import Ref
from protocol.model import Mention, MessageFeatures, Quote, Reaction, ThreadSummary

REPLY, IN_THREAD, THREAD_ROOT, REACTIONS, MENTIONS, PINNED, FORWARDED = (1 << bit for bit in range(7))
MAX_EXCERPT_CHARS = 200
ALL_MEMBERS = 0
"""The user of a mention of all members."""


class FeatureRow(NamedTuple):
    """The columns of a message that tell what it has."""

    message: int
    features: int
    reply_to: int | None
    thread: int | None


def of_messages(tx: ReadTransaction, rows: Iterable[FeatureRow]) -> dict[int, MessageFeatures]:
    """The features of the messages that have any, by message."""
    rows = [row for row in rows if row.features]
    if not rows:
        return {}
    quotes = _quotes(tx, {id for row in rows for id in (row.reply_to, row.thread) if id is not None})
    threads = _threads(tx, _with(rows, THREAD_ROOT))
    reactions = _reactions(tx, _with(rows, REACTIONS))
    mentions = _mentions(tx, _with(rows, MENTIONS))
    return {
        row.message: MessageFeatures(
            quotes.get(row.reply_to or 0),
            quotes[row.thread].ref if row.thread in quotes else None,
            threads.get(row.message),
            reactions.get(row.message, ()),
            mentions.get(row.message, ()),
            bool(row.features & PINNED),
            bool(row.features & FORWARDED),
        )
        for row in rows
    }


def _with(rows: Sequence[FeatureRow], feature: int) -> list[int]:
    return [row.message for row in rows if row.features & feature]


def _quotes(tx: ReadTransaction, ids: Iterable[int]) -> dict[int, Quote]:
    found: dict[int, Quote] = {}
    if ids:
        for id, created, content, deleted, *sender in tx.all(sql.QUOTES, ids=str(list(ids))):
            excerpt = None if deleted else content[:MAX_EXCERPT_CHARS]
            found[id] = Quote(Ref(id, created // 1000), build_user(tuple(sender)), excerpt)
    return found


def _threads(tx: ReadTransaction, ids: list[int]) -> dict[int, ThreadSummary]:
    rows = tx.all(sql.THREADS, ids=str(ids)) if ids else []
    return {id: ThreadSummary(count, last) for id, count, last in rows}


def _reactions(tx: ReadTransaction, ids: list[int]) -> dict[int, tuple[Reaction, ...]]:
    grouped: dict[int, dict[str, list[Ref]]] = {}
    rows = tx.all(sql.REACTIONS, ids=str(ids)) if ids else []
    for message, emoji, user, created, subject in rows:
        grouped.setdefault(message, {}).setdefault(emoji, []).append(Ref(user, created // 1000, subject))
    return {
        message: tuple(Reaction(emoji, tuple(users)) for emoji, users in kinds.items())
        for message, kinds in grouped.items()
    }


def _mentions(tx: ReadTransaction, ids: list[int]) -> dict[int, tuple[Mention, ...]]:
    found: dict[int, tuple[Mention, ...]] = {}
    rows: list[tuple[Any, ...]] = tx.all(sql.MENTIONS, ids=str(ids)) if ids else []
    for message, text, user, created, subject in rows:
        ref = None if user is None else Ref(user, created // 1000, subject)
        found[message] = (*found.get(message, ()), Mention(ref, text))
    return found


def feature_columns(features: MessageFeatures) -> tuple[int, int | None, int | None]:
    """The columns `features`, `reply_to` and `thread` of a new message."""
    reply_to = None if features.reply_to is None else features.reply_to.ref.number
    thread = None if features.thread is None else features.thread.number
    flags = (
        (REPLY if reply_to else 0)
        | (IN_THREAD if thread else 0)
        | (MENTIONS if features.mentions else 0)
        | (FORWARDED if features.forwarded else 0)
    )
    return flags, reply_to, thread


# Changes. Each keeps `messages.features` right.


def change(tx: Transaction, message: int, *, add: int = 0, remove: int = 0) -> None:
    row = tx.one(sql.FEATURES, of_message=message)
    if row is not None and (row[0] | add) & ~remove != row[0]:
        tx.run(sql.SET_FEATURES, of_message=message, set_features=(row[0] | add) & ~remove)


def react(tx: Transaction, message: int, user: int, emoji: str) -> None:
    tx.run(sql.ADD_REACTION, message=message, user=user, emoji=emoji, at=tx.now)
    change(tx, message, add=REACTIONS)


def unreact(tx: Transaction, message: int, user: int, emoji: str, *, was_last: bool) -> None:
    tx.run(sql.REMOVE_REACTION, of_message=message, by_user=user, with_emoji=emoji)
    if was_last:
        change(tx, message, remove=REACTIONS)


def add_mentions(tx: Transaction, message: int, conversation: int, mentioned: Sequence[Mention]) -> None:
    """Add the mentions of a message whose row has the feature already."""
    for one in mentioned:
        user = ALL_MEMBERS if one.user is None else one.user.number
        tx.insert_later(sql.ADD_MENTION, (message, user, conversation, one.text))


def replace_mentions(tx: Transaction, message: int, conversation: int, mentioned: Sequence[Mention]) -> None:
    """Set the mentions of an edited message."""
    tx.run(sql.REMOVE_MENTIONS, of_message=message)
    add_mentions(tx, message, conversation, mentioned)
    change(tx, message, add=MENTIONS if mentioned else 0, remove=0 if mentioned else MENTIONS)


def pin(tx: Transaction, conversation: int, message: int, user: int) -> None:
    tx.run(sql.PIN, conversation=conversation, message=message, user=user, at=tx.now)
    change(tx, message, add=PINNED)


def unpin(tx: Transaction, message: int) -> None:
    tx.run(sql.UNPIN, of_message=message)
    change(tx, message, remove=PINNED)


def count_pins(tx: ReadTransaction, conversation: int) -> int:
    row = tx.one(sql.COUNT_PINS, conversation=conversation)
    return int(row[0]) if row else 0


def pinned(tx: ReadTransaction, conversation: int) -> list[int]:
    """The pinned messages of a conversation, the last pinned one first."""
    return [row[0] for row in tx.all(sql.PINNED, conversation=conversation)]


def thread(tx: ReadTransaction, root: int, limit: int, *, before: int | None, after: int | None) -> list[int]:
    """The messages of a thread, the oldest first: the first ones after a message, or the last ones before one."""
    query = sql.THREAD_OLDEST if before is None else sql.THREAD_NEWEST
    rows = tx.all(query, of_thread=root, after=after or 0, before=before or 2**62, limit=limit)
    return sorted(row[0] for row in rows)


def delete_all(tx: Transaction, message: int) -> None:
    """Delete what a deleted message had. The deletion has set its features to 0."""
    tx.run(sql.REMOVE_REACTIONS, of_message=message)
    tx.run(sql.REMOVE_MENTIONS, of_message=message)
    tx.run(sql.UNPIN, of_message=message)
