"""Printed from chatd/store/statements/invites.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared

ADD = Prepared("INSERT INTO invites (id, hash, admin, uses, expires, maker, created) VALUES (:id, :hash, :admin, :uses, :expires, :maker, :created)", 'admin created expires hash id maker uses')
BY_HASH = Prepared("""SELECT invites.id, invites.admin, invites.uses, invites.expires, invites.maker, invites.created
FROM invites
WHERE invites.hash = :hash AND invites.uses > :uses_1 AND invites.expires > :now""", 'hash now', {'uses_1': 0})
ALL = Prepared("""SELECT invites.id, invites.admin, invites.uses, invites.expires, invites.maker, invites.created
FROM invites
WHERE invites.uses > :uses_1 AND invites.expires > :now ORDER BY invites.id""", 'now', {'uses_1': 0})
USE = Prepared("UPDATE invites SET uses=(invites.uses - :uses_1) WHERE invites.hash = :digest AND invites.uses > :uses_2 AND invites.expires > :now", 'digest now', {'uses_1': 1, 'uses_2': 0})
REMOVE = Prepared("DELETE FROM invites WHERE invites.id = :id", 'id')
DELETE_UNUSABLE = Prepared("DELETE FROM invites WHERE invites.uses <= :uses_1 OR invites.expires <= :now", 'now', {'uses_1': 0})
