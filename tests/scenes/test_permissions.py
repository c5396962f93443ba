"""Permissions: every call and route of every dialect about one conversation, message or notification, by every role,
over every wire; about an object that exists, and about one that does not.

The expected results are one table: the least role of each command (chatd/services/context.py), and the dialect's text
for what exists and is not the caller's (`not_yours`). Each case has its own group, because a case may change it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import pytest
import trio

from chatd.cli.dialect_samples import payload, takes
from chatd.services.context import REQUIRED_ROLES, ROLE_RANKS
from chatd.store.queries import conversations, files, messages, notifications, users
from chatd.store.sqlite.transaction import Transaction
from protocol import commands as ask
from protocol.commands import Command
from protocol.dialects import dialect, names
from protocol.dialects.grammar import Dialect, Inbound, Route
from protocol.ids import Ref, write_object_id, write_uuid
from protocol.model import Attachment, File
from tests.scenes.chat_server import ChatServer, RegisteredUser, chat_server
from tests.scenes.clients import Client, Framing, JsonRpcClient, both_framings, open_client

ROLE_NAMES = ("owner", "admin", "member", "former", "stranger")
OF_A_NOTIFICATION = (ask.GetNotification, ask.ReadNotification, ask.DeleteNotification)
SENDER = "the sender alone"
NEEDED: dict[type[Command], str] = {
    **REQUIRED_ROLES,
    ask.EditMessage: SENDER,  # and the message of these cases is of another member
    ask.DeleteMessage: "admin",
    ask.GetFile: "member",
    ask.UnlockFile: "owner",  # the file of these cases is the owner's
    **dict.fromkeys(OF_A_NOTIFICATION, "owner"),  # the notification of these cases is the owner's
}
NAMES_OF_CODES = {-32003: "FORBIDDEN", -32004: "NOT_FOUND"}


class Target(NamedTuple):
    """The objects of a case."""

    conversation: Ref
    message: Ref
    notification: Ref
    file: Ref


class Cast(NamedTuple):
    """The callers by role, another member, and a user who can still be added."""

    callers: dict[str, RegisteredUser]
    mate: RegisteredUser
    outsider: RegisteredUser


async def cast(server: ChatServer) -> Cast:
    callers = {role: await server.register(role) for role in ROLE_NAMES}
    return Cast(callers, await server.register("mate"), await server.register("outsider"))


def make(tx: Transaction, people: Cast) -> Target:
    """A group with an owner, an admin, two members and a former member; a member's message, and a notification."""
    ids = {role: person.id for role, person in people.callers.items()}
    group = conversations.add(tx, "group", None, ids["owner"], None)
    members = [("owner", ids["owner"]), ("admin", ids["admin"]), ("member", ids["member"]), ("member", people.mate.id)]
    for role, user in (*members, ("member", ids["former"])):
        conversations.add_member(tx, group, user, role, 0)  # type: ignore[arg-type]
    place, mate, owner = (
        conversations.membership(tx, group, people.mate.id),
        *(users.by_id(tx, number) for number in (people.mate.id, ids["owner"])),
    )
    assert place is not None
    assert mate is not None
    assert owner is not None
    file = File(Ref(tx.next_id("files"), tx.now // 1000), ids["owner"], "x", "text/plain", 1, "0" * 64, tx.now)
    files.add(tx, file)
    attached = (Attachment("/files/1", None, file),)
    message = messages.add(tx, place, mate, "text", "x", attached, None, None, without_content=False)
    conversations.remove_member(tx, group, ids["former"])
    conversations.ban(tx, group, ids["former"], ids["owner"])
    notification = notifications.add(tx, owner.ref, "system", "x", "x")
    return Target(place.conversation, message.ref, notification.ref, file.ref)


def elsewhere(target: Target) -> Target:
    """Ids of objects that do not exist."""
    return Target(*(ref._replace(number=ref.number + 1_000_000) for ref in target))


def fill(row: Inbound | Route, target: Target, caller: RegisteredUser, people: Cast) -> dict[str, Any]:
    """The payload of a call about the target."""
    about_users = {
        ask.RemoveMember: people.mate,
        ask.SetRole: people.mate,
        ask.UnbanMember: people.callers["former"],
    }
    whom = about_users.get(row.command, people.outsider)
    numbers = {"claimed_user": caller.id, "user": whom.id, "to": people.mate.id}
    filled = payload(row)
    for field in row.fields:
        if field.name in filled and (found := getattr(target, field.attribute, None)):
            spelt = (found.number, write_object_id(found), write_uuid(found))
            filled[field.name] = next(id for id in spelt if takes(field, id))
        elif field.name in filled and field.attribute in numbers:
            filled[field.name] = numbers[field.attribute]
    return filled


def expected(spoken: Dialect, row: Inbound | Route, role: str, *, exists: bool) -> str:
    if row.command is ask.Leave and spoken.forbidden_text is None:
        return "ok"
    if not exists:
        return "NOT_FOUND"
    needed = NEEDED[row.command]
    if role not in ROLE_RANKS or (row.command in OF_A_NOTIFICATION and role != "owner"):
        return "NOT_FOUND" if spoken.forbidden_text is None else "FORBIDDEN"
    return "ok" if needed in ROLE_RANKS and ROLE_RANKS[role] >= ROLE_RANKS[needed] else "FORBIDDEN"


class Case(NamedTuple):
    row: Inbound | Route
    role: str
    exists: bool


def cases(rows: tuple[Inbound, ...] | tuple[Route, ...]) -> Iterator[Case]:
    for row in rows:
        if row.command in NEEDED:
            for role in ROLE_NAMES:
                yield from (Case(row, role, exists) for exists in (True, False))


def test_every_command_about_one_thing_has_a_role() -> None:
    about = {"conversation", "message", "notification"}
    dialects = [dialect(name) for name in names()]
    rows: list[Inbound | Route] = [route for each in dialects for route in each.routes]
    rows += [inbound for each in dialects for words in each.vocabularies.values() for inbound in words.inbound]
    assert {row.command for row in rows if about & {field.attribute for field in row.fields}} <= set(NEEDED)


SPACES = [(name, namespace) for name in names() for namespace in dialect(name).vocabularies]


@both_framings
@pytest.mark.parametrize(("name", "namespace"), SPACES)
async def test_over_a_socket(tmp_path: Path, name: str, namespace: str, framing: Framing) -> None:
    spoken = dialect(name)
    async with chat_server(tmp_path) as server:
        people = await cast(server)
        clients = {
            role: await open_client(server, framing, name, caller, namespace) for role, caller in people.callers.items()
        }
        for case in cases(spoken.vocabulary(namespace).inbound):
            target = await server.running.app.database.write(lambda tx: make(tx, people))
            target = target if case.exists else elsewhere(target)
            filled = fill(case.row, target, people.callers[case.role], people)
            arguments = list(filled.values()) if getattr(case.row, "positional", False) else [filled]
            said = await outcome(server, clients[case.role], case.row.name, arguments)  # type: ignore[union-attr]
            assert said == expected(spoken, case.row, case.role, exists=case.exists), case


async def outcome(server: ChatServer, client: Client, call: str, arguments: list[Any]) -> str:
    """How a call ends: `ok`, or the code of its refusal."""
    if isinstance(client, JsonRpcClient):
        client.refused = None
        await client.asks(call, *arguments)
        return NAMES_OF_CODES[client.refused["code"]] if client.refused else "ok"
    await client.notifies(call, *arguments)
    await client.fence()
    while any(connection.calls.in_progress for connection in connections(server)):  # noqa: ASYNC110 - there is no event for it
        await trio.sleep(0.001)
    errors = [body for event, body in await client.receives_all() if "error" in event]
    if not errors:
        return "ok"
    [body] = errors
    text = body.get("message") or body["error"]
    return str(body.get("code") or ("NOT_FOUND" if text.endswith("not found") else "FORBIDDEN"))


def connections(server: ChatServer) -> list[Any]:
    return list(server.running.app.connections)


@pytest.mark.parametrize("name", names())
async def test_over_rest(tmp_path: Path, name: str) -> None:
    spoken = dialect(name)
    async with chat_server(tmp_path) as server:
        people = await cast(server)
        for case in cases(spoken.routes):
            target = await server.running.app.database.write(lambda tx: make(tx, people))
            target = target if case.exists else elsewhere(target)
            caller = people.callers[case.role]
            filled = fill(case.row, target, caller, people)
            status, said, _ = await request(server, case.row, filled, caller)  # type: ignore[arg-type]
            code = "ok" if status < 300 else said["code"]
            assert code == expected(spoken, case.row, case.role, exists=case.exists), case
            assert status < 300 or status == {"FORBIDDEN": 403, "NOT_FOUND": 404}[code]


async def request(
    server: ChatServer, route: Route, filled: dict[str, Any], caller: RegisteredUser
) -> tuple[int, Any, Any]:
    path = re.sub(r"\{(\w+)\}", lambda found: quote(str(filled.pop(found[1]))), route.path)
    if route.method in ("GET", "DELETE"):
        return await server.rest.ask(route.method, f"{path}?{urlencode(filled)}", token=caller.token)
    return await server.rest.ask(route.method, path, filled or None, token=caller.token)
