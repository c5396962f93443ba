"""How often one user may send, create groups and add members; and how often one address may register and renew tokens.

A user is counted over all connections. An address is a network block, as chatd/net/proxies.py makes it of the client's
address. chatd/auth/logins.py counts failed logins, because only a wrong password counts.
"""

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


class CommandLimits:
    """`checks` is a table, command type → check. A check takes from the caller's buckets, or raises a Refusal.

    Edits and deletions of messages count as sends. Groups and members are counted when the command arrives.
    """

    def __init__(self, config: Config) -> None:
        self._sends: Buckets[int] = Buckets(Rate(0))
        self._groups: Buckets[int] = Buckets(Rate(0))
        self._additions: Buckets[int] = Buckets(Rate(0))
        self.registrations: Buckets[str] = Buckets(Rate(0))
        self.renewals: Buckets[str] = Buckets(Rate(0))
        self.adopt(config)
        self.checks: Mapping[type[Command], Check] = {
            ask.SendMessage: self._check_send,
            ask.SendTo: self._check_send,
            ask.EditMessage: self._check_send,
            ask.DeleteMessage: self._check_send,
            ask.CreateConversation: self._check_creation,
            ask.AddMember: self._check_addition,
            ask.Register: self._check_registration,
            ask.Refresh: self._check_renewal,
            ask.Logout: self._check_renewal,
            ask.ChangeOwnPassword: self._check_password_change,
        }

    def adopt(self, config: Config) -> None:
        """Use other rates from now on. What the callers have taken stays taken."""
        limits = config.limits
        self._sends.adopt(Rate(limits.sends_per_user, limits.sends_per_user_burst))
        self._groups.adopt(Rate(limits.groups_per_user, limits.groups_per_user_burst))
        self._additions.adopt(Rate(limits.additions_per_user, limits.additions_per_user_burst))
        self.registrations.adopt(Rate(limits.registrations_per_address, limits.registrations_per_address_burst))
        self.renewals.adopt(Rate(limits.renewals_per_address, limits.renewals_per_address_burst))

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

    def _check_registration(self, actor: Actor, command: ask.Register) -> None:
        _charge(self.registrations, actor.address or "", "Too many attempts to make an account from this address")

    def _check_password_change(self, actor: Actor, command: ask.ChangeOwnPassword) -> None:
        """Each change hashes twice. A user is charged like an address that registers."""
        _charge(self.registrations, f"user {actor.id}", "You are changing your password too often")

    def _check_renewal(self, actor: Actor, command: Command) -> None:
        _charge(self.renewals, actor.address or "", "You are asking too fast")


def _charge(buckets: Buckets[str], address: str, text: str) -> None:
    """Take one from the bucket of an address, or refuse."""
    now = trio.current_time()
    if not buckets.take(address, now):
        raise Refusal(RATE_LIMITED, text, retry_after=max(1.0, buckets.retry_after(address, now)))
