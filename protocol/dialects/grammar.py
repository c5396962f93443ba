"""The words in which a dialect is written. A dialect is tables of these, and hardly a function.

    Hear     a call that clients may make: its name, the command that it means, the fields that it takes, the answer
    Say      an event that clients are told: which event of the house, its name, its body, and where it is heard
    Route    the same as Hear, over REST
    Shape    how something of the model is spelt: key by key, each with the word that spells it
    Field    one thing that a payload has: its name, its Word (type), and the command's attribute that it becomes

What specifications differ in beyond names and shapes are words too:

    positional arguments      Hear.positional       `pairs` joins with a bare id
    the answer is an event    Hear.tells            `kebab`: message-sent
    the refusal is an event   Hear.complains        `kebab`: message-error
    what is another's         Dialect.not_yours     `kebab`: Unauthorized to join this conversation
    silent calls              silent, bare          `inbox`: no acks at all; `kebab`: only where one is documented
    a state as confirmation   Hear.restates         `inbox`: unread_count after every read_messages
    to the others only        Say.others            typing
    greetings                 Vocabulary.greets     what a newcomer is told: counts, presence
    greetings of the user     greets_user           `inbox`: unread_count on connect, to all of the user's devices
    constant fields           always(...)           `pairs`: type "new_message"
    fields of its own         spread(...)           `pairs`: whatever a notification brings along
    one field or another      Field.unless          accounts: refreshToken or refresh_token
    who the payload says      claim(...)            `kebab`: sender_id
    places of the token       Dialect.token         `inbox`: ?token=
    refused connections       Dialect.turns_away    an error, an event, or nothing at all
    spelling of ids           a Spelling per field
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from protocol.commands import Command
from protocol.errors import FORBIDDEN, NotYours, Problem, Refusal
from protocol.events import JOINED, Event
from protocol.ids import Spelling

# Fields: what is heard


class Word(Struct, frozen=True):
    """A type of field: the JSON type that msgspec checks, what that is in words, and how it becomes the command's.

    `read` takes the checked JSON value; `read_text` takes the text of a path or a query string. Both raise a Refusal
    for a value of the right type that is still none of this word.
    """

    type: Any
    expected: str
    read: Callable[[Any], Any]
    read_text: Callable[[str], Any]


class Field(Struct, frozen=True):
    """One thing in a payload. An optional field may be absent or null: then the command's own default holds.

    With `clears` a null is a value of its own: it empties what the field names. A required field with `unless` may be
    left out where the field of that name is there instead.
    """

    name: str
    word: Word
    to: str
    required: bool = True
    clears: bool = False
    unless: str | None = None


# Shapes: what is said


def as_it_is(value: Any) -> Any:
    """The spelling of what needs none."""
    return value


class Item(Struct, frozen=True):
    """One key of a shape: where the value comes from, what it is in words, and whether it is left out when None.

    With `spread` the value is a dict whose own keys stand in the body, after all others and never in place of one.
    """

    path: str
    spell: Callable[[Any], Any]
    kind: str
    omit_none: bool = False
    spread: bool = False


Shape: TypeAlias = Mapping[str, Item]


class Many(Struct, frozen=True):
    """A list of something."""

    shape: Shape


Body: TypeAlias = Shape | Many | None


# Rows


class Inbound(Struct, frozen=True):
    """A call that clients may make.

    `fixed` gives attributes of the command that hold where no field of the payload says otherwise. The refusal is told
    as the event `complains` instead of the dialect's `error`. `restates` is the state that the call changes: told to
    the caller even where it has not changed.
    """

    name: str
    command: type[Command]
    takes: tuple[Field, ...] = ()
    reply: Body = None
    positional: bool = False
    fixed: Mapping[str, Any] = {}
    reply_event: str | None = None
    error_event: tuple[str, Shape] | None = None
    resends: type[Event] | None = None


class Outbound(Struct, frozen=True):
    """An event that clients are told: `body` spells it, or the part `of` it. `when` chooses rows: `("on", True)`."""

    event: type[Event]
    name: str
    body: Shape
    at: str = JOINED
    others: bool = False
    when: tuple[str, Any] | None = None
    of: str = ""


class Route(Struct, frozen=True):
    """A call over REST. `{names}` in the path are fields; the others come from the query (GET, DELETE) or the body.

    `numbered` answers a list as `{data, page, limit, total}` instead of a bare array with a Link header.
    """

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    command: type[Command]
    takes: tuple[Field, ...] = ()
    reply: Body = None
    status: int = 200
    fixed: Mapping[str, Any] = {}
    numbered: bool = False
    public: bool = False


class Vocabulary(Struct, frozen=True):
    """What one namespace of a dialect hears and says, and which events greet a newcomer.

    With `greets_user` the greetings go to the user's other sockets of the same dialect too.
    """

    inbound: tuple[Inbound, ...]
    outbound: tuple[Outbound, ...]
    greets: tuple[type[Event], ...] = ()
    greets_user: bool = False


MOST_PROBLEMS = 10  # of a payload, in one answer


class Complaints(Struct, frozen=True):
    """How a payload is complained about: a sentence per kind of problem, joined."""

    missing: str = "{field} is required and must be {expected}"
    type: str = "{field} must be {expected}"
    value: str = "{field} must be {expected}"
    unknown: str = "{field} is not a field of this call"

    def say(self, problems: tuple[Problem, ...]) -> str:
        return ", ".join(getattr(self, p.kind).format(field=p.field, expected=p.expected) for p in problems)


SILENT: Any = object()  # no ack, whatever the client asked for


def silent(_: Any) -> Any:
    """No ack at all."""
    return SILENT


def bare(body: Any) -> Any:
    """The body itself; no ack where the row has no reply."""
    return SILENT if body is None else body


class ReplyStyle(Struct, frozen=True):
    """How a dialect answers: the ack of a success around its body, and of a refusal; either gives SILENT for no ack.

    `error` is the event that tells a refusal to a caller who asked for no ack, or always where there are none.
    """

    success: Callable[[Any], Any]
    failure: Callable[[Refusal], Any]
    error: tuple[str, Shape]
    complaints: Complaints = Complaints()


class Dialect(Struct, frozen=True):
    """One specification, whole. `vocabularies` by namespace; the first serves wherever else it is spoken.

    `user` and `conversation` spell the ids in the names of rooms. `not_yours` is the text of FORBIDDEN for what exists
    and is not the caller's (`{noun}` is what it is). Without that text the answer is NOT_FOUND, as if it were not
    there. `token` says where a socket may show its token beside
    the Authorization header; `claims_user`, that the handshake names the user in `?userId=`.
    """

    name: str
    title: str
    user: Spelling
    conversation: Spelling
    vocabularies: Mapping[str, Vocabulary]
    replies: ReplyStyle
    routes: tuple[Route, ...] = ()
    not_yours: str | None = None
    token: tuple[Literal["auth", "query"], ...] = ("auth",)
    claims_user: bool = False
    rejects_with: Literal["connect_error", "disconnect", "error"] = "connect_error"

    @property
    def everything(self) -> Vocabulary:
        """All that is said in any namespace, each thing once, for whoever listens to the server as a whole."""
        says: dict[tuple[type[Event], str, Any], Outbound] = {}
        for vocabulary in self.vocabularies.values():
            for say in vocabulary.outbound:
                says.setdefault((say.event, say.at, say.when), say)
        return Vocabulary((), tuple(says.values()))

    def answer(self, refusal: Refusal) -> Refusal:
        """A refusal as this dialect documents it: see `not_yours`."""
        if self.not_yours is None or not isinstance(refusal, NotYours):
            return refusal
        return Refusal(FORBIDDEN, self.not_yours.format(noun=refusal.noun))

    def vocabulary(self, namespace: str) -> Vocabulary:
        return self.vocabularies.get(namespace) or next(iter(self.vocabularies.values()))
