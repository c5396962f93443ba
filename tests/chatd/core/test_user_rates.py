"""How often one user may send, edit, delete, make groups and add members."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import trio

from chatd.config.settings import Config, LimitSettings
from chatd.rate_limit import Rate
from chatd.services.context import Actor
from protocol import commands as ask
from protocol.errors import RATE_LIMITED, Refusal
from protocol.ids import Key
from tests.chatd.app import ServerlessApp, serverless_app


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[ServerlessApp]:
    async with serverless_app(tmp_path) as made:
        yield made


def limit(app: ServerlessApp, **rates: Rate) -> None:
    """Use these rates for `sends`, `groups` or `additions` of a user, and no other limits."""
    limits = dict.fromkeys(("sends_per_user", "groups_per_user", "additions_per_user"), 0.0)
    for name, rate in rates.items():
        limits |= {f"{name}_per_user": rate.rate, f"{name}_per_user_burst": rate.burst}
    app.command_limits.adopt(Config(limits=msgspec.convert(limits, LimitSettings)))


async def is_refused(app: ServerlessApp, actor: Actor, command: ask.Command) -> float:
    with pytest.raises(Refusal) as found:
        await app.request(actor, command)
    assert found.value.code is RATE_LIMITED
    assert found.value.retry_after is not None
    return found.value.retry_after


def group(*members: Actor) -> ask.CreateConversation:
    return ask.CreateConversation(kind="group", members=tuple(Key(one.id) for one in members))


async def test_groups(app: ServerlessApp, autojump_clock: trio.testing.MockClock) -> None:
    await trio.sleep(1)
    ann, bob = await app.add_user("ann"), await app.add_user("bob")
    limit(app, groups=Rate(30 / 3600, 30))
    for _ in range(30):
        await app.request(ann, group(bob))
    assert await is_refused(app, ann, group(bob)) == pytest.approx(120, abs=1)
    await app.request(ann, ask.CreateConversation(kind="private", members=(Key(bob.id),)))
    await app.request(bob, group(ann))
    await trio.sleep(121)
    await app.request(ann, group(bob))


async def test_members_are_counted_one_by_one_wherever_they_are_added(
    app: ServerlessApp, autojump_clock: trio.testing.MockClock
) -> None:
    await trio.sleep(1)
    ann, *others = [await app.add_user(f"user-{number}") for number in range(8)]
    limit(app, additions=Rate(1 / 60, 8))
    made = await app.request(ann, group(*others[:5]))
    await app.request(ann, ask.CreateConversation(kind="private", members=(Key(others[0].id),)))
    add = [ask.AddMember(conversation=Key(made.ref.number), user=Key(other.id)) for other in others[5:]]
    await app.request(ann, add[0])
    assert await is_refused(app, ann, group(*others[:2])) == pytest.approx(60, abs=1)
    await app.request(ann, add[1])
    assert await is_refused(app, ann, add[0]) == pytest.approx(60, abs=1)
    limit(app, additions=Rate(1 / 60, 8))
    await is_refused(app, ann, add[0])  # other settings forget nothing
    await trio.sleep(3600)
    await app.request(ann, group(*others))


async def test_more_members_at_once_than_the_burst_take_the_whole_of_it(app: ServerlessApp) -> None:
    people = [await app.add_user(f"user-{number}") for number in range(5)]
    limit(app, additions=Rate(1 / 60, 2))
    await app.request(people[0], group(*people[1:]))
    await is_refused(app, people[0], group(people[1]))


async def test_edits_and_deletions_are_counted_with_the_sends(app: ServerlessApp) -> None:
    ann = await app.add_user("ann")
    made = await app.request(ann, group())
    where = Key(made.ref.number)
    limit(app, sends=Rate(1, 3))
    sent = await app.request(ann, ask.SendMessage(conversation=where, content="one"))
    message = Key(sent.ref.number)
    await app.request(ann, ask.EditMessage(message=message, content="two"))
    await app.request(ann, ask.DeleteMessage(message=message))
    for command in (
        ask.SendMessage(conversation=where, content="three"),
        ask.EditMessage(message=message, content="three"),
        ask.DeleteMessage(message=message),
    ):
        await is_refused(app, ann, command)
