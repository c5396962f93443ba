"""The model: what the store keeps, the services change and the dialects write. Frozen, and independent of any dialect.

Times are milliseconds since 1970. A reference to another object is a Ref, so that every dialect can write its id
without a query.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from protocol.ids import Ref

Kind: TypeAlias = Literal["private", "group"]
Role: TypeAlias = Literal["owner", "admin", "member"]
Level: TypeAlias = Literal["all", "mentions", "none"]
ThreadLevel: TypeAlias = Literal["all", "mentions", "default"]
Visibility: TypeAlias = Literal["private", "public"]
MessageType: TypeAlias = Literal["text", "image", "file"]
AttachmentType: TypeAlias = Literal["IMAGE", "PDF"]


class User(Struct, frozen=True):
    """An account. `name` is unique; `display` is the name that clients show."""

    ref: Ref
    name: str
    display: str | None
    email: str | None
    avatar: str | None
    status: str | None
    created: int
    admin: bool = False
    disabled: bool = False


class Member(Struct, frozen=True):
    """The membership of a user in a conversation."""

    user: User
    role: Role
    joined: int


class Ban(Struct, frozen=True):
    """A user who may not become a member of a group again, who decided it, and when."""

    user: User
    by: Ref
    at: int


class Block(Struct, frozen=True):
    """A user whom the caller has blocked, and when."""

    user: User
    at: int


class Report(Struct, frozen=True):
    """A message that a user reported to the administrators, with its content at that time."""

    ref: Ref
    message: Ref
    conversation: Ref
    reporter: User
    sender: User
    content: str
    reason: str
    created: int
    closed: int | None


class AuditEntry(Struct, frozen=True):
    """What an administrator or a member with a role did. The shell is the actor 0."""

    ref: Ref
    at: int
    actor: int
    actor_name: str | None
    action: str
    conversation: int | None
    user: int | None
    detail: str | None


class Device(Struct, frozen=True):
    """A device on which a user is signed in. `name` is what it says of itself; `current` is the caller's."""

    id: str
    name: str | None
    created: int
    used: int
    expires: int
    current: bool


class InviteInfo(Struct, frozen=True):
    """An invite that can be used. `token` is known only when it is made."""

    ref: Ref
    uses: int
    admin: bool
    expires: int
    created: int
    token: str | None = None


class File(Struct, frozen=True):
    """An uploaded file. `type` is the media type of its content, `size` is in bytes; a picture has width and height.

    Only its owner and users for whom it was unlocked may download a `locked` file; `price` says what unlocks it.
    """

    ref: Ref
    owner: int
    name: str
    type: str
    size: int
    digest: str
    created: int
    width: int | None = None
    height: int | None = None
    locked: bool = False
    price: str | None = None

    @property
    def url(self) -> str:
        return f"/files/{self.ref.number}"

    @property
    def thumbnail_url(self) -> str | None:
        return None if self.width is None else f"{self.url}/thumbnail"


class Upload(Struct, frozen=True):
    """An upload that may go on after a break. `file` is set when it is complete.

    While a piece with a checksum arrives, `checked` is where the piece begins: an unfinished piece is cut off there.
    """

    id: str
    owner: int
    name: str
    size: int
    expires: int
    file: int | None = None
    checked: int | None = None


class Attachment(Struct, frozen=True):
    """An attachment of a message: a URL, and its type if the sender gives one. `file` is set if it is a file here."""

    url: str
    type: AttachmentType | None = None
    file: File | None = None


class Quote(Struct, frozen=True):
    """The message that a reply answers. `excerpt` is the beginning of its content, None when it is deleted."""

    ref: Ref
    sender: User
    excerpt: str | None


class ThreadSummary(Struct, frozen=True):
    """Of the message that began a thread: how many messages the thread has, and when the last one was sent."""

    count: int
    last: int


class Reaction(Struct, frozen=True):
    """One emoji under a message, and the users who reacted with it, in the order of their reactions."""

    emoji: str
    users: tuple[Ref, ...]


class Mention(Struct, frozen=True):
    """A user whom a message mentions, and the name as it is in the content. `user` is None for all members."""

    user: Ref | None
    text: str


class MessageFeatures(Struct, frozen=True):
    """What few messages have. `thread` is the message that began the thread of this message, `replies` sums up the
    thread that this message began."""

    reply_to: Quote | None = None
    thread: Ref | None = None
    replies: ThreadSummary | None = None
    reactions: tuple[Reaction, ...] = ()
    mentions: tuple[Mention, ...] = ()
    pinned: bool = False
    forwarded: bool = False


