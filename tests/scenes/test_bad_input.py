"""Bad input, for every event of every dialect over both framings: the answer that its specification documents.

The caller receives the refusal once, in the dialect's form: as the error event of the call's row, else as `error`, and
in the answer if the caller asked for one. No client is disconnected, and no call is dropped in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from protocol.dialects import dialect as find_dialect
from tests.scenes.chat_server import ChatServer, RegisteredUser, chat_server
from tests.scenes.clients import Client, Framing, JsonRpcClient, both_framings, open_client
from tests.scenes.shapes import TEXT, fits

CONTENT = "must have at most 10000 characters"
MISSING: Any = object()


class Ids(NamedTuple):
    """The ids of the same objects in a dialect. The lost ones belong to others; the last one does not exist."""

    talk: Any
    message: Any
    me: int
    lost_talks: tuple[Any, ...]
    lost_messages: tuple[Any, ...]
    malformed: Any


class Call(NamedTuple):
    """A call that would succeed, and its possible faults: the field, the bad value, and the expected text."""

    event: str
    payload: Callable[[Ids], dict[str, Any]]
    place: str  # the field that names the conversation, the message or the notification
    bad: tuple[tuple[str, Any, str], ...] = ()
    told: str = "error"
    lost: str = "Conversation not found"
    member: bool = True  # whether one must be a member


EMPTY, LONG = "content must not be empty", f"content {CONTENT}"
CONTENTS = (("content", 5, "content must be a string"), ("content", "", EMPTY), ("content", " \n\t", EMPTY))
SENT = (*CONTENTS, ("content", "x" * 10_001, LONG))
EMPTY_OR_MISSING = (("content", MISSING, EMPTY), *SENT)
REQUIRED = (("content", MISSING, "content is required and must be a string"), *SENT)
KEBAB_INT = "should not be empty, {0} must be an integer number"
KEBAB_TYPE = "message_type must be one of the following values: text, image, file"


def whose(name: str) -> tuple[tuple[str, Any, str], ...]:
    return (
        (name, MISSING, f"{name} {KEBAB_INT.format(name)}"),
        (name, "1", f"{name} must be an integer number"),
        (name, 999, "The user in the payload must be your own"),
    )


def flag(missing: str) -> tuple[tuple[str, Any, str], ...]:
    return (("isTyping", MISSING, missing), ("isTyping", "true", "isTyping must be a boolean value"))


FLAG = flag("isTyping is required and must be a boolean value")
IMAGE = {"url": "https://x.example/a.png", "type": "IMAGE"}
ATTACHMENTS = 'attachments must be a list of {url, type: "IMAGE" or "PDF"}'
RECEIVER = (
    ("toUserId", "x", "toUserId must be a positive integer"),
    ("toUserId", 999, "User not found"),
    ("toUserId", True, "toUserId must be a positive integer or its digits"),
)

COLON = (
    Call("conversation:leave", lambda i: {"conversationId": i.talk}, "conversationId"),
    Call("conversation:join", lambda i: {"conversationId": i.talk}, "conversationId"),
    Call("message:send", lambda i: {"conversationId": i.talk, "content": "x"}, "conversationId", EMPTY_OR_MISSING),
    Call(
        "message:edit",
        lambda i: {"messageId": i.message, "content": "x"},
        "messageId",
        REQUIRED,
        lost="Message not found",
    ),
    Call("message:delete", lambda i: {"messageId": i.message}, "messageId", lost="Message not found"),
    Call("message:read", lambda i: {"messageId": i.message}, "messageId", lost="Message not found"),
    Call("typing", lambda i: {"conversationId": i.talk, "isTyping": True}, "conversationId", FLAG),
    Call(
        "members:add",
        lambda i: {"conversationId": i.talk, "userId": i.me},
        "conversationId",
        (
            ("userId", "1", "userId must be a positive integer"),
            ("userId", 999, "Only the admin of a conversation may do that"),
        ),
    ),
    Call(
        "members:remove",
        lambda i: {"conversationId": i.talk, "userId": i.me},
        "conversationId",
        (("userId", 999, "User not found"), ("userId", MISSING, "userId is required and must be a positive integer")),
    ),
)
NOTES = tuple(
    Call(f"notification:{verb}", lambda i: {"notificationId": i.talk}, "notificationId", lost="Notification not found")
    for verb in ("get", "read", "delete")
)
KEBAB = (
    Call(
        "send-message",
        lambda i: {"sender_id": i.me, "conversation_id": i.talk, "message_type": "text", "content": "x"},
        "conversation_id",
        (
            *whose("sender_id"),
            *SENT,
            ("content", MISSING, "content should not be empty, content must be a string"),
            ("message_type", MISSING, f"message_type should not be empty, {KEBAB_TYPE}"),
            ("message_type", "video", KEBAB_TYPE),
        ),
        told="message-error",
    ),
    Call(
        "join-conversation",
        lambda i: {"conversationId": i.talk, "userId": i.me},
        "conversationId",
        whose("userId"),
    ),
    Call("leave-conversation", lambda i: {"conversationId": i.talk}, "conversationId"),
    Call(
        "typing",
        lambda i: {"conversationId": i.talk, "userId": i.me, "isTyping": True},
        "conversationId",
        (*whose("userId"), *flag("isTyping should not be empty, isTyping must be a boolean value")),
    ),
)
ROOMS = (
    Call("join_room", lambda i: {"roomId": i.talk}, "roomId"),
    Call("send_message", lambda i: {"roomId": i.talk, "content": "x"}, "roomId", REQUIRED),
    Call("typing", lambda i: {"roomId": i.talk}, "roomId"),
)
PAIRS = (
    Call("join_conversation", lambda i: {"conversationId": i.talk}, "conversationId"),
    Call("leave_conversation", lambda i: {"conversationId": i.talk}, "conversationId", member=False),
    Call(
        "send_message", lambda i: {"conversationId": i.talk, "content": "x"}, "conversationId", (*REQUIRED, *RECEIVER)
    ),
    Call("mark_read", lambda i: {"conversationId": i.talk}, "conversationId"),
    Call("typing_start", lambda i: {"conversationId": i.talk}, "conversationId", RECEIVER),
    Call("typing_stop", lambda i: {"conversationId": i.talk}, "conversationId", RECEIVER),
)
INBOX = (
    Call(
        "send_message",
        lambda i: {"conversationId": i.talk, "content": "x"},
        "conversationId",
        (
            *EMPTY_OR_MISSING,
            ("attachments", "x", ATTACHMENTS),
            ("attachments", [{**IMAGE, "type": "VIDEO"}], ATTACHMENTS),
            ("attachments", [{"url": IMAGE["url"]}], ATTACHMENTS),
            ("attachments", [{"type": "PDF"}], ATTACHMENTS),
            (
                "attachments",
                [{**IMAGE, "url": ""}],
                "attachments must be a URL of 1 to 2048 characters without spaces",
            ),
            ("attachments", [IMAGE] * 11, "A message has at most 10 attachments"),
        ),
    ),
    Call("read_messages", lambda i: {"conversationId": i.talk}, "conversationId"),
)


class Case(NamedTuple):
    dialect: str
    namespace: str
    calls: tuple[Call, ...]
    malformed: Any
    kind: str


CASES = (
    Case("colon", "/chat", COLON, "x", "an id of 24 hexadecimal digits"),
    Case("colon", "/notifications", NOTES, "x", "an id of 24 hexadecimal digits"),
    Case("kebab", "/chat", KEBAB, "1", "an integer number"),
    Case("rooms", "/chat", ROOMS, "x", "an id of 24 hexadecimal digits"),
    Case("pairs", "/", PAIRS, "one", "a positive integer"),
    Case("inbox", "/", INBOX, "x", "a UUID"),
)


def name_of(case: Case) -> str:
    return case.dialect + case.namespace.replace("/", "-")


every_case = pytest.mark.parametrize("case", CASES, ids=name_of)
every_chat = pytest.mark.parametrize("case", [case for case in CASES if case.calls is not NOTES], ids=name_of)


async def ids(server: ChatServer, me: RegisteredUser, case: Case) -> Ids:
    """A group of the caller, one that the caller was removed from, one of others; with a message in each."""
    other = await server.register("other")
    talks, sent = [], []
    for members in ([me.id], [me.id], []):
        body = {"type": "group", "participants": members}
        talks.append((await other.asks("POST", "/conversations", body, status=201))["_id"])
        author = other if not members or talks[1:] else me
        message = await author.asks("POST", f"/conversations/{talks[-1]}/messages", {"content": "x"}, status=201)
        sent.append(message["_id"])
    await other.asks("DELETE", f"/conversations/{talks[1]}/members?userId={me.id}", status=204)
    spell = SPELLINGS.get(case.kind, number_of)
    (talk, *lost_talks), (message, *lost_messages) = (
        [spell(id) for id in (*known, known[0][:-2] + "ff")] for known in (talks, sent)
    )
    return Ids(talk, message, me.id, tuple(lost_talks), tuple(lost_messages), case.malformed)


def number_of(id: str) -> int:
    return int(id[8:], 16)


SPELLINGS: dict[str, Callable[[str], Any]] = {
    "a UUID": lambda id: f"{id[:8]}-0000-8000-8000-{id[12:]}",
    "an id of 24 hexadecimal digits": lambda id: id,
}


def wrongs(case: Case, call: Call, ids: Ids) -> Iterator[tuple[Any, str]]:
    """Every bad payload of a call, with the expected text."""
    right, place = call.payload(ids), call.place
    missing = f"{place} should not be empty, {place} must be {case.kind}" if case.dialect == "kebab" else None
    kind = "a positive integer or its digits" if case.dialect == "pairs" else case.kind
    yield without(right, place), missing or f"{place} is required and must be {kind}"
    yield {**right, place: [1]}, f"{place} must be {kind}"
    yield {**right, place: ids.malformed}, f"{place} must be {case.kind}"
    if call.member:
        *theirs, nothing = ids.lost_messages if place == "messageId" else ids.lost_talks
        for id in theirs:
            yield {**right, place: id}, call.lost if place == "notificationId" else not_yours(case, call)
        yield {**right, place: nothing}, call.lost
    for field, value, said in call.bad:
        yield (without(right, field) if value is MISSING else {**right, field: value}), said
    unknown = "property extra should not exist" if case.dialect == "kebab" else "extra is not a field of this call"
    yield {**right, "extra": 1}, unknown


def not_yours(case: Case, call: Call) -> str:
    """The text for an object that exists and is another user's."""
    text, noun = find_dialect(case.dialect).forbidden_text, call.lost.partition(" ")[0].lower()
    return call.lost if text is None else text.format(noun=noun)


