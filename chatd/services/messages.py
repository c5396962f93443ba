"""Messages: sent, edited, deleted, read, listed. A send under a name (`client_id`) happens once for ever."""

from __future__ import annotations

from hashlib import blake2b

import msgspec
from msgspec.structs import replace

from chatd.services import conversations as talks
from chatd.services import notifications
from chatd.services.context import ServiceContext, missing
from chatd.services.pages import cut, offset, page_size
from chatd.store.queries import conversations, messages, view_intervals
from chatd.store.queries.conversations import Membership
from protocol import commands as ask
from protocol.errors import BAD_REQUEST, CONFLICT, FORBIDDEN, Refusal
from protocol.events import MessageCreated, MessageDeleted, MessageRead, MessageUpdated
from protocol.ids import Key
from protocol.model import Message, Page, User

_BLANK = "".join(map(chr, range(0x21))) + "\x7f"
CLIENT_ID = 200


def send(work: ServiceContext, command: ask.SendMessage) -> Message:
    place = work.membership(command, command.conversation)
    me = work.me()
    if command.to is not None:
        check_receiver(work, place, command.to)
    return _send(work, place, me, command)


def send_to(work: ServiceContext, command: ask.SendTo) -> Message:
    """Send to a person, in the conversation with them."""
    me = work.me()
    conversation = talks.open_private(work, me, _not_me(work, command.user, me))
    sent = ask.SendMessage(
        conversation=Key(conversation.ref.number),
        content=command.content,
        attachments=command.attachments,
        client_id=command.client_id,
    )
    return _send(work, work.membership(sent, sent.conversation), me, sent)


def _not_me(work: ServiceContext, key: Key, me: User) -> list[User]:
    other = work.user(key)
    return [] if other.ref.number == me.ref.number else [other]


def _send(work: ServiceContext, place: Membership, me: User, command: ask.SendMessage) -> Message:
    content = _checked(work, command)
    digest = None
    if command.client_id is not None:
        if not 0 < len(command.client_id) <= CLIENT_ID:
            raise Refusal(BAD_REQUEST, f"clientId must have 1 to {CLIENT_ID} characters", field="clientId")
        digest = _digest(command)
        known = messages.find_by_client_id(work.tx, me.ref.number, place.conversation.number, command.client_id)
        if known is not None:
            return _again(work, known, digest)
    sent = messages.add(
        work.tx,
        place,
        me,
        command.type,
        content,
        command.attachments,
        command.client_id,
        digest,
        without_content=command.content is None,
    )
    work.publish(MessageCreated(sent))
    return sent


def _again(work: ServiceContext, known: tuple[int, str], digest: str) -> Message:
    """A retry: the message that is already there, if it says the same."""
    if known[1] != digest:
        raise Refusal(CONFLICT, "Another message was already sent under this clientId", field="clientId")
    sent = messages.get(work.tx, known[0], deleted=True)
    if sent is None:
        raise missing("Message")
    return sent


def _digest(command: ask.SendMessage) -> str:
    said = msgspec.json.encode((command.type, command.content or "", command.attachments))
    return blake2b(said, digest_size=16).hexdigest()


def _checked(work: ServiceContext, command: ask.SendMessage) -> str:
    """The content, if it and the attachments are within the limits."""
    most = work.rules.attachments
    if most and len(command.attachments) > most:
        raise Refusal(BAD_REQUEST, f"A message has at most {most} attachments", field="attachments")
    if not command.content and command.attachments:
        return ""
    return checked_text(work, command.content or "", empty=bool(command.attachments))


def checked_text(work: ServiceContext, content: str, *, empty: bool = False) -> str:
    """Text as it is, if enough of it is left when blanks and controls at its ends don't count."""
    length, most = len(content.strip(_BLANK)), work.rules.text
    if most and max(length, len(content) - 1000) > most:
        raise Refusal(BAD_REQUEST, f"content must have at most {most} characters", field="content")
    if length == 0 and not empty:
        raise Refusal(BAD_REQUEST, "content must not be empty", field="content")
    return content


