"""Printed from chatd/store/statements/view_intervals.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared

STILL_VIEWING = 9007199254740991
NOTIFIED = Prepared("""SELECT CASE WHEN (preferences.level = :level_1) THEN NULL WHEN (preferences.level = :level_2) THEN coalesce(nullif(max(coalesce((SELECT max(messages.id) AS max_1
FROM mentions JOIN messages ON messages.id = mentions.message
WHERE mentions.conversation = members.conversation AND mentions.user IN (members.user, 0) AND mentions.message > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.sender != members.user), 0), coalesce((SELECT max(messages.id) AS max_2
FROM thread_levels JOIN messages ON messages.thread = thread_levels.thread
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_3 AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.sender != members.user AND messages.deleted IS NULL), 0)), :nullif_1), CASE WHEN (coalesce(watches.since, 0) > max(members.cursor, members.began, coalesce(watches.noticed, 0))) THEN nullif(max(coalesce((SELECT max(messages.id) AS max_3
FROM mentions JOIN messages ON messages.id = mentions.message
WHERE mentions.conversation = members.conversation AND mentions.user IN (members.user, 0) AND mentions.message > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.sender != members.user), 0), coalesce((SELECT max(messages.id) AS max_4
FROM thread_levels JOIN messages ON messages.thread = thread_levels.thread
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_4 AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.sender != members.user AND messages.deleted IS NULL), 0)), :nullif_2) END) WHEN (preferences.muted_until > :muted_until_1) THEN CASE WHEN ((SELECT messages.created
FROM messages
WHERE messages.conversation = members.conversation ORDER BY messages.id DESC
 LIMIT :param_1 OFFSET :param_2) >= preferences.muted_until) THEN coalesce(nullif(max(coalesce((SELECT max(messages.id) AS max_5
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.created >= preferences.muted_until AND (messages.thread IS NULL OR NOT (EXISTS (SELECT *
FROM thread_levels
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_5 AND thread_levels.thread = messages.thread))) AND messages.sender != members.user AND messages.deleted IS NULL), 0), coalesce((SELECT max(messages.id) AS max_6
FROM mentions JOIN messages ON messages.id = mentions.message
WHERE mentions.conversation = members.conversation AND mentions.user IN (members.user, 0) AND mentions.message > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.created >= preferences.muted_until AND messages.sender != members.user), 0)), :nullif_3), CASE WHEN (coalesce(watches.since, 0) > max(members.cursor, members.began, coalesce(watches.noticed, 0))) THEN nullif(max(coalesce((SELECT max(messages.id) AS max_7
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.created >= preferences.muted_until AND (messages.thread IS NULL OR NOT (EXISTS (SELECT *
FROM thread_levels
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_5 AND thread_levels.thread = messages.thread))) AND messages.sender != members.user AND messages.deleted IS NULL), 0), coalesce((SELECT max(messages.id) AS max_8
FROM mentions JOIN messages ON messages.id = mentions.message
WHERE mentions.conversation = members.conversation AND mentions.user IN (members.user, 0) AND mentions.message > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.created >= preferences.muted_until AND messages.sender != members.user), 0)), :nullif_4) END) END WHEN (EXISTS (SELECT *
FROM thread_levels
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_5)) THEN coalesce(nullif(max(coalesce((SELECT max(messages.id) AS max_9
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND (messages.thread IS NULL OR NOT (EXISTS (SELECT *
FROM thread_levels
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_5 AND thread_levels.thread = messages.thread))) AND messages.sender != members.user AND messages.deleted IS NULL), 0), coalesce((SELECT max(messages.id) AS max_10
FROM mentions JOIN messages ON messages.id = mentions.message
WHERE mentions.conversation = members.conversation AND mentions.user IN (members.user, 0) AND mentions.message > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.sender != members.user), 0)), :nullif_5), CASE WHEN (coalesce(watches.since, 0) > max(members.cursor, members.began, coalesce(watches.noticed, 0))) THEN nullif(max(coalesce((SELECT max(messages.id) AS max_11
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND (messages.thread IS NULL OR NOT (EXISTS (SELECT *
FROM thread_levels
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_5 AND thread_levels.thread = messages.thread))) AND messages.sender != members.user AND messages.deleted IS NULL), 0), coalesce((SELECT max(messages.id) AS max_12
FROM mentions JOIN messages ON messages.id = mentions.message
WHERE mentions.conversation = members.conversation AND mentions.user IN (members.user, 0) AND mentions.message > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.sender != members.user), 0)), :nullif_6) END) ELSE coalesce((SELECT max(messages.id) AS max_13
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.sender != members.user AND messages.deleted IS NULL), CASE WHEN (coalesce(watches.since, 0) > max(members.cursor, members.began, coalesce(watches.noticed, 0))) THEN (SELECT max(messages.id) AS max_14
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.sender != members.user AND messages.deleted IS NULL) END) END AS anon_1
FROM members LEFT OUTER JOIN watches ON watches.conversation = members.conversation AND watches.user = members.user LEFT OUTER JOIN preferences ON preferences.conversation = members.conversation AND preferences.user = members.user
WHERE members.conversation = :conversation AND members.user = :user""", 'conversation user', {'level_1': 'none', 'level_2': 'mentions', 'level_3': 'all', 'nullif_1': 0, 'level_4': 'all', 'nullif_2': 0, 'muted_until_1': 0, 'param_1': 1, 'param_2': 0, 'level_5': 'mentions', 'nullif_3': 0, 'nullif_4': 0, 'nullif_5': 0, 'nullif_6': 0})
NOTIFIED_OF_USER = Prepared("""SELECT members.conversation, CASE WHEN (preferences.level = :level_1) THEN NULL WHEN (preferences.level = :level_2) THEN coalesce(nullif(max(coalesce((SELECT max(messages.id) AS max_1
FROM mentions JOIN messages ON messages.id = mentions.message
WHERE mentions.conversation = members.conversation AND mentions.user IN (members.user, 0) AND mentions.message > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.sender != members.user), 0), coalesce((SELECT max(messages.id) AS max_2
FROM thread_levels JOIN messages ON messages.thread = thread_levels.thread
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_3 AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.sender != members.user AND messages.deleted IS NULL), 0)), :nullif_1), CASE WHEN (coalesce(watches.since, 0) > max(members.cursor, members.began, coalesce(watches.noticed, 0))) THEN nullif(max(coalesce((SELECT max(messages.id) AS max_3
FROM mentions JOIN messages ON messages.id = mentions.message
WHERE mentions.conversation = members.conversation AND mentions.user IN (members.user, 0) AND mentions.message > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.sender != members.user), 0), coalesce((SELECT max(messages.id) AS max_4
FROM thread_levels JOIN messages ON messages.thread = thread_levels.thread
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_4 AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.sender != members.user AND messages.deleted IS NULL), 0)), :nullif_2) END) WHEN (preferences.muted_until > :muted_until_1) THEN CASE WHEN ((SELECT messages.created
FROM messages
WHERE messages.conversation = members.conversation ORDER BY messages.id DESC
 LIMIT :param_1 OFFSET :param_2) >= preferences.muted_until) THEN coalesce(nullif(max(coalesce((SELECT max(messages.id) AS max_5
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.created >= preferences.muted_until AND (messages.thread IS NULL OR NOT (EXISTS (SELECT *
FROM thread_levels
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_5 AND thread_levels.thread = messages.thread))) AND messages.sender != members.user AND messages.deleted IS NULL), 0), coalesce((SELECT max(messages.id) AS max_6
FROM mentions JOIN messages ON messages.id = mentions.message
WHERE mentions.conversation = members.conversation AND mentions.user IN (members.user, 0) AND mentions.message > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.created >= preferences.muted_until AND messages.sender != members.user), 0)), :nullif_3), CASE WHEN (coalesce(watches.since, 0) > max(members.cursor, members.began, coalesce(watches.noticed, 0))) THEN nullif(max(coalesce((SELECT max(messages.id) AS max_7
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.created >= preferences.muted_until AND (messages.thread IS NULL OR NOT (EXISTS (SELECT *
FROM thread_levels
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_5 AND thread_levels.thread = messages.thread))) AND messages.sender != members.user AND messages.deleted IS NULL), 0), coalesce((SELECT max(messages.id) AS max_8
FROM mentions JOIN messages ON messages.id = mentions.message
WHERE mentions.conversation = members.conversation AND mentions.user IN (members.user, 0) AND mentions.message > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.created >= preferences.muted_until AND messages.sender != members.user), 0)), :nullif_4) END) END WHEN (EXISTS (SELECT *
FROM thread_levels
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_5)) THEN coalesce(nullif(max(coalesce((SELECT max(messages.id) AS max_9
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND (messages.thread IS NULL OR NOT (EXISTS (SELECT *
FROM thread_levels
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_5 AND thread_levels.thread = messages.thread))) AND messages.sender != members.user AND messages.deleted IS NULL), 0), coalesce((SELECT max(messages.id) AS max_10
FROM mentions JOIN messages ON messages.id = mentions.message
WHERE mentions.conversation = members.conversation AND mentions.user IN (members.user, 0) AND mentions.message > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.sender != members.user), 0)), :nullif_5), CASE WHEN (coalesce(watches.since, 0) > max(members.cursor, members.began, coalesce(watches.noticed, 0))) THEN nullif(max(coalesce((SELECT max(messages.id) AS max_11
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND (messages.thread IS NULL OR NOT (EXISTS (SELECT *
FROM thread_levels
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_5 AND thread_levels.thread = messages.thread))) AND messages.sender != members.user AND messages.deleted IS NULL), 0), coalesce((SELECT max(messages.id) AS max_12
FROM mentions JOIN messages ON messages.id = mentions.message
WHERE mentions.conversation = members.conversation AND mentions.user IN (members.user, 0) AND mentions.message > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.sender != members.user), 0)), :nullif_6) END) ELSE coalesce((SELECT max(messages.id) AS max_13
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.sender != members.user AND messages.deleted IS NULL), CASE WHEN (coalesce(watches.since, 0) > max(members.cursor, members.began, coalesce(watches.noticed, 0))) THEN (SELECT max(messages.id) AS max_14
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.sender != members.user AND messages.deleted IS NULL) END) END AS last
FROM members LEFT OUTER JOIN watches ON watches.conversation = members.conversation AND watches.user = members.user LEFT OUTER JOIN preferences ON preferences.conversation = members.conversation AND preferences.user = members.user
WHERE members.user = :user""", 'user', {'level_1': 'none', 'level_2': 'mentions', 'level_3': 'all', 'nullif_1': 0, 'level_4': 'all', 'nullif_2': 0, 'muted_until_1': 0, 'param_1': 1, 'param_2': 0, 'level_5': 'mentions', 'nullif_3': 0, 'nullif_4': 0, 'nullif_5': 0, 'nullif_6': 0})
NOTIFIED_AMONG = Prepared("""SELECT members.user, CASE WHEN (preferences.level = :level_1) THEN NULL WHEN (preferences.level = :level_2) THEN coalesce(nullif(max(coalesce((SELECT max(messages.id) AS max_1
FROM mentions JOIN messages ON messages.id = mentions.message
WHERE mentions.conversation = members.conversation AND mentions.user IN (members.user, 0) AND mentions.message > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.sender != members.user), 0), coalesce((SELECT max(messages.id) AS max_2
FROM thread_levels JOIN messages ON messages.thread = thread_levels.thread
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_3 AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.sender != members.user AND messages.deleted IS NULL), 0)), :nullif_1), CASE WHEN (coalesce(watches.since, 0) > max(members.cursor, members.began, coalesce(watches.noticed, 0))) THEN nullif(max(coalesce((SELECT max(messages.id) AS max_3
FROM mentions JOIN messages ON messages.id = mentions.message
WHERE mentions.conversation = members.conversation AND mentions.user IN (members.user, 0) AND mentions.message > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.sender != members.user), 0), coalesce((SELECT max(messages.id) AS max_4
FROM thread_levels JOIN messages ON messages.thread = thread_levels.thread
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_4 AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.sender != members.user AND messages.deleted IS NULL), 0)), :nullif_2) END) WHEN (preferences.muted_until > :muted_until_1) THEN CASE WHEN ((SELECT messages.created
FROM messages
WHERE messages.conversation = members.conversation ORDER BY messages.id DESC
 LIMIT :param_1 OFFSET :param_2) >= preferences.muted_until) THEN coalesce(nullif(max(coalesce((SELECT max(messages.id) AS max_5
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.created >= preferences.muted_until AND (messages.thread IS NULL OR NOT (EXISTS (SELECT *
FROM thread_levels
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_5 AND thread_levels.thread = messages.thread))) AND messages.sender != members.user AND messages.deleted IS NULL), 0), coalesce((SELECT max(messages.id) AS max_6
FROM mentions JOIN messages ON messages.id = mentions.message
WHERE mentions.conversation = members.conversation AND mentions.user IN (members.user, 0) AND mentions.message > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.created >= preferences.muted_until AND messages.sender != members.user), 0)), :nullif_3), CASE WHEN (coalesce(watches.since, 0) > max(members.cursor, members.began, coalesce(watches.noticed, 0))) THEN nullif(max(coalesce((SELECT max(messages.id) AS max_7
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.created >= preferences.muted_until AND (messages.thread IS NULL OR NOT (EXISTS (SELECT *
FROM thread_levels
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_5 AND thread_levels.thread = messages.thread))) AND messages.sender != members.user AND messages.deleted IS NULL), 0), coalesce((SELECT max(messages.id) AS max_8
FROM mentions JOIN messages ON messages.id = mentions.message
WHERE mentions.conversation = members.conversation AND mentions.user IN (members.user, 0) AND mentions.message > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.created >= preferences.muted_until AND messages.sender != members.user), 0)), :nullif_4) END) END WHEN (EXISTS (SELECT *
FROM thread_levels
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_5)) THEN coalesce(nullif(max(coalesce((SELECT max(messages.id) AS max_9
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND (messages.thread IS NULL OR NOT (EXISTS (SELECT *
FROM thread_levels
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_5 AND thread_levels.thread = messages.thread))) AND messages.sender != members.user AND messages.deleted IS NULL), 0), coalesce((SELECT max(messages.id) AS max_10
FROM mentions JOIN messages ON messages.id = mentions.message
WHERE mentions.conversation = members.conversation AND mentions.user IN (members.user, 0) AND mentions.message > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.sender != members.user), 0)), :nullif_5), CASE WHEN (coalesce(watches.since, 0) > max(members.cursor, members.began, coalesce(watches.noticed, 0))) THEN nullif(max(coalesce((SELECT max(messages.id) AS max_11
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND (messages.thread IS NULL OR NOT (EXISTS (SELECT *
FROM thread_levels
WHERE thread_levels.user = members.user AND thread_levels.conversation = members.conversation AND thread_levels.level = :level_5 AND thread_levels.thread = messages.thread))) AND messages.sender != members.user AND messages.deleted IS NULL), 0), coalesce((SELECT max(messages.id) AS max_12
FROM mentions JOIN messages ON messages.id = mentions.message
WHERE mentions.conversation = members.conversation AND mentions.user IN (members.user, 0) AND mentions.message > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.sender != members.user), 0)), :nullif_6) END) ELSE coalesce((SELECT max(messages.id) AS max_13
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.sender != members.user AND messages.deleted IS NULL), CASE WHEN (coalesce(watches.since, 0) > max(members.cursor, members.began, coalesce(watches.noticed, 0))) THEN (SELECT max(messages.id) AS max_14
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.sender != members.user AND messages.deleted IS NULL) END) END AS last
FROM members LEFT OUTER JOIN watches ON watches.conversation = members.conversation AND watches.user = members.user LEFT OUTER JOIN preferences ON preferences.conversation = members.conversation AND preferences.user = members.user
WHERE members.conversation = :conversation AND members.user IN (SELECT CAST(anon_1.value AS INTEGER) AS value
FROM json_each(:users) AS anon_1)""", 'conversation users', {'level_1': 'none', 'level_2': 'mentions', 'level_3': 'all', 'nullif_1': 0, 'level_4': 'all', 'nullif_2': 0, 'muted_until_1': 0, 'param_1': 1, 'param_2': 0, 'level_5': 'mentions', 'nullif_3': 0, 'nullif_4': 0, 'nullif_5': 0, 'nullif_6': 0})
INTERVAL = Prepared("""SELECT coalesce(watches.since, 0) AS coalesce_1, coalesce(watches.until, 0) AS coalesce_2, (SELECT max(messages.id) AS max_1
FROM messages
WHERE messages.conversation = members.conversation AND messages.id > max(max(members.cursor, members.began, coalesce(watches.noticed, 0)), coalesce(watches.until, 0)) AND messages.id <= :message AND messages.sender != members.user AND messages.deleted IS NULL) AS anon_1, watches.conversation
FROM members LEFT OUTER JOIN watches ON watches.conversation = members.conversation AND watches.user = members.user LEFT OUTER JOIN preferences ON preferences.conversation = members.conversation AND preferences.user = members.user
WHERE members.conversation = :conversation AND members.user = :user""", 'conversation message user')
ADD = Prepared("INSERT INTO watches (conversation, user, noticed, since, until) VALUES (:conversation, :user, :noticed, :since, :until)", 'conversation noticed since until user')
BEGIN = Prepared("UPDATE watches SET since=:since, until=:until WHERE watches.conversation = :of AND watches.user = :user_id", 'of since user_id', {'until': 9007199254740991})
END = Prepared("UPDATE watches SET until=max(watches.since, :message) WHERE watches.conversation = :of AND watches.user = :user_id AND watches.until = :until_1", 'message of user_id', {'until_1': 9007199254740991})
END_ALL = Prepared("""UPDATE watches SET until=max(watches.since, coalesce((SELECT max(messages.id) AS max_1
FROM messages
WHERE messages.conversation = watches.conversation), 0)) WHERE watches.until = :until_1""", '', {'until_1': 9007199254740991})
DISMISS = Prepared("UPDATE watches SET noticed=:message WHERE watches.conversation = :of AND watches.user = :user_id", 'message of user_id')
DELETE = Prepared("DELETE FROM watches WHERE watches.conversation = :of AND watches.user = :user_id", 'of user_id')