FORBIDDEN = ("The user in the payload", "Only the admin", "Unauthorized", "You have no permission")


def without(payload: dict[str, Any], field: str) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if key != field}


def event_of(case: Case, call: Call, code: str, said: str) -> tuple[str, dict[str, Any]]:
    """The event that carries the refusal."""
    if call.told != "error":
        return call.told, {"error": said}
    return "error", {"code": code, "message": said} if case.dialect == "colon" else {"message": said}


def code_of(said: str) -> str:
    if said.endswith("not found"):
        return "NOT_FOUND"
    return "FORBIDDEN" if said.startswith(FORBIDDEN) else "BAD_REQUEST"


async def connect(server: ChatServer, framing: Framing, case: Case, who: RegisteredUser) -> Client:
    ignoring = ("unread:count", "unread_count", "user:online", "notification:count", "notification:created")
    return await open_client(
        server, framing, case.dialect, who, case.namespace, ignoring=(*ignoring, "new_notification")
    )


@both_framings
@every_case
async def test_a_caller_that_wants_no_answer_receives_an_event(tmp_path: Path, framing: Framing, case: Case) -> None:
    async with chat_server(tmp_path) as server:
        me = await server.register("me")
        known = await ids(server, me, case)
        client = await connect(server, framing, case, me)
        for call in case.calls:
            for payload, said in wrongs(case, call, known):
                await client.notifies(call.event, payload)
                event, body = event_of(case, call, code_of(said), said)
                assert await client.receives(event) == body, (call.event, payload)
        await client.receives_nothing()