def check_receiver(work: ServiceContext, place: Membership, to: Key) -> None:
    """Whoever is named beside the conversation must be in it."""
    user = work.user(to)
    if conversations.membership(work.tx, place.conversation.number, user.ref.number) is None:
        raise Refusal(BAD_REQUEST, "That user is not a member of the conversation", field="toUserId")


def edit(work: ServiceContext, command: ask.EditMessage) -> Message:
    """Change what one said. Saying the same again changes nothing."""
    message, _ = work.message(command, command.message)
    if message.sender.ref.number != work.actor.id:
        raise Refusal(FORBIDDEN, "Only its sender may edit a message")
    content = checked_text(work, command.content, empty=bool(message.attachments))
    if content == message.content and not message.without_content:
        return message
    messages.edit(work.tx, message.ref.number, content)
    changed = replace(message, content=content, edited=work.tx.now, without_content=False)
    work.publish(MessageUpdated(changed))
    return changed


def delete(work: ServiceContext, command: ask.DeleteMessage) -> None:
    message, place = work.message(command, command.message)
    if message.sender.ref.number != work.actor.id:
        if place.kind == "private":
            raise Refusal(FORBIDDEN, "Only its sender may delete a message of a private conversation")
        if place.role == "member":
            raise Refusal(FORBIDDEN, "Only its sender or an admin may delete a message")
    messages.delete_content(work.tx, message.ref.number)
    work.publish(MessageDeleted(message.ref, message.conversation, work.actor.ref, message.sender.ref))


def get(work: ServiceContext, command: ask.GetMessage) -> Message:
    return work.message(command, command.message)[0]


def read(work: ServiceContext, command: ask.ReadMessage) -> None:
    message, place = work.message(command, command.message)
    read_up_to(work, place, message)


def read_all(work: ServiceContext, command: ask.ReadConversation) -> bool:
    """Read a conversation up to its last message; whether that was news."""
    place = work.membership(command, command.conversation)
    last = messages.page(work.tx, place, 1)
    return bool(last) and read_up_to(work, place, last[0])


def read_up_to(work: ServiceContext, place: Membership, message: Message) -> bool:
    """Move the reader's cursor. Reading what is already read is no news."""
    conversation, me = place.conversation.number, work.actor.id
    notified_of = view_intervals.notified_message(work.tx, conversation, me)
    if not messages.advance_cursor(work.tx, conversation, me, message.ref.number):
        return False
    left = messages.count_unread(work.tx, conversation, me)
    work.publish(MessageRead(message.ref, place.conversation, work.actor.ref, work.tx.now, left))
    notifications.conversation_read(work, conversation, notified_of)
    return True


def listing(work: ServiceContext, command: ask.ListMessages) -> Page:
    place = work.membership(command, command.conversation)
    return _page(work, place, command)


def listing_with(work: ServiceContext, command: ask.ListMessagesWith) -> Page:
    """The conversation with somebody, if there is one; read to its end if the asker says so."""
    other = work.user(command.user)
    conversation = conversations.find_private(work.tx, work.actor.id, other.ref.number)
    if conversation is None:
        return Page((), page_size(work, command), None, command.page, 0)
    if command.mark_read:
        read_all(work, ask.ReadConversation(conversation=Key(conversation)))
    place = conversations.membership(work.tx, conversation, work.actor.id)
    assert place is not None  # one of the two
    return _page(work, place, command)


def _page(work: ServiceContext, place: Membership, command: ask.Window) -> Page:
    """Messages of one conversation: newest page first when numbered, oldest message first within a page."""
    limit = page_size(work, command)
    found = messages.page(
        work.tx,
        place,
        limit + 1,
        before=command.before.number if command.before else None,
        after=command.after.number if command.after else None,
        offset=offset(command, limit),
    )
    total = messages.count(work.tx, place.conversation.number) if command.page is not None else None
    return cut(work, command, limit, found, ascending=True, total=total)
