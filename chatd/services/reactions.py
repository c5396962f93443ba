"""Reactions and pins: what members add to a message without changing its content.

The event has the whole message as it is afterwards. A second reaction with the same emoji changes nothing.
"""

from __future__ import annotations

from chatd.services.context import ServiceContext, missing
from chatd.store.queries import features, messages
from protocol import commands as ask
from protocol.emoji import without_selectors
from protocol.errors import BAD_REQUEST, Refusal
from protocol.events import MessageFeaturesChanged
from protocol.model import Message, Reaction

MAX_PINS = 100  # in one conversation


def react(context: ServiceContext, command: ask.React) -> Message:
    message, _ = context.message(command, command.message)
    present = _find(message, command.emoji)
    max_kinds = context.rules.max_reactions
    if present is None and max_kinds and len(message.features.reactions) >= max_kinds:
        raise Refusal(BAD_REQUEST, f"A message has at most {max_kinds} kinds of reactions", field="emoji")
    if present is not None and _reacted(context, present):
        return message
    emoji = command.emoji if present is None else present.emoji
    features.react(context.tx, message.ref.number, context.actor.id, emoji)
    return publish_changed(context, message)


def unreact(context: ServiceContext, command: ask.Unreact) -> Message:
    message, _ = context.message(command, command.message)
    present = _find(message, command.emoji)
    if present is None or not _reacted(context, present):
        return message
    was_last = len(message.features.reactions) == 1 and len(present.users) == 1
    features.unreact(context.tx, message.ref.number, context.actor.id, present.emoji, was_last=was_last)
    return publish_changed(context, message)


def _find(message: Message, emoji: str) -> Reaction | None:
    """Return the reaction with this emoji, with or without its variation selectors."""
    plain = without_selectors(emoji)
    return next((one for one in message.features.reactions if without_selectors(one.emoji) == plain), None)


def _reacted(context: ServiceContext, reaction: Reaction) -> bool:
    return any(user.number == context.actor.id for user in reaction.users)


def pin(context: ServiceContext, command: ask.PinMessage) -> Message:
    message, membership = context.message(command, command.message)
    if message.features.pinned:
        return message
    if features.count_pins(context.tx, membership.conversation.number) >= MAX_PINS:
        raise Refusal(BAD_REQUEST, f"A conversation has at most {MAX_PINS} pinned messages", field="messageId")
    features.pin(context.tx, membership.conversation.number, message.ref.number, context.actor.id)
    return publish_changed(context, message)


def unpin(context: ServiceContext, command: ask.UnpinMessage) -> Message:
    message, _ = context.message(command, command.message)
    if not message.features.pinned:
        return message
    features.unpin(context.tx, message.ref.number)
    return publish_changed(context, message)


def list_pins(context: ServiceContext, command: ask.ListPins) -> list[Message]:
    """List the pinned messages of a conversation, the last pinned one first."""
    membership = context.membership(command, command.conversation)
    ids = features.pinned(context.tx, membership.conversation.number)
    found = messages.many(context.tx, ids) if ids else {}
    return [found[id][0] for id in ids if id in found]


def publish_changed(context: ServiceContext, message: Message) -> Message:
    """Publish the message as it is now, and return it."""
    changed = messages.get(context.tx, message.ref.number)
    if changed is None:
        raise missing("Message")
    context.publish(MessageFeaturesChanged(changed, context.actor.ref))
    return changed
