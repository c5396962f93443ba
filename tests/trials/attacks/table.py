"""The table of attacks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tests.trials.attacks import assaults, history
from tests.trials.attacks.target import Target

Prepare = Callable[[Target], Awaitable[history.Facts]]


class Attack(NamedTuple):
    """`prepare` runs first. Then its message is multiplied by `copies`, if there are any."""

    row: str
    run: Callable[[Target], Awaitable[None]]
    prepare: Prepare = history.nothing
    copies: int = 0


ATTACKS: dict[str, Attack] = {
    "blanks-header": Attack("1", assaults.blanks_in_header),
    "blanks-30k": Attack("1", assaults.blanks_in_auth),
    "blanks-65k": Attack("1", assaults.longest_blanks_in_auth),
    "blanks-120k": Attack("1", assaults.blanks_in_connect),
    "blanks-1m": Attack("1", assaults.longest_blanks_in_connect),
    "depth-30k": Attack("2", assaults.depth_in_frame),
    "depth-1m": Attack("2", assaults.depth_in_body),
    "marks-login": Attack("3", assaults.marks_in_login),
    "marks-register": Attack("3", assaults.marks_in_register),
    "batches": Attack("4", assaults.batches),
    "batches-user": Attack("4", assaults.batches_of_a_user, history.group),
    "pings-1": Attack("5", assaults.pings),
    "pings-20": Attack("5", assaults.pings_of_twenty),
    "tokens": Attack("6", assaults.invalid_tokens),
    "readyz": Attack("6", assaults.readiness),
    "upgrades": Attack("6", assaults.upgrades),
    "sockets": Attack("6", assaults.uninvited_sockets),
    "keys": Attack("7", assaults.unknown_keys),
    "lists": Attack("7", assaults.lists_as_password),
    "attachments": Attack("7", assaults.attachments, history.group),
    "smuggling": Attack("8", assaults.smuggling),
    "replays-left": Attack("19", assaults.abandoned_replays, history.group, 3_000),
    "pages-unread": Attack("20", assaults.unread_pages, history.heavy_group, 200),
    "read-of-many": Attack("21", assaults.read_of_many, history.large_group, 300_000),
    "arrivals-of-many": Attack("21", assaults.arrivals_of_many, history.large_group, 300_000),
    "long-polls": Attack("22", assaults.long_polls, history.group),
    "half-bodies": Attack("23", assaults.half_bodies, history.group),
    "slow-heads": Attack("23", assaults.slow_heads),
}
