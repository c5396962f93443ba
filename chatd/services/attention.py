"""Attention: when a user wants no alerts. Quiet hours are the same each day, in the user's time zone.

A notification at such a time is stored and counted like any other. Its event is `silent`: clients show it without a
sound, and nothing is pushed to a device.
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import UnsetType

from chatd.services.context import ServiceContext
from chatd.store.queries import attention
from protocol import commands as ask
from protocol.errors import BAD_REQUEST, Refusal
from protocol.events import AttentionChanged
from protocol.ids import Ref
from protocol.model import Attention, QuietHours


def get(context: ServiceContext, command: ask.GetAttention) -> Attention:
    return attention.get(context.tx, context.actor.id)


def change(context: ServiceContext, command: ask.SetAttention) -> Attention:
    """Change the fields that the command names. The same values publish nothing."""
    me = context.actor.ref
    old = attention.get(context.tx, me.number)
    hours, until = command.quiet_hours, command.do_not_disturb_until
    new = Attention(
        old.quiet_hours if isinstance(hours, UnsetType) else _check_hours(hours),
        old.do_not_disturb_until if isinstance(until, UnsetType) else _check_until(context, until),
    )
    if new != old:
        attention.put(context.tx, me.number, new)
        context.publish(AttentionChanged(me, new))
    return new


def silent_users(context: ServiceContext, users: list[Ref]) -> set[int]:
    """Return those of the users who want no alerts now."""
    changed = attention.among(context.tx, [user.number for user in users])
    return {user for user, found in changed.items() if is_silent(found, context.tx.now)}


def is_silent(attention: Attention, now: int) -> bool:
    """Return whether a user wants no alerts at that time (milliseconds since 1970)."""
    until, hours = attention.do_not_disturb_until, attention.quiet_hours
    if until is not None and now < until:
        return True
    if hours is None:
        return False
    minute = _minute_of_day(now, hours.time_zone)
    if hours.start < hours.end:
        return hours.start <= minute < hours.end
    return minute >= hours.start or minute < hours.end


def _minute_of_day(now: int, time_zone: str) -> int:
    from zoneinfo import ZoneInfo  # here, because few servers need it

    local = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(time_zone))
    return local.hour * 60 + local.minute


def _check_hours(hours: QuietHours | None) -> QuietHours | None:
    if hours is None:
        return None
    try:
        _minute_of_day(0, hours.time_zone)
    except (KeyError, ValueError, OSError):  # unknown; not a relative path, or with NUL; a folder
        expected = "a name of the IANA time zone database, such as Europe/Berlin"
        raise Refusal(BAD_REQUEST, f"quietHours.timeZone must be {expected}", field="quietHours.timeZone") from None
    return hours


def _check_until(context: ServiceContext, until: int | None) -> int | None:
    if until is not None and until <= context.tx.now:
        message = "doNotDisturbUntil must be a time in the future, or null"
        raise Refusal(BAD_REQUEST, message, field="doNotDisturbUntil")
    return until
