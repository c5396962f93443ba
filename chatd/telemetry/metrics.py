"""Every metric: one row each, and their text for Prometheus.

A counter only grows, a gauge goes up and down, a histogram counts observations in buckets. All are plain Python in one
process and one thread: an increment is a dictionary update (0.1 µs). Hot paths call `row.child(...)` once and keep the
child. A row with labels prints nothing until one of its children exists: a series that never counted is not printed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ROWS_AT_ONCE = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
REGISTRY: dict[str, Metric] = {}


class Child:
    """One time series of a metric."""

    __slots__ = ("buckets", "counts", "total", "value")

    def __init__(self, buckets: tuple[float, ...] = ()) -> None:
        self.value = 0.0  # for a histogram: the number of observations
        self.total = 0.0
        self.buckets = buckets
        self.counts = [0] * len(buckets)

    def add(self, amount: float = 1) -> None:
        """Add an amount. For a gauge it may be negative."""
        self.value += amount

    def set(self, value: float) -> None:
        """Set the value of a gauge."""
        self.value = value

    def observe(self, value: float) -> None:
        """Add one observation to a histogram."""
        self.value += 1
        self.total += value
        at = bisect_left(self.buckets, value)
        if at < len(self.counts):
            self.counts[at] += 1


class Metric:
    """One row: its name, its help text, and its labels. Without labels it has exactly one child."""

    kind = ""

    def __init__(self, name: str, help: str, labels: tuple[str, ...] = (), buckets: tuple[float, ...] = ()) -> None:
        self.name = name
        self.help = help
        self.labels = labels
        self.buckets = buckets
        self.children: dict[tuple[str, ...], Child] = {}
        self.source: Callable[[], float] | None = None
        if not labels:
            self.child()
        REGISTRY[name] = self

    def child(self, *values: str) -> Child:
        """The series with these values of the labels. The first call makes it."""
        found = self.children.get(values)
        if found is None:
            if len(values) != len(self.labels):
                raise TypeError(f"{self.name} takes {len(self.labels)} labels, not {len(values)}")
            found = self.children[values] = Child(self.buckets)
        return found

    def add(self, *values: str, amount: float = 1) -> None:
        """Add an amount to the series with these labels."""
        self.child(*values).value += amount

    def set(self, value: float) -> None:
        """Set the value of a gauge without labels."""
        self.child().value = value

    def observe(self, value: float, *values: str) -> None:
        """Add one observation to the series with these labels."""
        self.child(*values).observe(value)

    def follow(self, source: Callable[[], float]) -> None:
        """Read the value from this function whenever the metrics are printed."""
        self.source = source

    @property
    def value(self) -> float:
        """The sum of all series (for tests and summaries)."""
        if self.source is not None:
            return self.source()
        return sum(child.value for child in self.children.values())

    def lines(self) -> Iterator[str]:
        """The lines of this row, for Prometheus."""
        yield f"# HELP {self.name} {self.help}"
        yield f"# TYPE {self.name} {self.kind}"
        if self.source is not None:
            self.set(self.source())
        for values, child in sorted(self.children.items()):
            pairs = [f'{label}="{escaped(value)}"' for label, value in zip(self.labels, values, strict=True)]
            if self.buckets:
                yield from bucket_lines(self.name, pairs, child)
            else:
                yield f"{self.name}{braced(pairs)} {plain(child.value)}"


class Counter(Metric):
    kind = "counter"


class Gauge(Metric):
    kind = "gauge"


class Histogram(Metric):
    kind = "histogram"


def bucket_lines(name: str, pairs: list[str], child: Child) -> Iterator[str]:
    """The lines of a histogram's series. Each bucket includes the ones below it."""
    so_far = 0
    for bound, count in zip(child.buckets, child.counts, strict=True):
        so_far += count
        within = [*pairs, f'le="{plain(bound)}"']
        yield f"{name}_bucket{braced(within)} {so_far}"
    everything = [*pairs, 'le="+Inf"']
    yield f"{name}_bucket{braced(everything)} {plain(child.value)}"
    yield f"{name}_sum{braced(pairs)} {plain(child.total)}"
    yield f"{name}_count{braced(pairs)} {plain(child.value)}"


def braced(pairs: list[str]) -> str:
    return f"{{{','.join(pairs)}}}" if pairs else ""


def plain(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def render() -> str:
    """Everything, as Prometheus reads it (text format 0.0.4)."""
    return "".join(f"{line}\n" for metric in REGISTRY.values() for line in metric.lines())


# ---- the table

CONNECTIONS = Gauge("chatd_connections", "Sockets that are open now")
CONNECTIONS_OPENED = Counter("chatd_connections_opened_total", "Sockets that were opened", ("framing",))
CONNECTIONS_CLOSED = Counter("chatd_connections_closed_total", "Sockets that were closed, by close code", ("code",))
CONNECTIONS_REFUSED = Counter("chatd_connections_refused_total", "Connections turned away", ("reason",))
CONNECTIONS_FAILED = Counter("chatd_connections_failed_total", "Connections that a fault of chatd's own ended")
CALLS = Counter("chatd_calls_total", "Dispatched commands, by their outcome", ("command", "outcome"))
CALL_SECONDS = Histogram("chatd_call_seconds", "From a command's arrival to its outcome", buckets=SECONDS)
REQUESTS = Counter("chatd_http_requests_total", "HTTP requests answered, by status", ("status",))
REQUESTS_LIMITED = Counter(
    "chatd_http_requests_limited_total", "Requests without a valid token that were above their address's limit"
)
EVENTS = Counter("chatd_events_total", "Events published after a commit", ("event",))
DELIVERIES = Counter("chatd_deliveries_total", "Pushes handed to sockets")
OUTBOX_BYTES = Gauge("chatd_outbox_bytes", "Bytes that wait for slow clients now")
COMMITS = Counter("chatd_commits_total", "Transactions committed")
COMMIT_UNITS = Histogram("chatd_commit_units", "Units of work in one commit", buckets=ROWS_AT_ONCE)
COMMIT_SECONDS = Histogram("chatd_commit_seconds", "How long a commit took, its sync included", buckets=SECONDS)
WRITES_WAITING = Gauge("chatd_writes_waiting", "Units of work that wait for the writer now")
WRITES_FAILED = Counter("chatd_writes_failed_total", "Units of work that the database refused")
LOGINS_FAILED = Counter("chatd_logins_failed_total", "Logins that failed")
POSITION = Gauge("chatd_position", "The position of the last event")
LOG_LINES = Counter("chatd_log_lines_total", "Lines logged, by level", ("level",))
