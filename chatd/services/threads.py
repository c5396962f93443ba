"""Threads and replies: messages that belong to another message of their conversation.

A thread is all messages that name the same first message. A message of a thread is a message of the conversation as
well: lists, unread counts and the other dialects treat it like any other. The first message shows how many follow.
"""

from __future__ import annotations

from chatd.services import notifications
from chatd.services.context import ServiceContext
from chatd.services.pages import make_page, page_size
from chatd.services.reactions import publish_changed
from chatd.store.queries import attention, features, messages
from chatd.store.queries.conversations import Membership
from protocol import commands as ask
from protocol.errors import BAD_REQUEST, Refusal
from protocol.events import ThreadLevelChanged
from protocol.ids import Key
from protocol.model import Message, MessageFeatures, Page, Quote, ThreadPreference


def features_of_send(context: ServiceContext, membership: Membership, command: ask.SendMessage) -> MessageFeatures:
    """Return the reply and the thread of a new message."""
    reply, thread = command.reply_to, command.thread
    answered = None if reply is None else _find(context, membership, reply, "replyTo")
    first = None if thread is None else _find(context, membership, thread, "threadId")
    if first is not None and first.features.thread is not None:
        raise Refusal(BAD_REQUEST, "threadId must be the first message of the thread", field="threadId")
    quote = None if answered is None else _quote(answered)
    return MessageFeatures(reply_to=quote, thread=None if first is None else first.ref)


def _quote(message: Message) -> Quote:
    return Quote(message.ref, message.sender, message.content[: features.MAX_EXCERPT_CHARS])


def _find(context: ServiceContext, membership: Membership, key: Key, field: str) -> Message:
    """Return a message of the conversation that is not deleted."""
    found = messages.get(context.tx, key.number) if key.number else None
    if found is None or not key.matches(*found.ref[:2]) or found.conversation.number != membership.conversation.number:
        raise Refusal(BAD_REQUEST, f"{field} must be a message of this conversation that is not deleted", field=field)
    return found


def thread_changed(context: ServiceContext, message: Message) -> None:
    """Publish the first message of the message's thread: its summary has changed."""
    thread = message.features.thread
    if thread is None:
        return
    first = messages.get(context.tx, thread.number)
    if first is None:
        return  # deleted; its thread goes on
    if first.features.replies is None:
        features.change(context.tx, thread.number, add=features.THREAD_ROOT)
    publish_changed(context, first)


def set_level(context: ServiceContext, command: ask.SetThreadLevel) -> ThreadPreference:
    """Follow or mute the thread of a message. The level applies to later messages."""
    message, membership = context.message(command, command.message)
    me, conversation, thread = context.actor.ref, membership.conversation, message.features.thread or message.ref
    new = ThreadPreference(conversation, thread, command.level)
    if attention.thread_level(context.tx, me.number, conversation.number, thread.number) != command.level:
        notifications.dismiss(context, conversation.number)
        attention.set_thread_level(context.tx, me.number, conversation.number, thread.number, command.level)
        context.publish(ThreadLevelChanged(me, new))
    return new


def levels(context: ServiceContext, command: ask.ListThreadLevels) -> list[ThreadPreference]:
    return attention.thread_preferences(context.tx, context.actor.id)


def listing(context: ServiceContext, command: ask.ListThread) -> Page:
    """List the messages of a thread, the oldest first; without a cursor, from the first one on."""
    first, _ = context.message(command, command.message)
    limit = page_size(context, command)
    before = None if command.before is None else command.before.number
    after = None if command.after is None else command.after.number
    ids = features.thread(context.tx, first.ref.number, limit + 1, before=before, after=after)
    found = messages.many(context.tx, ids) if ids else {}
    rows = [found[id][0] for id in ids if id in found]
    if command.before is None and command.after is None:
        command = ask.ListThread(message=command.message, limit=command.limit, after=Key(0))
    return make_page(context, command, limit, rows, ascending=True)
