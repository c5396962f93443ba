"""Prints a dialect as a page of Markdown: its tables, and each call and event on the wire in both framings.

The code of the server makes the examples: the dialect decodes the sample calls, and the framings write the answers and
events.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from chatd.cli.dialect_samples import ANN, EVENTS, RESULTS, WORLD_TEXT, payload
from protocol.dialects import dialect as dialect_named
from protocol.dialects import names
from protocol.dialects.codec import NamespaceCodec
from protocol.dialects.encode import outbound_encoders
from protocol.dialects.grammar import Body, Dialect, Field, Inbound, ListOf, Outbound, Route, Shape
from protocol.errors import BAD_REQUEST, Refusal
from protocol.events import EVERYONE, JOINED, MEMBERS, PEERS, USER, MessageCreated
from protocol.frames import Call, Packet
from protocol.framings.jsonrpc import JsonRpc
from protocol.framings.socketio import SocketIo

SERVER = "http://127.0.0.1:3000"
RECIPIENTS = {
    JOINED: "the sockets that joined the conversation",
    MEMBERS: "all members of the conversation, joined or not",
    USER: "the user of the event",
    PEERS: "the users who share a conversation with the user",
    EVERYONE: "all users",
}
TOKEN_PLACES = {"auth": "`auth.token`", "query": "`?token=`"}
REJECTIONS = {
    "connect_error": "receives CONNECT_ERROR `{{message, data: {error}}}`",
    "disconnect": "is connected, then disconnected without an event",
    "error": "is connected, receives the event `error`, and is disconnected",
}

FEATURES_ELSEWHERE = """
What only `v1` knows, the other dialects see in this way:

| `v1` | the other dialects |
|---|---|
| a reply, a copy, a message of a thread | a message of the conversation, like any other |
| a mention | the text `@name` in the content |
| a reaction, a pin, the summary of a thread | nothing |
| a new title, topic, picture, visibility or role | the new value, the next time that they read it |
| a user joins a public group | a member was added |
| a ban | a member was removed |
| messages marked as unread | the user's own unread counts |
| a level of notifications, a mute | fewer notifications |
| a block | a send in the private conversation is FORBIDDEN |
"""


def page(dialect: Dialect) -> str:
    """The text of docs/dialects/NAME.md."""
    lines = list(_introduction(dialect))
    for namespace in dialect.vocabularies:
        lines += _namespace(dialect, namespace)
    return "\n".join([*lines, *_rest(dialect)]) + "\n"


def _introduction(dialect: Dialect) -> Iterator[str]:
    yield f"# `{dialect.name}`\n"
    yield f"*Printed from `protocol/dialects/{file_of(dialect)}` by `make docs`. Its specification: {dialect.title}.*\n"
    yield re.sub(r"^`\w+`: (.)", lambda m: m[1].upper(), about(dialect)) + "\n"
    namespace = next(iter(dialect.vocabularies))
    yield f"Select it with `?dialect={dialect.name}` in the URL, with Socket.IO's `auth.dialect`, or for a namespace:"
    yield f"`chatd serve --dialect {namespace}={dialect.name}`.\n"
    places = ["the `Authorization` header", *(TOKEN_PLACES[place] for place in dialect.token_in)]
    yield f"- A socket sends its token in {' or '.join([', '.join(places[:-1]), places[-1]])}."
    rejection = REJECTIONS[dialect.rejects_with].format(error=_field_names(dialect.replies.error_event[1]))
    yield f"- A rejected Socket.IO client {rejection}."
    if dialect.user_id_in_query:
        yield "- The handshake has the user in `?userId=`; it must be the user of the token."
    yield f"- A resource that exists but is not the caller's: {_not_yours(dialect)}."
    yield from _refusals(dialect, namespace)
    yield f"\n`tests/scenes/test_pages_run.py` runs the examples as printed here. {WORLD_TEXT}"


def _namespace(dialect: Dialect, namespace: str) -> Iterator[str]:
    vocabulary = dialect.vocabulary(namespace)
    codec = NamespaceCodec(dialect, namespace)
    yield f"\n## `{namespace}`: what clients call"
    for inbound in vocabulary.inbound:
        yield from _call(codec, namespace, inbound)
    yield f"\n## `{namespace}`: what the server sends"
    if vocabulary.initial_events:
        greets = [outbound.name for outbound in vocabulary.outbound if outbound.event in vocabulary.initial_events]
        where = ", to all sockets of the user that speak this dialect" if vocabulary.initial_events_to_user else ""
        yield f"\nOn connect: {', '.join(f'`{name}`' for name in dict.fromkeys(greets))}{where}."
    for name in dict.fromkeys(outbound.name for outbound in vocabulary.outbound):
        yield from _event(dialect, namespace, [outbound for outbound in vocabulary.outbound if outbound.name == name])


def _rest(dialect: Dialect) -> Iterator[str]:
    yield "\n## REST\n"
    yield "| method and path | request | response |"
    yield "|---|---|---|"
    for route in dialect.routes:
        yield f"| `{route.method} {route.path}` | {_request(route.fields)} | {_response(route)} |"
    yield "\nThe same examples with curl. `$TOKEN` is an access token of Ann (`chatd token ann`):\n"
    yield "```"
    for route in dialect.routes:
        yield _curl(route)
    yield "```"


def file_of(dialect: Dialect) -> str:
    """The file or folder of a dialect's tables."""
    is_folder = hasattr(sys.modules[f"protocol.dialects.{dialect.name}"], "__path__")
    return dialect.name if is_folder else f"{dialect.name}.py"


