"""Printed from chatd/store/statements/preferences.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared

OF_CONVERSATIONS = Prepared("""SELECT preferences.conversation, preferences.level, preferences.muted_until, preferences.archived, preferences.draft
FROM preferences
WHERE preferences.user = :user AND preferences.conversation IN (SELECT CAST(anon_1.value AS INTEGER) AS value
FROM json_each(:ids) AS anon_1)""", 'ids user')
SET = Prepared("INSERT INTO preferences (user, conversation, level, muted_until, archived, draft) VALUES (:user, :conversation, :level, :muted_until, :archived, :draft) ON CONFLICT (user, conversation) DO UPDATE SET level = excluded.level, muted_until = excluded.muted_until, archived = excluded.archived, draft = excluded.draft", 'archived conversation draft level muted_until user')
DELETE = Prepared("DELETE FROM preferences WHERE preferences.user = :of_user AND preferences.conversation = :in_conversation", 'in_conversation of_user')
