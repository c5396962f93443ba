"""Printed from chatd/store/statements/files.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared

BY_ID = Prepared("""SELECT files.id, files.owner, files.name, files.type, files.size, files.digest, files.created, files.width, files.height, files.locked, files.price
FROM files
WHERE files.id = :id""", 'id')
BY_IDS = Prepared("""SELECT files.id, files.owner, files.name, files.type, files.size, files.digest, files.created, files.width, files.height, files.locked, files.price
FROM files
WHERE files.id IN (SELECT CAST(anon_1.value AS INTEGER) AS value
FROM json_each(:ids) AS anon_1)""", 'ids')
NEWEST = Prepared("""SELECT files.id, files.owner, files.name, files.type, files.size, files.digest, files.created, files.width, files.height, files.locked, files.price
FROM files
WHERE files.owner = :owner AND files.id < :before ORDER BY files.id DESC
 LIMIT :limit OFFSET :param_1""", 'before limit owner', {'param_1': 0})
NEXT = Prepared("""SELECT files.id, files.owner, files.name, files.type, files.size, files.digest, files.created, files.width, files.height, files.locked, files.price
FROM files
WHERE files.owner = :owner AND files.id > :after ORDER BY files.id
 LIMIT :limit OFFSET :param_1""", 'after limit owner', {'param_1': 0})
ADD = Prepared("INSERT INTO files (id, owner, digest, name, type, size, width, height, locked, price, attached, created) VALUES (:id, :owner, :digest, :name, :type, :size, :width, :height, :locked, :price, :attached, :created)", 'created digest height id locked name owner price size type width', {'attached': 0})
SET_ATTACHED = Prepared("UPDATE files SET attached=:attached WHERE files.id = :file", 'file', {'attached': 1})
DELETE = Prepared("DELETE FROM files WHERE files.id = :file", 'file')
SIZE_OF_USER = Prepared("""SELECT coalesce(sum(files.size), :coalesce_2) AS coalesce_1
FROM files
WHERE files.owner = :owner""", 'owner', {'coalesce_2': 0})
SIZE_SINCE = Prepared("""SELECT coalesce(sum(upload_hours.size), :coalesce_2) AS coalesce_1
FROM upload_hours
WHERE upload_hours.owner = :owner AND upload_hours.hour > :hour""", 'hour owner', {'coalesce_2': 0})
COUNT_UPLOAD = Prepared("INSERT INTO upload_hours (owner, hour, size) VALUES (:owner, :hour, :size) ON CONFLICT (owner, hour) DO UPDATE SET size = (upload_hours.size + excluded.size)", 'hour owner size')
FORGET_HOURS = Prepared("DELETE FROM upload_hours WHERE upload_hours.owner = :owner AND upload_hours.hour <= :hour", 'hour owner')
SIZE_OF_ALL = Prepared("""SELECT coalesce(sum(files.size), :coalesce_2) AS coalesce_1
FROM files""", '', {'coalesce_2': 0})
IS_VISIBLE = Prepared("""SELECT 1
FROM attachments JOIN messages ON messages.id = attachments.message JOIN members ON members.conversation = messages.conversation AND members.user = :user
WHERE attachments.file = :file AND messages.deleted IS NULL
 LIMIT :param_1 OFFSET :param_2""", 'file user', {'param_1': 1, 'param_2': 0})
IS_IN = Prepared("""SELECT 1
FROM attachments JOIN messages ON messages.id = attachments.message
WHERE attachments.file = :file AND messages.conversation = :conversation AND messages.deleted IS NULL
 LIMIT :param_1 OFFSET :param_2""", 'conversation file', {'param_1': 1, 'param_2': 0})
UNLOCK = Prepared("INSERT INTO file_unlocks (file, user, at) VALUES (:file, :user, :at) ON CONFLICT DO NOTHING", 'at file user')
IS_UNLOCKED = Prepared("""SELECT 1
FROM file_unlocks
WHERE file_unlocks.file = :file AND file_unlocks.user IN (:user_1, :user)""", 'file user', {'user_1': 0})
HAS_MESSAGE = Prepared("""SELECT 1
FROM files
WHERE files.id = :file AND (EXISTS (SELECT *
FROM attachments
WHERE attachments.file = files.id))""", 'file')
OF_MESSAGE = Prepared("""SELECT attachments.file
FROM attachments
WHERE attachments.message = :message AND attachments.file IS NOT NULL""", 'message')
UNUSED = Prepared("""SELECT files.id, files.digest, EXISTS (SELECT *
FROM attachments
WHERE attachments.file = files.id) AS anon_1, files.attached = :attached_1 OR files.created < :before AS anon_2
FROM files
WHERE files.id > :after ORDER BY files.id
 LIMIT :limit OFFSET :param_1""", 'after before limit', {'attached_1': 1, 'param_1': 0})
LISTED = Prepared("""SELECT files.id, files.name, files.type, files.size, files.digest, files.width, files.created, EXISTS (SELECT *
FROM attachments
WHERE attachments.file = files.id) AS anon_1, users.id AS id_1, users.name AS name_1
FROM files JOIN users ON users.id = files.owner
WHERE files.id > :after AND (:owner = :param_1 OR files.owner = :owner) AND files.created < :before AND files.size >= :larger AND (:drafts = :param_2 OR NOT (EXISTS (SELECT *
FROM attachments
WHERE attachments.file = files.id))) ORDER BY files.id
 LIMIT :limit OFFSET :param_3""", 'after before drafts larger limit owner owner', {'param_1': 0, 'param_2': 0, 'param_3': 0})
ADD_UNUSED = Prepared("INSERT INTO unused_contents (digest) VALUES (:digest) ON CONFLICT DO NOTHING", 'digest')
UNUSED_CONTENTS = Prepared("""SELECT unused_contents.digest
FROM unused_contents
 LIMIT :limit OFFSET :param_1""", 'limit', {'param_1': 0})
DELETE_UNUSED = Prepared("DELETE FROM unused_contents WHERE unused_contents.digest = :digest", 'digest')
HAS_CONTENT = Prepared("""SELECT 1
FROM files
WHERE files.digest = :digest
 LIMIT :param_1 OFFSET :param_2""", 'digest', {'param_1': 1, 'param_2': 0})
