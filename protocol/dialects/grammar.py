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
    a text of its own         Hear.wording          `kebab`: Unauthorized to join this conversation
    silent calls              Manners.success       `inbox`: no acks at all
    to the others only        Say.others            typing
    greetings                 Vocabulary.greets     what a newcomer is told: counts, presence
    constant fields           always(...)           `pairs`: type "new_message"
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
from protocol.errors import Problem, Refusal
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

    With `clears` a null is a value of its own: it empties what the field names.
    """

    name: str
    word: Word
    to: str
    required: bool = True
    clears: bool = False


# Shapes: what is said


class Item(Struct, frozen=True):
    """One key of a shape: where the value comes from, what it is in words, and whether it is left out when None."""

    path: str
    spell: Callable[[Any], Any]
    kind: str
    omit_none: bool = False


Shape: TypeAlias = Mapping[str, Item]


class Many(Struct, frozen=True):
    """A list of something."""

    shape: Shape


Body: TypeAlias = Shape | Many | None


# Rows


class Hear(Struct, frozen=True):
    """A call that clients may make."""

    name: str
    command: type[Command]
    takes: tuple[Field, ...] = ()
    reply: Body = None
    positional: bool = False
    fixed: Mapping[str, Any] = {}
    tells: str | None = None
    complains: tuple[str, Shape] | None = None
    wording: Mapping[str, str] = {}


class Say(Struct, frozen=True):
    """An event that clients are told. `when` chooses among rows by an attribute of the event: `("on", True)`."""

    event: type[Event]
    name: str
    body: Shape
    at: str = JOINED
    others: bool = False
    when: tuple[str, Any] | None = None


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
    """What one namespace of a dialect hears and says, and which events greet a newcomer."""

    hears: tuple[Hear, ...]
    says: tuple[Say, ...]
    greets: tuple[type[Event], ...] = ()


class Complaints(Struct, frozen=True):
    """How a payload is complained about: a sentence per kind of problem, joined."""

    missing: str = "{field} is required and must be {expected}"
    type: str = "{field} must be {expected}"
    value: str = "{field} must be {expected}"
    unknown: str = "{field} is not a field of this call"

    def say(self, problems: tuple[Problem, ...]) -> str:
        return ", ".join(getattr(self, p.kind).format(field=p.field, expected=p.expected) for p in problems)


SILENT: Any = object()  # no ack, whatever the client asked for


class Manners(Struct, frozen=True):
    """How a dialect answers: the ack of a success around its body, and of a refusal; SILENT where it has none.

    `error` is the event that tells a refusal to a caller who asked for no ack, or always where there are none.
    """

    success: Callable[[Any], Any]
    failure: Callable[[Refusal], Any]
    error: tuple[str, Shape]
    complaints: Complaints = Complaints()


class Dialect(Struct, frozen=True):
    """One specification, whole. `vocabularies` by namespace; the first serves wherever else it is spoken.

    `user` and `conversation` spell the ids in the names of rooms. `token` says where a socket may show its token beside
    the Authorization header; `claims_user`, that the handshake names the user in `?userId=`.
    """

    name: str
    title: str
    user: Spelling
    conversation: Spelling
    vocabularies: Mapping[str, Vocabulary]
    manners: Manners
    routes: tuple[Route, ...] = ()
    token: tuple[Literal["auth", "query"], ...] = ("auth",)
    claims_user: bool = False
    turns_away: Literal["connect_error", "disconnect", "error"] = "connect_error"

    def vocabulary(self, namespace: str) -> Vocabulary:
        return self.vocabularies.get(namespace) or next(iter(self.vocabularies.values()))
