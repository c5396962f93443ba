"""Printed from chatd/store/statements/notifications.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared

BY_ID = Prepared("""SELECT notifications.id, notifications.created, notifications.type, notifications.title, notifications.content, notifications.read, notifications.conversation, notifications.related, notifications.extra, conversations.created AS created_1
FROM notifications LEFT OUTER JOIN conversations ON conversations.id = notifications.conversation
WHERE notifications.user = :user AND (notifications.read IS NOT NULL OR notifications.type != :type_1 OR notifications.conversation IS NULL OR (SELECT CASE WHEN (preferences.level = :level_1) THEN NULL WHEN (preferences.level = :level_2) THEN coalesce(nullif(max(coalesce((SELECT max(messages.id) AS max_1
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
WHERE members.conversation = notifications.conversation AND members.user = notifications.user) IS NOT NULL) AND NOT (EXISTS (SELECT *
FROM removals
WHERE removals.conversation = notifications.conversation)) AND notifications.id = :id""", 'id user', {'type_1': 'message', 'level_1': 'none', 'level_2': 'mentions', 'level_3': 'all', 'nullif_1': 0, 'level_4': 'all', 'nullif_2': 0, 'muted_until_1': 0, 'param_1': 1, 'param_2': 0, 'level_5': 'mentions', 'nullif_3': 0, 'nullif_4': 0, 'nullif_5': 0, 'nullif_6': 0})
OF_ANOTHER = Prepared("""SELECT notifications.id, notifications.created
FROM notifications
WHERE notifications.id = :id AND notifications.user != :user AND (notifications.read IS NOT NULL OR notifications.type != :type_1 OR notifications.conversation IS NULL OR (SELECT CASE WHEN (preferences.level = :level_1) THEN NULL WHEN (preferences.level = :level_2) THEN coalesce(nullif(max(coalesce((SELECT max(messages.id) AS max_1
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
WHERE members.conversation = notifications.conversation AND members.user = notifications.user) IS NOT NULL)""", 'id user', {'type_1': 'message', 'level_1': 'none', 'level_2': 'mentions', 'level_3': 'all', 'nullif_1': 0, 'level_4': 'all', 'nullif_2': 0, 'muted_until_1': 0, 'param_1': 1, 'param_2': 0, 'level_5': 'mentions', 'nullif_3': 0, 'nullif_4': 0, 'nullif_5': 0, 'nullif_6': 0})
UNREAD_ROW = Prepared("""SELECT notifications.id, notifications.created, notifications.related
FROM notifications
WHERE notifications.user = :user AND notifications.conversation = :conversation AND notifications.type = :type_1 AND notifications.read IS NULL""", 'conversation user', {'type_1': 'message'})
WITH_ROWS = Prepared("""SELECT notifications.conversation
FROM notifications
WHERE notifications.user = :user AND notifications.read IS NULL AND notifications.type = :type_1 AND notifications.conversation IS NOT NULL""", 'user', {'type_1': 'message'})
INSERT = Prepared("INSERT INTO notifications (id, user, type, title, content, read, conversation, related, extra, created) VALUES (:id, :user, :type, :title, :content, :read, :conversation, :related, :extra, :created)", 'content conversation created extra id read related title type user')
SET_READ = Prepared("UPDATE notifications SET read=:read WHERE notifications.id = :notification", 'notification read')
SET_MESSAGE = Prepared("UPDATE notifications SET related=:related WHERE notifications.id = :notification", 'notification related')
DELETE = Prepared("DELETE FROM notifications WHERE notifications.id = :notification", 'notification')
UNREAD_OWN = Prepared("""SELECT notifications.id, notifications.created
FROM notifications
WHERE notifications.user = :user AND notifications.read IS NULL AND NOT (notifications.type = :type_1 AND notifications.conversation IS NOT NULL) ORDER BY notifications.id""", 'user', {'type_1': 'message'})
UNREAD_ABOUT = Prepared("""SELECT notifications.id, notifications.created, users.id AS id_1, users.created AS created_1, users.subject
FROM notifications JOIN users ON users.id = notifications.user
WHERE notifications.conversation = :conversation AND notifications.read IS NULL ORDER BY notifications.id""", 'conversation')
DELETE_ABOUT = Prepared("DELETE FROM notifications WHERE notifications.user = :user_id AND notifications.conversation = :of", 'of user_id')
TEXT = Prepared("""SELECT messages.content, messages.deleted, users.display, users.name, conversations.title
FROM messages JOIN users ON users.id = messages.sender JOIN conversations ON conversations.id = messages.conversation
WHERE messages.id = :id""", 'id')
COUNT = Prepared("""SELECT ((SELECT count(*) AS count_1
FROM notifications
WHERE notifications.user = users.id AND notifications.read IS NULL AND NOT (notifications.type = :type_1 AND notifications.conversation IS NOT NULL)) + (SELECT count(CASE WHEN (preferences.level = :level_1) THEN NULL WHEN (preferences.level = :level_2) THEN coalesce(nullif(max(coalesce((SELECT max(messages.id) AS max_1
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
WHERE messages.conversation = members.conversation AND messages.id > max(members.cursor, members.began, coalesce(watches.noticed, 0)) AND messages.id <= coalesce(watches.since, 0) AND messages.sender != members.user AND messages.deleted IS NULL) END) END) AS count_2
FROM members LEFT OUTER JOIN watches ON watches.conversation = members.conversation AND watches.user = members.user LEFT OUTER JOIN preferences ON preferences.conversation = members.conversation AND preferences.user = members.user
WHERE members.user = users.id) + (SELECT count(*) AS count_3
FROM broadcasts
WHERE broadcasts.created >= users.created)) - (SELECT count(*) AS count_4
FROM broadcast_marks
WHERE broadcast_marks.user = users.id) AS anon_1
FROM users
WHERE users.id = :user""", 'user', {'type_1': 'message', 'level_1': 'none', 'level_2': 'mentions', 'level_3': 'all', 'nullif_1': 0, 'level_4': 'all', 'nullif_2': 0, 'muted_until_1': 0, 'param_1': 1, 'param_2': 0, 'level_5': 'mentions', 'nullif_3': 0, 'nullif_4': 0, 'nullif_5': 0, 'nullif_6': 0})
PAGE_BEFORE = Prepared("""SELECT notifications.id, notifications.created, notifications.type, notifications.title, notifications.content, notifications.read, notifications.conversation, notifications.related, notifications.extra, conversations.created AS created_1
FROM notifications LEFT OUTER JOIN conversations ON conversations.id = notifications.conversation
WHERE notifications.user = :user AND (notifications.read IS NOT NULL OR notifications.type != :type_1 OR notifications.conversation IS NULL OR (SELECT CASE WHEN (preferences.level = :level_1) THEN NULL WHEN (preferences.level = :level_2) THEN coalesce(nullif(max(coalesce((SELECT max(messages.id) AS max_1
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
WHERE members.conversation = notifications.conversation AND members.user = notifications.user) IS NOT NULL) AND NOT (EXISTS (SELECT *
FROM removals
WHERE removals.conversation = notifications.conversation)) AND notifications.id < :number ORDER BY notifications.id DESC
 LIMIT :limit OFFSET :param_3""", 'limit number user', {'type_1': 'message', 'level_1': 'none', 'level_2': 'mentions', 'level_3': 'all', 'nullif_1': 0, 'level_4': 'all', 'nullif_2': 0, 'muted_until_1': 0, 'param_1': 1, 'param_2': 0, 'level_5': 'mentions', 'nullif_3': 0, 'nullif_4': 0, 'nullif_5': 0, 'nullif_6': 0, 'param_3': 0})
PAGE_AFTER = Prepared("""SELECT notifications.id, notifications.created, notifications.type, notifications.title, notifications.content, notifications.read, notifications.conversation, notifications.related, notifications.extra, conversations.created AS created_1
FROM notifications LEFT OUTER JOIN conversations ON conversations.id = notifications.conversation
WHERE notifications.user = :user AND (notifications.read IS NOT NULL OR notifications.type != :type_1 OR notifications.conversation IS NULL OR (SELECT CASE WHEN (preferences.level = :level_1) THEN NULL WHEN (preferences.level = :level_2) THEN coalesce(nullif(max(coalesce((SELECT max(messages.id) AS max_1
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
WHERE members.conversation = notifications.conversation AND members.user = notifications.user) IS NOT NULL) AND NOT (EXISTS (SELECT *
FROM removals
WHERE removals.conversation = notifications.conversation)) AND notifications.id > :number ORDER BY notifications.id
 LIMIT :limit OFFSET :param_3""", 'limit number user', {'type_1': 'message', 'level_1': 'none', 'level_2': 'mentions', 'level_3': 'all', 'nullif_1': 0, 'level_4': 'all', 'nullif_2': 0, 'muted_until_1': 0, 'param_1': 1, 'param_2': 0, 'level_5': 'mentions', 'nullif_3': 0, 'nullif_4': 0, 'nullif_5': 0, 'nullif_6': 0, 'param_3': 0})
UNREAD_PAGE_BEFORE = Prepared("""SELECT notifications.id, notifications.created, notifications.type, notifications.title, notifications.content, notifications.read, notifications.conversation, notifications.related, notifications.extra, conversations.created AS created_1
FROM notifications LEFT OUTER JOIN conversations ON conversations.id = notifications.conversation
WHERE notifications.user = :user AND (notifications.read IS NOT NULL OR notifications.type != :type_1 OR notifications.conversation IS NULL OR (SELECT CASE WHEN (preferences.level = :level_1) THEN NULL WHEN (preferences.level = :level_2) THEN coalesce(nullif(max(coalesce((SELECT max(messages.id) AS max_1
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
WHERE members.conversation = notifications.conversation AND members.user = notifications.user) IS NOT NULL) AND NOT (EXISTS (SELECT *
FROM removals
WHERE removals.conversation = notifications.conversation)) AND notifications.read IS NULL AND notifications.id < :number ORDER BY notifications.id DESC
 LIMIT :limit OFFSET :param_3""", 'limit number user', {'type_1': 'message', 'level_1': 'none', 'level_2': 'mentions', 'level_3': 'all', 'nullif_1': 0, 'level_4': 'all', 'nullif_2': 0, 'muted_until_1': 0, 'param_1': 1, 'param_2': 0, 'level_5': 'mentions', 'nullif_3': 0, 'nullif_4': 0, 'nullif_5': 0, 'nullif_6': 0, 'param_3': 0})
UNREAD_PAGE_AFTER = Prepared("""SELECT notifications.id, notifications.created, notifications.type, notifications.title, notifications.content, notifications.read, notifications.conversation, notifications.related, notifications.extra, conversations.created AS created_1
FROM notifications LEFT OUTER JOIN conversations ON conversations.id = notifications.conversation
WHERE notifications.user = :user AND (notifications.read IS NOT NULL OR notifications.type != :type_1 OR notifications.conversation IS NULL OR (SELECT CASE WHEN (preferences.level = :level_1) THEN NULL WHEN (preferences.level = :level_2) THEN coalesce(nullif(max(coalesce((SELECT max(messages.id) AS max_1
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
WHERE members.conversation = notifications.conversation AND members.user = notifications.user) IS NOT NULL) AND NOT (EXISTS (SELECT *
FROM removals
WHERE removals.conversation = notifications.conversation)) AND notifications.read IS NULL AND notifications.id > :number ORDER BY notifications.id
 LIMIT :limit OFFSET :param_3""", 'limit number user', {'type_1': 'message', 'level_1': 'none', 'level_2': 'mentions', 'level_3': 'all', 'nullif_1': 0, 'level_4': 'all', 'nullif_2': 0, 'muted_until_1': 0, 'param_1': 1, 'param_2': 0, 'level_5': 'mentions', 'nullif_3': 0, 'nullif_4': 0, 'nullif_5': 0, 'nullif_6': 0, 'param_3': 0})
