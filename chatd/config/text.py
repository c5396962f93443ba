"""The settings as people read them: chatd.toml, docs/settings.md, and what `chatd config` prints.

All are printed from the table in chatd/config/settings.py; nothing here knows a setting by its name but the dialects,
whose keys are the namespaces.
"""

from __future__ import annotations

import json
from typing import Any

from chatd.config.kinds import HIDDEN, SettingRow
from chatd.config.settings import DIALECT, DIALECTS, NAMESPACE, ROWS, SECTIONS, Config

LOCAL = """\
# Settings of your own: read after chatd.toml, and ignored by git. chatd.toml has every setting with its default.
# Write a section and below it what you want to change, such as:
#
#[server]
#host = "0.0.0.0"
"""
HEAD = """\
# chatd's configuration. Every setting is here with its default; take the # away from before a name to change it.
#
# Each setting can also be given as a flag, --set section.key=value, or in the environment, CHATD_SECTION__KEY=value
# (CHATD_SECTION__KEY_FILE=path takes it from a file). A flag wins over the environment, that over chatd.local.toml
# beside this file, that over this file. PORT and ALLOWED_ORIGINS count where none of these says anything.
# Times are seconds or "500ms", "10s", "15m", "12h", "30d"; sizes are bytes or "64KiB", "25MiB".
# Settings marked (live) are taken up on SIGHUP, the others at the next start.
"""
MANUAL = """\
# Settings

*Printed from the table in `chatd/config/settings.py` by `make docs`.*

A value comes from the first of: a flag (`--set server.port=3001`), the environment (`CHATD_SERVER__PORT=3001`, or
`CHATD_SERVER__PORT_FILE=path` for the content of a file), `chatd.local.toml` beside `chatd.toml`, the configuration
file (`-c FILE`, else `./chatd.toml`), the variables `PORT` and `ALLOWED_ORIGINS` (comma-separated) that many hosts set
for `server.port` and `server.allowed_origins`, the default. `chatd config show` prints where each value comes from.

In a checkout, `chatd.toml` lists every setting and belongs to git. `chatd init` there makes `chatd.local.toml`, which
git ignores, for settings of your own.

An unknown name or a bad value is refused in one line, with exit code 2. Paths are relative to the folder that
chatd was started in. Times are seconds or texts such as `"15m"`; sizes are bytes or texts such as `"64KiB"`; rates are
numbers per second or texts such as `"5/30m"`. Lists stand between commas in flags and in the environment.

*live*: taken up on SIGHUP, which stops a server that runs on a terminal. *secret*: never shown.
"""


def as_toml() -> str:
    """chatd.toml: every setting as a comment."""
    parts = [HEAD]
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
    rows = "".join(f"#{json.dumps(name)} = {json.dumps(dialect)}\n" for name, dialect in DIALECTS.items())
    return f"\n[dialects]\n# {DIALECT.about}\n\n{rows}"


def as_manual() -> str:
    """docs/settings.md."""
    parts = [MANUAL]
    for name, rows in ROWS.items():
        parts.append(f"\n## [{name}]\n\n{SECTIONS[name].__doc__}\n\n| setting | default | meaning | takes |\n")
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
    rows = "".join(f'| `"{name}"` | `"{dialect}"` |\n' for name, dialect in DIALECTS.items())
    return (
        f"\n## [dialects]\n\n{DIALECT.about} Each name is {NAMESPACE.expected}. In the environment `/chat` is "
        f"`CHATD_DIALECTS__CHAT` and `/` is `CHATD_DIALECTS__`.\n\n| namespace | default |\n|---|---|\n{rows}"
    )


def as_shown(config: Config) -> str:
    """What is in force, and where each value came from. Valid TOML, but that secrets are not shown."""
    parts = []
    for name, rows in ROWS.items():
        section = getattr(config, name)
        values = {key: row.write(getattr(section, key)) for key, row in rows.items()}
        parts.append(block(name, values, config.origins))
        if name == "auth":
            spelt = {json.dumps(space): json.dumps(dialect) for space, dialect in config.dialects.items()}
            parts.append(block("dialects", spelt, config.origins))
    return "\n".join(parts)


def block(section: str, values: dict[str, str], origins: dict[str, str]) -> str:
    """One section, its origins in a column."""
    lines = [f"[{section}]"]
    for key, value in values.items():
        source = origins.get(section + "." + key.strip('"'), "default")
        lines.append(f"{key} = {value}".ljust(44) + f"  # {source}")
    return "\n".join(lines) + "\n"


def as_environment(config: Config) -> str:
    """What is in force as environment variables: settings that are no default set, the others as comments."""
    lines = []
    for name, rows in ROWS.items():
        section = getattr(config, name)
        for key, row in rows.items():
            mark = "" if f"{name}.{key}" in config.origins else "#"
            lines.append(f"{mark}CHATD_{name.upper()}__{key.upper()}={plain(row, getattr(section, key))}")
    for space, dialect in config.dialects.items():
        mark = "" if f"dialects.{space}" in config.origins else "#"
        lines.append(f"{mark}CHATD_DIALECTS__{space.removeprefix('/').upper()}={dialect}")
    return "\n".join(lines) + "\n"


def plain(row: SettingRow, value: Any) -> str:
    """A value without TOML's quotes, as `Row.read` takes it."""
    if row.secret:
        return HIDDEN if value else ""
    if isinstance(value, tuple):
        return ",".join(value)
    written = row.write(value)
    return str(json.loads(written)) if written.startswith('"') else written
