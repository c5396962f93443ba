"""Messages and their attachments, and the members' cursors (chatd/store/queries/messages.py)."""

from __future__ import annotations

from sqlalchemy import bindparam, case, delete, func, insert, null, select, update

from chatd.store.dialect_functions import json_integers
from chatd.store.statements.conversations import CONVERSATION_COLUMNS, CONVERSATION_WITH_USERS
from chatd.store.statements.rows import Rows
from chatd.store.statements.users import user_columns
from chatd.store.tables import attachments, conversations, members, messages, read_marks, users

_sender = users.alias("sender")
_OWN = [
    messages.c.id,
    messages.c.sender,
    messages.c.type,
    messages.c.content,
    messages.c.attached,
    messages.c.client_id,
    messages.c.created,
    messages.c.edited,
    messages.c.deleted,
    messages.c.without_content,
    messages.c.position,
    messages.c.features,
    messages.c.reply_to,
    messages.c.thread,
]
MESSAGE_WIDTH = len(_OWN)
SENDER_START = MESSAGE_WIDTH + len(CONVERSATION_COLUMNS)
_WITH_CONVERSATION_AND_SENDER = select(*_OWN, *CONVERSATION_COLUMNS, *user_columns(_sender)).select_from(
    messages.join(CONVERSATION_WITH_USERS, conversations.c.id == messages.c.conversation).join(
        _sender, _sender.c.id == messages.c.sender
    )
)
BY_ID = _WITH_CONVERSATION_AND_SENDER.where(messages.c.id == bindparam("id"))
BY_IDS = _WITH_CONVERSATION_AND_SENDER.where(messages.c.id.in_(json_integers("ids")))
BY_CLIENT_ID = select(messages.c.id, messages.c.digest).where(
    messages.c.sender == bindparam("sender"),
    messages.c.conversation == bindparam("conversation"),
    messages.c.client_id == bindparam("client_id"),
)
_COLUMNS = "id conversation sender type content attached client_id digest created without_content"
INSERT = Rows(messages, f"{_COLUMNS} position")
INSERT_WITH_FEATURES = Rows(messages, f"{_COLUMNS} features reply_to thread position")
INSERT_ATTACHMENT = Rows(attachments, "message place url type file")
ATTACHMENTS = (
    select(attachments.c.message, attachments.c.url, attachments.c.type, attachments.c.file)
    .where(attachments.c.message.in_(json_integers("ids")))
    .order_by(attachments.c.message, attachments.c.place)
)
DELETE_ATTACHMENTS = delete(attachments).where(attachments.c.message == bindparam("message"))
EDIT = (
    update(messages)
    .where(messages.c.id == bindparam("message"))
    .values(content=bindparam("content"), edited=bindparam("edited"), without_content=0)
)
DELETE_CONTENT = (
    update(messages)
    .where(messages.c.id == bindparam("message"))
    .values(content="", attached=0, deleted=bindparam("deleted"), features=0)
)
_OF_CONVERSATION = select(*_OWN).where(
    messages.c.conversation == bindparam("conversation"), messages.c.deleted.is_(None)
)
OLDER = _OF_CONVERSATION.where(messages.c.id < bindparam("id")).order_by(messages.c.id.desc()).limit(bindparam("limit"))
NEWER = _OF_CONVERSATION.where(messages.c.id > bindparam("id")).order_by(messages.c.id).limit(bindparam("limit"))
PAGE = _OF_CONVERSATION.order_by(messages.c.id.desc()).limit(bindparam("limit")).offset(bindparam("offset"))
COUNT = select(func.count()).where(messages.c.conversation == bindparam("conversation"), messages.c.deleted.is_(None))
LAST_AMONG = select(
    select(messages.c.id)
    .where(messages.c.conversation == conversations.c.id, messages.c.deleted.is_(None))
    .order_by(messages.c.id.desc())
    .limit(1)
    .correlate(conversations)
    .scalar_subquery()
    .label("last")
).where(conversations.c.id.in_(json_integers("ids")))
CURSORS = (
    select(users.c.id, users.c.created, users.c.subject, members.c.cursor)
    .select_from(members.join(users, users.c.id == members.c.user))
    .where(members.c.conversation == bindparam("conversation"), members.c.cursor >= bindparam("least"))
    .order_by(users.c.id)
)
READ_AT = (
    select(read_marks.c.at)
    .where(
        read_marks.c.conversation == bindparam("conversation"),
        read_marks.c.user == bindparam("user"),
        read_marks.c.message >= bindparam("message"),
    )
    .order_by(read_marks.c.message)
    .limit(1)
)
ADVANCE_CURSOR = (
    update(members)
    .where(
        members.c.conversation == bindparam("in_conversation"),
        members.c.user == bindparam("of_user"),
        members.c.cursor < bindparam("cursor"),
    )
    .values(cursor=bindparam("cursor"), marked=null())
)
SET_MARK = (
    update(members)
    .where(members.c.conversation == bindparam("in_conversation"), members.c.user == bindparam("of_user"))
    .values(marked=case((bindparam("mark") < members.c.cursor, bindparam("mark")), else_=null()))
)
ADVANCE_MARK = (
    update(members)
    .where(
        members.c.conversation == bindparam("in_conversation"),
        members.c.user == bindparam("of_user"),
        members.c.marked < bindparam("cursor"),
    )
    .values(marked=case((members.c.cursor > bindparam("cursor"), bindparam("cursor")), else_=null()))
)
BEFORE = select(func.coalesce(func.max(messages.c.id), 0)).where(
    messages.c.conversation == bindparam("conversation"), messages.c.id < bindparam("id")
)
ADD_READ_MARK = insert(read_marks)
LAST_NUMBER = select(func.coalesce(func.max(messages.c.id), 0)).where(
    messages.c.conversation == bindparam("conversation")
)
