"""The limit on answers that a user does not read."""

from __future__ import annotations

import pytest

from chatd.rest.unsent import Unsent
from protocol.errors import UNAVAILABLE, Refusal


def test_one_answer_of_any_size_is_possible() -> None:
    Unsent().check(1, limit=10, more_bytes=1_000)


def test_a_user_above_the_limit_is_refused_until_an_answer_is_sent() -> None:
    unsent = Unsent()
    release = unsent.hold(1, 8)
    unsent.check(1, limit=10)
    unsent.check(1, limit=0, more_bytes=1_000)
    unsent.check(2, limit=10, more_bytes=1_000)
    with pytest.raises(Refusal) as found:
        unsent.check(1, limit=10, more_bytes=3)
    assert found.value.code is UNAVAILABLE
    assert found.value.retry_after
    release()
    unsent.check(1, limit=10, more_bytes=3)
    assert len(unsent) == 0
