"""How often one user may send, create groups and add members, over all connections of the user."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import trio

from chatd.config.settings import Config
from chatd.rate_limit import Buckets, Rate
from chatd.services.context import Actor
from protocol import commands as ask
from protocol.commands import Command
from protocol.errors import RATE_LIMITED, Refusal

Check: TypeAlias = Callable[[Actor, Any], None]


class UserLimits:
    """`checks` is a table, command type → check. A check takes from the user's buckets, or raises a Refusal.

    Edits and deletions of messages count as sends. Groups and members are counted when the command arrives.
    """

    def __init__(self, config: Config) -> None:
        self._sends: Buckets[int] = Buckets(Rate(0))
        self._groups: Buckets[int] = Buckets(Rate(0))
        self._additions: Buckets[int] = Buckets(Rate(0))
        self.adopt(config)
        self.checks: Mapping[type[Command], Check] = {
            ask.SendMessage: self._check_send,
            ask.SendTo: self._check_send,
            ask.EditMessage: self._check_send,
            ask.DeleteMessage: self._check_send,
            ask.CreateConversation: self._check_creation,
            ask.AddMember: self._check_addition,
        }

    def adopt(self, config: Config) -> None:
        """Use other rates from now on. What the users have taken stays taken."""
        limits = config.limits
        self._sends.adopt(Rate(limits.sends_per_user, limits.sends_per_user_burst))
        self._groups.adopt(Rate(limits.groups_per_user, limits.groups_per_user_burst))
        self._additions.adopt(Rate(limits.additions_per_user, limits.additions_per_user_burst))

    def _check_send(self, actor: Actor, command: Command) -> None:
        now = trio.current_time()
        if not self._sends.take(actor.id, now):
            wait = self._sends.retry_after(actor.id, now)
            raise Refusal(RATE_LIMITED, "You are sending too fast", retry_after=round(wait, 3))

    def _check_creation(self, actor: Actor, command: ask.CreateConversation) -> None:
        now = trio.current_time()
        if command.kind == "group" and not self._groups.take(actor.id, now):
            wait = self._groups.retry_after(actor.id, now)
            raise Refusal(RATE_LIMITED, "You are making groups too fast", retry_after=round(wait, 3))
        self._add(actor, len(command.members), now)

    def _check_addition(self, actor: Actor, command: ask.AddMember) -> None:
        self._add(actor, 1, trio.current_time())

    def _add(self, actor: Actor, count: int, now: float) -> None:
        if not self._additions.take_many(actor.id, now, count):
            wait = self._additions.many_in(actor.id, now, count)
            raise Refusal(RATE_LIMITED, "You are adding members too fast", retry_after=round(wait, 3))
