"""Dispatch: every command has one row, a caller without a token may use few of them, and answers keep their order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chatd.core.dispatch import Answer
from chatd.services.context import PUBLIC_COMMANDS, SHELL, ServiceContext, anonymous
from chatd.services.table import SERVICES
from chatd.telemetry.metrics import CALLS
from protocol import commands as ask
from protocol.commands import Command, Window
from protocol.errors import AUTH_INVALID, NOT_FOUND, Refusal
from protocol.events import AccountChanged
from protocol.ids import Key, Ref
from tests.chatd.app import ServerlessApp, serverless_app

PASSWORD = "correct horse"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[ServerlessApp]:
    async with serverless_app(tmp_path) as made:
        yield made


def all_commands(base: type[Command] = Command) -> set[type[Command]]:
    below = {one for sub in base.__subclasses__() for one in all_commands(sub)}
    return below | {base} - {Command, Window}


async def test_every_command_has_one_service(app: ServerlessApp) -> None:
    in_tasks = set(app.app.accounts.services)
    assert in_tasks == {*PUBLIC_COMMANDS, ask.ChangeOwnPassword}
    assert not in_tasks & set(SERVICES)
    assert all_commands() == in_tasks | set(SERVICES) | {ask.Heartbeat}


async def test_a_caller_without_a_token_may_only_use_public_commands(app: ServerlessApp) -> None:
    for command in (ask.GetMe(), ask.ListConversations(), ask.SendMessage(conversation=Key(1), content="x")):
        with pytest.raises(Refusal) as refused:
            await app.request(anonymous("192.0.2.1"), command)
        assert refused.value.code is AUTH_INVALID


async def test_a_service_in_a_task_is_counted_and_its_error_too(app: ServerlessApp) -> None:
    def count(code: str) -> float:
        return CALLS.child("Refresh", code).value

    before = count("AUTH_INVALID")
    with pytest.raises(Refusal):
        await app.request(anonymous("192.0.2.1"), ask.Refresh(refresh="x" * 60))
    assert count("AUTH_INVALID") == before + 1


async def test_events_of_a_unit_are_published_before_its_result_is_known(app: ServerlessApp) -> None:
    published: list[Any] = []
    app.app.bus.after(AccountChanged, published.append)

    def unit(context: ServiceContext) -> int:
        context.publish(AccountChanged(Ref(1, 0)))
        return 5

    assert await app.dispatch.commit(SHELL, unit) == 5
    assert published == [AccountChanged(Ref(1, 0))]


async def test_events_of_a_failed_unit_are_not_published(app: ServerlessApp) -> None:
    published: list[Any] = []
    app.app.bus.after(AccountChanged, published.append)

    def unit(context: ServiceContext) -> None:
        context.publish(AccountChanged(Ref(1, 0)))
        raise Refusal(NOT_FOUND)

    with pytest.raises(Refusal):
        await app.dispatch.commit(SHELL, unit)
    assert not published


async def test_counts_and_leaves_wait_for_earlier_writes_of_the_caller(app: ServerlessApp) -> None:
    ann, bob = await app.add_user("ann"), await app.add_user("bob")
    await app.connect(bob)
    made = await app.request(ann, ask.CreateConversation(kind="group", members=(Key(bob.id),), title="Plans"))
    place = Key(made.ref.number)
    await app.request(ann, ask.SendMessage(conversation=place, content="x"))
    answered: list[str] = []

    def perform(name: str, command: Command, *, behind: bool = False) -> None:
        def reply(answer: Answer) -> None:
            answered.append(name)
            answers[name] = answer

        app.dispatch.perform(bob, command, reply, behind=behind)

    answers: dict[str, Any] = {}
    perform("read", ask.ReadConversation(conversation=place))
    perform("unread", ask.GetUnread(), behind=True)
    perform("leave", ask.Leave(conversation=place), behind=True)
    assert not answered
    await app.dispatch.settled()
    assert answered == ["read", "unread", "leave"]
    assert answers["unread"].result.total == 0
