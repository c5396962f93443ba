"""Shared by the tests of dialects: sample objects, and functions that decode requests and encode events.

Ann (1) and Bob (2) have the private conversation 12; Ann, Bob and Cyd (3) the group 13. All objects were created in the
same second, so the number of an object gives its ObjectId and its UUID.
"""

from __future__ import annotations

from functools import cache

from protocol.commands import Command
from protocol.dialects import dialect
from protocol.dialects.decode import CallDecoder, call_decoder
from protocol.dialects.encode import build_body, encode, outbound_encoders
from protocol.dialects.grammar import Body, Inbound, ListOf, PageOf, Route, Shape, Vocabulary
from protocol.errors import Refusal
from protocol.events import Event
from protocol.ids import Key, Ref
from protocol.model import Conversation, Message, Notification, User

BORN = 0x65A1B2C3
CREATED = BORN * 1000 + 7
CREATED_TEXT = "2024-01-12T21:44:35.007Z"
READ = CREATED + 60_500
READ_TEXT = "2024-01-12T21:45:35.507Z"


def ref(number: int) -> Ref:
    return Ref(number, BORN)


def object_id(number: int) -> str:
    return f"65a1b2c3{number:016x}"


def uuid(number: int) -> str:
    return f"65a1b2c3-0000-8000-8000-{number:012x}"


def object_key(number: int) -> Key:
    return Key(number, BORN, object_id(number))


def uuid_key(number: int) -> Key:
    return Key(number, BORN, uuid(number))


ANN = User(ref(1), "ann", "Ann A.", "ann@example.org", "https://x.example/ann.png", "here", CREATED)
BOB = User(ref(2), "bob", None, None, None, None, CREATED)

MESSAGE = Message(
    ref=ref(101),
    conversation=ref(12),
    kind="private",
    creator=ref(2),
    peer=ref(1),
    sender=ANN,
    receiver=ref(2),
    type="text",
    content="Hello world!",
    attachments=(),
    client_id=None,
    created=CREATED,
)
GROUP_MESSAGE = Message(
    ref=ref(102),
    conversation=ref(13),
    kind="group",
    creator=ref(2),
    peer=None,
    sender=BOB,
    receiver=None,
    type="image",
    content="https://x.example/cat.png",
    attachments=(),
    client_id="c-1",
    created=CREATED,
    seen_by=(ref(2),),
)
CONVERSATION = Conversation(ref(12), "private", None, ref(2), ref(1), (ref(1), ref(2)), CREATED, 3, MESSAGE, BOB)
GROUP = Conversation(ref(13), "group", "Three", ref(2), None, (ref(1), ref(2), ref(3)), CREATED)
NOTIFICATION = Notification(
    ref(50), ref(2), "system", "Project Update", "You have been assigned", False, ref(12), CREATED
)


# Requests


def row(name: str, call: str, namespace: str = "") -> Inbound:
    return next(row for row in vocabulary(name, namespace).inbound if row.name == call)


def vocabulary(name: str, namespace: str = "") -> Vocabulary:
    return dialect(name).vocabulary(namespace)


@cache
def call_decoder_of(name: str, call: str, namespace: str = "") -> CallDecoder:
    return call_decoder(row(name, call, namespace), dialect(name).replies.error_texts)


def decode(name: str, call: str, arguments: str | bytes, namespace: str = "") -> Command:
    return call_decoder_of(name, call, namespace).decode(
        arguments.encode() if isinstance(arguments, str) else arguments
    )


def refusal_of(name: str, call: str, arguments: str | bytes, namespace: str = "") -> Refusal:
    try:
        command = decode(name, call, arguments, namespace)
    except Refusal as refusal:
        return refusal
    raise AssertionError(f"{arguments!r} was decoded as {command}")


def decode_route(name: str, method: str, path: str, arguments: str) -> Command:
    """Decode the fields of a route from one object."""
    route = route_of(name, method, path)
    return CallDecoder(route.command, route.fields, route.fixed, dialect(name).replies.error_texts).decode(
        arguments.encode()
    )


def route_of(name: str, method: str, path: str) -> Route:
    return next(route for route in dialect(name).routes if (route.method, route.path) == (method, path))


# Events


def encoded_events(name: str, event: Event, namespace: str = "") -> list[tuple[str, str]]:
    """The names and the exact bodies under which a dialect sends an event."""
    found = outbound_encoders(vocabulary(name, namespace)).get(type(event), ())
    return [(encoder.name, encoder.encode(event).decode()) for encoder in found if encoder.applies(event)]


def event_audiences(name: str, event: Event, namespace: str = "") -> list[tuple[str, str, bool]]:
    """The audience of each name under which a dialect sends an event, and whether it excludes the actor."""
    found = outbound_encoders(vocabulary(name, namespace)).get(type(event), ())
    return [(encoder.name, encoder.audience, encoder.others_only) for encoder in found if encoder.applies(event)]


def encode_body(shape: Body, source: object) -> str:
    return encode(build_body(shape, source)).decode()


def error_event(name: str, refusal: Refusal) -> tuple[str, str]:
    """A refusal as an event: its name and body."""
    event, shape = dialect(name).replies.error_event
    return event, encode_body(shape, refusal)


def shape_of(body: Body) -> Shape:
    assert body is not None
    return body.shape if isinstance(body, ListOf | PageOf) else body