@both_framings
@every_case
async def test_a_caller_that_wants_an_answer_gets_it(tmp_path: Path, framing: Framing, case: Case) -> None:
    """The refusal comes as the acknowledgement. JSON-RPC also has its error in dialects without acknowledgements."""
    async with chat_server(tmp_path) as server:
        me = await server.register("me")
        known = await ids(server, me, case)
        client = await connect(server, framing, case, me)
        for call in case.calls:
            for payload, said in wrongs(case, call, known):
                await check_answer(case, call, client, payload, said)
        await client.receives_nothing()


async def check_answer(case: Case, call: Call, client: Client, payload: Any, said: str) -> None:
    if case.dialect == "colon":
        refused = {"ok": False, "error": {"code": code_of(said), "message": said}}
        assert await client.asks(call.event, payload) == refused
    elif case.dialect == "kebab":
        assert await client.asks(call.event, payload) == {"success": False, "error": said}
        if call.told != "error":
            assert await client.receives(call.told) == {"error": said}
    else:
        if isinstance(client, JsonRpcClient):
            assert await client.asks(call.event, payload) is None
            assert client.refused["message"] == said
        else:
            await client.send(call.event, (payload,), 1)
        assert await client.receives("error") == {"message": said}
        assert not client.answers


NONSENSE: tuple[Any, ...] = (5, "x", None, True, [], [1], ["x", {}])