NO_FEATURES = MessageFeatures()


class Preferences(Struct, frozen=True):
    """What a member prefers in a conversation. `level` says which messages make notifications; until `muted_until`,
    only those that `level` "mentions" lets through do."""

    level: Level = "all"
    muted_until: int | None = None
    archived: bool = False
    draft: str = ""


class QuietHours(Struct, frozen=True):
    """The hours of each day without alerts: minutes after midnight in a time zone. They may go over midnight."""

    start: int
    end: int
    time_zone: str


class Attention(Struct, frozen=True):
    """When a user wants no alerts."""

    quiet_hours: QuietHours | None = None
    do_not_disturb_until: int | None = None


class ThreadPreference(Struct, frozen=True):
    """Of which messages of a thread a member is notified: "default" is as in the conversation."""

    conversation: Ref
    thread: Ref
    level: ThreadLevel


class OwnState(Struct, frozen=True):
    """What a conversation is to the caller: the role, the unread messages, and the last message that is read."""

    role: Role
    unread: int
    mentions: int
    read_to: int
    preferences: Preferences = Preferences()


class Conversation(Struct, frozen=True):
    """A private conversation of two users, or a group. `peer` is the other member of a private conversation, who did
    not create it. Any user may find and join a `public` group.

    `unread`, `last` (the last message), `other` (the other user of a private conversation) and `own` depend on the
    caller. Events have no `own`.
    """

    ref: Ref
    kind: Kind
    title: str | None
    creator: Ref
    peer: Ref | None
    members: tuple[Ref, ...]
    created: int
    unread: int = 0
    last: Message | None = None
    other: User | None = None
    topic: str | None = None
    avatar: str | None = None
    public: bool = False
    own: OwnState | None = None


class Message(Struct, frozen=True):
    """A message, with the attributes of its conversation that the dialects need to write it.

    `receiver` is the other user in a private conversation, None in a group. `seen_by` are the users who have read it,
    `read_at` is when the receiver read it. `client_id` is the id that the sender gave it. With `without_content` it was
    sent with null beside an attachment: the content is empty, and a dialect that documents null writes null.
    `position` is the position of its event in the log.
    """

    ref: Ref
    conversation: Ref
    kind: Kind
    creator: Ref
    peer: Ref | None
    sender: User
    receiver: Ref | None
    type: MessageType
    content: str
    attachments: tuple[Attachment, ...]
    client_id: str | None
    created: int
    edited: int | None = None
    seen_by: tuple[Ref, ...] = ()
    read_at: int | None = None
    without_content: bool = False
    features: MessageFeatures = NO_FEATURES
    position: int = 0


class Notification(Struct, frozen=True):
    """A notification for one user. `related` is the id of its subject: a Ref, or the text that its creator sent."""

    ref: Ref
    user: Ref
    type: str
    title: str
    content: str
    read: bool
    related: Ref | str | None
    created: int
    extra: dict[str, object] | UnsetType = UNSET


class Page(Struct, frozen=True):
    """A page of a list. `next` is the cursor of the next page: before or after an item. A numbered page has `total`."""

    items: tuple[object, ...]
    limit: int
    next: tuple[Literal["before", "after"], Ref] | None = None
    page: int | None = None
    total: int | None = None


class MemberList(Struct, frozen=True):
    """The members of a conversation."""

    conversation: Ref
    members: tuple[Member, ...]


class SyncState(Struct, frozen=True):
    """What a client needs to draw itself, as of a position: events after it do the rest.

    Without `complete` it has only the conversations that have changed. `removed` are conversations that the user is no
    longer a member of. `online` are the users in these conversations who are online.
    """

    epoch: str
    position: int
    complete: bool
    me: User
    conversations: Page
    removed: tuple[int, ...]
    members: tuple[MemberList, ...]
    unread_notifications: int
    attention: Attention = Attention()
    online: tuple[Ref, ...] = ()


class TextMark(Struct, frozen=True):
    """A place in a text: the first character, and the one after the last."""

    start: int
    end: int


class SearchHit(Struct, frozen=True):
    """A message that a search found, a part of its content, and the places in this part that were searched for."""

    ref: Ref
    message: Message
    snippet: str
    marks: tuple[TextMark, ...]


class Tokens(Struct, frozen=True):
    """The result of a login. `expires_in` is the lifetime of the access token in seconds."""

    user: User
    access: str
    refresh: str
    expires_in: int
