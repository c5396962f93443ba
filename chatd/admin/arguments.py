"""The arguments of the calls on the control socket, checked against a struct."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from protocol.errors import BAD_REQUEST, Refusal


class Arguments(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The arguments of one call."""


class NoArguments(Arguments, frozen=True, kw_only=True):
    pass


A = TypeVar("A", bound=Arguments)


async def call_with(kind: type[A], method: Callable[[A], Awaitable[Any]], arguments: dict[str, Any]) -> Any:
    """Check the arguments of a call as they came, and make the call."""
    try:
        checked = msgspec.convert(arguments, kind)
    except msgspec.ValidationError as problem:
        raise Refusal(BAD_REQUEST, f"The call is not valid: {problem}") from None
    return await method(checked)
