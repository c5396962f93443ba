"""Which users receive their unread counts, and when.

A change in a conversation of two is sent after the batch of commits that made it. A change in a group is sent at the
next tick, and at most once a second while messages keep coming (chatd/realtime/online_users.py).
"""

from __future__ import annotations

from chatd.realtime.broker import Broker
from chatd.realtime.online_users import OnlineUsers
from protocol.events import USER, UnreadChanged


class UnreadCounts:
    """Sends the counts that OnlineUsers keeps."""

    def __init__(self, broker: Broker, online_users: OnlineUsers) -> None:
        self._broker = broker
        self._online_users = online_users

    def send_changed(self) -> None:
        """Send the counts of the users whose counts have changed."""
        changed = self._online_users.changed
        if not changed:
            return
        if self._broker.has_listener(UnreadChanged, USER):
            for user in changed:
                counts = self._online_users.counts_to_send(user)
                if counts is not None:
                    self._broker.publish(counts, None)
        changed.clear()

    def send_due(self, now: float) -> None:
        """Send the counts of groups with new messages, where they are due."""
        for counts in self._online_users.due_counts(now):
            self._broker.publish(counts, None)
        self.send_changed()
