"""GOOD: a valid payload for each row of each dialect."""

from __future__ import annotations

from typing import Any

from protocol.dialects import dialect
from tests.protocol.dialects.samples import object_id, uuid

CHAT, NOTES, ROOT = "/chat", "/notifications", "/"
ID, UID = object_id(7), uuid(7)

GOOD: dict[tuple[str, str, str], dict[str, Any]] = {
    ("colon", CHAT, "conversation:join"): {"conversationId": ID},
    ("colon", CHAT, "conversation:leave"): {"conversationId": ID},
    ("colon", CHAT, "message:send"): {
        "conversationId": ID,
        "content": "hi",
        "attachments": ["https://x/a"],
        "clientId": "c",
    },
    ("colon", CHAT, "message:edit"): {"messageId": ID, "content": "hi"},
    ("colon", CHAT, "message:delete"): {"messageId": ID},
    ("colon", CHAT, "message:read"): {"messageId": ID},
    ("colon", CHAT, "typing"): {"conversationId": ID, "isTyping": True},
    ("colon", CHAT, "members:add"): {"conversationId": ID, "userId": 7, "role": "admin"},
    ("colon", CHAT, "members:remove"): {"conversationId": ID, "userId": 7},
    ("colon", NOTES, "notification:list"): {"unreadOnly": True},
    ("colon", NOTES, "notification:get"): {"notificationId": ID},
    ("colon", NOTES, "notification:read"): {"notificationId": ID},
    ("colon", NOTES, "notification:delete"): {"notificationId": ID},
    ("colon", NOTES, "notification:ping"): {"action": "ping"},
    ("kebab", CHAT, "send-message"): {
        "sender_id": 7,
        "conversation_id": 7,
        "message_type": "text",
        "content": "hi",
        "clientId": "c",
    },
    ("kebab", CHAT, "join-conversation"): {"conversationId": 7, "userId": 7},
    ("kebab", CHAT, "leave-conversation"): {"conversationId": 7},
    ("kebab", CHAT, "typing"): {"conversationId": 7, "userId": 7, "isTyping": False},
    ("rooms", CHAT, "join_room"): {"roomId": ID},
    ("rooms", CHAT, "send_message"): {"roomId": ID, "content": "hi", "clientId": "c"},
    ("rooms", CHAT, "typing"): {"roomId": ID},
    ("pairs", ROOT, "join_conversation"): {"conversationId": 7},
    ("pairs", ROOT, "leave_conversation"): {"conversationId": "7"},
    ("pairs", ROOT, "send_message"): {"conversationId": 7, "content": "hi", "toUserId": "7", "clientId": "c"},
    ("pairs", ROOT, "mark_read"): {"conversationId": 7},
    ("pairs", ROOT, "typing_start"): {"conversationId": 7, "toUserId": 7},
    ("pairs", ROOT, "typing_stop"): {"conversationId": 7, "toUserId": 7},
    ("inbox", ROOT, "send_message"): {
        "conversationId": UID,
        "content": "hi",
        "attachments": [{"url": "https://x/a", "type": "PDF"}],
        "clientId": "c",
    },
    ("inbox", ROOT, "read_messages"): {"conversationId": UID},
}

V1_VALUES: dict[str, Any] = {
    "displayName": "Ann",
    "avatarUrl": "https://x/a",
    "status": "here",
    "query": "a",
    "limit": 7,
    "before": 7,
    "after": 7,
    "memberIds": [7],
    "title": "T",
    "topic": "t",
    "visibility": "public",
    "role": "admin",
    "isTyping": True,
    "content": "hi",
    "attachments": [{"url": "https://x/a"}],
    "replyTo": 7,
    "threadId": 7,
    "clientId": "c",
    "emoji": "👍",
    "password": "correct horse",
    "newPassword": "wrong horse",
    "sessionId": "5f2c",
    "inviteId": 7,
    "uses": 3,
    "isAdmin": True,
    "ttlSeconds": 60,
    "unreadOnly": True,
    "relatedId": "r",
    "data": {"a": 1},
    "notifications": "mentions",
    "mutedUntil": "2030-01-01T00:00:00Z",
    "isArchived": True,
    "fileId": 7,
    "quietHours": {"from": "22:00", "until": "07:30", "timeZone": "Europe/Berlin"},
    "doNotDisturbUntil": "2030-01-01T00:00:00Z",
    "draft": "hi",
    "reason": "rude",
    "since": 7,
    "q": "hi",
    "epoch": "e",
    "membersOf": [7],
    "openOnly": True,
    **dict.fromkeys(("userId", "conversationId", "messageId", "notificationId", "reportId"), 7),
}
"""A value for each field of `v1`, but for `type`, which is another one in each call."""
V1_TYPES = {"conversation.create": "group", "message.send": "text"}
GOOD |= {
    ("v1", "/v1", row.name): {
        each.name: V1_TYPES.get(row.name, "system") if each.name == "type" else V1_VALUES[each.name]
        for each in row.fields
    }
    for row in dialect("v1").vocabulary("/v1").inbound
}
