"""What `chatd chat` asks for: membership of a conversation, for a user of the machine that the server runs on.

    chat.open   user, conversation   → {user, name, token, conversation, title, url}

The owner of the control socket may act as any user. A user who does not exist is created, without a password. A
conversation is the title of a group, or `@NAME` for the private conversation with that user. A group that does not
exist is created. Every change of a conversation goes through dispatch, as a command of the user.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import trio

from chatd.admin.arguments import Arguments, call_with
from chatd.admin.control_socket import Handler
from chatd.core.accounts import Accounts
from chatd.core.app import App
from chatd.services import accounts as services
from chatd.services.context import SHELL, Actor, ServiceContext
from chatd.store.queries import conversations, users
from chatd.store.sqlite.transaction import ReadTransaction
from protocol import commands as ask
from protocol.dialects import dialect
from protocol.errors import BAD_REQUEST, NOT_FOUND, Refusal
from protocol.ids import Key, Ref
from protocol.model import User

CHAT_DIALECT = "colon"
TOKEN_SECONDS = 3600.0


class OpenChat(Arguments, frozen=True, kw_only=True):
    user: str
    conversation: str


class ChatAdmin:
    """Opens conversations for `chatd chat`."""

    def __init__(self, app: App, accounts: Accounts, address: str = "") -> None:
        self._app = app
        self._accounts = accounts
        self._address = address
        self._opening = trio.Lock()  # two users who open the same title at once get one group
        self.handlers: Mapping[str, Handler] = {"chat.open": partial(call_with, OpenChat, self.open)}

    async def open(self, arguments: OpenChat) -> dict[str, Any]:
        user = await self._user(arguments.user)
        actor = Actor(user.ref, user.name)
        async with self._opening:
            conversation = await self._conversation(actor, arguments.conversation)
        grant = await self._app.database.read(lambda tx: services.grant_token(tx, user.name))
        return {
            "user": user.ref.number,
            "name": user.name,
            "token": self._accounts.access(grant, TOKEN_SECONDS),
            "conversation": dialect(CHAT_DIALECT).conversation_id.write(conversation),
            "title": arguments.conversation,
            "url": self._app.config.server.public_url or self._address,
        }

    async def _user(self, name: str) -> User:
        found: User | None = await self._app.database.read(lambda tx: _user_named(tx, name))
        if found is not None:
            return found
        account = await self._accounts.new_account(name, None, None, None)

        def unit(context: ServiceContext) -> User:
            return _user_named(context.tx, name) or services.add(context, account)

        return await self._app.dispatch.commit(SHELL, unit)

    async def _conversation(self, actor: Actor, text: str) -> Ref:
        return await (self._private(actor, text[1:]) if text.startswith("@") else self._group(actor, text))

    async def _private(self, actor: Actor, name: str) -> Ref:
        other = await self._app.database.read(lambda tx: _user_named(tx, name))
        if other is None:
            raise Refusal(NOT_FOUND, f"There is no user {name!r}")
        command = ask.CreateConversation(kind="private", members=(Key(other.ref.number),))
        return await self._create(actor, command)

    async def _group(self, actor: Actor, title: str) -> Ref:
        if not title.strip():
            raise Refusal(BAD_REQUEST, "A conversation needs a title", field="conversation")
        found = await self._app.database.read(lambda tx: conversations.find_group(tx, title))
        if found is None:
            return await self._create(actor, ask.CreateConversation(kind="group", members=(), title=title))
        group, owner = found
        if await self._app.database.read(lambda tx: conversations.membership(tx, group.number, actor.id)) is None:
            command = ask.AddMember(conversation=Key(group.number), user=Key(actor.id))
            await self._app.dispatch.request(Actor(owner, ""), command)
        return group

    async def _create(self, actor: Actor, command: ask.CreateConversation) -> Ref:
        ref: Ref = (await self._app.dispatch.request(actor, command)).ref
        return ref


def _user_named(tx: ReadTransaction, name: str) -> User | None:
    account = users.find_account(tx, name=name)
    return None if account is None else account.user
