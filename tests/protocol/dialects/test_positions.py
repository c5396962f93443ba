"""One position can have several pushes. Clients and offsets distinguish them by name, so no two may share a name."""

from __future__ import annotations

from collections import Counter

import pytest

from protocol.dialects import dialect, names
from protocol.dialects.grammar import Vocabulary
from protocol.events import USER

VOCABULARIES = [
    pytest.param(vocabulary, id=f"{name} {namespace}")
    for name in names()
    for namespace, vocabulary in [*dialect(name).vocabularies.items(), ("all events", dialect(name).all_events)]
]


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_an_event_has_each_name_once(vocabulary: Vocabulary) -> None:
    """Rows with conditions are alternatives, and so are the audiences of a user and of a conversation."""
    rows = Counter(
        (row.event, row.name, row.audience == USER)
        for row in vocabulary.outbound
        if row.event.durable and row.when is None
    )
    assert [names for names, count in rows.items() if count > 1] == []
