"""Printed from chatd/store/statements/attention.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared

AMONG = Prepared("""SELECT attention.user, attention.quiet_from, attention.quiet_until, attention.time_zone, attention.do_not_disturb_until
FROM attention
WHERE attention.user IN (SELECT CAST(anon_1.value AS INTEGER) AS value
FROM json_each(:users) AS anon_1)""", 'users')
SET = Prepared("INSERT INTO attention (user, quiet_from, quiet_until, time_zone, do_not_disturb_until) VALUES (:user, :quiet_from, :quiet_until, :time_zone, :do_not_disturb_until) ON CONFLICT (user) DO UPDATE SET quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until, time_zone = excluded.time_zone, do_not_disturb_until = excluded.do_not_disturb_until", 'do_not_disturb_until quiet_from quiet_until time_zone user')
DELETE = Prepared("DELETE FROM attention WHERE attention.user = :of_user", 'of_user')
THREADS = Prepared("""SELECT thread_levels.conversation, conversations.created, thread_levels.thread, thread_levels.level
FROM thread_levels JOIN conversations ON conversations.id = thread_levels.conversation
WHERE thread_levels.user = :user ORDER BY thread_levels.conversation, thread_levels.thread""", 'user')
THREAD = Prepared("""SELECT thread_levels.level
FROM thread_levels
WHERE thread_levels.user = :user AND thread_levels.conversation = :conversation AND thread_levels.thread = :thread""", 'conversation thread user')
SET_THREAD = Prepared("INSERT INTO thread_levels (user, conversation, thread, level) VALUES (:user, :conversation, :thread, :level) ON CONFLICT (user, conversation, thread) DO UPDATE SET level = excluded.level", 'conversation level thread user')
DELETE_THREAD = Prepared("DELETE FROM thread_levels WHERE thread_levels.user = :of_user AND thread_levels.conversation = :in_conversation AND thread_levels.thread = :of_thread", 'in_conversation of_thread of_user')
DELETE_THREADS = Prepared("DELETE FROM thread_levels WHERE thread_levels.user = :of_user AND thread_levels.conversation = :in_conversation", 'in_conversation of_user')
