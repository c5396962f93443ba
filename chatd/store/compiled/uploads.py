"""Printed from chatd/store/statements/uploads.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared

ADD = Prepared("INSERT INTO uploads (id, owner, name, size, expires) VALUES (:id, :owner, :name, :size, :expires)", 'expires id name owner size')
BY_ID = Prepared("""SELECT uploads.id, uploads.owner, uploads.name, uploads.size, uploads.expires, uploads.file, uploads.checked
FROM uploads
WHERE uploads.id = :id""", 'id')
SET_FILE = Prepared("UPDATE uploads SET file=:file WHERE uploads.id = :upload", 'file upload')
SET_CHECKED = Prepared("UPDATE uploads SET checked=:checked WHERE uploads.id = :upload", 'checked upload')
DELETE = Prepared("DELETE FROM uploads WHERE uploads.id = :upload", 'upload')
EXPIRED = Prepared("""SELECT uploads.id
FROM uploads
WHERE uploads.expires < :now
 LIMIT :limit OFFSET :param_1""", 'limit now', {'param_1': 0})
WAITING = Prepared("""SELECT count(*) AS count_1, coalesce(sum(uploads.size), :coalesce_2) AS coalesce_1
FROM uploads
WHERE uploads.owner = :owner AND uploads.file IS NULL""", 'owner', {'coalesce_2': 0})
