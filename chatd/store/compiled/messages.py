"""Printed from chatd/store/statements/messages.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared, RowInsert

MESSAGE_WIDTH = 14
SENDER_START = 28
BY_ID = Prepared("""SELECT messages.id, messages.sender, messages.type, messages.content, messages.attached, messages.client_id, messages.created, messages.edited, messages.deleted, messages.without_content, messages.position, messages.features, messages.reply_to, messages.thread, conversations.id AS id_1, conversations.created AS created_1, conversations.kind, conversations.creator, creator.created AS created_2, creator.subject, conversations.peer, peer.created AS created_3, peer.subject AS subject_1, conversations.title, conversations.topic, conversations.avatar, conversations.public, conversations.blocked, sender.id AS id_2, sender.created AS created_4, sender.subject AS subject_2, sender.name, sender.display, sender.email, sender.avatar AS avatar_1, sender.status, sender.admin, sender.disabled
FROM messages JOIN (conversations JOIN users AS creator ON creator.id = conversations.creator LEFT OUTER JOIN users AS peer ON peer.id = conversations.peer) ON conversations.id = messages.conversation JOIN users AS sender ON sender.id = messages.sender
WHERE messages.id = :id""", 'id')
BY_IDS = Prepared("""SELECT messages.id, messages.sender, messages.type, messages.content, messages.attached, messages.client_id, messages.created, messages.edited, messages.deleted, messages.without_content, messages.position, messages.features, messages.reply_to, messages.thread, conversations.id AS id_1, conversations.created AS created_1, conversations.kind, conversations.creator, creator.created AS created_2, creator.subject, conversations.peer, peer.created AS created_3, peer.subject AS subject_1, conversations.title, conversations.topic, conversations.avatar, conversations.public, conversations.blocked, sender.id AS id_2, sender.created AS created_4, sender.subject AS subject_2, sender.name, sender.display, sender.email, sender.avatar AS avatar_1, sender.status, sender.admin, sender.disabled
FROM messages JOIN (conversations JOIN users AS creator ON creator.id = conversations.creator LEFT OUTER JOIN users AS peer ON peer.id = conversations.peer) ON conversations.id = messages.conversation JOIN users AS sender ON sender.id = messages.sender
WHERE messages.id IN (SELECT CAST(anon_1.value AS INTEGER) AS value
FROM json_each(:ids) AS anon_1)""", 'ids')
BY_CLIENT_ID = Prepared("""SELECT messages.id, messages.digest
FROM messages
WHERE messages.sender = :sender AND messages.conversation = :conversation AND messages.client_id = :client_id""", 'client_id conversation sender')
INSERT = RowInsert("INSERT INTO messages (id, conversation, sender, type, content, attached, client_id, digest, created, without_content, position) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", 'id conversation sender type content attached client_id digest created without_content position')
INSERT_WITH_FEATURES = RowInsert("INSERT INTO messages (id, conversation, sender, type, content, attached, client_id, digest, created, without_content, features, reply_to, thread, position) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", 'id conversation sender type content attached client_id digest created without_content features reply_to thread position')
INSERT_ATTACHMENT = RowInsert("INSERT INTO attachments (message, place, url, type, file) VALUES (?, ?, ?, ?, ?)", 'message place url type file')
ATTACHMENTS = Prepared("""SELECT attachments.message, attachments.url, attachments.type, attachments.file
FROM attachments
WHERE attachments.message IN (SELECT CAST(anon_1.value AS INTEGER) AS value
FROM json_each(:ids) AS anon_1) ORDER BY attachments.message, attachments.place""", 'ids')
DELETE_ATTACHMENTS = Prepared("DELETE FROM attachments WHERE attachments.message = :message", 'message')
EDIT = Prepared("UPDATE messages SET content=:content, edited=:edited, without_content=:without_content WHERE messages.id = :message", 'content edited message', {'without_content': 0})
DELETE_CONTENT = Prepared("UPDATE messages SET content=:content, attached=:attached, deleted=:deleted, features=:features WHERE messages.id = :message", 'deleted message', {'content': '', 'attached': 0, 'features': 0})
OLDER = Prepared("""SELECT messages.id, messages.sender, messages.type, messages.content, messages.attached, messages.client_id, messages.created, messages.edited, messages.deleted, messages.without_content, messages.position, messages.features, messages.reply_to, messages.thread
FROM messages
WHERE messages.conversation = :conversation AND messages.deleted IS NULL AND messages.id < :id ORDER BY messages.id DESC
 LIMIT :limit OFFSET :param_1""", 'conversation id limit', {'param_1': 0})
NEWER = Prepared("""SELECT messages.id, messages.sender, messages.type, messages.content, messages.attached, messages.client_id, messages.created, messages.edited, messages.deleted, messages.without_content, messages.position, messages.features, messages.reply_to, messages.thread
FROM messages
WHERE messages.conversation = :conversation AND messages.deleted IS NULL AND messages.id > :id ORDER BY messages.id
 LIMIT :limit OFFSET :param_1""", 'conversation id limit', {'param_1': 0})
PAGE = Prepared("""SELECT messages.id, messages.sender, messages.type, messages.content, messages.attached, messages.client_id, messages.created, messages.edited, messages.deleted, messages.without_content, messages.position, messages.features, messages.reply_to, messages.thread
FROM messages
WHERE messages.conversation = :conversation AND messages.deleted IS NULL ORDER BY messages.id DESC
 LIMIT :limit OFFSET :offset""", 'conversation limit offset')
COUNT = Prepared("""SELECT count(*) AS count_1
FROM messages
WHERE messages.conversation = :conversation AND messages.deleted IS NULL""", 'conversation')
LAST_AMONG = Prepared("""SELECT (SELECT messages.id
FROM messages
WHERE messages.conversation = conversations.id AND messages.deleted IS NULL ORDER BY messages.id DESC
 LIMIT :param_1 OFFSET :param_2) AS last
