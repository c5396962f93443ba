"""Printed from chatd/store/statements/sequences.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared

UPDATE = Prepared("UPDATE sqlite_sequence SET seq=:number WHERE sqlite_sequence.name = :noun", 'noun number')
INSERT = Prepared("INSERT INTO sqlite_sequence (name, seq) VALUES (:noun, :number)", 'noun number')
