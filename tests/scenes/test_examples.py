"""The examples of each specification run unmodified, with at most one line of configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.outside.server import token
from tests.scenes.examples import IO, PAGE, Serving, clients, example, script, serving

LOCAL = "http://localhost:3000"


def test_colon_chat(tmp_path: Path) -> None:
    with serving(tmp_path, "--dialect", "/chat=colon") as server:
        server.rest("GET", "/users/me", user=2)
        talk = server.rest("POST", "/conversations", {"type": "private", "participants": [2]}, user=1)["_id"]
        before = f"const accessToken = '{token(1)}', conversationId = '{talk}';\n"
        text = example("colon-chat", {"io('/chat'": f"io('{server.url}/chat'"}, before=before)
        with script(tmp_path, text) as running:
            running.prints("New message {")
            assert "Hello" in running.prints("content:")
            [message] = server.rest("GET", f"/conversations/{talk}/messages", user=2)
            assert message["_id"] in running.prints("_id:")
            assert (message["content"], message["sender_id"]) == ("Hello", 1)


def test_colon_notifications(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.rest("GET", "/users/me", user=1)
        note = {"user_id": 1, "title": "First", "content": "one", "type": "system"}
        made = server.rest("POST", "/notifications", note, user=2, role="admin")
        given = {"io('/notifications'": f"io('{server.url}/notifications'", "notif123": made["_id"]}
        text = example("colon-notifications", given, before=f"const accessToken = '{token(1)}';\n")
        with script(tmp_path, text) as running:
            running.prints("Unread notifications: [")
            running.prints("Notification detail: {")
            assert made["_id"] in running.prints("_id:")
            running.prints("Unread notifications: 0")
            assert server.rest("GET", f"/notifications/{made['_id']}", user=1)["is_read"] is True
            server.rest("POST", "/notifications", {**note, "title": "Second"}, user=2, role="admin")
            running.prints("New notification: {")
            running.prints("title: 'Second'")
            running.prints("Unread notifications: 1")


def talk_of_one_and_two(server: Serving) -> None:
    """The specification's own request: no user exists, and it has no token."""
    made = server.rest("POST", "/api/chats/conversations", {"sender_id": 1, "receiver_id": 2})
    assert made == {"id": 1, "sender_id": 1, "receiver_id": 2}


@pytest.mark.parametrize("transports", ["", "transports: ['websocket', 'polling'], "])
def test_kebab_complete(tmp_path: Path, transports: str) -> None:
    with serving(tmp_path, "--dialect", "/chat=kebab", "--insecure-userid") as server:
        talk_of_one_and_two(server)
        given = {LOCAL: server.url} | ({"query: { userId": f"{transports}query: {{ userId"} if transports else {})
        with clients() as two, script(tmp_path, example("kebab-complete", given, before=IO + PAGE)) as one:
            one.prints("Connected to chat server")
            one.prints("Message sent successfully: {")
            one.prints("content: 'Hello, World!'")
            one.prints("Joined conversation: 1")
            two.performs("open", name="two", url=f"{server.url}/chat", options={"query": {"userId": 2}})
            one.prints("updateUserStatus 2 online")
            two.performs("emit", name="two", event="join-conversation", args=[{"conversationId": 1, "userId": 2}])
            two.prints('"event":"joined-conversation","args":[{"success":true,"conversationId":1}]')
            said = {"sender_id": 2, "conversation_id": 1, "message_type": "text", "content": "Hello yourself"}
            for on in (True, False):
                typing = {"conversationId": 1, "userId": 2, "isTyping": on}
                two.performs("emit", name="two", event="typing", args=[typing])
            two.performs("emit", name="two", event="send-message", args=[said])
            one.prints("showTypingIndicator User 2 is typing...")
            one.prints("hideTypingIndicator")
            one.prints("New message: {")
            one.prints("addMessageToUI {")
            one.prints("content: 'Hello yourself'")
            two.performs("close", name="two")
            one.prints("updateUserStatus 2 offline")
            assert not [line for line in one.printed if "rror" in line or "alert" in line]


def test_kebab_lifecycle_and_console(tmp_path: Path) -> None:
    with serving(tmp_path, "--dialect", "/chat=kebab", "--insecure-userid") as server:
        talk_of_one_and_two(server)
        with script(tmp_path, example("kebab-lifecycle", {LOCAL: server.url}, before=IO + PAGE)) as one:
            one.prints("Connected to chat server")
            one.prints("Joined conversation: 1")
            one.prints("displayMessage {")
        text = example("kebab-console", {LOCAL: server.url, "userId: 1": "userId: 2", "sender_id: 1": "sender_id: 2"})
        with script(tmp_path, IO + text) as two:
            two.prints("content: 'Test message'")
            assert not [line for line in two.printed if "rror" in line]
        page = server.rest("GET", "/api/chats/conversations/1/messages?page=1&limit=20&userId=1")
        assert [one["content"] for one in page["data"]] == ["Hello!", "Test message"]
        assert (page["page"], page["limit"], page["total"]) == (1, 20, 2)


