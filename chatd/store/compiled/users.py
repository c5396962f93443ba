"""Printed from chatd/store/statements/users.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared

USER_WIDTH = 10
BY_ID = Prepared("""SELECT users.id, users.created, users.subject, users.name, users.display, users.email, users.avatar, users.status, users.admin, users.disabled
FROM users
WHERE users.id = :id""", 'id')
BY_IDS = Prepared("""SELECT users.id, users.created, users.subject, users.name, users.display, users.email, users.avatar, users.status, users.admin, users.disabled
FROM users
WHERE users.id IN (SELECT CAST(anon_1.value AS INTEGER) AS value
FROM json_each(:ids) AS anon_1)""", 'ids')
BY_SUBJECT = Prepared("""SELECT users.id, users.created, users.subject, users.name, users.display, users.email, users.avatar, users.status, users.admin, users.disabled
FROM users
WHERE users.subject = :subject""", 'subject')
ACCOUNT_BY_ID = Prepared("""SELECT users.id, users.created, users.subject, users.name, users.display, users.email, users.avatar, users.status, users.admin, users.disabled, users.password, users.valid_from, users.local
FROM users
WHERE users.id = :id""", 'id')
ACCOUNT_BY_NAME = Prepared("""SELECT users.id, users.created, users.subject, users.name, users.display, users.email, users.avatar, users.status, users.admin, users.disabled, users.password, users.valid_from, users.local
FROM users
WHERE users.name = :name""", 'name')
ACCOUNT_BY_EMAIL = Prepared("""SELECT users.id, users.created, users.subject, users.name, users.display, users.email, users.avatar, users.status, users.admin, users.disabled, users.password, users.valid_from, users.local
FROM users
WHERE users.email = :email""", 'email')
INSERT = Prepared("INSERT INTO users (id, name, subject, email, display, avatar, status, password, admin, disabled, valid_from, created, local) VALUES (:id, :name, :subject, :email, :display, :avatar, :status, :password, :admin, :disabled, :valid_from, :created, :local)", 'admin avatar created disabled display email id local name password status subject valid_from')
AFTER = Prepared("""SELECT users.id, users.created, users.subject, users.name, users.display, users.email, users.avatar, users.status, users.admin, users.disabled
FROM users
WHERE users.disabled = :disabled_1 AND instr(lower(users.name), :query) > :param_1 AND users.id > :id ORDER BY users.id
 LIMIT :limit OFFSET :param_2""", 'id limit query', {'disabled_1': 0, 'param_1': 0, 'param_2': 0})
BEFORE = Prepared("""SELECT users.id, users.created, users.subject, users.name, users.display, users.email, users.avatar, users.status, users.admin, users.disabled
FROM users
WHERE users.disabled = :disabled_1 AND instr(lower(users.name), :query) > :param_1 AND users.id < :id ORDER BY users.id DESC
 LIMIT :limit OFFSET :param_2""", 'id limit query', {'disabled_1': 0, 'param_1': 0, 'param_2': 0})
IN_ORDER = Prepared("""SELECT users.id, users.created, users.subject, users.name, users.display, users.email, users.avatar, users.status, users.admin, users.disabled
FROM users ORDER BY users.id""")
COUNT = Prepared("""SELECT count(*) AS count_1
FROM users""")
SET_PROFILE = Prepared("UPDATE users SET display=:display, avatar=:avatar, status=:status WHERE users.id = :user", 'avatar display status user')
SET_ACCOUNT = Prepared("UPDATE users SET email=:email, password=:password, admin=:admin, disabled=:disabled, valid_from=:valid_from WHERE users.id = :user", 'admin disabled email password user valid_from')
