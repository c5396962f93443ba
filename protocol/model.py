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


class Attachment(Struct, frozen=True):
    """An attachment of a message: a URL, and its type if the sender gives one."""

    url: str
    type: AttachmentType | None = None


class Conversation(Struct, frozen=True):
    """A private conversation of two users, or a group. `peer` is the other member of a private conversation, who did
    not create it.

    `unread`, `last` (the last message) and `other` (the other user of a private conversation) depend on the caller.
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


class Message(Struct, frozen=True):
    """A message, with the attributes of its conversation that the dialects need to write it.

    `receiver` is the other user in a private conversation, None in a group. `seen_by` are the users who have read it,
    `read_at` is when the receiver read it. `client_id` is the id that the sender gave it. With `without_content` it was
    sent with null beside an attachment: the content is empty, and a dialect that documents null writes null.
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


class File(Struct, frozen=True):
    """An uploaded file. `type` is the media type of its content, `size` is in bytes."""

    ref: Ref
    owner: Ref
    conversation: Ref
    name: str
    type: str
    size: int
    created: int
    unlocked: bool = True


class Page(Struct, frozen=True):
    """A page of a list. `next` is the cursor of the next page: before or after an item. A numbered page has `total`."""

    items: tuple[object, ...]
    limit: int
    next: tuple[Literal["before", "after"], Ref] | None = None
    page: int | None = None
    total: int | None = None


class Tokens(Struct, frozen=True):
    """The result of a login. `expires_in` is the lifetime of the access token in seconds."""

    user: User
    access: str
    refresh: str
    expires_in: int
