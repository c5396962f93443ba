"""Printed from chatd/store/statements/accounts.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared

MAX_KNOWN_PLACES = 32
ADD = Prepared("INSERT INTO refresh_tokens (family, hash, user, created, expires, used, device) VALUES (:family, :hash, :user, :created, :expires, :used, :device)", 'created device expires family hash used user')
FIND = Prepared("""SELECT refresh_tokens.hash, refresh_tokens.user, refresh_tokens.expires
FROM refresh_tokens
WHERE refresh_tokens.family = :family""", 'family')
RENEW = Prepared("UPDATE refresh_tokens SET hash=:hash, expires=:expires, used=:used WHERE refresh_tokens.family = :session", 'expires hash session used')
OF_USER = Prepared("""SELECT refresh_tokens.family, refresh_tokens.device, refresh_tokens.created, refresh_tokens.used, refresh_tokens.expires
FROM refresh_tokens
WHERE refresh_tokens.user = :user AND refresh_tokens.expires > :now ORDER BY coalesce(refresh_tokens.used, refresh_tokens.created) DESC, refresh_tokens.family""", 'now user')
PASSWORD_OF = Prepared("""SELECT users.password
FROM users
WHERE users.id = :user""", 'user')
DELETE = Prepared("DELETE FROM refresh_tokens WHERE refresh_tokens.family = :family", 'family')
DELETE_OF_USER = Prepared("DELETE FROM refresh_tokens WHERE refresh_tokens.user = :user", 'user')
DELETE_EXPIRED = Prepared("DELETE FROM refresh_tokens WHERE refresh_tokens.expires <= :now", 'now')
IDS_WITH_HANDLE = Prepared("""SELECT users.id
FROM users
WHERE users.name = :handle OR users.email = :handle""", 'handle handle')
SET_NAME = Prepared("UPDATE users SET name=:name WHERE users.id = :user", 'name user')
CLEAR_SUBJECT = Prepared("UPDATE users SET subject=:subject WHERE users.id = :user", 'user', {'subject': None})
SET_PASSWORD = Prepared("UPDATE users SET password=:password WHERE users.id = :user", 'password user')
IS_KNOWN = Prepared("""SELECT known_places.at
FROM known_places
WHERE known_places.user = :user AND known_places.place = :place""", 'place user')
ADD_PLACE = Prepared("INSERT INTO known_places (user, place, at) VALUES (:user, :place, :at) ON CONFLICT (user, place) DO UPDATE SET at = excluded.at", 'at place user')
DELETE_OLDER = Prepared("""DELETE FROM known_places WHERE known_places.user = :user AND known_places.place IN (SELECT known_places.place
FROM known_places
WHERE known_places.user = :user ORDER BY known_places.at DESC, known_places.place
 LIMIT :param_1 OFFSET :param_2)""", 'user user', {'param_1': -1, 'param_2': 32})
DELETE_PLACES = Prepared("DELETE FROM known_places WHERE known_places.user = :user", 'user')
