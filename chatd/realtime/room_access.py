"""Room access: subscribers enter and leave the rooms of conversations as the memberships of their users change."""

from __future__ import annotations

from chatd.realtime.broker import Broker
from chatd.realtime.event_bus import EventBus
from protocol.events import JOINED, ConversationCreated, ConversationDeleted, MemberAdded, MemberRemoved


class RoomAccess:
    """A subscriber that is in all rooms enters a new room before the first event is sent to that room.

    A removed member leaves the room after the event that reports the removal, so the member still receives it.
    """

    def __init__(self, broker: Broker, bus: EventBus) -> None:
        self._broker = broker
        bus.before(ConversationCreated, self._open_rooms)
        bus.before(MemberAdded, self._open_room)
        bus.after(MemberRemoved, self._evict_member)
        bus.after(ConversationDeleted, self._evict_all)

    def _open_rooms(self, event: ConversationCreated) -> None:
        if event.newcomer is None:
            for ref in event.conversation.members:
                self._broker.open_room((JOINED, event.conversation.ref.number), ref.number)

    def _open_room(self, event: MemberAdded) -> None:
        self._broker.open_room((JOINED, event.conversation.number), event.user.ref.number)

    def _evict_member(self, event: MemberRemoved) -> None:
        self._broker.evict((JOINED, event.conversation.number), event.user.number)

    def _evict_all(self, event: ConversationDeleted) -> None:
        self._broker.evict((JOINED, event.conversation.number))
