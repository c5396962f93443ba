"""Printed from chatd/store/statements/service_tokens.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared

ADD = Prepared("INSERT INTO service_tokens (name, hash, scopes, created) VALUES (:name, :hash, :scopes, :created)", 'created hash name scopes')
BY_HASH = Prepared("""SELECT service_tokens.name, service_tokens.scopes, service_tokens.created
FROM service_tokens
WHERE service_tokens.hash = :hash""", 'hash')
BY_NAME = Prepared("""SELECT service_tokens.name, service_tokens.scopes, service_tokens.created
FROM service_tokens
WHERE service_tokens.name = :name""", 'name')
ALL = Prepared("""SELECT service_tokens.name, service_tokens.scopes, service_tokens.created
FROM service_tokens ORDER BY service_tokens.name""")
REMOVE = Prepared("DELETE FROM service_tokens WHERE service_tokens.name = :name", 'name')
