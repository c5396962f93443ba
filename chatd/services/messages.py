"""Messages: send, edit, delete, read, list.

A `client_id` names a send. The same send under the same `client_id` stores one message, however often it is repeated.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec
from msgspec.structs import replace

from chatd.services import audit, notifications
from chatd.services import conversations as conversation_services
from chatd.services.blocks import check_not_blocked
from chatd.services.context import ServiceContext, missing
from chatd.services.files import FILES_PATH, file_at, find_files, message_deleted
from chatd.services.mentions import find_mentions
from chatd.services.pages import make_page, page_offset, page_size
from chatd.services.threads import features_of_send, thread_changed
from chatd.store.queries import conversations, files, messages, read_states, view_intervals
from chatd.store.queries.conversations import Membership
from chatd.store.queries.features import delete_all as delete_features
from chatd.store.queries.features import replace_mentions
from protocol import commands as ask
from protocol.errors import BAD_REQUEST, CONFLICT, FORBIDDEN, Refusal
from protocol.events import FileUploaded, MarkedUnread, MessageCreated, MessageDeleted, MessageRead, MessageUpdated
from protocol.ids import Key
from protocol.model import NO_FEATURES, Attachment, Message, Page, User

_BLANKS_AND_CONTROLS = "".join(map(chr, range(0x21))) + "\x7f"
MAX_CLIENT_ID_CHARS = 200
MAX_IGNORED_CHARS = 1000


def send(context: ServiceContext, command: ask.SendMessage) -> Message:
    membership = context.membership(command, command.conversation)
    me = context.me()
    if command.to is not None:
        check_receiver(context, membership, command.to)
    return _send(context, membership, me, command)


def send_to(context: ServiceContext, command: ask.SendTo) -> Message:
    """Send to a user, in the private conversation with that user."""
    me = context.me()
    conversation = conversation_services.open_private(context, me, _other_user(context, command.user, me))
    sent = ask.SendMessage(
        conversation=Key(conversation.ref.number),
        content=command.content,
        attachments=command.attachments,
        client_id=command.client_id,
    )
    return _send(context, context.membership(sent, sent.conversation), me, sent)


def _other_user(context: ServiceContext, key: Key, me: User) -> list[User]:
    other = context.user(key)
    return [] if other.ref.number == me.ref.number else [other]


def _send(
    context: ServiceContext, membership: Membership, me: User, command: ask.SendMessage, *, forwarded: bool = False
) -> Message:
    content = _check_content(context, command)
    attachments = find_files(context, command.attachments) if command.attachments else ()
    if command.type != "text" and (file := file_at(context, content, "content")) is not None:
        attachments = (*attachments, Attachment(content, None, file))
    if membership.blocked:
        check_not_blocked(context, messages.receiver(membership.creator, membership.peer, me.ref.number))
    digest = None
    if command.client_id is not None:
        if not 0 < len(command.client_id) <= MAX_CLIENT_ID_CHARS:
            raise Refusal(BAD_REQUEST, f"clientId must have 1 to {MAX_CLIENT_ID_CHARS} characters", field="clientId")
        digest = _content_digest(command)
        stored = messages.find_by_client_id(
            context.tx, me.ref.number, membership.conversation.number, command.client_id
        )
        if stored is not None:
            return _answer_repeat(context, stored, digest)
    features = NO_FEATURES
    mentions = find_mentions(context, membership, content) if "@" in content else ()
    if mentions or forwarded or command.reply_to is not None or command.thread is not None:
        features = replace(features_of_send(context, membership, command), mentions=mentions, forwarded=forwarded)
    sent = messages.add(
        context.tx,
        membership,
        me,
        command.type,
        content,
        attachments,
        command.client_id,
        digest,
        without_content=command.content is None,
        features=features,
    )
    for one in attachments:
        if one.file is not None:
            files.set_attached(context.tx, one.file.ref.number)
    context.publish(MessageCreated(sent))
    if features.thread is not None:
        thread_changed(context, sent)
    return sent


def send_file(context: ServiceContext, command: ask.SendFile) -> Message:
    """Send a file as a message, and publish it as a file as well."""
    me, membership = context.me(), context.membership(command, command.conversation)
    url = f"{FILES_PATH}{command.file.number}"
    sent = ask.SendMessage(
        conversation=command.conversation, content=command.content, attachments=(Attachment(url),), type="text"
    )
    message = _send(context, membership, me, sent)
    file = message.attachments[0].file
    assert file is not None  # _send has looked it up
    context.publish(FileUploaded(file, membership.conversation, me, message.created))
    return message


def forward(context: ServiceContext, command: ask.ForwardMessage) -> Message:
    """Send a copy of a message to a conversation. The copy is the caller's; later changes of the message do not
    reach it."""
    message, _ = context.message(command, command.message)
    membership = context.membership(command, command.conversation)
    sent = ask.SendMessage(
        conversation=command.conversation,
        content=None if message.without_content else message.content,
        attachments=tuple(one for one in message.attachments if message.type == "text" or one.url != message.content),
        client_id=command.client_id,
        type=message.type,
    )
    return _send(context, membership, context.me(), sent, forwarded=True)


def _answer_repeat(context: ServiceContext, stored: tuple[int, str], digest: str) -> Message:
    """Answer a repeated send with the stored message. A repeat with other content is a conflict."""
    if stored[1] != digest:
        raise Refusal(CONFLICT, "Another message was already sent under this clientId", field="clientId")
    sent = messages.get(context.tx, stored[0], deleted=True)
    if sent is None:
        raise missing("Message")
    return sent


def _content_digest(command: ask.SendMessage) -> str:
    content: tuple[Any, ...] = (command.type, command.content or "", command.attachments)
    if command.reply_to or command.thread:
        content += tuple(key and key.number for key in (command.reply_to, command.thread))
    encoded = msgspec.json.encode(content)
    return blake2b(encoded, digest_size=16).hexdigest()


def _check_content(context: ServiceContext, command: ask.SendMessage) -> str:
    """Check the content and the attachments against the limits. Return the content."""
    max_attachments = context.rules.max_attachments
    if max_attachments and len(command.attachments) > max_attachments:
        raise Refusal(BAD_REQUEST, f"A message has at most {max_attachments} attachments", field="attachments")
    if not command.content and command.attachments:
        return ""
    return check_text(context, command.content or "", may_be_empty=bool(command.attachments))


def check_text(context: ServiceContext, content: str, *, may_be_empty: bool = False) -> str:
    """Check the length of a text and return it unchanged.

    Blanks and control characters at both ends do not count, up to 1,000 of them.
    """
    length, max_chars = len(content.strip(_BLANKS_AND_CONTROLS)), context.rules.max_text_chars
    if max_chars and max(length, len(content) - MAX_IGNORED_CHARS) > max_chars:
        raise Refusal(BAD_REQUEST, f"content must have at most {max_chars} characters", field="content")
    if length == 0 and not may_be_empty:
        raise Refusal(BAD_REQUEST, "content must not be empty", field="content")
    return content


def check_receiver(context: ServiceContext, membership: Membership, to: Key) -> None:
    """Check that the receiver that a command names is a member of the conversation."""
    user = context.user(to)
    if conversations.membership(context.tx, membership.conversation.number, user.ref.number) is None:
        raise Refusal(BAD_REQUEST, "That user is not a member of the conversation", field="toUserId")


def edit(context: ServiceContext, command: ask.EditMessage) -> Message:
    """Change the content of an own message. The same content changes nothing and publishes nothing."""
    message, membership = context.message(command, command.message)
    if message.sender.ref.number != context.actor.id:
        raise Refusal(FORBIDDEN, "Only its sender may edit a message")
    content = check_text(context, command.content, may_be_empty=bool(message.attachments))
    if content == message.content and not message.without_content:
        return message
    messages.edit(context.tx, message.ref.number, content)
    changed = replace(message, content=content, edited=context.tx.now, without_content=False)
    mentions = find_mentions(context, membership, content)
    if mentions != message.features.mentions:
        replace_mentions(context.tx, message.ref.number, membership.conversation.number, mentions)
        changed = replace(changed, features=replace(message.features, mentions=mentions))
    context.publish(MessageUpdated(changed))
    return changed


def delete(context: ServiceContext, command: ask.DeleteMessage) -> None:
    message, membership = context.message(command, command.message)
    if message.sender.ref.number != context.actor.id:
        if membership.kind == "private":
            raise Refusal(FORBIDDEN, "Only its sender may delete a message of a private conversation")
        if membership.role == "member":
            raise Refusal(FORBIDDEN, "Only its sender or an admin may delete a message")
        audit.note(
            context,
            "message.delete",
            conversation=membership.conversation.number,
            user=message.sender.ref.number,
            detail=str(message.ref.number),
        )
    attached = files.of_message(context.tx, message.ref.number) if message.attachments else []
    messages.delete_content(context.tx, message.ref.number)
    message_deleted(context, attached)
    if message.features is not NO_FEATURES:
        delete_features(context.tx, message.ref.number)
    context.publish(MessageDeleted(message.ref, message.conversation, context.actor.ref, message.sender.ref))
    thread_changed(context, message)


def get(context: ServiceContext, command: ask.GetMessage) -> Message:
    return context.message(command, command.message)[0]


def read(context: ServiceContext, command: ask.ReadMessage) -> None:
    message, membership = context.message(command, command.message)
    read_up_to(context, membership, message)


def read_all(context: ServiceContext, command: ask.ReadConversation) -> bool:
    """Mark a conversation as read up to its last message. Return whether the cursor moved."""
    membership = context.membership(command, command.conversation)
    last = messages.page(context.tx, membership, 1)
    return bool(last) and read_up_to(context, membership, last[0])


def read_up_to(context: ServiceContext, membership: Membership, message: Message) -> bool:
    """Move the reader's cursor to a message. Return False, and publish nothing, if it was there or further."""
    conversation, me = membership.conversation.number, context.actor.id
    last_notified = view_intervals.notified_message(context.tx, conversation, me)
    if not messages.advance_cursor(context.tx, conversation, me, message.ref.number):
        return False
    left = read_states.count_unread(context.tx, conversation, me)
    context.publish(MessageRead(message.ref, membership.conversation, context.actor.ref, context.tx.now, left))
    notifications.conversation_read(context, conversation, last_notified)
    return True


