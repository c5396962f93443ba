"""A dialect as a page of Markdown: its tables, and each call and event as it looks on the wire, in both framings.

The examples are not written but spoken: the sample calls are heard by the dialect itself, and what is shown as the
server's is what its framings write.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from chatd.cli.dialect_samples import ANN, EVENTS, RESULTS, WORLD, payload
from protocol.dialects import dialect, names
from protocol.dialects.codec import NamespaceCodec
from protocol.dialects.encode import outbound_encoders
from protocol.dialects.grammar import Body, Dialect, Field, Inbound, Outbound, Route, Shape
from protocol.errors import BAD_REQUEST, Refusal
from protocol.events import EVERYONE, JOINED, MEMBERS, PEERS, USER, MessageCreated
from protocol.frames import Call, Packet
from protocol.framings.jsonrpc import JsonRpc
from protocol.framings.socketio import SocketIo

SERVER = "http://127.0.0.1:3000"
HEARD = {
    JOINED: "those who joined the conversation",
    MEMBERS: "all members of the conversation, joined or not",
    USER: "the user whom it concerns",
    PEERS: "those who share a conversation with the user",
    EVERYONE: "everybody",
}
SHOWN = {"auth": "`auth.token`", "query": "`?token=`"}
TURNED_AWAY = {
    "connect_error": "CONNECT_ERROR `{{message, data: {error}}}`",
    "disconnect": "connected, then disconnected without an event",
    "error": "connected, then the event `error`, then disconnected",
}


def page(spoken: Dialect) -> str:
    """docs/dialects/NAME.md."""
    return "\n".join(_lines(spoken)) + "\n"


def _lines(spoken: Dialect) -> Iterator[str]:
    yield f"# `{spoken.name}`\n"
    yield f"*Printed from `protocol/dialects/{spoken.name}.py` by `make docs`. Its specification: {spoken.title}.*\n"
    yield re.sub(r"^`\w+`: (.)", lambda m: m[1].upper(), about(spoken)) + "\n"
    namespace = next(iter(spoken.vocabularies))
    yield f"Ask for it with `?dialect={spoken.name}` in the URL, with Socket.IO's `auth.dialect`, or give it a"
    yield f"namespace: `chatd serve --dialect {namespace}={spoken.name}`.\n"
    places = ["the `Authorization` header", *(SHOWN[place] for place in spoken.token_in)]
    yield f"- A socket shows its token in {' or '.join([', '.join(places[:-1]), places[-1]])}."
    turned_away = TURNED_AWAY[spoken.rejects_with].format(error=_keys(spoken.replies.error_event[1]))
    yield f"- Who is not let in, over Socket.IO: {turned_away}."
    if spoken.user_id_in_query:
        yield "- The handshake names the user in `?userId=`; it must be the token's own."
    yield f"- What exists and is not the caller's is {_not_yours(spoken)}."
    yield from _refusals(spoken, namespace)
    yield f"\nThe examples are run as they stand by `tests/scenes/test_pages_run.py`. {WORLD}"
    for namespace, vocabulary in spoken.vocabularies.items():
        codec = NamespaceCodec(spoken, namespace)
        yield f"\n## `{namespace}`: what clients call"
        for hear in vocabulary.inbound:
            yield from _call(codec, namespace, hear)
        yield f"\n## `{namespace}`: what the server tells"
        if vocabulary.initial_events:
            greets = [say.name for say in vocabulary.outbound if say.event in vocabulary.initial_events]
            where = ", to all sockets of the user that speak this dialect" if vocabulary.initial_events_to_user else ""
            yield f"\nOn connect: {', '.join(f'`{name}`' for name in dict.fromkeys(greets))}{where}."
        for name in dict.fromkeys(say.name for say in vocabulary.outbound):
            yield from _told(spoken, namespace, [say for say in vocabulary.outbound if say.name == name])
    yield "\n## REST\n"
    yield "| method and path | takes | gives |"
    yield "|---|---|---|"
    for route in spoken.routes:
        yield f"| `{route.method} {route.path}` | {_takes(route.fields)} | {_gives(route)} |"
    yield "\nThe same examples by curl, with an access token of Ann's in `$TOKEN` (`chatd token ann`):\n"
    yield "```"
    for route in spoken.routes:
        yield _curl(route)
    yield "```"


def about(spoken: Dialect) -> str:
    """What the dialect's file says of itself."""
    return inspect.cleandoc(sys.modules[f"protocol.dialects.{spoken.name}"].__doc__ or "")


