"""The language of the dialects. A dialect is a set of tables of these rows, and has hardly any functions.

    Inbound     a request that clients may send: its name, its command, its fields, its reply
    Outbound    an event that clients receive: the event of the core, its name, its shape, its audience
    Route       the same as Inbound, over REST
    CallRow     both at once, for a dialect whose calls have the same fields and replies over every wire
    Shape       the JSON of a part of the model: for each key, the attribute and how it is written
    Field       one field of a request: its name, its type, and the attribute of the command that it sets
    Vocabulary  the Inbound and Outbound rows of one namespace
    ReplyStyle  the acks of success and failure, and the event that reports an error
    Dialect     all of this for one specification

A difference between specifications other than names and shapes has its own entry here:

    positional arguments         Inbound.positional              `pairs` joins with a bare id
    the reply is an event        Inbound.reply_event             `kebab`: message-sent
    the error is an event        Inbound.error_event             `kebab`: message-error
    the next page in the body    PageOf                          `v1`: {items, next}
    a state as confirmation      Inbound.resends                 `inbox`: unread_count after every read_messages
    not to the actor             Outbound.others_only            typing
    one event, several names     Outbound.when                   `kebab`: user:online, user:offline
    events on connect            Vocabulary.initial_events       unread counts, presence
    ... to all of the user       initial_events_to_user          `inbox`: unread_count, to all devices of the user
    no acks                      no_ack, reply_as_ack            `inbox`: none at all; `kebab`: only the documented one
    texts of invalid payloads    ReplyStyle.error_texts          `kebab`: class-validator's
    constant keys                constant(...)                   `pairs`: type "new_message"
    keys of the value itself     extra_keys(...)                 `pairs`: the extra keys of a notification
    either of two fields         Field.unless                    accounts: refreshToken or refresh_token
    the sender in the payload    claimed_user(...)               `kebab`: sender_id
    no access                    Dialect.forbidden_text          `kebab`: Unauthorized to join this conversation
    where the token may be       Dialect.token_in                `inbox`: ?token=
    the user in the query        Dialect.user_id_in_query        `kebab`: ?userId=
    a rejected connection        Dialect.rejects_with            an error, an event, or a plain disconnect
    the format of ids            an IdFormat for each field      integers, ObjectIds, UUIDs
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from protocol.commands import Command
from protocol.errors import FORBIDDEN, NoAccess, Problem, Refusal
from protocol.events import JOINED, Event
from protocol.ids import IdFormat

MAX_PROBLEMS = 10  # in one answer about one payload


# Fields: what clients send


class FieldType(Struct, frozen=True):
    """The type of a field: the JSON type that msgspec checks, its description, and the conversion to the attribute.

    `read` takes the checked JSON value; `read_text` takes the text of a path or a query string. Both raise a Refusal
    for a value that has the JSON type and is still not valid.
    """

    json_type: Any
    expected: str
    read: Callable[[Any], Any]
    read_text: Callable[[str], Any]


class Field(Struct, frozen=True):
    """One field of a request. An optional field may be absent or null: then the default of the command applies.

    With `clears` null is a value: it clears the attribute. A required field with `unless` may be absent where the
    field of that name is present.
    """

    name: str
    type: FieldType
    attribute: str
    required: bool = True
    clears: bool = False
    unless: str | None = None


# Shapes: what clients receive


def unchanged(value: Any) -> Any:
    """The conversion of a value that is valid JSON already."""
    return value


class ShapeValue(Struct, frozen=True):
    """The value of one key of a shape: the path of its attribute, the conversion to JSON, and a description.

    An empty path is the object itself. With `omit_none` the key is absent where the value is None. With `spread` the
    value is a dict: its keys follow all keys of the shape and never replace one. With `keep_none` an attribute that is
    None is null, without a call of `convert`.
    """

    path: str
    convert: Callable[[Any], Any]
    description: str
    omit_none: bool = False
    spread: bool = False
    keep_none: bool = False


Shape: TypeAlias = Mapping[str, ShapeValue]


class ListOf(Struct, frozen=True):
    """A list whose items have one shape."""

    shape: Shape


class PageOf(Struct, frozen=True):
    """A page of a list: `{items, next}`. `next` has the cursor of the next page, or is null."""

    shape: Shape


Body: TypeAlias = Shape | ListOf | PageOf | None


# Rows


class Inbound(Struct, frozen=True):
    """A request that clients may send.

    `fixed` are attributes of the command that apply where no field sets them. With `positional` the arguments may be
    the bare values of the fields, in their order. `reply_event` is sent to the caller with the reply as its body.
    `error_event` reports an error in place of the dialect's own. `resends` is the state that the request changes: the
    caller receives it even if it has not changed.
    """

    name: str
    command: type[Command]
    fields: tuple[Field, ...] = ()
    reply: Body = None
    positional: bool = False
    fixed: Mapping[str, Any] = {}
    reply_event: str | None = None
    error_event: tuple[str, Shape] | None = None
    resends: type[Event] | None = None


class Outbound(Struct, frozen=True):
    """An event that clients receive. `body` is the shape of the event, or of the `part` of it that this path names.

    `audience` is one kind of the event's audiences. With `others_only` the actor does not receive it. `when` is an
    attribute and a value: the row applies only to events that have them, as in `("on", True)`.
    """

    event: type[Event]
    name: str
    body: Shape
    audience: str = JOINED
    others_only: bool = False
    when: tuple[str, Any] | None = None
    part: str = ""


class Route(Struct, frozen=True):
    """A request over REST. `{names}` in the path are fields; the others come from the query (GET, DELETE) or the body.

    With `numbered_pages` the answer to a list is `{data, page, limit, total}`, else a bare array with a Link header.
    """

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    command: type[Command]
    fields: tuple[Field, ...] = ()
    reply: Body = None
    status: int = 200
    fixed: Mapping[str, Any] = {}
    numbered_pages: bool = False
    public: bool = False


class CallRow(Struct, frozen=True):
    """A request that clients may send over sockets, and over REST if it has a path there."""

    name: str
    method: Literal["GET", "POST", "PATCH", "DELETE"] | None
    path: str
    command: type[Command]
    fields: tuple[Field, ...] = ()
    reply: Body = None
    fixed: Mapping[str, Any] = {}
    status: int = 200

    @property
    def inbound(self) -> Inbound:
        return Inbound(self.name, self.command, self.fields, self.reply, fixed=self.fixed)

    @property
    def route(self) -> Route:
        assert self.method is not None
        status = 204 if self.reply is None else self.status
        return Route(self.method, self.path, self.command, self.fields, self.reply, status, self.fixed)


class Vocabulary(Struct, frozen=True):
    """The requests and events of one namespace. A new connection receives the `initial_events`.

    With `initial_events_to_user` the user's other connections of the same dialect receive them too.
    """

    inbound: tuple[Inbound, ...]
    outbound: tuple[Outbound, ...]
    initial_events: tuple[type[Event], ...] = ()
    initial_events_to_user: bool = False


# Replies


class ErrorTexts(Struct, frozen=True):
    """How a dialect describes an invalid payload: one text for each kind of problem."""

    missing: str = "{field} is required and must be {expected}"
    type: str = "{field} must be {expected}"
    value: str = "{field} must be {expected}"
    unknown: str = "{field} is not a field of this call"

    def describe(self, problems: tuple[Problem, ...]) -> str:
        return ", ".join(getattr(self, p.kind).format(field=p.field, expected=p.expected) for p in problems)


NO_ACK: Any = object()  # no ack, even where the client asks for one


def no_ack(_: Any) -> Any:
    """The style of a dialect that never sends an ack."""
    return NO_ACK


def reply_as_ack(body: Any) -> Any:
    """The reply itself as ack; no ack where the row has no reply."""
    return NO_ACK if body is None else body


class ReplyStyle(Struct, frozen=True):
    """How a dialect acknowledges: `success` wraps the reply, `failure` writes an error; either may give NO_ACK.

    `error_event` reports an error to a caller that receives no ack.
    """

    success: Callable[[Any], Any]
    failure: Callable[[Refusal], Any]
    error_event: tuple[str, Shape]
    error_texts: ErrorTexts = ErrorTexts()


# Dialects


class Dialect(Struct, frozen=True):
    """One whole specification. `vocabularies` has a row for each namespace; the first one serves any other namespace.

    `user_id` and `conversation_id` are the formats of the ids in the names of rooms. `forbidden_text` is the text of
    FORBIDDEN for an object to which the caller has no access. `{noun}` is the object's kind. Without it the answer is
    NOT_FOUND, as if the object did not exist. `token_in` lists where a client may send its token, beside the
    Authorization header. With `user_id_in_query` the handshake names the user in `?userId=`.
    """

    name: str
    title: str
    user_id: IdFormat
    conversation_id: IdFormat
    vocabularies: Mapping[str, Vocabulary]
    replies: ReplyStyle
    routes: tuple[Route, ...] = ()
    forbidden_text: str | None = None
    token_in: tuple[Literal["auth", "query"], ...] = ("auth",)
    user_id_in_query: bool = False
    rejects_with: Literal["connect_error", "disconnect", "error"] = "connect_error"

    @property
    def all_events(self) -> Vocabulary:
        """The events of all namespaces, each row once, for a subscriber to the whole server."""
        rows: dict[tuple[type[Event], str, Any], Outbound] = {}
        for vocabulary in self.vocabularies.values():
            for row in vocabulary.outbound:
                rows.setdefault((row.event, row.audience, row.when), row)
        return Vocabulary((), tuple(rows.values()))

    def reword(self, refusal: Refusal) -> Refusal:
        """The refusal as this dialect documents it: FORBIDDEN with `forbidden_text` in place of NoAccess."""
        if self.forbidden_text is None or not isinstance(refusal, NoAccess):
            return refusal
        return Refusal(FORBIDDEN, self.forbidden_text.format(noun=refusal.noun))

    def vocabulary(self, namespace: str) -> Vocabulary:
        return self.vocabularies.get(namespace) or next(iter(self.vocabularies.values()))