def test_rooms(tmp_path: Path) -> None:
    with serving(tmp_path, "--dialect", "/chat=rooms") as server:
        account = {"email": "ann@example.org", "username": "ann", "password": "correct horse"}
        ann = server.rest("POST", "/auth/register", account)
        bob = server.rest("POST", "/auth/register", {"username": "bob", "password": "correct horse"})
        login = server.rest("POST", "/auth/login", {"email": "ann@example.org", "password": "correct horse"})
        with_bob = {"participants": [bob["user"]["_id"]]}
        room = server.rest("POST", "/chat/rooms", with_bob, shown=ann["accessToken"])["_id"]
        given = {
            LOCAL: server.url,
            "'YOUR_JWT_ACCESS_TOKEN'": f"'{login['accessToken']}'",
            "ROOM_MONGODB_ID": room,
            "ROOM_ID": room,
        }
        with clients() as other, script(tmp_path, example("rooms", given)) as running:
            running.prints("Connected")
            running.prints("New message {")
            running.prints("content: 'Hello!'")
            running.prints("email: 'ann@example.org'")
            auth = {"token": bob["accessToken"]}
            other.performs("open", name="bob", url=f"{server.url}/chat", options={"auth": auth})
            other.performs("emit", name="bob", event="join_room", args=[{"roomId": room}])
            other.performs("emit", name="bob", event="typing", args=[{"roomId": room}])
            running.prints(f"User typing {bob['user']['_id']} {room}")


def test_rooms_refuses_a_wrong_token(tmp_path: Path) -> None:
    with serving(tmp_path, "--dialect", "/chat=rooms") as server:
        given = {LOCAL: server.url, "'YOUR_JWT_ACCESS_TOKEN'": "'nonsense'"}
        with script(tmp_path, example("rooms", given)) as running:
            running.prints("Connection error")


def test_pairs(tmp_path: Path) -> None:
    with serving(tmp_path, "--dialect", "/=pairs") as server:
        server.rest("GET", "/users/me", user=2)
        talk = server.rest("POST", "/api/conversations", {"toUserId": 2}, user=1)["id"]
        given = {"http://localhost:8000": server.url, "<div>Chat UI Here</div>": "{ sendMessage }"}
        mount = f"\nconst chat = ChatComponent({{conversationId: {talk}, currentUserId: 1, token: '{token(1)}'}});\n"
        send = "chat.sendMessage('Hello Bob', 2);\n"
        with clients() as other, script(tmp_path, example("pairs", given, after=mount + send)) as running:
            running.prints("Connected")
            server.has_received("Join", 1)  # Ann's component receives no sign that it is in the room
            auth = {"token": f"Bearer {token(2)}"}
            other.performs("open", name="bob", url=server.url, options={"auth": auth})
            other.performs("emit", name="bob", event="join_conversation", args=[talk])
            typing = {"conversationId": talk, "toUserId": 1}
            other.performs("emit", name="bob", event="typing_start", args=[typing])
            running.prints("User 2 is typing...")
            said = {"conversationId": talk, "content": "Hello Ann", "toUserId": 1}
            other.performs("emit", name="bob", event="send_message", args=[said])
            running.prints("New message received: {")
            running.prints("content: 'Hello Ann'")
        listed = server.rest("GET", f"/api/conversations/{talk}/messages", user=2)
        assert [one["content"] for one in listed] == ["Hello Bob", "Hello Ann"]


@pytest.mark.parametrize("place", ["auth", "query"])
def test_inbox(tmp_path: Path, place: str) -> None:
    with serving(tmp_path, "--dialect", "/=inbox") as server:
        server.rest("GET", "/users/me", user=2)
        other = uuid_of_two(server)
        talk = server.rest("POST", "/api/messages/conversations", {"otherUserId": other}, user=1)["id"]
        server.rest("POST", "/api/messages", {"otherUserId": other, "content": "unread by Bob"}, user=1)
        given = {"uuid-of-conversation": talk}
        if place == "query":
            given |= {"  auth: { token: YOUR_JWT },\n": "", "// alternatively: query": "query"}
        before = f"const API_BASE_URL = '{server.url}', YOUR_JWT = '{token(2)}';\n"
        with script(tmp_path, example("inbox", given, before=before)) as running:
            running.prints("connected")
            running.prints("unread: 1")
            running.prints("new_message: {")
            running.prints("content: 'Hello!'")
            running.prints("unread: 0")
            assert not [line for line in running.printed if "rror" in line]


def uuid_of_two(server: Serving) -> str:
    """The UUID of user 2 in `inbox`: the id of `rooms`, with version and variant."""
    made = server.rest("POST", "/conversations", {"type": "group", "participants": [2]}, user=1)
    two = server.rest("GET", f"/chat/rooms/{made['_id']}", user=1)["participants"][1]
    return f"{two[:8]}-0000-8000-8000-{two[12:]}"