def about(dialect: Dialect) -> str:
    """The docstring of the dialect's file."""
    return inspect.cleandoc(sys.modules[f"protocol.dialects.{dialect.name}"].__doc__ or "")


def _refusals(dialect: Dialect, namespace: str) -> Iterator[str]:
    codec = NamespaceCodec(dialect, namespace)
    refusal = Refusal(BAD_REQUEST, "content must not be empty")
    _, ack, _ = codec.refuse(None, refusal, wants_ack=True)
    _, _, event = codec.refuse(None, refusal, wants_ack=False)
    assert event is not None
    yield f"- A failed call: the event `{event[0]}` with `{event[1].decode()}`" + (
        "." if ack is None else f"; with an ack requested, the ack: `{ack.decode()}`."
    )


def _not_yours(dialect: Dialect) -> str:
    if dialect.forbidden_text is None:
        return "NOT_FOUND, as if it did not exist"
    text = dialect.forbidden_text.format(noun="conversation")
    return f"FORBIDDEN (REST 403), *{text}*; NOT_FOUND is for what does not exist"


def _call(codec: NamespaceCodec, namespace: str, inbound: Inbound) -> Iterator[str]:
    yield f"\n### `{inbound.name}`\n"
    yield _request(inbound.fields, positional=inbound.positional) + "\n"
    named = payload(inbound)
    values = list(named.values())
    params: Any = values if inbound.positional else named
    arguments = values if inbound.positional else [named]
    asked = {"jsonrpc": "2.0", "id": 1, "method": inbound.name, "params": params}
    mark = "" if namespace == "/" else f"{namespace},"
    written = f"42{mark}1{_json([inbound.name, *arguments])}"
    yield "```"
    yield from _exchange("JSON-RPC  ", codec, inbound, _json(asked), JsonRpc(namespace), "")
    yield from _exchange("Socket.IO ", codec, inbound, written, SocketIo(), "4")
    yield "```"
    if inbound.reply_event:
        yield f"\nThe server also sends the answer as the event `{inbound.reply_event}`."
    if inbound.error_event:
        name, fields = inbound.error_event
        yield f"\nThe server sends an error as the event `{name}` `{_field_names(fields)}`."


def _exchange(
    name: str, codec: NamespaceCodec, inbound: Inbound, text: str, framing: JsonRpc | SocketIo, prefix: str
) -> Iterator[str]:
    """A call, decoded by the dialect, and its answer, written by the framing."""
    [call] = framing.receive(Packet(text.encode().removeprefix(prefix.encode())))
    assert isinstance(call, Call)
    codec.decode(call.name, call.arguments)
    ack, _ = codec.answer(inbound, RESULTS.get(inbound.command))
    answers = framing.answer(call.id, ack)
    yield f"{name}→ {text}"
    for answer in answers:
        yield f"{' ' * len(name)}← {answer.data.decode()}"


def _curl(route: Route) -> str:
    """A route as a curl command."""
    fields = payload(route)
    path = re.sub(r"\{(\w+)\}", lambda m: quote(str(fields.pop(m[1]))), route.path)
    texts = {name: ",".join(map(str, value)) if isinstance(value, list) else value for name, value in fields.items()}
    query = f"?{urlencode(texts)}" if fields and route.method in ("GET", "DELETE") else ""
    data = f" -d '{_json(fields)}'" if fields and not query else ""
    method = "" if route.method == "GET" else f"-X {route.method} "
    return f"curl {method}-H \"Authorization: Bearer $TOKEN\"{data} '{SERVER}{path}{query}'"


