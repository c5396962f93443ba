"""A real server answers every example of docs/dialects as printed.

The server has the users, conversations and ids of the pages (chatd/cli/dialect_samples.py). An answer has the printed
keys, with values of the printed types; the values may differ.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace
from sqlalchemy import case, update

from chatd.cli.dialect_page import SERVER
from chatd.cli.dialect_samples import CONVERSATION, CREATED_MS, FILE, MESSAGE, NOTIFICATION
from chatd.store import tables
from chatd.store.compiler import prepare
from chatd.store.queries import accounts, conversations, files, invites, messages, moderation, notifications
from chatd.store.queries import users as people
from chatd.store.sqlite.transaction import Transaction
from protocol.commands import (
    ChangeOwnPassword,
    Command,
    DeleteConversation,
    DeleteMessage,
    DeleteNotification,
    EndDevice,
    EndOtherDevices,
    LeaveConversation,
    RemoveMember,
)
from protocol.dialects import dialect, names
from protocol.dialects.grammar import Route
from protocol.ids import Ref
from protocol.model import Attachment
from tests.scenes.chat_server import ChatServer, RegisteredUser, chat_server
from tests.scenes.clients import Client, Framing, JsonRpcClient, both_framings, open_client

DOCS = Path(__file__).parents[2] / "docs" / "dialects"
LAST = (
    DeleteMessage,
    DeleteNotification,
    RemoveMember,
    DeleteConversation,
    LeaveConversation,
    EndDevice,
    EndOtherDevices,
    ChangeOwnPassword,
)  # these remove what other examples need
MARKS: dict[Framing, str] = {"jsonrpc": "JSON-RPC ", "socketio": "Socket.IO"}
_MADE = prepare(
    update(tables.users).values(
        created=CREATED_MS,
        admin=tables.users.c.id == 1,
        display=tables.users.c.name,
        email=case((tables.users.c.id == 1, "ann@example.org")),
    )
)


class Example(NamedTuple):
    """A call as it is sent, and its printed answer; None for no answer."""

    call: str
    sent: str
    answer: str | None


def examples(name: str, namespace: str, framing: Framing) -> list[Example]:
    """The calls of one namespace over one framing, in the order of the page. Calls that delete come last."""
    page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    part = page.partition(f"## `{namespace}`: what clients call\n")[2].partition("\n## ")[0]
    found = []
    for call, block in re.findall(r"### `([^`]+)`\n.*?```\n(.*?)```", part, re.DOTALL):
        sent, answer = None, None
        for line in block.splitlines():
            head, arrow, text = re.match(r"(.*?) ([→←]) (.*)", line).groups()  # type: ignore[union-attr]
            if arrow == "→":
                mine = head == MARKS[framing]
                sent = text if mine else sent
            elif mine:
                answer = text
        assert sent is not None
        found.append(Example(call, sent, answer))
    kinds = {inbound.name: inbound.command for inbound in dialect(name).vocabulary(namespace).inbound}
    assert [one.call for one in found] == list(kinds)
    return sorted(found, key=lambda one: place(kinds[one.call]))


def place(command: type[Command]) -> int:
    """The order of the examples: those that remove something come last."""
    return LAST.index(command) + 1 if command in LAST else 0


def make_world(tx: Transaction) -> None:
    tx.run(_MADE)
    now, tx.now = tx.now, CREATED_MS
    tx.sequences |= {"conversations": 11, "messages": 100, "notifications": 49}
    assert CONVERSATION.ref.number == conversations.add(tx, "private", None, 1, 2)
    group = conversations.add(tx, "group", "Three", 1, None)
    for talk, user, role in ((12, 1, "owner"), (12, 2, "member"), (group, 1, "owner"), (group, 3, "member")):
        conversations.add_member(tx, talk, user, role, 0)  # type: ignore[arg-type]
    conversations.ban(tx, group, 4, 1)
    other = conversations.add(tx, "group", "Four", 3, None)
    conversations.add_member(tx, other, 3, "owner", 0)
    conversations.add_member(tx, other, 1, "member", 0)
    place, ann = conversations.membership(tx, 12, 1), people.by_id(tx, 1)
    assert place is not None
    assert ann is not None
    for number in (7, 8):
        files.add(tx, replace(FILE, ref=Ref(number, FILE.ref.created_seconds)))
    attached = (*MESSAGE.attachments, Attachment("/files/7", None, FILE))
    sent = messages.add(tx, place, ann, "text", MESSAGE.content, attached, None, None, without_content=False)
    assert sent.ref == MESSAGE.ref
    noted = notifications.add(tx, ann.ref, "system", NOTIFICATION.title, NOTIFICATION.content, conversation=place[0])
    assert noted.ref == NOTIFICATION.ref
    tx.sequences["reports"] = 4
    assert moderation.add_report(tx, 101, 12, 2, 1, MESSAGE.content, "Spam") == 5
    tx.now = now
    accounts.add_login_session(tx, "5f2c9c1e", "hash", 1, now + 1000, "Firefox on Debian")
    tx.sequences["invites"] = 2
    assert invites.add(tx, "hash", admin=False, uses=1, expires=now + 1000, maker="ann").id == 3


async def world(server: ChatServer) -> RegisteredUser:
    """Make the users and conversations of the pages; Ann."""
    ann, *_ = [await server.register(name) for name in ("ann", "bob", "cyd", "dan")]
    await server.running.app.database.write(make_world)
    return ann


def like(printed: Any, real: Any) -> bool:
    """Whether an answer has the shape of the printed one."""
    if isinstance(printed, dict):
        return isinstance(real, dict) and set(printed) == set(real) and all(like(printed[k], real[k]) for k in printed)
    if isinstance(printed, list):
        return isinstance(real, list) and all(like(one, other) for one, other in zip(printed, real, strict=False))
    return printed is None or type(printed) is type(real)  # an example before this one may have set it


def body(framing: Framing, text: str) -> Any:
    """The body of a printed answer."""
    if framing == "jsonrpc":
        return json.loads(text)["result"]
    [only] = json.loads(text[text.index("[") :])
    return only


async def runs(client: Client, framing: Framing, example: Example) -> None:
    await client.socket.send_message(example.sent)
    while example.answer is not None and 1 not in client.answers:
        await client.listen()
    await client.settles()
    received = [name for name, _ in await client.receives_all()]
    assert not [name for name in received if "error" in name], (example, received)
    assert not isinstance(client, JsonRpcClient) or client.refused is None, (example, client.refused)
    if example.answer is None:
        assert client.answers == {}, example
    else:
        assert like(body(framing, example.answer), real := client.answers.pop(1)), (example, real)


SPACES = [(name, namespace) for name in names() for namespace in dialect(name).vocabularies]


@both_framings
@pytest.mark.parametrize(("name", "namespace"), SPACES)
async def test_every_call_as_printed(tmp_path: Path, name: str, namespace: str, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        client = await open_client(server, framing, name, await world(server), namespace)
        client._number = 1000  # the examples' own id is 1
        for example in examples(name, namespace, framing):
            await runs(client, framing, example)


def lines(name: str) -> list[tuple[str, Route]]:
    """The curl lines of a page, each with its route. Lines that delete come last."""
    page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    printed = re.findall(r"^curl .*$", page, re.MULTILINE)
    found = list(zip(printed, dialect(name).routes, strict=True))
    return sorted(found, key=lambda one: place(one[1].command))


@pytest.mark.parametrize("name", names())
async def test_every_route_as_printed(tmp_path: Path, name: str) -> None:
    async with chat_server(tmp_path) as server:
        ann = await world(server)
        for line, route in lines(name):
            method, headers, data, url = curl(line.replace("$TOKEN", ann.token))
            status, said, _ = await server.rest.ask(method, url.removeprefix(SERVER), data, headers=headers)
            assert status == route.status, (line, said)


def curl(line: str) -> tuple[str, dict[str, str], bytes | None, str]:
    """The request of a curl line: method, headers, data, URL."""
    method, headers, data, url = "GET", {}, None, ""
    words = iter(shlex.split(line)[1:])
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            key, _, value = next(words).partition(": ")
            headers[key] = value
        elif word == "-d":
            data = next(words).encode()
        else:
            url = word
    return method, headers, data, url
