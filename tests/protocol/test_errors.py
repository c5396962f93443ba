"""The table of errors and the table of closings: what each wire relies on."""

from __future__ import annotations

import pytest

from protocol.errors import (
    AUTH_INVALID,
    BAD_REQUEST,
    CLOSINGS,
    CODES,
    CONFLICT,
    FORBIDDEN,
    NOT_FOUND,
    RATE_LIMITED,
    UNAVAILABLE,
    Closing,
    Code,
    Problem,
    Refusal,
)


@pytest.mark.parametrize(
    ("code", "text", "number", "status"),
    [
        (AUTH_INVALID, "AUTH_INVALID", -32001, 401),
        (FORBIDDEN, "FORBIDDEN", -32003, 403),
        (NOT_FOUND, "NOT_FOUND", -32004, 404),
        (CONFLICT, "CONFLICT", -32009, 409),
        (RATE_LIMITED, "RATE_LIMITED", -32029, 429),
        (UNAVAILABLE, "UNAVAILABLE", -32050, 503),
        (BAD_REQUEST, "BAD_REQUEST", -32602, 400),
    ],
    ids=lambda value: getattr(value, "code", None),
)
def test_documented_numbers(code: Code, text: str, number: int, status: int) -> None:
    assert (code.code, code.number, code.status) == (text, number, status)


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_a_code_is_one_that_every_wire_allows(code: Code) -> None:
    assert 400 <= code.status < 600
    assert -32768 <= code.number <= -32000
    assert code.close in (1003, 1009, 1011, 1013) or 4000 <= code.close < 5000
    assert code.text
    assert not code.text.endswith(".")


def test_errors_with_retry() -> None:
    assert {name for name, code in CODES.items() if code.retry} == {"RATE_LIMITED", "INTERNAL", "UNAVAILABLE"}


def test_one_code_has_one_status() -> None:
    statuses: dict[str, set[int]] = {}
    for code in CODES.values():
        statuses.setdefault(code.code, set()).add(code.status)
    assert all(len(found) == 1 for found in statuses.values())


@pytest.mark.parametrize("closing", CLOSINGS.values(), ids=CLOSINGS)
def test_a_closing_fits_in_a_close_frame(closing: Closing) -> None:
    assert len(closing.reason.encode()) <= 123
    assert closing.code in (1009, 1011, 1012, 1013) or 4000 <= closing.code < 5000


def test_close_codes_are_distinct() -> None:
    assert len({closing.code for closing in CLOSINGS.values()}) == len(CLOSINGS)


def test_a_refusal_has_its_own_text_or_that_of_the_table() -> None:
    assert Refusal(NOT_FOUND).message == NOT_FOUND.text
    assert Refusal(NOT_FOUND, "Message not found").message == "Message not found"
    assert str(Refusal(NOT_FOUND, "Message not found")) == "Message not found"


def test_a_refusal_carries_field_wait_and_problems() -> None:
    problem = Problem("content", "missing", "a string")
    refusal = Refusal(BAD_REQUEST, field="content", retry_after=1.5, problems=(problem,))
    assert (refusal.field, refusal.retry_after, refusal.problems) == ("content", 1.5, (problem,))
    assert (Refusal(BAD_REQUEST).field, Refusal(BAD_REQUEST).retry_after, Refusal(BAD_REQUEST).problems) == (
        None,
        None,
        (),
    )
