"""Printed from chatd/store/statements/features.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared, RowInsert

SET_FEATURES = Prepared("UPDATE messages SET features=:set_features WHERE messages.id = :of_message", 'of_message set_features')
FEATURES = Prepared("""SELECT messages.features
FROM messages
WHERE messages.id = :of_message""", 'of_message')
QUOTES = Prepared("""SELECT messages.id, messages.created, messages.content, messages.deleted, users.id AS id_1, users.created AS created_1, users.subject, users.name, users.display, users.email, users.avatar, users.status, users.admin, users.disabled
FROM messages JOIN users ON users.id = messages.sender
WHERE messages.id IN (SELECT CAST(anon_1.value AS INTEGER) AS value
FROM json_each(:ids) AS anon_1)""", 'ids')
THREADS = Prepared("""SELECT messages.thread, count(*) AS count_1, max(messages.created) AS max_1
FROM messages
WHERE messages.thread IN (SELECT CAST(anon_1.value AS INTEGER) AS value
FROM json_each(:ids) AS anon_1) AND messages.deleted IS NULL GROUP BY messages.thread""", 'ids')
THREAD_IDS = Prepared("""SELECT messages.id
FROM messages
WHERE messages.thread = :of_thread AND messages.deleted IS NULL AND messages.id > :after AND messages.id < :before
 LIMIT :limit OFFSET :param_1""", 'after before limit of_thread', {'param_1': 0})
THREAD_OLDEST = Prepared("""SELECT messages.id
FROM messages
WHERE messages.thread = :of_thread AND messages.deleted IS NULL AND messages.id > :after AND messages.id < :before ORDER BY messages.id
 LIMIT :limit OFFSET :param_1""", 'after before limit of_thread', {'param_1': 0})
THREAD_NEWEST = Prepared("""SELECT messages.id
FROM messages
WHERE messages.thread = :of_thread AND messages.deleted IS NULL AND messages.id > :after AND messages.id < :before ORDER BY messages.id DESC
 LIMIT :limit OFFSET :param_1""", 'after before limit of_thread', {'param_1': 0})
REACTIONS = Prepared("""SELECT reactions.message, reactions.emoji, users.id, users.created, users.subject
FROM reactions JOIN users ON users.id = reactions.user
WHERE reactions.message IN (SELECT CAST(anon_1.value AS INTEGER) AS value
FROM json_each(:ids) AS anon_1) ORDER BY reactions.message, reactions.at, reactions.emoji, reactions.user""", 'ids')
ADD_REACTION = Prepared("INSERT INTO reactions (message, emoji, user, at) VALUES (:message, :emoji, :user, :at)", 'at emoji message user')
REMOVE_REACTION = Prepared("DELETE FROM reactions WHERE reactions.message = :of_message AND reactions.user = :by_user AND reactions.emoji = :with_emoji", 'by_user of_message with_emoji')
REMOVE_REACTIONS = Prepared("DELETE FROM reactions WHERE reactions.message = :of_message", 'of_message')
MENTIONS = Prepared("""SELECT mentions.message, mentions.text, users.id, users.created, users.subject
FROM mentions LEFT OUTER JOIN users ON users.id = mentions.user
WHERE mentions.message IN (SELECT CAST(anon_1.value AS INTEGER) AS value
FROM json_each(:ids) AS anon_1) ORDER BY mentions.message, mentions.user""", 'ids')
ADD_MENTION = RowInsert("INSERT INTO mentions (message, user, conversation, text) VALUES (?, ?, ?, ?)", 'message user conversation text')
REMOVE_MENTIONS = Prepared("DELETE FROM mentions WHERE mentions.message = :of_message", 'of_message')
PIN = Prepared("INSERT INTO pins (conversation, message, user, at) VALUES (:conversation, :message, :user, :at)", 'at conversation message user')
UNPIN = Prepared("DELETE FROM pins WHERE pins.message = :of_message", 'of_message')
COUNT_PINS = Prepared("""SELECT count(*) AS count_1
FROM pins
WHERE pins.conversation = :conversation""", 'conversation')
PINNED = Prepared("""SELECT pins.message
FROM pins
WHERE pins.conversation = :conversation ORDER BY pins.at DESC, pins.message DESC""", 'conversation')
