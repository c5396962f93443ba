"""What a client of `v1` keeps: fetched with `sync`, and changed by events. An event has the new state of its subject.

EVENTS_APPLIED has a function for each event. Two changes need a call: a conversation that is new to the client is
fetched, and so is the excerpt of a reply whose original has changed, which this client takes from the message it keeps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.scenes.v1_clients import V1


class State:
    """The conversations of a user with their messages and members, who is online, and the notifications' count."""

    def __init__(self, user: V1) -> None:
        self.user = user
        self.position = 0
        self.conversations: dict[int, dict[str, Any]] = {}
        self.messages: dict[int, list[dict[str, Any]]] = {}
        self.members: dict[int, list[dict[str, Any]]] = {}
        self.notifications = 0
        self.attention: dict[str, Any] = {}
        self.threads: list[dict[str, Any]] = []
        self.unknown: set[int] = set()

    async def fetch(self) -> None:
        """Read everything anew."""
        found = await self.user.does("sync", limit=100)
        assert found["isComplete"]
        assert found["conversations"]["next"] is None
        self.position, self.notifications = found["position"], found["unreadNotifications"]
        self.attention, self.threads = found["attention"], await self.user.does("thread.preferences")
        self.conversations = {one["id"]: one for one in found["conversations"]["items"]}
        ids = list(self.conversations)
        again = await self.user.does("sync", limit=1, membersOf=ids)
        self.members = {one["conversationId"]: one["members"] for one in again["members"]}
        for id in ids:
            page = await self.user.does("message.list", conversationId=id, limit=200)
            self.messages[id] = page["items"]

    async def apply(self, events: list[tuple[str, Any]]) -> None:
        for name, body in events:
            EVENTS_APPLIED[name](self, body)
        for id in sorted(self.unknown):
            await self._fetch_conversation(id)
        self.unknown.clear()
        for id, conversation in self.conversations.items():
            conversation["lastMessage"] = self.messages[id][-1] if self.messages[id] else None

    async def _fetch_conversation(self, id: int) -> None:
        """Fetch a conversation that is new, unless the user has left it meanwhile."""
        answer = await self.user.asks("conversation.get", {"conversationId": id})
        if answer["ok"]:
            self.conversations[id] = answer["data"]
            self.members[id] = await self.user.does("member.list", conversationId=id)
            self.messages[id] = (await self.user.does("message.list", conversationId=id, limit=200))["items"]

    def _forget(self, id: int) -> None:
        self.conversations.pop(id, None)
        self.threads = [one for one in self.threads if one["conversationId"] != id]

    def comparable(self) -> dict[str, Any]:
        return {
            "conversations": self.conversations,
            "messages": {id: found for id, found in self.messages.items() if id in self.conversations},
            "members": {id: sorted(found, key=str) for id, found in self.members.items() if id in self.conversations},
            "notifications": self.notifications,
            "attention": self.attention,
            "threads": [one for one in self.threads if one["conversationId"] in self.conversations],
        }

    # Events

    def message_created(self, body: Any) -> None:
        if body["conversationId"] in self.conversations:
            self.messages[body["conversationId"]].append(body)

    def message_updated(self, body: Any) -> None:
        for message in self.messages.get(body["conversationId"], ()):
            if message["id"] == body["id"]:
                message.update(body)
            elif message["replyTo"] and message["replyTo"]["id"] == body["id"]:
                message["replyTo"]["content"] = body["content"][:200]

    def message_deleted(self, body: Any) -> None:
        kept = [one for one in self.messages.get(body["conversationId"], ()) if one["id"] != body["messageId"]]
        self.messages[body["conversationId"]] = kept
        for message in kept:
            if message["replyTo"] and message["replyTo"]["id"] == body["messageId"]:
                message["replyTo"]["content"] = None

    def message_read(self, body: Any) -> None:
        conversation = self.conversations.get(body["conversationId"])
        if conversation is None:
            return
        for message in self.messages[body["conversationId"]]:
            if message["id"] <= body["messageId"] and message["sender"]["id"] != body["userId"]:
                message["seenBy"] = sorted({*message["seenBy"], body["userId"]})
        if body["userId"] == self.user.id:
            conversation["me"]["readTo"] = max(conversation["me"]["readTo"], body["messageId"])

    def marked_unread(self, body: Any) -> None:
        self.conversations[body["conversationId"]]["me"]["readTo"] = body["readTo"]

    def unread_changed(self, body: Any) -> None:
        counts = {one["conversationId"]: one for one in body["conversations"]}
        for id, conversation in self.conversations.items():
            found = counts.get(id, {"unread": 0, "mentions": 0})
            conversation["me"] |= {key: found[key] for key in ("unread", "mentions")}

    def conversation_created(self, body: Any) -> None:
        self.unknown.add(body["id"])

    def conversation_updated(self, body: Any) -> None:
        if body["id"] in self.conversations:
            self.conversations[body["id"]].update(body)

    def conversation_deleted(self, body: Any) -> None:
        self._forget(body["conversationId"])

    def member_added(self, body: Any) -> None:
        id = body["conversationId"]
        if id in self.conversations:
            self.unknown.add(id)  # for the time of joining, which the list of members has

    def member_updated(self, body: Any) -> None:
        id, user = body["conversationId"], body["user"]["id"]
        for member in self.members.get(id, ()):
            if member["user"]["id"] == user:
                member["role"] = body["role"]
        if id in self.conversations and user == self.user.id:
            self.conversations[id]["me"]["role"] = body["role"]

    def member_removed(self, body: Any) -> None:
        id, user = body["conversationId"], body["userId"]
        if user == self.user.id:
            self._forget(id)
        elif id in self.conversations:
            self.conversations[id]["memberIds"] = [one for one in self.conversations[id]["memberIds"] if one != user]
            self.members[id] = [one for one in self.members[id] if one["user"]["id"] != user]
            for message in self.messages[id]:
                message["seenBy"] = [one for one in message["seenBy"] if one != user]

    def preferences_updated(self, body: Any) -> None:
        if body["conversationId"] in self.conversations:
            own = self.conversations[body["conversationId"]]["me"]
            own |= {key: value for key, value in body.items() if key != "conversationId"}

    def attention_updated(self, body: Any) -> None:
        self.attention = body

    def thread_updated(self, body: Any) -> None:
        kept = [one for one in self.threads if one["threadId"] != body["threadId"]]
        added = [] if body["notifications"] == "default" else [body]
        self.threads = sorted([*kept, *added], key=lambda one: (one["conversationId"], one["threadId"]))

    def notification_counted(self, body: Any) -> None:
        self.notifications = body["count"]

    def nothing(self, body: Any) -> None:
        """Of what this state does not keep."""


EVENTS_APPLIED: dict[str, Callable[[State, Any], None]] = {
    "message.created": State.message_created,
    "message.updated": State.message_updated,
    "message.deleted": State.message_deleted,
    "message.read": State.message_read,
    "message.markedUnread": State.marked_unread,
    "unread.changed": State.unread_changed,
    "conversation.created": State.conversation_created,
    "conversation.updated": State.conversation_updated,
    "conversation.deleted": State.conversation_deleted,
    "member.added": State.member_added,
    "member.updated": State.member_updated,
    "member.removed": State.member_removed,
    "preferences.updated": State.preferences_updated,
    "notification.counted": State.notification_counted,
    "attention.updated": State.attention_updated,
    "thread.updated": State.thread_updated,
    **dict.fromkeys(
        ("presence.changed", "typing.changed", "notification.created", "notification.updated", "notification.deleted"),
        State.nothing,
    ),
}
