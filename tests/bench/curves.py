"""How the cost grows: rooms, stores and users of rising size. Each curve is a few workloads."""

from collections.abc import Sequence
from dataclasses import dataclass

from .picture import Line, draw
from .report import Result
from .seeds import Seed
from .workloads import MESSAGES, SEND_BODY, Kind, Unit, Workload

CURVE_SERVERS = ("chatd", "socket.io", "ws", "floor-each", "floor-joined")


@dataclass(frozen=True)
class Point:
    size: int
    workload: Workload
    line: str  # which line of the picture; "" makes one of each server


@dataclass(frozen=True)
class Curve:
    name: str
    title: str
    across: str
    up: str
    points: tuple[Point, ...]


def fan_out(members: int) -> Point:
    name, title = f"members-{members}", f"fan-out to {members:,} under load"
    row = Workload(name, title, Kind.CROWD, Unit.DELIVERY, CURVE_SERVERS, "socket.io", members=members, senders=4,
                   window=8)  # fmt: skip
    return Point(members, row, "")


REQUESTS = (
    ("send", "POST", MESSAGES, SEND_BODY),
    ("page of 50", "GET", MESSAGES + "?limit=50", ""),
    ("unread", "GET", "/unread", ""),
    ("conversations", "GET", "/conversations?limit=50", ""),
)


def requests(kind: str, size: int, seed: Seed) -> tuple[Point, ...]:
    """One point of each request over a store of this size."""
    return tuple(
        Point(size, Workload(f"{kind}-{size}-{name.partition(' ')[0]}", f"{name}, {size:,} {kind}", Kind.REST,
                             Unit.REQUEST, ("chatd",), "", members=8, method=method, path=path, body=body, seed=seed),
              name)
        for name, method, path, body in REQUESTS
    )  # fmt: skip


STORE_SIZES = (10**3, 10**4, 10**5, 10**6, 10**7)
USER_SIZES = (1, 10, 100, 1000, 10000)

CURVES = (
    Curve("members", "A delivery, by members of the conversation", "members", "server CPU µs per delivery",
          tuple(fan_out(count) for count in (10, 30, 100, 300, 1000, 3000, 10000))),
    Curve("messages", "A request, by messages in the store (20 conversations)", "messages",
          "server CPU µs per request",
          tuple(point for size in STORE_SIZES for point in requests("messages", size, Seed(size, 20)))),
    Curve("conversations", "A request, by conversations of the user (100 messages each)", "conversations",
          "server CPU µs per request",
          tuple(point for size in USER_SIZES for point in requests("conversations", size, Seed(100 * size, size)))),
)  # fmt: skip


def picture(curve: Curve, results: Sequence[Result]) -> str:
    lines: dict[str, list[tuple[float, float]]] = {}
    for point in curve.points:
        for result in results:
            if result.workload.name == point.workload.name and not result.failure and result.cost > 0:
                lines.setdefault(point.line or result.server, []).append((point.size, result.cost))
    return draw(curve.title, curve.across, curve.up, [Line(name, tuple(points)) for name, points in lines.items()])