def _event(dialect: Dialect, namespace: str, outbounds: list[Outbound]) -> Iterator[str]:
    first = outbounds[0]
    yield f"\n### `{first.name}`\n"
    where = " and ".join(dict.fromkeys(RECIPIENTS[outbound.audience] for outbound in outbounds))
    yield f"To {where}{', except the user who caused it' if first.others_only else ''}: {_field_kinds(first.body)}\n"
    name, body, position, room = example_event(dialect, namespace, first)
    yield "```"
    yield f"JSON-RPC  ← {JsonRpc.push(namespace, name, body, position, room).decode()}"
    yield f"Socket.IO ← {SocketIo.push(namespace, name, body, position, room).decode()}"
    yield "```"


def example_event(dialect: Dialect, namespace: str, outbound: Outbound) -> tuple[str, bytes, int | None, str | None]:
    """A sample event in the form that the encoder gives it: name, body, position and room."""
    table = outbound_encoders(dialect.vocabulary(namespace))
    for event in EVENTS:
        for encoder in table.get(type(event), ()):
            if isinstance(event, outbound.event) and encoder.name == outbound.name and encoder.applies(event):
                room = None if event.room is None else f"conversation:{dialect.conversation_id.write(event.room)}"
                return outbound.name, encoder.encode(event), 4711 if event.durable else None, room
    raise LookupError(outbound.name)


def _request(takes: tuple[Field, ...], *, positional: bool = False) -> str:
    if not takes:
        return "nothing"
    fields = [f"`{field.name}{'' if field.required else '?'}` {field.type.expected}" for field in takes]
    return ("One argument, or an object: " if positional else "") + "; ".join(fields).replace("|", "\\|")


def _response(route: Route) -> str:
    if route.reply is None:
        return str(route.status if route.status != 200 else 204)
    keys = f"`{_field_names(route.reply)}`"
    return f"{route.status} " + (f"`{{data, page, limit, total}}`, data: {keys}" if route.numbered_pages else keys)


def _field_kinds(shape: Shape) -> str:
    return "; ".join(f"`{key}{'?' if item.omit_none else ''}` {item.description}" for key, item in shape.items()) + "."


def _field_names(body: Body) -> str:
    if body is None:
        return ""
    if isinstance(body, Mapping):
        return f"{{{', '.join(body)}}}"
    items = f"[{{{', '.join(body.shape)}}}]"
    return items if isinstance(body, ListOf) else f"{{items: {items}, next}}"


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def index() -> str:
    """The text of docs/dialects/README.md."""
    rows = []
    for name in names():
        dialect = dialect_named(name)
        namespaces = ", ".join(f"`{namespace}`" for namespace in dialect.vocabularies)
        id_formats = f"{dialect.user_id.name} | {dialect.conversation_id.name}"
        rows.append(f"| [`{name}`]({name}.md) | {namespaces} | {id_formats} |\n")
    return (
        "# Dialects\n\n*Printed from `protocol/dialects/` by `make docs`; "
        "`chatd dialects NAME` prints the tables of one.*\n\n"
        "Five specifications, and `v1`, which is chatd's own and has every feature. Each dialect is one file of "
        "tables. The server speaks all of them at once: "
        "[one message in all of them](../round-table.md).\n\n"
        "| dialect | namespaces | ids of users | ids of conversations |\n|---|---|---|---|\n" + "".join(rows)
    )


def round_table() -> str:
    """The text of docs/round-table.md."""
    rows = []
    for name in names():
        dialect = dialect_named(name)
        for namespace, vocabulary in dialect.vocabularies.items():
            for outbound in vocabulary.outbound:
                if outbound.event is MessageCreated:
                    event, body, _, _ = example_event(dialect, namespace, outbound)
                    rows.append(
                        f"| `{name}` | `{namespace}` | `{event}` | {RECIPIENTS[outbound.audience]} "
                        f"| `{body.decode()}` |\n"
                    )
    return (
        "# The round table\n\n*Printed from `protocol/dialects/` by `make docs`.*\n\n"
        f"{ANN.display} sends `Hello` with a picture, in any dialect, over any framing or REST. "
        "Each member of the conversation receives it in the format of their own dialect:\n\n"
        "| dialect | namespace | event | to | payload |\n|---|---|---|---|---|\n" + "".join(rows) + FEATURES_ELSEWHERE
    )
