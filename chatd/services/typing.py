"""Who is writing just now: told to the others in the conversation, stored nowhere."""

from __future__ import annotations

from chatd.services.context import ServiceContext
from chatd.services.messages import check_receiver
from protocol import commands as ask
from protocol.events import Typing


def typing(work: ServiceContext, command: ask.SetTyping) -> None:
    place = work.membership(command, command.conversation)
    if command.to is not None:
        check_receiver(work, place, command.to)
    work.publish(Typing(place.conversation, work.actor.ref, command.on))
