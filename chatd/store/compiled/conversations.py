"""Printed from chatd/store/statements/conversations.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared

CONVERSATION_WIDTH = 14
BY_ID = Prepared("""SELECT conversations.id, conversations.created, conversations.kind, conversations.creator, creator.created AS created_1, creator.subject, conversations.peer, peer.created AS created_2, peer.subject AS subject_1, conversations.title, conversations.topic, conversations.avatar, conversations.public, conversations.blocked
FROM conversations JOIN users AS creator ON creator.id = conversations.creator LEFT OUTER JOIN users AS peer ON peer.id = conversations.peer
WHERE conversations.id = :conversation""", 'conversation')
REF = Prepared("""SELECT conversations.id, conversations.created
FROM conversations
WHERE conversations.id = :conversation AND (EXISTS (SELECT *
FROM members
WHERE members.conversation = conversations.id))""", 'conversation')
FIND_PRIVATE = Prepared("""SELECT conversations.id
FROM conversations
WHERE conversations.peer IS NOT NULL AND min(conversations.creator, conversations.peer) = :low AND max(conversations.creator, conversations.peer) = :high""", 'high low')
INSERT = Prepared("INSERT INTO conversations (id, kind, title, creator, peer, created, topic, public) VALUES (:id, :kind, :title, :creator, :peer, :created, :topic, :public)", 'created creator id kind peer public title topic')
ADD_MEMBER = Prepared("INSERT INTO members (conversation, user, role, joined, cursor, began) VALUES (:conversation, :user, :role, :joined, :cursor, :began)", 'began conversation cursor joined role user')
SET_DETAILS = Prepared("UPDATE conversations SET title=:title, topic=:topic, avatar=:avatar, public=:public WHERE conversations.id = :conversation", 'avatar conversation public title topic')
BAN = Prepared("INSERT INTO bans (conversation, user, maker, at) VALUES (:conversation, :user, :maker, :at)", 'at conversation maker user')
UNBAN = Prepared("DELETE FROM bans WHERE bans.conversation = :conversation AND bans.user = :user", 'conversation user')
IS_BANNED = Prepared("""SELECT bans.at
FROM bans
WHERE bans.conversation = :conversation AND bans.user = :user""", 'conversation user')
BANNED = Prepared("""SELECT users.id, users.created, users.subject, users.name, users.display, users.email, users.avatar, users.status, users.admin, users.disabled, maker.id AS id_1, maker.created AS created_1, bans.at
FROM bans JOIN users ON users.id = bans.user JOIN users AS maker ON maker.id = bans.maker
WHERE bans.conversation = :conversation ORDER BY bans.at, bans.user""", 'conversation')
PUBLIC = Prepared("""SELECT conversations.id, conversations.created, conversations.kind, conversations.creator, creator.created AS created_1, creator.subject, conversations.peer, peer.created AS created_2, peer.subject AS subject_1, conversations.title, conversations.topic, conversations.avatar, conversations.public, conversations.blocked
FROM conversations JOIN users AS creator ON creator.id = conversations.creator LEFT OUTER JOIN users AS peer ON peer.id = conversations.peer
WHERE conversations.public = :public_1 AND conversations.id < :before AND instr(lower(coalesce(conversations.title, :coalesce_1)), :query) > :param_1 AND (EXISTS (SELECT *
FROM members
WHERE members.conversation = conversations.id)) ORDER BY conversations.id DESC
 LIMIT :limit OFFSET :param_2""", 'before limit query', {'public_1': 1, 'coalesce_1': '', 'param_1': 0, 'param_2': 0})
REMOVE_MEMBER = Prepared("DELETE FROM members WHERE members.conversation = :conversation AND members.user = :user", 'conversation user')
DELETE_MARKS = Prepared("DELETE FROM read_marks WHERE read_marks.conversation = :conversation AND read_marks.user = :user", 'conversation user')
SET_ROLE = Prepared("UPDATE members SET role=:role WHERE members.conversation = :in_conversation AND members.user = :of_user", 'in_conversation of_user role')
MEMBERS = Prepared("""SELECT users.id, users.created, users.subject, users.name, users.display, users.email, users.avatar, users.status, users.admin, users.disabled, members.role, members.joined
FROM members JOIN users ON users.id = members.user
WHERE members.conversation = :conversation ORDER BY members.joined, members.user""", 'conversation')
MEMBER_NAMES = Prepared("""SELECT json_group_object(users.name, users.id) AS json_object_1
FROM users JOIN members ON members.user = users.id
WHERE members.conversation = :conversation""", 'conversation')
MEMBER_REFS = Prepared("""SELECT members.conversation, users.id, users.created, users.subject
FROM members JOIN users ON users.id = members.user
WHERE members.conversation IN (SELECT CAST(anon_1.value AS INTEGER) AS value
FROM json_each(:conversations) AS anon_1) ORDER BY members.conversation, members.joined, members.user""", 'conversations')
COUNT_MEMBERS = Prepared("""SELECT count(*) AS count_1
FROM members
WHERE members.conversation = :conversation""", 'conversation')
OF_USER = Prepared("""SELECT members.conversation
FROM members
WHERE members.user = :user""", 'user')
NEWEST = Prepared("""SELECT conversations.id, conversations.created, conversations.kind, conversations.creator, creator.created AS created_1, creator.subject, conversations.peer, peer.created AS created_2, peer.subject AS subject_1, conversations.title, conversations.topic, conversations.avatar, conversations.public, conversations.blocked, members.role, coalesce((SELECT max(messages.id) AS max_1
FROM messages
WHERE messages.conversation = members.conversation), :param_1) AS recency
FROM conversations JOIN users AS creator ON creator.id = conversations.creator LEFT OUTER JOIN users AS peer ON peer.id = conversations.peer JOIN members ON members.conversation = conversations.id
WHERE members.user = :user ORDER BY coalesce((SELECT max(messages.id) AS max_1
FROM messages
WHERE messages.conversation = members.conversation), :param_1) DESC, conversations.id DESC
 LIMIT :limit OFFSET :offset""", 'limit offset user', {'param_1': 0})
OLDER = Prepared("""SELECT conversations.id, conversations.created, conversations.kind, conversations.creator, creator.created AS created_1, creator.subject, conversations.peer, peer.created AS created_2, peer.subject AS subject_1, conversations.title, conversations.topic, conversations.avatar, conversations.public, conversations.blocked, members.role, coalesce((SELECT max(messages.id) AS max_1
FROM messages
WHERE messages.conversation = members.conversation), :param_1) AS recency
FROM conversations JOIN users AS creator ON creator.id = conversations.creator LEFT OUTER JOIN users AS peer ON peer.id = conversations.peer JOIN members ON members.conversation = conversations.id
WHERE members.user = :user AND (coalesce((SELECT max(messages.id) AS max_1
FROM messages
WHERE messages.conversation = members.conversation), :param_1) < :recency OR coalesce((SELECT max(messages.id) AS max_1
FROM messages
WHERE messages.conversation = members.conversation), :param_1) = :recency AND conversations.id < :id) ORDER BY coalesce((SELECT max(messages.id) AS max_1
FROM messages
WHERE messages.conversation = members.conversation), :param_1) DESC, conversations.id DESC
 LIMIT :limit OFFSET :param_2""", 'id limit recency recency user', {'param_1': 0, 'param_2': 0})
NEWER = Prepared("""SELECT conversations.id, conversations.created, conversations.kind, conversations.creator, creator.created AS created_1, creator.subject, conversations.peer, peer.created AS created_2, peer.subject AS subject_1, conversations.title, conversations.topic, conversations.avatar, conversations.public, conversations.blocked, members.role, coalesce((SELECT max(messages.id) AS max_1
FROM messages
WHERE messages.conversation = members.conversation), :param_1) AS recency
FROM conversations JOIN users AS creator ON creator.id = conversations.creator LEFT OUTER JOIN users AS peer ON peer.id = conversations.peer JOIN members ON members.conversation = conversations.id
WHERE members.user = :user AND (coalesce((SELECT max(messages.id) AS max_1
FROM messages
WHERE messages.conversation = members.conversation), :param_1) > :recency OR coalesce((SELECT max(messages.id) AS max_1
FROM messages
WHERE messages.conversation = members.conversation), :param_1) = :recency AND conversations.id > :id) ORDER BY coalesce((SELECT max(messages.id) AS max_1
FROM messages
WHERE messages.conversation = members.conversation), :param_1), conversations.id
 LIMIT :limit OFFSET :param_2""", 'id limit recency recency user', {'param_1': 0, 'param_2': 0})
COUNT_OF_USER = Prepared("""SELECT count(*) AS count_1
FROM members
WHERE members.user = :user""", 'user')
FIND_OWN = Prepared("""SELECT conversations.id
FROM conversations JOIN members ON members.conversation = conversations.id
WHERE members.user = :user AND lower(conversations.title) = :title ORDER BY conversations.id
 LIMIT :param_1 OFFSET :param_2""", 'title user', {'param_1': 1, 'param_2': 0})
FIND_GROUP = Prepared("""SELECT conversations.id, conversations.created, users.id AS id_1, users.created AS created_1, users.subject
FROM conversations JOIN members ON members.conversation = conversations.id JOIN users ON users.id = members.user
WHERE conversations.kind = :kind_1 AND conversations.title = :title AND members.role = :role_1 ORDER BY conversations.id
 LIMIT :param_1 OFFSET :param_2""", 'title', {'kind_1': 'group', 'role_1': 'owner', 'param_1': 1, 'param_2': 0})
IS_MEMBER = Prepared("""SELECT EXISTS (SELECT *
FROM members
WHERE members.conversation = :conversation AND members.user = :user) AS anon_1""", 'conversation user')
MEMBERSHIPS = Prepared("""SELECT conversations.id, conversations.created, conversations.kind, conversations.creator, creator.created AS created_1, creator.subject, conversations.peer, peer.created AS created_2, peer.subject AS subject_1, conversations.title, conversations.topic, conversations.avatar, conversations.public, conversations.blocked, members.role
FROM conversations JOIN users AS creator ON creator.id = conversations.creator LEFT OUTER JOIN users AS peer ON peer.id = conversations.peer JOIN members ON members.conversation = conversations.id
WHERE members.user = :user AND conversations.id IN (SELECT CAST(anon_1.value AS INTEGER) AS value
FROM json_each(:ids) AS anon_1) ORDER BY conversations.id DESC""", 'ids user')
MEMBERSHIP = Prepared("""SELECT conversations.id, conversations.created, conversations.kind, conversations.creator, creator.created AS created_1, creator.subject, conversations.peer, peer.created AS created_2, peer.subject AS subject_1, conversations.title, conversations.topic, conversations.avatar, conversations.public, conversations.blocked, members.role
FROM conversations JOIN users AS creator ON creator.id = conversations.creator LEFT OUTER JOIN users AS peer ON peer.id = conversations.peer JOIN members ON members.conversation = conversations.id
WHERE conversations.id = :conversation AND members.user = :user""", 'conversation user')
