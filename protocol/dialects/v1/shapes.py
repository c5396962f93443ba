"""The shapes of `v1`: what its clients receive. calls.py and events.py use them.

Keys are in camelCase, ids are integers, times are ISO 8601 in UTC. A key is there in every body; null stands for
nothing.
"""

from __future__ import annotations

from typing import Any

from msgspec import UnsetType

from protocol.dialects.grammar import Shape
from protocol.dialects.shapes import (
    as_id,
    as_ids,
    as_is,
    as_object,
    as_objects,
    as_page,
    as_time,
    computed,
    content_or_null,
    within,
)
from protocol.events import Unread
from protocol.ids import DECIMAL, Ref

_FLAG = "true or false"
_NUMBER = "a number"
_TEXT_OR_NULL = "a string, or null"


def _visibility(public: bool) -> str:
    return "public" if public else "private"


def _reference(related: Ref | str | None) -> Any:
    return related.number if isinstance(related, Ref) else related


def _data(extra: dict[str, object] | UnsetType) -> dict[str, object] | None:
    return None if isinstance(extra, UnsetType) else extra


def _hour(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _count_mentions(unread: tuple[Unread, ...]) -> int:
    return sum(one.mentions for one in unread)


PERSON: Shape = {
    "id": as_id("ref", DECIMAL),
    "username": as_is("name"),
    "displayName": as_is("display", _TEXT_OR_NULL),
    "avatarUrl": as_is("avatar", _TEXT_OR_NULL),
}
USER: Shape = {**PERSON, "status": as_is("status", _TEXT_OR_NULL), "createdAt": as_time("created")}
ME: Shape = {**USER, "email": as_is("email", _TEXT_OR_NULL), "isAdmin": as_is("admin", _FLAG)}
MEMBER: Shape = {
    "user": as_object("user", PERSON),
    "role": as_is("role", "owner, admin or member"),
    "joinedAt": as_time("joined"),
}
BAN: Shape = {
    "user": as_object("user", PERSON),
    "bannedBy": as_id("by", DECIMAL),
    "bannedAt": as_time("at"),
}

BLOCK: Shape = {"user": as_object("user", PERSON), "blockedAt": as_time("at")}
REPORT: Shape = {
    "id": as_id("ref", DECIMAL),
    "messageId": as_id("message", DECIMAL),
    "conversationId": as_id("conversation", DECIMAL),
    "reporter": as_object("reporter", PERSON),
    "sender": as_object("sender", PERSON),
    "content": as_is("content"),
    "reason": as_is("reason"),
    "createdAt": as_time("created"),
    "closedAt": as_time("closed"),
}
AUDIT_ENTRY: Shape = {
    "id": as_id("ref", DECIMAL),
    "at": as_time("at"),
    "actorId": as_is("actor", "the id of a user; 0 for the shell or a service"),
    "actorName": as_is("actor_name", _TEXT_OR_NULL),
    "action": as_is("action"),
    "conversationId": as_is("conversation", "an id, or null"),
    "userId": as_is("user", "an id, or null"),
    "detail": as_is("detail", _TEXT_OR_NULL),
}

FILE: Shape = {
    "id": as_id("ref", DECIMAL),
    "url": as_is("url", "the path of the content"),
    "name": as_is("name"),
    "type": as_is("type", "a media type"),
    "size": as_is("size", "bytes"),
    "width": as_is("width", "pixels, or null"),
    "height": as_is("height", "pixels, or null"),
    "thumbnailUrl": as_is("thumbnail_url", "the path of a WebP of at most 1200 × 800 pixels, or null"),
    "isLocked": as_is("locked", _FLAG),
    "price": as_is("price", _TEXT_OR_NULL),
    "createdAt": as_time("created"),
}
ATTACHMENT: Shape = {
    "url": as_is("url"),
    "type": as_is("type", "IMAGE, PDF or null"),
    "file": as_object("file", FILE),
}
QUOTE: Shape = {
    "id": as_id("ref", DECIMAL),
    "sender": as_object("sender", PERSON),
    "content": as_is("excerpt", "the first 200 characters, or null when it is deleted"),
}
REACTION: Shape = {
    "emoji": as_is("emoji"),
    "count": computed("users", len, _NUMBER),
    "userIds": as_ids("users", DECIMAL),
}
MENTION: Shape = {"userId": as_id("user", DECIMAL), "name": as_is("text")}
THREAD: Shape = {"count": as_is("count", _NUMBER), "lastAt": as_time("last")}
MESSAGE: Shape = {
    "id": as_id("ref", DECIMAL),
    "conversationId": as_id("conversation", DECIMAL),
    "position": as_is("position", _NUMBER),
    "sender": as_object("sender", PERSON),
    "type": as_is("type", "text, image or file"),
    "content": content_or_null(),
    "attachments": as_objects("attachments", ATTACHMENT),
    "replyTo": as_object("features.reply_to", QUOTE),
    "threadId": as_id("features.thread", DECIMAL),
    "thread": as_object("features.replies", THREAD),
    "reactions": as_objects("features.reactions", REACTION),
    "mentions": as_objects("features.mentions", MENTION),
    "pinned": as_is("features.pinned", _FLAG),
    "forwarded": as_is("features.forwarded", _FLAG),
    "seenBy": as_ids("seen_by", DECIMAL),
    "clientId": as_is("client_id", _TEXT_OR_NULL),
    "createdAt": as_time("created"),
    "editedAt": as_time("edited"),
}

SHARED_CONVERSATION: Shape = {
    "id": as_id("ref", DECIMAL),
    "type": as_is("kind", "private or group"),
    "title": as_is("title", _TEXT_OR_NULL),
    "topic": as_is("topic", _TEXT_OR_NULL),
    "avatarUrl": as_is("avatar", _TEXT_OR_NULL),
    "visibility": computed("public", _visibility, "private or public"),
    "creatorId": as_id("creator", DECIMAL),
    "memberIds": as_ids("members", DECIMAL),
    "createdAt": as_time("created"),
}
PREFERENCES: Shape = {
    "notifications": as_is("level", "all, mentions or none"),
    "mutedUntil": as_time("muted_until"),
    "isArchived": as_is("archived", _FLAG),
    "draft": as_is("draft"),
}
THREAD_PREFERENCE: Shape = {
    "threadId": as_id("thread", DECIMAL),
    "conversationId": as_id("conversation", DECIMAL),
    "notifications": as_is("level", "all, mentions or default"),
}
QUIET_HOURS: Shape = {
    "from": computed("start", _hour, "hours and minutes"),
    "until": computed("end", _hour, "hours and minutes"),
    "timeZone": as_is("time_zone", "a name of the IANA time zone database"),
}
ATTENTION: Shape = {
    "quietHours": as_object("quiet_hours", QUIET_HOURS),
    "doNotDisturbUntil": as_time("do_not_disturb_until"),
}
OWN: Shape = {
    "role": as_is("role", "owner, admin or member"),
    "unread": as_is("unread", _NUMBER),
    "mentions": as_is("mentions", _NUMBER),
    "readTo": as_is("read_to", "the id of a message, or 0"),
    **within("preferences", PREFERENCES),
}
CONVERSATION: Shape = {
    **SHARED_CONVERSATION,
    "other": as_object("other", PERSON),
    "lastMessage": as_object("last", MESSAGE),
    "me": as_object("own", OWN),
}

SYNC: Shape = {
    "epoch": as_is("epoch"),
    "position": as_is("position", _NUMBER),
    "isComplete": as_is("complete", _FLAG),
    "me": as_object("me", ME),
    "attention": as_object("attention", ATTENTION),
    "conversations": as_page("conversations", CONVERSATION),
    "removedIds": as_is("removed", "a list of ids of conversations"),
    "members": as_objects(
        "members", {"conversationId": as_id("conversation", DECIMAL), "members": as_objects("members", MEMBER)}
    ),
    "onlineIds": as_ids("online", DECIMAL),
    "unreadNotifications": as_is("unread_notifications", _NUMBER),
}

SEARCH_HIT: Shape = {
    "id": as_id("ref", DECIMAL),
    "message": as_object("message", MESSAGE),
    "snippet": as_is("snippet"),
    "marks": as_objects("marks", {"start": as_is("start", _NUMBER), "end": as_is("end", _NUMBER)}),
}

UNREAD: Shape = {
    "total": as_is("total", _NUMBER),
    "mentions": computed("conversations", _count_mentions, _NUMBER),
    "conversations": as_objects(
        "conversations",
        {
            "conversationId": as_id("conversation", DECIMAL),
            "unread": as_is("count", _NUMBER),
            "mentions": as_is("mentions", _NUMBER),
        },
    ),
}
NOTIFICATION: Shape = {
    "id": as_id("ref", DECIMAL),
    "type": as_is("type"),
    "title": as_is("title"),
    "content": as_is("content"),
    "isRead": as_is("read", _FLAG),
    "relatedId": computed("related", _reference, "an id, a string or null"),
    "createdAt": as_time("created"),
    "data": computed("extra", _data, "an object, or null"),
}
BROADCAST: Shape = {"id": as_id("ref", DECIMAL), "createdAt": as_time("created")}
COUNT: Shape = {"count": as_is("count", _NUMBER)}
ERROR: Shape = {
    "code": as_is("code.code"),
    "message": as_is("message"),
    "field": as_is("field", _TEXT_OR_NULL),
    "retryAfter": as_is("retry_after", "seconds", omit_none=True),
}