FROM conversations
WHERE conversations.id IN (SELECT CAST(anon_1.value AS INTEGER) AS value
FROM json_each(:ids) AS anon_1)""", 'ids', {'param_1': 1, 'param_2': 0})
CURSORS = Prepared("""SELECT users.id, users.created, users.subject, members.cursor
FROM members JOIN users ON users.id = members.user
WHERE members.conversation = :conversation AND members.cursor >= :least ORDER BY users.id""", 'conversation least')
READ_AT = Prepared("""SELECT read_marks.at
FROM read_marks
WHERE read_marks.conversation = :conversation AND read_marks.user = :user AND read_marks.message >= :message ORDER BY read_marks.message
 LIMIT :param_1 OFFSET :param_2""", 'conversation message user', {'param_1': 1, 'param_2': 0})
ADVANCE_CURSOR = Prepared("UPDATE members SET cursor=:cursor, marked=NULL WHERE members.conversation = :in_conversation AND members.user = :of_user AND members.cursor < :cursor", 'cursor cursor in_conversation of_user')
SET_MARK = Prepared("UPDATE members SET marked=CASE WHEN (:mark < members.cursor) THEN :mark ELSE NULL END WHERE members.conversation = :in_conversation AND members.user = :of_user", 'in_conversation mark mark of_user')
ADVANCE_MARK = Prepared("UPDATE members SET marked=CASE WHEN (members.cursor > :cursor) THEN :cursor ELSE NULL END WHERE members.conversation = :in_conversation AND members.user = :of_user AND members.marked < :cursor", 'cursor cursor cursor in_conversation of_user')
BEFORE = Prepared("""SELECT coalesce(max(messages.id), :coalesce_2) AS coalesce_1
FROM messages
WHERE messages.conversation = :conversation AND messages.id < :id""", 'conversation id', {'coalesce_2': 0})
ADD_READ_MARK = Prepared("INSERT INTO read_marks (conversation, user, message, at) VALUES (:conversation, :user, :message, :at)", 'at conversation message user')
LAST_NUMBER = Prepared("""SELECT coalesce(max(messages.id), :coalesce_2) AS coalesce_1
FROM messages
WHERE messages.conversation = :conversation""", 'conversation', {'coalesce_2': 0})
