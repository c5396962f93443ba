"""The output of `chatd config`: correct, readable by chatd again, and without secrets."""

from __future__ import annotations

import tomllib

from chatd.config.load import load
from chatd.config.text import as_environment, as_manual, as_shown, as_toml

SECRET = "canary-0123456789-0123456789-0123456789"
FLAGS = (
    ("--set", "auth.secret", SECRET),
    ("--set", "auth.keys", f"k={SECRET}"),
    ("--port", "server.port", "77"),
    ("--set", "server.allowed_origins", "https://a.example,https://b.example"),
    ("--dialect", "dialects./chat", "colon"),
)


def test_show_prints_toml_with_sources_and_without_secrets() -> None:
    text = as_shown(load(flags=FLAGS, environ={}))
    assert "canary" not in text
    shown = tomllib.loads(text)
    assert shown["server"]["port"] == 77
    assert shown["auth"]["secret"] == "(hidden)"
    assert shown["auth"]["keys"] == {"k": "(hidden)"}
    assert [line for line in text.splitlines() if line.endswith("# --port")]
    assert [line for line in text.splitlines() if line.startswith('"/chat"') and line.endswith("# --dialect")]


def test_the_environment_reads_back_as_the_same_configuration() -> None:
    config = load(flags=FLAGS[2:], environ={})
    lines = [line for line in as_environment(config).splitlines() if not line.startswith("#")]
    assert lines == [
        "CHATD_SERVER__PORT=77",
        "CHATD_SERVER__ALLOWED_ORIGINS=https://a.example,https://b.example",
        "CHATD_DIALECTS__CHAT=colon",
    ]
    everything = dict(line.removeprefix("#").split("=", 1) for line in as_environment(config).splitlines())
    again = load(environ=everything)
    assert (again.server, again.limits, again.auth, again.dialects) == (
        config.server,
        config.limits,
        config.auth,
        config.dialects,
    )


def test_the_environment_shows_no_secret() -> None:
    assert "canary" not in as_environment(load(flags=FLAGS, environ={}))


def test_the_commented_file_sets_nothing() -> None:
    tables = tomllib.loads(as_toml())
    assert not any(tables.values())


def test_the_manual_marks_live_and_secret_settings() -> None:
    manual = as_manual()
    assert '| `level` | `"info"` | The lowest level that is logged. *live* |' in manual
    assert '| `secret` | `""` |' in manual
    assert "*secret* |" in manual
