"""The context of a service, and the tables of the rights that commands require.

A service is a plain function `(context, command) → result`. It runs inside a transaction on the store's own thread, and
it may run more than once. It changes the database through `context.tx` and adds its events with `context.publish`. It
rejects a command by raising a Refusal. A service never uses a socket: dispatch publishes its events after the commit.

Rights: REQUIRED_SCOPES lists the commands that need an administrator or a service token. REQUIRED_ROLES has the lowest
role that the caller must have in the conversation of a command. A caller without a role gets NoAccess, for the
conversation and for everything in it. Each dialect documents whether NoAccess becomes FORBIDDEN or NOT_FOUND.
PUBLIC_COMMANDS lists the commands that need no token.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from chatd.net.proxies import address_block
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

ROLE_RANKS: dict[str, int] = {"member": 0, "admin": 1, "owner": 2}

REQUIRED_ROLES: dict[type[Command], Role] = {
    ask.GetConversation: "member",
    ask.DeleteConversation: "owner",
    ask.Join: "member",
    ask.Leave: "member",
    ask.SetTyping: "member",
    ask.ListMembers: "member",
    ask.AddMember: "admin",
    ask.RemoveMember: "admin",  # but each member may leave
    ask.SendMessage: "member",
    ask.GetMessage: "member",
    ask.EditMessage: "member",  # and the sender of the message
    ask.DeleteMessage: "member",  # and the sender of the message, or an admin of a group
    ask.ReadMessage: "member",
    ask.ReadConversation: "member",
    ask.ListMessages: "member",
    ask.UpdateConversation: "admin",
    ask.LeaveConversation: "member",
    ask.JoinPublicConversation: "member",  # and any user, in a public group
    ask.SetRole: "owner",
    ask.BanMember: "admin",
    ask.UnbanMember: "admin",
    ask.ListBans: "admin",
    ask.MarkUnread: "member",
    ask.ForwardMessage: "member",  # in both conversations
    ask.ListThread: "member",
    ask.SetThreadLevel: "member",
    ask.React: "member",
    ask.Unreact: "member",
    ask.PinMessage: "member",
    ask.UnpinMessage: "member",
    ask.ListPins: "member",
    ask.SetPreferences: "member",
    ask.ReportMessage: "member",
    ask.SendFile: "member",
}


REQUIRED_SCOPES: dict[type[Command], str] = {
    ask.CreateNotification: "notify",
    ask.Broadcast: "broadcast",
    ask.ListReports: "moderate",
    ask.CloseReport: "moderate",
    ask.ListAudit: "moderate",
    ask.CreateInvite: "invite",
    ask.ListInvites: "invite",
    ask.RevokeInvite: "invite",
}
"""Commands for administrators, and for services whose token has the scope. A service may send no other command."""

SERVICE_SCOPES: dict[type[Command], str] = {ask.UnlockFile: "unlock"}
"""Commands for users, which a service may send as well if its token has the scope."""

PUBLIC_COMMANDS: frozenset[type[Command]] = frozenset({ask.Register, ask.Login, ask.Refresh, ask.Logout})
"""Commands that need no token. They are limited by the address of the caller."""


class Actor(Struct, frozen=True):
    """The caller of a command: a user, until `expires` (seconds since 1970).

    With `scopes`, the caller is a service; with `address`, it is a client without a token, known by the network that it
    calls from. Both have no user. `since` is the number of account changes at the time of reading; the Authenticator
    compares it with later changes. `sid` is the session of a local account that the token belongs to.
    """

    ref: Ref
    name: str
    admin: bool = False
    expires: float = float("inf")
    issued: float = 0.0
    scopes: frozenset[str] | None = None
    since: int = 0
    sid: str | None = None
    address: str | None = None
    device: str | None = None

    @property
    def id(self) -> int:
        return self.ref.number

    def is_named(self, key: Key) -> bool:
        """Return whether the key is the id or the subject of this user."""
        return key.number == self.id or (key.text is not None and key.text == self.ref.subject)


SHELL = Actor(Ref(0, 0), "chatd", admin=True)
"""The owner of the data directory, who uses the shell."""


def anonymous(address: str, device: str | None = None) -> Actor:
    """A client without a token. All addresses of one network block count as one. `device` is what it says of itself."""
    return Actor(Ref(0, 0), "", address=address_block(address), device=device)


def authorise(actor: Actor, command: Command) -> None:
    """Check a command against REQUIRED_SCOPES and PUBLIC_COMMANDS.

    `ServiceContext.membership` checks roles, inside the transaction.
    """
    if actor.address is not None and type(command) not in PUBLIC_COMMANDS:
        raise Refusal(AUTH_INVALID, "This needs a token")
    scope = REQUIRED_SCOPES.get(type(command))
    service_scope = scope or SERVICE_SCOPES.get(type(command))
    if actor.scopes is not None and service_scope not in actor.scopes:
        raise Refusal(FORBIDDEN, f"This token may not do that ({', '.join(sorted(actor.scopes)) or 'nothing'} only)")
    if scope is not None and actor.scopes is None and not actor.admin:
        raise Refusal(FORBIDDEN, "Only an administrator or a service may do that")


class ServiceRules(Struct, frozen=True):
    """The limits that services check (settings of [limits] and [files]; 0 means no limit)."""

    max_text_chars: int = 10_000
    max_attachments: int = 10
    max_members: int = 1_000
    default_page_rows: int = 20
    max_page_rows: int = 200
    max_page_bytes: int = 1 << 20
    max_reactions: int = 50
    max_user_file_bytes: int = 0
    max_day_file_bytes: int = 0
    max_total_file_bytes: int = 0
    upload_milliseconds: int = 86_400_000
    max_uploads: int = 100


class Published(NamedTuple):
    """An event and its position. An event outside the log has no position (None)."""

    event: Event
    position: int | None


class Completed(NamedTuple):
    """The result of a unit of work for the caller, and the events to publish."""

    result: Any
    published: list[Published]


class ServiceContext:
    """One command, its caller and its transaction, while a service performs it."""

    __slots__ = ("actor", "published", "rules", "tx")

    def __init__(self, tx: Transaction, actor: Actor, rules: ServiceRules) -> None:
        self.tx = tx
        self.actor = actor
        self.rules = rules
        self.published: list[Published] = []

    def publish(self, event: Event) -> None:
        """Add an event, to be published after the commit. A durable event gets its position here."""
        self.published.append(Published(event, record(self.tx, event) if event.durable else None))

    # Lookups, limited to what the actor may see

    def membership(self, command: Command, key: Key, noun: str = "Conversation") -> Membership:
        """Return the actor's membership in a conversation, after checking its role against REQUIRED_ROLES."""
        membership = conversations.membership(self.tx, key.number, self.actor.id) if key.number else None
        if membership is None or not key.matches(*membership.conversation[:2]):
            raise self.refusal_without_membership(key, noun)
        self.require_role(membership, REQUIRED_ROLES[type(command)])
        return membership

    def refusal_without_membership(self, key: Key, noun: str = "Conversation") -> Refusal:
        """Return NoAccess if the conversation exists, else NOT_FOUND. The actor is not a member."""
        ref = conversations.ref(self.tx, key.number) if key.number else None
        return missing(noun) if ref is None or not key.matches(*ref[:2]) else NoAccess(noun)

    def require_role(self, membership: Membership, role: Role) -> None:
        if ROLE_RANKS[membership.role] < ROLE_RANKS[role]:
            raise Refusal(FORBIDDEN, f"Only the {role} of a conversation may do that")

    def message(self, command: Command, key: Key) -> tuple[Message, Membership]:
        """Return a message that the actor may see, and the actor's membership in its conversation."""
        found = messages.get(self.tx, key.number) if key.number else None
        if found is None or not key.matches(*found.ref[:2]):
            raise missing("Message")
        return found, self.membership(command, Key(found.conversation.number), "Message")

    def user(self, key: Key) -> User:
        return find_user(self.tx, key)

    def me(self) -> User:
        found = users.by_id(self.tx, self.actor.id)
        if found is None or found.disabled:
            raise Refusal(AUTH_INVALID, "This account is disabled")
        return found


ServiceFunction = Callable[[ServiceContext, Any], Any]

T = TypeVar("T")


class Commit(Protocol):
    """Runs a function in a transaction; after the commit, publishes its events and returns its result."""

    def __call__(self, unit: Callable[[ServiceContext], T], /) -> Awaitable[T]: ...


TaskService = Callable[[Actor, Any, Commit], Awaitable[Any]]
"""A service that waits for more than the store, for example for a password's hash. It runs in the caller's task."""


def find_user(tx: ReadTransaction, key: Key) -> User:
    """Find a user by subject or id. If the text is a subject, it is not read as an id."""
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
