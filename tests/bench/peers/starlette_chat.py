# mypy: ignore-errors
"""A chat on Starlette: a set of sockets for each room, and REST with sqlite3 in a thread.

python starlette_chat.py DIRECTORY
"""

import itertools
import json
import sqlite3
import sys
import tempfile
import threading
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

from asgi import serve
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

SCHEMA = """CREATE TABLE messages (
  id INTEGER PRIMARY KEY, conversation TEXT NOT NULL, sender INTEGER NOT NULL,
  content TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE INDEX messages_by_conversation ON messages (conversation, id);"""
INSERT = "INSERT INTO messages (conversation, sender, content, created_at) VALUES (?, ?, ?, ?)"
PAGE = "SELECT id, sender, content, created_at FROM messages WHERE conversation = ? ORDER BY id DESC LIMIT ?"

rooms: defaultdict[str, set[WebSocket]] = defaultdict(set)
ids = itertools.count(1)
lock = threading.Lock()


def open_database(directory: str) -> sqlite3.Connection:
    folder = tempfile.mkdtemp(prefix="peer-", dir=directory)
    database = sqlite3.connect(Path(folder) / "chat.db", check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.executescript(SCHEMA)
    return database


def now() -> str:
    return datetime.now(UTC).isoformat()


def keep(conversation: str, content: str) -> dict[str, object]:
    created_at = now()
    with lock, database:
        number = database.execute(INSERT, (conversation, 1, content, created_at)).lastrowid
    return {"_id": f"{number:024x}", "sender_id": 1, "content": content, "created_at": created_at}


def page(conversation: str, limit: int) -> list[dict[str, object]]:
    with lock:
        rows = database.execute(PAGE, (conversation, limit)).fetchall()
    return [
        {"_id": f"{number:024x}", "sender_id": sender, "content": content, "created_at": created_at}
        for number, sender, content, created_at in rows
    ]


async def post_message(request):
    body = await request.json()
    conversation = request.path_params["conversation"]
    return JSONResponse(await run_in_threadpool(keep, conversation, body["content"]), 201)


async def get_messages(request):
    limit = min(int(request.query_params.get("limit", 20)), 200)
    return JSONResponse(await run_in_threadpool(page, request.path_params["conversation"], limit))


async def say(socket: WebSocket, call: dict) -> None:
    conversation = call["params"]["conversationId"]
    message = {
        "_id": f"{next(ids):024x}",
        "conversationId": conversation,
        "sender_id": 1,
        "content": call["params"]["content"],
        "created_at": now(),
    }
    text = json.dumps({"jsonrpc": "2.0", "method": "message:created", "params": message})
    for member in list(rooms[conversation]):
        await member.send_text(text)
    result = {"ok": True, "data": message}
    await socket.send_text(json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": result}))


async def chat(socket: WebSocket) -> None:
    await socket.accept()
    joined: set[str] = set()
    try:
        while True:
            call = json.loads(await socket.receive_text())
            if call["method"] == "conversation:join":
                rooms[call["params"]["conversationId"]].add(socket)
                joined.add(call["params"]["conversationId"])
                answer = {"jsonrpc": "2.0", "id": call["id"], "result": {"ok": True}}
                await socket.send_text(json.dumps(answer))
            elif call["method"] == "message:send":
                await say(socket, call)
    except WebSocketDisconnect:
        for conversation in joined:
            rooms[conversation].discard(socket)


app = Starlette(
    routes=[
        WebSocketRoute("/chat", chat),
        Route("/conversations/{conversation}/messages", post_message, methods=["POST"]),
        Route("/conversations/{conversation}/messages", get_messages),
    ]
)

if __name__ == "__main__":
    database = open_database(sys.argv[1] if len(sys.argv) > 1 else ".")
    serve(app, "starlette")
