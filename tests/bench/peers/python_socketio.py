# mypy: ignore-errors
"""A chat on python-socketio over ASGI, as its documentation builds one."""

import itertools
from datetime import UTC, datetime

import socketio
from asgi import serve

server = socketio.AsyncServer(async_mode="asgi")
ids = itertools.count(1)
users: dict[str, int] = {}


@server.on("connect", namespace="/chat")
async def connect(sid, environ, auth=None):
    users[sid] = len(users) + 1


@server.on("conversation:join", namespace="/chat")
async def join(sid, data):
    await server.enter_room(sid, f"conversation:{data['conversationId']}", namespace="/chat")
    return {"ok": True}


@server.on("message:send", namespace="/chat")
async def send(sid, data):
    message = {
        "_id": f"{next(ids):024x}",
        "conversationId": data["conversationId"],
        "sender_id": users[sid],
        "content": data["content"],
        "created_at": datetime.now(UTC).isoformat(),
    }
    room = f"conversation:{data['conversationId']}"
    await server.emit("message:created", message, room=room, namespace="/chat")
    return {"ok": True, "data": message}


if __name__ == "__main__":
    serve(socketio.ASGIApp(server), "python-socketio")