@both_framings
@every_case
async def test_what_is_no_payload_at_all(tmp_path: Path, framing: Framing, case: Case) -> None:
    async with chat_server(tmp_path) as server:
        me = await server.register("me")
        client = await connect(server, framing, case, me)
        vocabulary = find_dialect(case.dialect).vocabulary(case.namespace)
        for row in vocabulary.inbound:
            for argument in NONSENSE:
                await client.notifies(row.name, argument, argument)
                fits_complaint(await client.receives(row.error_event[0] if row.error_event else "error"))
            for payload in ({}, {"nonsense": 1}):
                if payload or any(field.required for field in row.fields):
                    await client.notifies(row.name, payload)
                    fits_complaint(await client.receives(row.error_event[0] if row.error_event else "error"))
        await client.notifies("no such call", {})
        fits_complaint(await client.receives("error"))
        await client.receives_nothing()


def fits_complaint(said: dict[str, Any]) -> None:
    shapes = {"code": {"code": "BAD_REQUEST", "message": TEXT}, "error": {"error": TEXT}}
    fits(said, next((shape for key, shape in shapes.items() if key in said), {"message": TEXT}))


def test_every_call_of_every_dialect_has_its_bad_input() -> None:
    without_place = {"notification:list", "notification:ping"}
    for case in CASES:
        rows = {row.name for row in find_dialect(case.dialect).vocabulary(case.namespace).inbound}
        assert {call.event for call in case.calls} == rows - without_place


@both_framings
@every_chat
async def test_a_member_who_is_removed_while_connected(tmp_path: Path, framing: Framing, case: Case) -> None:
    """From then on the server rejects every call, as for a user who was never a member, and sends no event."""
    async with chat_server(tmp_path) as server:
        me, other = await server.register("me"), await server.register("other")
        body = {"type": "group", "participants": [me.id]}
        talk = (await other.asks("POST", "/conversations", body, status=201))["_id"]
        path = f"/conversations/{talk}"
        message = (await me.asks("POST", f"{path}/messages", {"content": "x"}, status=201))["_id"]
        client = await connect(server, framing, case, me)
        spell = SPELLINGS.get(case.kind, number_of)
        known = Ids(spell(talk), spell(message), me.id, (), (), None)
        join = next((call for call in case.calls if "join" in call.event), None)
        if join is not None:
            await client.performs(join.event, join.payload(known))
        await other.asks("DELETE", f"{path}/members?userId={me.id}", status=204)
        await client.receives_all()
        for call in case.calls:
            if call.member:
                await client.notifies(call.event, call.payload(known))
                said = not_yours(case, call)
                assert await client.receives(call.told) == event_of(case, call, code_of(said), said)[1]
        await other.asks("POST", f"{path}/messages", {"content": "behind their back"}, status=201)
        await client.receives_nothing()