def mark_unread(context: ServiceContext, command: ask.MarkUnread) -> None:
    """Let a message and all after it count as unread. What the others know of the caller's reading stays."""
    message, membership = context.message(command, command.message)
    conversation, me = membership.conversation.number, context.actor.id
    messages.set_mark(context.tx, conversation, me, message.ref.number)
    left = read_states.count_unread(context.tx, conversation, me)
    own = read_states.own_read_states(context.tx, me, [conversation])[conversation]
    context.publish(MarkedUnread(membership.conversation, context.actor.ref, own.read_to, left, own.mentions))


def listing(context: ServiceContext, command: ask.ListMessages) -> Page:
    membership = context.membership(command, command.conversation)
    return _page(context, membership, command)


def listing_with(context: ServiceContext, command: ask.ListMessagesWith) -> Page:
    """List the private conversation with a user. With `mark_read`, also mark it as read."""
    other = context.user(command.user)
    conversation = conversations.find_private(context.tx, context.actor.id, other.ref.number)
    if conversation is None:
        return Page((), page_size(context, command), None, command.page, 0)
    if command.mark_read:
        read_all(context, ask.ReadConversation(conversation=Key(conversation)))
    membership = conversations.membership(context.tx, conversation, context.actor.id)
    assert membership is not None  # the caller is one of the pair
    return _page(context, membership, command)


def _page(context: ServiceContext, membership: Membership, command: ask.Window) -> Page:
    """Return a page of messages. Page 1 has the newest messages; within a page the oldest message is first."""
    limit = page_size(context, command)
    found = messages.page(
        context.tx,
        membership,
        limit + 1,
        before=command.before.number if command.before else None,
        after=command.after.number if command.after else None,
        offset=page_offset(command, limit),
    )
    total = messages.count(context.tx, membership.conversation.number) if command.page is not None else None
    return make_page(context, command, limit, found, ascending=True, total=total)
