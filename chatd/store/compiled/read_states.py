"""Printed from chatd/store/statements/read_states.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared

MAX_UNREAD_COUNTED = 10000
READ_STATES = Prepared("""SELECT conversations.id, conversations.created, conversations.kind, max(coalesce(members.marked, members.cursor), members.began) AS greatest_1, (SELECT count(*) AS count_1
FROM (SELECT messages.sender AS sender, messages.deleted AS deleted
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(coalesce(members.marked, members.cursor), members.began) ORDER BY messages.id DESC
 LIMIT :param_1 OFFSET :param_2) AS anon_1
WHERE anon_1.sender != members.user AND anon_1.deleted IS NULL) AS count
FROM members JOIN conversations ON conversations.id = members.conversation
WHERE members.user = :user""", 'user', {'param_1': 10000, 'param_2': 0})
UNREAD_AMONG = Prepared("""SELECT members.conversation, (SELECT count(*) AS count_1
FROM (SELECT messages.sender AS sender, messages.deleted AS deleted
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(coalesce(members.marked, members.cursor), members.began) ORDER BY messages.id DESC
 LIMIT :param_1 OFFSET :param_2) AS anon_1
WHERE anon_1.sender != members.user AND anon_1.deleted IS NULL) AS count
FROM members
WHERE members.user = :user AND members.conversation IN (SELECT CAST(anon_2.value AS INTEGER) AS value
FROM json_each(:ids) AS anon_2)""", 'ids user', {'param_1': 10000, 'param_2': 0})
UNREAD_COUNTS = Prepared("""SELECT conversations.id, conversations.created, (SELECT count(*) AS count_1
FROM (SELECT messages.sender AS sender, messages.deleted AS deleted
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(coalesce(members.marked, members.cursor), members.began) ORDER BY messages.id DESC
 LIMIT :param_1 OFFSET :param_2) AS anon_1
WHERE anon_1.sender != members.user AND anon_1.deleted IS NULL) AS count
FROM members JOIN conversations ON conversations.id = members.conversation
WHERE members.user = :user AND (EXISTS (SELECT *
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(coalesce(members.marked, members.cursor), members.began)))""", 'user', {'param_1': 10000, 'param_2': 0})
COUNT_UNREAD = Prepared("""SELECT count(*) AS count_1
FROM (SELECT messages.sender AS sender, messages.deleted AS deleted
FROM messages
WHERE messages.conversation = :conversation AND messages.id > (SELECT max(coalesce(members.marked, members.cursor), members.began) AS greatest_1
FROM members
WHERE members.conversation = :conversation AND members.user = :user) ORDER BY messages.id DESC
 LIMIT :param_1 OFFSET :param_2) AS anon_1
WHERE anon_1.sender != :user AND anon_1.deleted IS NULL""", 'conversation conversation user user', {'param_1': 10000, 'param_2': 0})
READ_TO = Prepared("""SELECT members.conversation, max(coalesce(members.marked, members.cursor), members.began) AS greatest_1
FROM members
WHERE members.user = :user AND members.conversation IN (SELECT CAST(anon_1.value AS INTEGER) AS value
FROM json_each(:ids) AS anon_1)""", 'ids user')
UNREAD_MENTIONS = Prepared("""SELECT mentions.conversation, mentions.message
FROM members JOIN mentions ON mentions.conversation = members.conversation AND (mentions.user = members.user OR mentions.user = :user_1) AND mentions.message > max(coalesce(members.marked, members.cursor), members.began) JOIN messages ON messages.id = mentions.message
WHERE members.user = :user AND messages.sender != members.user ORDER BY mentions.message""", 'user', {'user_1': 0})
UNREAD_MENTIONS_AMONG = Prepared("""SELECT mentions.conversation, mentions.message
FROM members JOIN mentions ON mentions.conversation = members.conversation AND (mentions.user = members.user OR mentions.user = :user_1) AND mentions.message > max(coalesce(members.marked, members.cursor), members.began) JOIN messages ON messages.id = mentions.message
WHERE members.user = :user AND messages.sender != members.user AND members.conversation IN (SELECT CAST(anon_1.value AS INTEGER) AS value
FROM json_each(:ids) AS anon_1) ORDER BY mentions.message""", 'ids user', {'user_1': 0})
