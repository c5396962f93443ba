"""Who is writing just now: told to the others in the conversation, stored nowhere."""

from __future__ import annotations

from chatd.services.work import Work
from protocol import commands as ask
from protocol.events import Typing


def typing(work: Work, command: ask.SetTyping) -> None:
    place = work.place(command, command.conversation)
    work.tell(Typing(place.conversation, work.actor.ref, command.on))
