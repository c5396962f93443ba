"""Prints the settings: chatd.toml, docs/settings.md, and the output of `chatd config`.

All are printed from the table in chatd/config/settings.py. Only the dialects are handled by name, because their keys
are namespaces.
"""

from __future__ import annotations

import json
from typing import Any

from chatd.config.kinds import HIDDEN_TEXT, SettingRow
from chatd.config.settings import DEFAULT_DIALECTS, DIALECT_ROW, NAMESPACE_ROW, ROWS, SECTIONS, Config

LOCAL_HEAD = """\
# Your own settings. chatd reads this file after chatd.toml, and git ignores it.
# chatd.toml lists every setting with its default. Write a section and the settings that you change, such as:
#
#[server]
#host = "0.0.0.0"
"""
TOML_HEAD = """\
# The configuration of chatd. It lists every setting with its default. To change a setting, remove the # before it.
#
# A setting takes its value from the first of these that has one:
#   1. a flag: --set section.key=value
#   2. the environment: CHATD_SECTION__KEY=value, or CHATD_SECTION__KEY_FILE=path for the content of a file
#   3. chatd.local.toml beside this file
#   4. this file
#   5. the variables PORT and ALLOWED_ORIGINS
#   6. the default
# Times are seconds or "500ms", "10s", "15m", "12h", "30d". Sizes are bytes or "64KiB", "25MiB".
# SIGHUP applies changes to settings marked (live). The others need a restart.
"""
MANUAL_HEAD = """\
# Settings

*Printed from the table in `chatd/config/settings.py` by `make docs`.*

A setting takes its value from the first of these that has one:

1. a flag: `--set server.port=3001`
2. the environment: `CHATD_SERVER__PORT=3001`, or `CHATD_SERVER__PORT_FILE=path` for the content of a file
3. `chatd.local.toml` beside `chatd.toml`
4. the configuration file: `-c FILE`, else `./chatd.toml`
5. the variables `PORT` and `ALLOWED_ORIGINS` (separated by commas), which many hosting services set, for `server.port`
   and `server.allowed_origins`
6. the default

`chatd config show` prints each value and its source. `chatd config check` checks the configuration without starting
the server.

In a checkout, git tracks `chatd.toml`, which lists every setting. There `chatd init` writes `chatd.local.toml` for your
own settings, which git ignores.

chatd refuses an unknown name or a bad value with one line and exit code 2. Paths are relative to the folder in which
chatd was started. Times are seconds, or texts such as `"15m"`. Sizes are bytes, or texts such as `"64KiB"`. Rates are
numbers per second, or texts such as `"5/30m"`. In flags and in the environment, commas separate the members of a list.

*live*: SIGHUP applies the change without a restart. On a terminal, SIGHUP stops the server. *secret*: never shown.
"""


def as_toml() -> str:
    """The text of chatd.toml: every setting as a comment."""
    parts = [TOML_HEAD]
    for name, rows in ROWS.items():
        parts.append(f"\n[{name}]\n# {SECTIONS[name].__doc__}\n")
        defaults = SECTIONS[name]()
        for key, row in rows.items():
            mark = " (live)" if row.live else ""
            parts.append(f"\n# {row.about}{mark}\n#{key} = {row.write(getattr(defaults, key))}\n")
        if name == "auth":
            parts.append(dialects_as_toml())
    return "".join(parts)


def dialects_as_toml() -> str:
    rows = "".join(f"#{json.dumps(name)} = {json.dumps(dialect)}\n" for name, dialect in DEFAULT_DIALECTS.items())
    return f"\n[dialects]\n# {DIALECT_ROW.about}\n\n{rows}"


def as_manual() -> str:
    """The text of docs/settings.md."""
    parts = [MANUAL_HEAD]
    for name, rows in ROWS.items():
        parts.append(f"\n## [{name}]\n\n{SECTIONS[name].__doc__}\n\n| setting | default | meaning | values |\n")
        parts.append("|---|---|---|---|\n")
        defaults = SECTIONS[name]()
        parts += [manual_row(key, row, getattr(defaults, key)) for key, row in rows.items()]
        if name == "auth":
            parts.append(dialects_as_manual())
    return "".join(parts)


def manual_row(key: str, row: SettingRow, default: Any) -> str:
    marks = "".join(f" *{word}*" for word, on in (("live", row.live), ("secret", row.secret)) if on)
    return f"| `{key}` | `{row.write(default)}` | {row.about}{marks} | {row.expected} |\n"


def dialects_as_manual() -> str:
    rows = "".join(f'| `"{name}"` | `"{dialect}"` |\n' for name, dialect in DEFAULT_DIALECTS.items())
    return (
        f"\n## [dialects]\n\n{DIALECT_ROW.about} Each name is {NAMESPACE_ROW.expected}. In the environment `/chat` is "
        f"`CHATD_DIALECTS__CHAT` and `/` is `CHATD_DIALECTS__`.\n\n| namespace | default |\n|---|---|\n{rows}"
    )


def as_shown(config: Config) -> str:
    """Each value and its source. The text is valid TOML; secrets are hidden."""
    parts = []
    for name, rows in ROWS.items():
        section = getattr(config, name)
        values = {key: row.write(getattr(section, key)) for key, row in rows.items()}
        parts.append(section_block(name, values, config.origins))
        if name == "auth":
            written = {json.dumps(space): json.dumps(dialect) for space, dialect in config.dialects.items()}
            parts.append(section_block("dialects", written, config.origins))
    return "\n".join(parts)


def section_block(section: str, values: dict[str, str], origins: dict[str, str]) -> str:
    """One section, with the source of each value in a column."""
    lines = [f"[{section}]"]
    for key, value in values.items():
        source = origins.get(section + "." + key.strip('"'), "default")
        lines.append(f"{key} = {value}".ljust(44) + f"  # {source}")
    return "\n".join(lines) + "\n"


def as_environment(config: Config) -> str:
    """The settings as environment variables. Those with their default value are comments."""
    lines = []
    for name, rows in ROWS.items():
        section = getattr(config, name)
        for key, row in rows.items():
            mark = "" if f"{name}.{key}" in config.origins else "#"
            lines.append(f"{mark}CHATD_{name.upper()}__{key.upper()}={plain_value(row, getattr(section, key))}")
    for space, dialect in config.dialects.items():
        mark = "" if f"dialects.{space}" in config.origins else "#"
        lines.append(f"{mark}CHATD_DIALECTS__{space.removeprefix('/').upper()}={dialect}")
    return "\n".join(lines) + "\n"


def plain_value(row: SettingRow, value: Any) -> str:
    """A value without TOML's quotes, in the form that `SettingRow.parse_text` accepts."""
    if row.secret:
        return HIDDEN_TEXT if value else ""
    if isinstance(value, tuple):
        return ",".join(value)
    written = row.write(value)
    return str(json.loads(written)) if written.startswith('"') else written
