"""Typing: the other members of the conversation receive an event, and nothing is stored."""

from __future__ import annotations

from chatd.services.context import ServiceContext
from chatd.services.messages import check_receiver
from protocol import commands as ask
from protocol.events import Typing


def set_typing(context: ServiceContext, command: ask.SetTyping) -> None:
    membership = context.membership(command, command.conversation)
    if command.to is not None:
        check_receiver(context, membership, command.to)
    context.publish(Typing(membership.conversation, context.actor.ref, command.on))
