"""Printed from chatd/store/statements/moderation.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared

BLOCK = Prepared("INSERT INTO blocks (user, blocked, at) VALUES (:user, :blocked, :at)", 'at blocked user')
UNBLOCK = Prepared("DELETE FROM blocks WHERE blocks.user = :by_user AND blocks.blocked = :of_user", 'by_user of_user')
IS_BLOCKED = Prepared("""SELECT blocks.at
FROM blocks
WHERE blocks.user = :by_user AND blocks.blocked = :of_user""", 'by_user of_user')
BLOCKED = Prepared("""SELECT users.id, users.created, users.subject, users.name, users.display, users.email, users.avatar, users.status, users.admin, users.disabled, blocks.at
FROM blocks JOIN users ON users.id = blocks.blocked
WHERE blocks.user = :user ORDER BY blocks.at, blocks.blocked""", 'user')
SET_BLOCKED = Prepared("UPDATE conversations SET blocked=:set_blocked WHERE conversations.id = :conversation", 'conversation set_blocked')
ADD_REPORT = Prepared("INSERT INTO reports (id, message, conversation, reporter, sender, content, reason, created, closed) VALUES (:id, :message, :conversation, :reporter, :sender, :content, :reason, :created, :closed)", 'closed content conversation created id message reason reporter sender')
FIND_REPORT = Prepared("""SELECT reports.id
FROM reports
WHERE reports.message = :message AND reports.reporter = :reporter""", 'message reporter')
REPORT = Prepared("""SELECT reports.id, reports.message, reports.conversation, reports.content, reports.reason, reports.created, reports.closed, reporter.id AS id_1, reporter.created AS created_1, reporter.subject, reporter.name, reporter.display, reporter.email, reporter.avatar, reporter.status, reporter.admin, reporter.disabled, sender.id AS id_2, sender.created AS created_2, sender.subject AS subject_1, sender.name AS name_1, sender.display AS display_1, sender.email AS email_1, sender.avatar AS avatar_1, sender.status AS status_1, sender.admin AS admin_1, sender.disabled AS disabled_1
FROM reports JOIN users AS reporter ON reporter.id = reports.reporter JOIN users AS sender ON sender.id = reports.sender
WHERE reports.id = :id""", 'id')
CLOSE_REPORT = Prepared("UPDATE reports SET closed=:closed WHERE reports.id = :report", 'closed report')
REPORTS_BEFORE = Prepared("""SELECT reports.id, reports.message, reports.conversation, reports.content, reports.reason, reports.created, reports.closed, reporter.id AS id_1, reporter.created AS created_1, reporter.subject, reporter.name, reporter.display, reporter.email, reporter.avatar, reporter.status, reporter.admin, reporter.disabled, sender.id AS id_2, sender.created AS created_2, sender.subject AS subject_1, sender.name AS name_1, sender.display AS display_1, sender.email AS email_1, sender.avatar AS avatar_1, sender.status AS status_1, sender.admin AS admin_1, sender.disabled AS disabled_1
FROM reports JOIN users AS reporter ON reporter.id = reports.reporter JOIN users AS sender ON sender.id = reports.sender
WHERE reports.id < :number ORDER BY reports.id DESC
 LIMIT :limit OFFSET :param_1""", 'limit number', {'param_1': 0})
REPORTS_AFTER = Prepared("""SELECT reports.id, reports.message, reports.conversation, reports.content, reports.reason, reports.created, reports.closed, reporter.id AS id_1, reporter.created AS created_1, reporter.subject, reporter.name, reporter.display, reporter.email, reporter.avatar, reporter.status, reporter.admin, reporter.disabled, sender.id AS id_2, sender.created AS created_2, sender.subject AS subject_1, sender.name AS name_1, sender.display AS display_1, sender.email AS email_1, sender.avatar AS avatar_1, sender.status AS status_1, sender.admin AS admin_1, sender.disabled AS disabled_1
FROM reports JOIN users AS reporter ON reporter.id = reports.reporter JOIN users AS sender ON sender.id = reports.sender
WHERE reports.id > :number ORDER BY reports.id
 LIMIT :limit OFFSET :param_1""", 'limit number', {'param_1': 0})
OPEN_BEFORE = Prepared("""SELECT reports.id, reports.message, reports.conversation, reports.content, reports.reason, reports.created, reports.closed, reporter.id AS id_1, reporter.created AS created_1, reporter.subject, reporter.name, reporter.display, reporter.email, reporter.avatar, reporter.status, reporter.admin, reporter.disabled, sender.id AS id_2, sender.created AS created_2, sender.subject AS subject_1, sender.name AS name_1, sender.display AS display_1, sender.email AS email_1, sender.avatar AS avatar_1, sender.status AS status_1, sender.admin AS admin_1, sender.disabled AS disabled_1
FROM reports JOIN users AS reporter ON reporter.id = reports.reporter JOIN users AS sender ON sender.id = reports.sender
WHERE reports.closed IS NULL AND reports.id < :number ORDER BY reports.id DESC
 LIMIT :limit OFFSET :param_1""", 'limit number', {'param_1': 0})
OPEN_AFTER = Prepared("""SELECT reports.id, reports.message, reports.conversation, reports.content, reports.reason, reports.created, reports.closed, reporter.id AS id_1, reporter.created AS created_1, reporter.subject, reporter.name, reporter.display, reporter.email, reporter.avatar, reporter.status, reporter.admin, reporter.disabled, sender.id AS id_2, sender.created AS created_2, sender.subject AS subject_1, sender.name AS name_1, sender.display AS display_1, sender.email AS email_1, sender.avatar AS avatar_1, sender.status AS status_1, sender.admin AS admin_1, sender.disabled AS disabled_1
FROM reports JOIN users AS reporter ON reporter.id = reports.reporter JOIN users AS sender ON sender.id = reports.sender
WHERE reports.closed IS NULL AND reports.id > :number ORDER BY reports.id
 LIMIT :limit OFFSET :param_1""", 'limit number', {'param_1': 0})
ADD_AUDIT = Prepared("INSERT INTO audit (id, at, actor, action, conversation, user, detail) VALUES (:id, :at, :actor, :action, :conversation, :user, :detail)", 'action actor at conversation detail id user')
AUDIT_BEFORE = Prepared("""SELECT audit.id, audit.at, audit.actor, users.name, audit.action, audit.conversation, audit.user, audit.detail
FROM audit LEFT OUTER JOIN users ON users.id = audit.actor
WHERE audit.id < :number ORDER BY audit.id DESC
 LIMIT :limit OFFSET :param_1""", 'limit number', {'param_1': 0})
AUDIT_AFTER = Prepared("""SELECT audit.id, audit.at, audit.actor, users.name, audit.action, audit.conversation, audit.user, audit.detail
FROM audit LEFT OUTER JOIN users ON users.id = audit.actor
WHERE audit.id > :number ORDER BY audit.id
 LIMIT :limit OFFSET :param_1""", 'limit number', {'param_1': 0})
