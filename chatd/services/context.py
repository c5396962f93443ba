"""What a service works with, and the table of who may do what.

A service is a plain function `(work, command) → result`, run inside a transaction on the store's own thread, and maybe
more than once. It changes the database through `work.tx`, says what happened with `work.tell`, and says no by raising
a Refusal. It never touches a socket: what it told is published after the commit, by dispatch.

Who may: SCOPES names what is not for everybody. ROLES names for each command the least role that the asker must have
in the conversation that it is about. An asker without a role is refused with NoAccess, for the conversation and for
everything in it: each dialect documents whether that reads as FORBIDDEN or as if nothing were there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec import Struct

from chatd.services.event_records import record
from chatd.store.queries import conversations, messages, users
from chatd.store.queries.conversations import Membership
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol import commands as ask
from protocol.commands import Command
from protocol.errors import AUTH_INVALID, FORBIDDEN, NOT_FOUND, NoAccess, Refusal
from protocol.events import Event
from protocol.ids import Key, Ref
from protocol.model import Message, Role, User

RANK: dict[str, int] = {"member": 0, "admin": 1, "owner": 2}

ROLES: dict[type[Command], Role] = {
    ask.GetConversation: "member",
    ask.DeleteConversation: "owner",
    ask.Join: "member",
    ask.Leave: "member",
    ask.SetTyping: "member",
    ask.ListMembers: "member",
    ask.AddMember: "admin",
    ask.RemoveMember: "admin",  # and everybody may remove themselves
    ask.SendMessage: "member",
    ask.GetMessage: "member",
    ask.EditMessage: "member",  # and it must be one's own
    ask.DeleteMessage: "member",  # and it must be one's own; or one is an admin, and the conversation is a group
    ask.ReadMessage: "member",
    ask.ReadConversation: "member",
    ask.ListMessages: "member",
}


SCOPES: dict[type[Command], str] = {
    ask.CreateNotification: "notify",
    ask.Broadcast: "broadcast",
}
"""What only administrators may, and services whose token has that scope. A service may nothing else."""


class Actor(Struct, frozen=True):
    """Who asks: a user, until `expires` (seconds since 1970); or with `scopes` a service, which is nobody.

    `since` counts the changes of accounts that had been made when this was read: the doorman knows what came after.
    `sid` is the session of an own account that the token belongs to.
    """

    ref: Ref
    name: str
    admin: bool = False
    expires: float = float("inf")
    issued: float = 0.0
    scopes: frozenset[str] | None = None
    since: int = 0
    sid: str | None = None

    @property
    def id(self) -> int:
        return self.ref.number

    def is_named(self, key: Key) -> bool:
        """Whether that is this user's id, in any spelling."""
        return key.number == self.id or (key.text is not None and key.text == self.ref.subject)


def authorise(actor: Actor, command: Command) -> None:
    """Hold a command to SCOPES. Roles are held inside the transaction, by `Work.place`."""
    scope = SCOPES.get(type(command))
    if actor.scopes is not None and scope not in actor.scopes:
        raise Refusal(FORBIDDEN, f"This token may not do that ({', '.join(sorted(actor.scopes)) or 'nothing'} only)")
    if scope is not None and actor.scopes is None and not actor.admin:
        raise Refusal(FORBIDDEN, "Only an administrator or a service may do that")


class ServiceRules(Struct, frozen=True):
    """The limits that services hold (settings of [limits]; 0 is no limit)."""

    text: int = 10_000
    attachments: int = 10
    members: int = 1_000
    page: int = 20
    page_most: int = 200
    page_bytes: int = 1 << 20


class Published(NamedTuple):
    """An event and its position; None for one that is not in the log."""

    event: Event
    position: int | None


class Completed(NamedTuple):
    """What a unit of work came to: the asker's answer, and what everybody is told."""

    result: Any
    published: list[Published]


class ServiceContext:
    """One command being carried out in a transaction."""

    __slots__ = ("actor", "published", "rules", "tx")

    def __init__(self, tx: Transaction, actor: Actor, rules: ServiceRules) -> None:
        self.tx = tx
        self.actor = actor
        self.rules = rules
        self.published: list[Published] = []

    def publish(self, event: Event) -> None:
        """Say that something happened. A durable event gets its position here, in this transaction."""
        self.published.append(Published(event, record(self.tx, event) if event.durable else None))

    # Finding things, as far as the actor may see them

    def membership(self, command: Command, key: Key, noun: str = "Conversation") -> Membership:
        """The actor's place in a conversation, if its role is enough for the command."""
        place = conversations.membership(self.tx, key.number, self.actor.id) if key.number else None
        if place is None or not key.matches(*place.conversation[:2]):
            raise self.unseen(key, noun)
        self.require_role(place, ROLES[type(command)])
        return place

    def unseen(self, key: Key, noun: str = "Conversation") -> Refusal:
        """Why the actor has no place in a conversation: it is not theirs, or nothing is there."""
        ref = conversations.ref(self.tx, key.number) if key.number else None
        return missing(noun) if ref is None or not key.matches(*ref[:2]) else NoAccess(noun)

    def require_role(self, place: Membership, role: Role) -> None:
        if RANK[place.role] < RANK[role]:
            raise Refusal(FORBIDDEN, f"Only the {role} of a conversation may do that")

    def message(self, command: Command, key: Key) -> tuple[Message, Membership]:
        """A message that the actor may see, and the place that they see it from."""
        found = messages.get(self.tx, key.number) if key.number else None
        if found is None or not key.matches(*found.ref[:2]):
            raise missing("Message")
        return found, self.membership(command, Key(found.conversation.number), "Message")

    def user(self, key: Key) -> User:
        return find_user(self.tx, key)

    def me(self) -> User:
        found = users.by_id(self.tx, self.actor.id)
        if found is None or found.disabled:
            raise Refusal(AUTH_INVALID, "This account is closed")
        return found


Service = Callable[[ServiceContext, Any], Any]


def find_user(tx: ReadTransaction, key: Key) -> User:
    """A user by any spelling: one's own subject comes before what the digits would mean here."""
    found = users.by_subject(tx, key.text) if key.text else None
    if found is None and key.number:
        found = users.by_id(tx, key.number)
        if found is not None and not key.matches(*found.ref[:2]):
            found = None
    if found is None or found.disabled:
        raise missing("User")
    return found


def missing(noun: str) -> Refusal:
    return Refusal(NOT_FOUND, f"{noun} not found")
