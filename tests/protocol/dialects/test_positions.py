"""One position, several pushes: clients and offsets tell them apart by their names, so no two may have the same one."""

from __future__ import annotations

from collections import Counter

import pytest

from protocol.dialects import dialect, names
from protocol.dialects.grammar import Vocabulary
from protocol.events import USER

VOCABULARIES = [
    pytest.param(vocabulary, id=f"{name} {namespace}")
    for name in names()
    for namespace, vocabulary in [*dialect(name).vocabularies.items(), ("everything", dialect(name).all_events)]
]


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_an_event_has_each_name_once(vocabulary: Vocabulary) -> None:
    """Rows with conditions are alternatives, and so are the places of a user and of a conversation."""
    told = Counter(
        (say.event, say.name, say.audience == USER)
        for say in vocabulary.outbound
        if say.event.durable and say.when is None
    )
    assert [one for one, count in told.items() if count > 1] == []
