"""The nouns: what the store keeps, the services work on and the dialects spell. Frozen, and free of any dialect.

Times are milliseconds since 1970. A reference to something else is a Ref, so that every dialect can spell it
without asking the store.
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
    """An account. `name` is unique; `display` is what people read."""

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
    """A user's place in a conversation."""

    user: User
    role: Role
    joined: int


class Attachment(Struct, frozen=True):
    """Something that hangs on a message: a URL, and what it is where the sender said so."""

    url: str
    type: AttachmentType | None = None


class Conversation(Struct, frozen=True):
    """A private conversation of two or a group. `creator` and `peer` are the two sides that pair dialects name.

    `unread`, `last` and `other` (the other one of a private conversation) are as whoever asked sees them.
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
    """What somebody said, with as much of its conversation as every dialect needs to spell it.

    `receiver` is the other one in a private conversation, None in a group. `seen_by` are those who have read it,
    `read_at` the receiver's time. `client_id` is the sender's own name for it. Sent `without_content` (null, beside an
    attachment), the content is empty: only a dialect that documents null shows it as null.
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
    """Something that one user is told. `related` is the id of what it is about, spelt by whoever made it."""

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
    """An upload: its type by content, its size, and what it costs to unlock (None: free)."""

    ref: Ref
    owner: Ref
    conversation: Ref
    name: str
    type: str
    size: int
    created: int
    unlocked: bool = True


class Page(Struct, frozen=True):
    """A list cut to size. `next` says how to go on: before or after what. Numbered pages have a `total`."""

    items: tuple[object, ...]
    limit: int
    next: tuple[Literal["before", "after"], Ref] | None = None
    page: int | None = None
    total: int | None = None


class Tokens(Struct, frozen=True):
    """What a login gives."""

    user: User
    access: str
    refresh: str
    expires_in: int