def _refusals(spoken: Dialect, namespace: str) -> Iterator[str]:
    codec = NamespaceCodec(spoken, namespace)
    refusal = Refusal(BAD_REQUEST, "content must not be empty")
    _, ack, _ = codec.refuse(None, refusal, wants_ack=True)
    _, _, told = codec.refuse(None, refusal, wants_ack=False)
    assert told is not None
    yield f"- A call that fails: the event `{told[0]}` with `{told[1].decode()}`" + (
        "." if ack is None else f"; to whoever asked for an ack, in the ack: `{ack.decode()}`."
    )


def _not_yours(spoken: Dialect) -> str:
    if spoken.forbidden_text is None:
        return "answered as if it were not there: NOT_FOUND"
    text = spoken.forbidden_text.format(noun="conversation")
    return f"FORBIDDEN (REST 403), *{text}*; NOT_FOUND is for what does not exist"


def _call(codec: NamespaceCodec, namespace: str, hear: Inbound) -> Iterator[str]:
    yield f"\n### `{hear.name}`\n"
    yield _takes(hear.fields, positional=hear.positional) + "\n"
    named = payload(hear)
    values = list(named.values())
    params: Any = values if hear.positional else named
    arguments = values if hear.positional else [named]
    asked = {"jsonrpc": "2.0", "id": 1, "method": hear.name, "params": params}
    mark = "" if namespace == "/" else f"{namespace},"
    written = f"42{mark}1{_json([hear.name, *arguments])}"
    yield "```"
    yield from _exchange("JSON-RPC  ", codec, hear, _json(asked), JsonRpc(namespace), "")
    yield from _exchange("Socket.IO ", codec, hear, written, SocketIo(), "4")
    yield "```"
    if hear.reply_event:
        yield f"\nThe answer comes as the event `{hear.reply_event}` too."
    if hear.error_event:
        yield f"\nWhat goes wrong comes as the event `{hear.error_event[0]}` `{_keys(hear.error_event[1])}`."


def _exchange(
    name: str, codec: NamespaceCodec, hear: Inbound, text: str, framing: JsonRpc | SocketIo, prefix: str
) -> Iterator[str]:
    """A call, heard by the dialect itself, and its answer, written by the framing itself."""
    [call] = framing.receive(Packet(text.encode().removeprefix(prefix.encode())))
    assert isinstance(call, Call)
    codec.decode(call.name, call.arguments)
    ack, _ = codec.answer(hear, RESULTS.get(hear.command))
    answers = framing.answer(call.id, ack)
    yield f"{name}→ {text}"
    for answer in answers:
        yield f"{' ' * len(name)}← {answer.data.decode()}"


def _curl(route: Route) -> str:
    """A route as a line for the shell."""
    fields = payload(route)
    path = re.sub(r"\{(\w+)\}", lambda m: str(fields.pop(m[1])), route.path)
    query = f"?{urlencode(fields)}" if fields and route.method in ("GET", "DELETE") else ""
    data = f" -d '{_json(fields)}'" if fields and not query else ""
    method = "" if route.method == "GET" else f"-X {route.method} "
    return f"curl {method}-H \"Authorization: Bearer $TOKEN\"{data} '{SERVER}{path}{query}'"


