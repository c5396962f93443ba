"""Calls off the control socket: their arguments, held to a struct."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from protocol.errors import BAD_REQUEST, Refusal


class Arguments(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a call takes."""


class Nothing(Arguments, frozen=True, kw_only=True):
    pass


A = TypeVar("A", bound=Arguments)


async def called(kind: type[A], method: Callable[[A], Awaitable[Any]], arguments: dict[str, Any]) -> Any:
    """A call with its arguments, as they came."""
    try:
        asked = msgspec.convert(arguments, kind)
    except msgspec.ValidationError as problem:
        raise Refusal(BAD_REQUEST, f"The call is not valid: {problem}") from None
    return await method(asked)
