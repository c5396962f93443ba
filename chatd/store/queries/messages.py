"""Messages and their attachments, and the members' cursors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from chatd.store.compiled import messages as sql
from chatd.store.queries import files
from chatd.store.queries.conversations import Membership
from chatd.store.queries.features import FeatureRow, add_mentions, feature_columns, of_messages
from chatd.store.queries.users import build_user
from chatd.store.queries.users import many as users_by_id
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.ids import Ref
from protocol.model import NO_FEATURES, Attachment, Kind, Message, MessageFeatures, MessageType, User


class Cursor(NamedTuple):
    """A member, and the last message that the member has read."""

    user: Ref
    message: int


class ConversationHead(NamedTuple):
    """The fields of a conversation that each of its messages shows."""

    conversation: Ref
    kind: Kind
    creator: Ref
    peer: Ref | None


def conversation_head(row: tuple[Any, ...]) -> ConversationHead:
    """The conversation's fields, from a row of CONVERSATION_COLUMNS."""
    id, created, kind, by_id, by_created, by_subject, peer_id, peer_created, peer_subject = row[:9]
    peer = None if peer_id is None else Ref(peer_id, peer_created // 1000, peer_subject)
    return ConversationHead(Ref(id, created // 1000), kind, Ref(by_id, by_created // 1000, by_subject), peer)


def build(
    row: tuple[Any, ...],
    head: ConversationHead,
    sender: User,
    attached: Sequence[Attachment] = (),
    features: MessageFeatures = NO_FEATURES,
) -> Message:
    """A message from a row that begins with _OWN. `with_readers` adds its readers."""
    id, sender_id, type, content, _attached, client_id, created, edited, _deleted, without_content, position = row[:11]
    conversation, kind, creator, peer = head
    return Message(  # by position: with names it takes more than twice the time, for every message of a page
        Ref(id, created // 1000),
        conversation,
        kind,
        creator,
        peer,
        sender,
        receiver(creator, peer, sender_id),
        type,
        content,
        tuple(attached),
        client_id,
        created,
        edited,
        (),
        None,
        without_content == 1,
        features,
        position,
    )


def receiver(creator: Ref, peer: Ref | None, sender: int) -> Ref | None:
    """The other user of a private conversation; None in a group."""
    return creator if peer is not None and peer.number == sender else peer


def add(
    tx: Transaction,
    membership: Membership,
    sender: User,
    type: MessageType,
    content: str,
    attached: tuple[Attachment, ...],
    client_id: str | None,
    digest: str | None,
    without_content: bool,
    *,
    features: MessageFeatures = NO_FEATURES,
) -> Message:
    """Add a message. The next event must be the one about it: the message has its position."""
    id, position = tx.next_id("messages"), tx.coming_position
    conversation, by = membership.conversation.number, sender.ref.number
    name = None if client_id is None else (by, conversation, client_id)
    given = (type, content, len(attached), client_id, digest, tx.now, int(without_content))
    if features is NO_FEATURES:
        tx.insert_later(sql.INSERT, (id, conversation, by, *given, position), name)
    else:
        row = (id, conversation, by, *given, *feature_columns(features), position)
        tx.insert_later(sql.INSERT_WITH_FEATURES, row, name)
        add_mentions(tx, id, conversation, features.mentions)
    for number, one in enumerate(attached):
        tx.insert_later(
            sql.INSERT_ATTACHMENT, (id, number, one.url, one.type, None if one.file is None else one.file.ref.number)
        )
    return Message(
        ref=Ref(id, tx.now // 1000),
        conversation=membership.conversation,
        kind=membership.kind,
        creator=membership.creator,
        peer=membership.peer,
        sender=sender,
        receiver=receiver(membership.creator, membership.peer, by),
        type=type,
        content=content,
        attachments=attached,
        client_id=client_id,
        created=tx.now,
        without_content=without_content,
        features=features,
        position=position,
    )


def find_by_client_id(tx: Transaction, sender: int, conversation: int, client_id: str) -> tuple[int, str] | None:
    """The message that a sender already sent with a client_id, and the digest of its content."""
    name = (sender, conversation, client_id)  # `add` gives every row that has a client_id this name
    row = tx.one_unless_pending(name, sql.BY_CLIENT_ID, sender=sender, conversation=conversation, client_id=client_id)
    return (row[0], row[1]) if row else None


def get(tx: ReadTransaction, message: int, *, deleted: bool = False) -> Message | None:
    """A message with its readers; a deleted message only with `deleted=True`."""
    found = many(tx, [message])
    row = found.get(message)
    return None if row is None or (row[1] and not deleted) else row[0]


def many(tx: ReadTransaction, ids: Sequence[int]) -> dict[int, tuple[Message, bool]]:
    """Messages by id, and whether each is deleted."""
    rows = tx.all(sql.BY_ID, id=ids[0]) if len(ids) == 1 else tx.all(sql.BY_IDS, ids=str(list(ids)))
    deleted = {row[0]: row[8] is not None for row in rows}
    attached, features = _attachments(tx, rows), _features(tx, rows)
    found = [
        build(
            row,
            conversation_head(row[sql.MESSAGE_WIDTH :]),
            build_user(row[sql.SENDER_START :]),
            attached.get(row[0], ()),
            features.get(row[0], NO_FEATURES),
        )
        for row in rows
    ]
    return {one.ref.number: (one, deleted[one.ref.number]) for one in _add_readers(tx, found)}


def page(
    tx: ReadTransaction,
    membership: Membership,
    limit: int,
    *,
    before: int | None = None,
    after: int | None = None,
    offset: int = 0,
) -> list[Message]:
    """Messages of one conversation, oldest first: before a message, after one, or the newest without `offset` many."""
    conversation = membership.conversation.number
    if after is not None:
        rows = tx.all(sql.NEWER, conversation=conversation, id=after, limit=limit)
    elif before is not None:
        rows = tx.all(sql.OLDER, conversation=conversation, id=before, limit=limit)[::-1]
    else:
        rows = tx.all(sql.PAGE, conversation=conversation, limit=limit, offset=offset)[::-1]
    head = ConversationHead(membership.conversation, membership.kind, membership.creator, membership.peer)
    senders = users_by_id(tx, {row[1] for row in rows})
    attached, features = _attachments(tx, rows), _features(tx, rows)
    found = [
        build(row, head, senders[row[1]], attached.get(row[0], ()), features.get(row[0], NO_FEATURES)) for row in rows
    ]
    return _add_readers(tx, found)


def last_of(tx: ReadTransaction, of: list[int]) -> dict[int, Message]:
    """The last message of each of some conversations, by conversation."""
    ids = [row[0] for row in tx.all(sql.LAST_AMONG, ids=str(of)) if row[0] is not None]
    return {one.conversation.number: one for one, _ in many(tx, ids).values()} if ids else {}


def count(tx: ReadTransaction, conversation: int) -> int:
    row = tx.one(sql.COUNT, conversation=conversation)
    return int(row[0]) if row else 0


def _attachments(tx: ReadTransaction, rows: list[tuple[Any, ...]]) -> dict[int, list[Attachment]]:
    """The attachments of messages whose rows begin with _OWN, by message."""
    found: dict[int, list[Attachment]] = {}
    ids = [row[0] for row in rows if row[4]]
    if ids:
        attached = tx.all(sql.ATTACHMENTS, ids=str(ids))
        numbers = {row[3] for row in attached if row[3] is not None}
        known = files.many(tx, sorted(numbers)) if numbers else {}
        for message, url, type, file in attached:
            found.setdefault(message, []).append(Attachment(url, type, known.get(file)))
    return found


def _features(tx: ReadTransaction, rows: list[tuple[Any, ...]]) -> dict[int, MessageFeatures]:
    """The features of messages whose rows begin with _OWN, by message."""
    return of_messages(tx, [FeatureRow(row[0], *row[11:14]) for row in rows if row[11]])


def _add_readers(tx: ReadTransaction, found: list[Message]) -> list[Message]:
    """The messages with their readers."""
    cursors: dict[int, list[Cursor]] = {}
    least = min((message.ref.number for message in found), default=0)
    for one in found:
        conversation = one.conversation.number
        if conversation not in cursors:
            cursors[conversation] = readers(tx, conversation, least)
    return [
        with_readers(tx, one, cursors[one.conversation.number]) if cursors[one.conversation.number] else one
        for one in found
    ]


def readers(tx: ReadTransaction, conversation: int, least: int) -> list[Cursor]:
    """The members whose cursor is at `least` or after it."""
    rows = tx.all(sql.CURSORS, conversation=conversation, least=least)
    return [Cursor(Ref(id, created // 1000, subject), cursor) for id, created, subject, cursor in rows]


def with_readers(tx: ReadTransaction, message: Message, cursors: list[Cursor]) -> Message:
    """The message with its readers, and in a private conversation with the time at which the receiver read it."""
    id, sender = message.ref.number, message.sender.ref.number
    seen = tuple(c.user for c in cursors if c.message >= id and c.user.number != sender)
    if not seen:
        return message
    at = None
    if message.receiver is not None and message.receiver in seen:
        row = tx.one(sql.READ_AT, conversation=message.conversation.number, user=message.receiver.number, message=id)
        at = row[0] if row else None
    return replace(message, seen_by=seen, read_at=at)


def edit(tx: Transaction, message: int, content: str) -> None:
    tx.run(sql.EDIT, message=message, content=content, edited=tx.now)


def delete_content(tx: Transaction, message: int) -> None:
    """Delete a message's content and attachments. Its row stays."""
    tx.run(sql.DELETE_ATTACHMENTS, message=message)
    tx.run(sql.DELETE_CONTENT, message=message, deleted=tx.now)


def advance_cursor(tx: Transaction, conversation: int, user: int, message: int) -> bool:
    """Move a cursor forward; return False when it is already at the message or after it.

    A mark (`set_mark`) moves as well. It is gone when it reaches the cursor.
    """
    if not tx.run(sql.ADVANCE_CURSOR, in_conversation=conversation, of_user=user, cursor=message).rowcount:
        return bool(tx.run(sql.ADVANCE_MARK, in_conversation=conversation, of_user=user, cursor=message).rowcount)
    tx.run(sql.ADD_READ_MARK, conversation=conversation, user=user, message=message, at=tx.now)
    return True


def set_mark(tx: Transaction, conversation: int, user: int, message: int) -> None:
    """Let a message and all after it count as unread. A mark never lets unread messages count as read."""
    row = tx.one(sql.BEFORE, conversation=conversation, id=message)
    tx.run(sql.SET_MARK, in_conversation=conversation, of_user=user, mark=int(row[0]) if row else 0)


def last_number(tx: ReadTransaction, conversation: int) -> int:
    """The number of the last message, deleted or not; 0 when there is none."""
    row = tx.one(sql.LAST_NUMBER, conversation=conversation)
    return int(row[0]) if row else 0
