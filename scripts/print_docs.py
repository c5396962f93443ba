"""Prints the reference pages from the tables in the code. `make docs` writes them; tests/test_docs.py compares them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from chatd.cli.dialect_page import index, page, round_table
from chatd.config.text import as_manual, as_toml
from chatd.telemetry.metrics import REGISTRY, Metric
from protocol.dialects import dialect, names
from protocol.errors import CLOSINGS, CODES, Closing, Code

ROOT = Path(__file__).parent.parent


def errors() -> str:
    """The text of docs/errors.md."""
    return (
        "# Errors\n\n*Printed from the tables in `protocol/errors.py` by `make docs`.*\n\n"
        "All errors of chatd. `code` is the code in the body of an ack or a REST answer. The other numbers of a row "
        "are the same error in the other protocols. *Again?* is whether the same request can succeed later without a "
        "change. With RATE_LIMITED, `retryAfter` is the seconds to wait (HTTP: `Retry-After`).\n\n"
        "Some resources exist but are not the caller's: a conversation in which the caller is not a member, or another "
        f"user's message or notification. {', '.join(f'`{name}`' for name in names() if dialect(name).forbidden_text)} "
        "answer FORBIDDEN for them, and NOT_FOUND for what does not exist. The other dialects answer NOT_FOUND with "
        "the same text to both, so that a stranger cannot tell them apart.\n\n"
        "| situation | code | meaning | HTTP | JSON-RPC | WebSocket close | again? |\n|---|---|---|---|---|---|---|\n"
        + rows(code_row(name, code) for name, code in CODES.items())
        + "\n## Close codes\n\nThe reasons for which chatd closes a WebSocket. *Again?* is whether the client should "
        "connect again and resume.\n\n"
        "| situation | code | reason | again? |\n|---|---|---|---|\n"
        + rows(closing_row(name, closing) for name, closing in CLOSINGS.items())
    )


def code_row(name: str, code: Code) -> tuple[object, ...]:
    return name, f"`{code.code}`", code.text, code.status, code.number, code.close, yes(code.retry)


def closing_row(name: str, closing: Closing) -> tuple[object, ...]:
    return name, closing.code, closing.reason, yes(closing.retry)


def metrics() -> str:
    """The text of docs/metrics.md."""
    return (
        "# Metrics\n\n*Printed from the table in `chatd/telemetry/metrics.py` by `make docs`.*\n\n"
        "`GET /metrics` answers in Prometheus' text format. With `metrics.port` it has a separate listener "
        "(see settings.md). Otherwise it is on the main port, for administrators and for services whose token has the "
        "scope `metrics`: `chatd token --service prometheus --scope metrics` prints one. In Prometheus, set it as "
        "`authorization: {credentials: …}`.\n\n"
        "| name | kind | labels | meaning |\n|---|---|---|---|\n"
        + rows(metric_row(metric) for metric in REGISTRY.values())
    )


def metric_row(metric: Metric) -> tuple[object, ...]:
    return f"`{metric.name}`", metric.kind, ", ".join(f"`{label}`" for label in metric.labels), metric.help


def rows(cells: Iterable[tuple[object, ...]]) -> str:
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in cells)


def yes(value: bool) -> str:
    return "yes" if value else "no"


PAGES: dict[str, Callable[[], str]] = {
    "chatd.toml": as_toml,
    "docs/settings.md": as_manual,
    "docs/errors.md": errors,
    "docs/metrics.md": metrics,
    "docs/round-table.md": round_table,
    "docs/dialects/README.md": index,
    **{f"docs/dialects/{name}.md": partial(page, dialect(name)) for name in names()},
}

if __name__ == "__main__":
    for page, printed in PAGES.items():
        (ROOT / page).write_text(printed(), encoding="utf-8")
        print(page)
