"""When users want no alerts, and which threads they follow or mute. Few users have a row."""

from __future__ import annotations

from chatd.store.compiled import attention as sql
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.ids import Ref
from protocol.model import Attention, QuietHours, ThreadLevel, ThreadPreference

DEFAULT = Attention()


def among(tx: ReadTransaction, users: list[int]) -> dict[int, Attention]:
    """The attention of those users who have changed theirs."""
    return {
        user: Attention(None if start is None else QuietHours(start, end, zone), until)
        for user, start, end, zone, until in tx.all(sql.AMONG, users=str(users))
    }


def get(tx: ReadTransaction, user: int) -> Attention:
    return among(tx, [user]).get(user, DEFAULT)


def put(tx: Transaction, user: int, attention: Attention) -> None:
    if attention == DEFAULT:
        tx.run(sql.DELETE, of_user=user)
        return
    hours = attention.quiet_hours
    tx.run(
        sql.SET,
        user=user,
        quiet_from=None if hours is None else hours.start,
        quiet_until=None if hours is None else hours.end,
        time_zone=None if hours is None else hours.time_zone,
        do_not_disturb_until=attention.do_not_disturb_until,
    )


def thread_preferences(tx: ReadTransaction, user: int) -> list[ThreadPreference]:
    """The threads that a user follows or mutes."""
    rows = tx.all(sql.THREADS, user=user)
    return [ThreadPreference(Ref(id, created), Ref(thread, 0), level) for id, created, thread, level in rows]


def thread_level(tx: ReadTransaction, user: int, conversation: int, thread: int) -> ThreadLevel:
    row = tx.one(sql.THREAD, user=user, conversation=conversation, thread=thread)
    return "default" if row is None else row[0]


def set_thread_level(tx: Transaction, user: int, conversation: int, thread: int, level: ThreadLevel) -> None:
    if level == "default":
        tx.run(sql.DELETE_THREAD, of_user=user, in_conversation=conversation, of_thread=thread)
        return
    tx.run(sql.SET_THREAD, user=user, conversation=conversation, thread=thread, level=level)


def delete_thread_levels(tx: Transaction, user: int, conversation: int) -> None:
    """Forget the threads that a user follows or mutes in a conversation."""
    tx.run(sql.DELETE_THREADS, of_user=user, in_conversation=conversation)