def _told(spoken: Dialect, namespace: str, says: list[Outbound]) -> Iterator[str]:
    first = says[0]
    yield f"\n### `{first.name}`\n"
    where = " and ".join(dict.fromkeys(HEARD[say.audience] for say in says))
    yield f"To {where}{', but not to whoever did it' if first.others_only else ''}: {_kinds(first.body)}\n"
    name, body, position, room = spelling(spoken, namespace, first)
    yield "```"
    yield f"JSON-RPC  ← {JsonRpc.push(namespace, name, body, position, room).decode()}"
    yield f"Socket.IO ← {SocketIo.push(namespace, name, body, position, room).decode()}"
    yield "```"


def spelling(spoken: Dialect, namespace: str, say: Outbound) -> tuple[str, bytes, int | None, str | None]:
    """An event as a face would spell it: name, body, position and room."""
    table = outbound_encoders(spoken.vocabulary(namespace))
    for event in EVENTS:
        for saying in table.get(type(event), ()):
            if isinstance(event, say.event) and saying.name == say.name and saying.applies(event):
                room = None if event.room is None else f"conversation:{spoken.conversation_id.write(event.room)}"
                return say.name, saying.encode(event), 4711 if event.durable else None, room
    raise LookupError(say.name)


def _takes(takes: tuple[Field, ...], *, positional: bool = False) -> str:
    if not takes:
        return "nothing"
    said = [f"`{field.name}{'' if field.required else '?'}` {field.type.expected}" for field in takes]
    return ("Bare, as an argument, or as an object: " if positional else "") + "; ".join(said).replace("|", "\\|")


def _gives(route: Route) -> str:
    if route.reply is None:
        return str(route.status if route.status != 200 else 204)
    keys = f"`{_keys(route.reply)}`"
    return f"{route.status} " + (f"`{{data, page, limit, total}}`, data: {keys}" if route.numbered_pages else keys)


def _kinds(shape: Shape) -> str:
    return "; ".join(f"`{key}{'?' if item.omit_none else ''}` {item.description}" for key, item in shape.items()) + "."


def _keys(body: Body) -> str:
    if body is None:
        return ""
    if isinstance(body, Mapping):
        return f"{{{', '.join(body)}}}"
    return f"[{{{', '.join(body.shape)}}}]"


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def index() -> str:
    """docs/dialects/README.md."""
    rows = []
    for name in names():
        spoken = dialect(name)
        spaces = ", ".join(f"`{namespace}`" for namespace in spoken.vocabularies)
        rows.append(f"| [`{name}`]({name}.md) | {spaces} | {spoken.user_id.name} | {spoken.conversation_id.name} |\n")
    return (
        "# Dialects\n\n*Printed from `protocol/dialects/` by `make docs`; "
        "`chatd dialects NAME` prints one's tables.*\n\n"
        "Five specifications, one server: each dialect is one file of tables. All of them are spoken at once; "
        "[one message in all of them](../round-table.md).\n\n"
        "| dialect | namespaces | ids of users | ids of conversations |\n|---|---|---|---|\n" + "".join(rows)
    )


def round_table() -> str:
    """docs/round-table.md."""
    rows = []
    for name in names():
        spoken = dialect(name)
        for namespace, vocabulary in spoken.vocabularies.items():
            for say in vocabulary.outbound:
                if say.event is MessageCreated:
                    event, body, _, _ = spelling(spoken, namespace, say)
                    rows.append(
                        f"| `{name}` | `{namespace}` | `{event}` | {HEARD[say.audience]} | `{body.decode()}` |\n"
                    )
    return (
        "# The round table\n\n*Printed from `protocol/dialects/` by `make docs`.*\n\n"
        f"{ANN.display} sends `Hello`, with a picture, in whatever dialect and over whatever framing and REST. "
        "Everybody in the conversation hears it in their own words:\n\n"
        "| dialect | namespace | event | to | payload |\n|---|---|---|---|---|\n" + "".join(rows)
    )
