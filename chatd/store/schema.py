"""What a database must have: its tables, the numbers that it gives out, and the steps from older versions."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chatd.store.prepared import Prepared

POSITION = "position"
"""The name of the event log's sequence, beside the sequences of the nouns' ids."""

MIGRATIONS_FOLDER = Path(__file__).parent / "migrations"
VERSION_FILE = re.compile(r"\d{4}_\w+\.py$")


@dataclass(frozen=True)
class Schema:
    """The statements that create the tables, in order. One must be `meta (key, value)`, where the epoch is kept.

    `last_numbers` has for each noun, and for "position", the query for the last number that was given out.
    """

    create: Sequence[str]
    last_numbers: Mapping[str, Prepared] = field(default_factory=dict)
    migrations: Path = MIGRATIONS_FOLDER

    @property
    def newest(self) -> str:
        """The version that this program knows."""
        return max(name[:4] for name in os.listdir(self.migrations / "versions") if VERSION_FILE.match(name))
