"""The workloads: one row for each."""

from dataclasses import dataclass
from enum import StrEnum

from .seeds import Seed


class Kind(StrEnum):
    CROWD = "crowd"  # WebSocket clients that talk; cost by operation
    REST = "rest"  # kept-alive requests, one outstanding on each connection
    IDLE = "idle"  # idle connections; cost in memory
    START = "start"  # from exec to the ready line and the first answer


class Unit(StrEnum):
    DELIVERY = "delivery"  # a message at one receiver; latency is send to delivery
    SEND = "acked send"  # latency is send to ack
    REQUEST = "request"
    CONNECTION = "connection"
    START = "start"


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    kind: Kind
    unit: Unit
    servers: tuple[str, ...]
    baseline: str
    rooms: int = 1
    members: int = 1
    senders: int = 1
    window: int = 1  # outstanding messages of a sender
    rate: float = 0  # messages a second in all; 0: as fast as the windows let them
    release_on_ack: bool = False  # a sender goes on at its ack, not at its own copy of the broadcast
    method: str = ""
    path: str = ""  # {conversation} is filled in
    body: str = ""
    seed: Seed | None = None  # a history that is in the store before chatd starts
    prefill: int = 0  # messages in the conversation before the measure begins
    quick: bool = False  # also part of --quick


BROADCASTERS = (
    "chatd", "chatd-socketio", "socket.io", "ws", "python-socketio", "starlette", "floor-each", "floor-joined",
)  # fmt: skip
DURABLE = ("chatd", "chatd-socketio", "chatd-normal", "socket.io-full", "socket.io-normal", "socket.io-grouped")
PACED = (
    "chatd", "chatd-socketio", "socket.io-full", "ws-full", "socket.io-grouped", "floor-each",
)  # fmt: skip
SEND_BODY = '{"content":"%s"}'
MESSAGES = "/conversations/{conversation}/messages"

WORKLOADS = (
    Workload("fanout-100", "fan-out to 100 under load: 4 senders, 8 outstanding each", Kind.CROWD, Unit.DELIVERY,
             BROADCASTERS, "socket.io", members=100, senders=4, window=8),
    Workload("fanout-1000", "fan-out to 1,000 under load: 4 senders, 8 outstanding each", Kind.CROWD,
             Unit.DELIVERY, BROADCASTERS, "socket.io", members=1000, senders=4, window=8, quick=True),
    Workload("single-1000", "fan-out to 1,000, one message in flight", Kind.CROWD, Unit.DELIVERY,
             BROADCASTERS, "socket.io", members=1000, quick=True),
    Workload("rooms-50x21", "50 rooms of 21, one sender each, one outstanding", Kind.CROWD, Unit.DELIVERY,
             BROADCASTERS, "socket.io", rooms=50, members=21),
    Workload("paced-1000", "10 messages a second to 1,000", Kind.CROWD, Unit.DELIVERY,
             BROADCASTERS, "socket.io", members=1000, rate=10),
    *(
        Workload(f"paced-20x11-{rate}", f"20 rooms of 11, {rate:,} messages a second in all, durable", Kind.CROWD,
                 Unit.DELIVERY, PACED, "socket.io-full", rooms=20, members=11, rate=rate, quick=rate in (50, 400))
        for rate in (10, 50, 400, 2000)
    ),
    Workload("acked", "acked send, 50 connections each waiting for its ack, nothing stored by the peers",
             Kind.CROWD, Unit.SEND,
             ("chatd", "chatd-normal", "socket.io", "ws", "python-socketio", "starlette", "floor-each"),
             "socket.io", rooms=50, release_on_ack=True),
    Workload("acked-durable", "acked send, durable, 50 connections each waiting for its ack", Kind.CROWD, Unit.SEND,
             DURABLE, "socket.io-full", rooms=50, release_on_ack=True, quick=True),
    Workload("lone-durable", "acked send, durable, one connection alone", Kind.CROWD, Unit.SEND,
             DURABLE, "socket.io-full", release_on_ack=True),
    Workload("rest-send", "REST send, durable, 8 kept-alive connections", Kind.REST, Unit.REQUEST,
             ("chatd", "starlette"), "starlette", members=8, method="POST", path=MESSAGES, body=SEND_BODY,
             quick=True),
    Workload("rest-page", "REST page of 50 messages, 8 kept-alive connections", Kind.REST, Unit.REQUEST,
             ("chatd", "starlette"), "starlette", members=8, method="GET", path=MESSAGES + "?limit=50", prefill=500),
    Workload("rest-unread", "REST unread counts, 8 kept-alive connections", Kind.REST, Unit.REQUEST,
             ("chatd",), "", members=8, method="GET", path="/unread", prefill=500),
    Workload("idle-5000", "5,000 idle connections", Kind.IDLE, Unit.CONNECTION, BROADCASTERS, "socket.io",
             members=5000),
    Workload("idle-19000", "19,000 idle connections", Kind.IDLE, Unit.CONNECTION,
             ("chatd", "chatd-socketio", "socket.io", "ws"), "socket.io", members=19000),
    Workload("idle-2000", "2,000 idle connections", Kind.IDLE, Unit.CONNECTION,
             ("chatd", "chatd-socketio", "socket.io", "ws"), "socket.io", members=2000, quick=True),
    Workload("fresh", "a fresh server without connections", Kind.IDLE, Unit.CONNECTION,
             ("chatd", "socket.io", "ws", "python-socketio", "starlette"), "socket.io", members=0, quick=True),
    Workload("start", "cold start: from exec to the ready line", Kind.START, Unit.START,
             ("chatd", "socket.io", "ws", "python-socketio", "starlette"), "socket.io", quick=True),
)  # fmt: skip
