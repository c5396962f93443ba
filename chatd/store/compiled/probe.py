"""Printed from chatd/store/statements/probe.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared

ADD = Prepared("""INSERT INTO meta ("key", value) VALUES (:key, :value)""", 'key value')
REMOVE = Prepared("""DELETE FROM meta WHERE meta."key" = :of""", 'of')
