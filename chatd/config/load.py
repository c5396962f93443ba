"""Loads the configuration, and refuses a wrong one.

A setting takes its value from the first of these that has one:

    1. a flag
    2. the environment: `CHATD_SECTION__KEY`, or `CHATD_SECTION__KEY_FILE` for the content of a file
    3. chatd.local.toml
    4. the configuration file
    5. a variable that other programs know (`PORT`)
    6. the default

Every value is checked, even where another value takes precedence. An error is one line: the place, the value that was
found, and the expected value.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, NoReturn

import msgspec

from chatd.config.addresses import ANY_ORIGIN
from chatd.config.kinds import HIDDEN_TEXT, SettingRow
from chatd.config.settings import (
    DEFAULT_DIALECTS,
    DIALECT_ROW,
    NAMESPACE_ROW,
    PUBLIC_KEY_ALGORITHMS,
    ROWS,
    SECRET_ALGORITHMS,
    SECTIONS,
    Config,
    Sources,
)

VARIABLE_PREFIX = "CHATD_"
FILE_NAME = "chatd.toml"
LOCAL_FILE_NAME = "chatd.local.toml"
"""The user's own settings, beside a chatd.toml that comes with the program."""
COMMON_VARIABLES = {"PORT": ("server", "port"), "ALLOWED_ORIGINS": ("server", "allowed_origins")}
"""Variables that hosting services and other programs set. They apply where no other source has a value."""
SERVICE_ADDRESS_PREFIXES = ("tcp://", "udp://", "sctp://")
LOOPBACK = ("localhost", "::1")
MAX_SHOWN_CHARACTERS = 60
HEADER = re.compile(r"\s*\[+([^\[\]]+)\]")
ASSIGNMENT = re.compile(r"""\s*("[^"]*"|[^\s="#]+)\s*=""")


class ConfigError(Exception):
    """An error in the configuration: one line that names the place."""


class SourceValue(NamedTuple):
    """One value from a source: the place, the setting, and whether the value is plain text or TOML."""

    where: str
    section: str
    key: str
    value: Any
    plain: bool


def load(
    file: str | None = None,
    flags: tuple[tuple[str, str, str], ...] = (),
    environ: Mapping[str, str] = os.environ,
) -> Config:
    """Load the configuration. Without `file` it is read from ./chatd.toml, if that exists.

    A flag is (the option as typed, `section.key`, the text of the value).
    """
    values: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    dialects = dict(DEFAULT_DIALECTS)
    origins = {}
    own = [
        *(given for path in configuration_files(file) for given in from_file(path, required=path == file)),
        *from_environment(environ),
        *from_flags(flags),
    ]
    for given in [*from_common(environ, own), *own]:
        value = check_value(given)
        if given.section == "dialects":
            dialects[given.key] = value
        else:
            values[given.section][given.key] = value
        origins[f"{given.section}.{given.key}"] = given.where
    sections: dict[str, Any] = {name: kind(**values[name]) for name, kind in SECTIONS.items()}
    config = Config(**sections, dialects=dialects, origins=origins, sources=Sources(file, flags))
    for rule in RULES:
        if error := rule(config):
            raise ConfigError(error)
    return config


def reload(old: Config, environ: Mapping[str, str] = os.environ) -> tuple[Config, tuple[str, ...]]:
    """Load the configuration again, for SIGHUP.

    Returns `old` with the new values of live settings, and the names of changed settings that need a restart.
    """
    new = load(old.sources.file, old.sources.flags, environ)
    merged: dict[str, Any] = {}
    namespaces = sorted({*old.dialects, *new.dialects})
    waiting = [f'dialects."{name}"' for name in namespaces if new.dialects.get(name) != old.dialects.get(name)]
    for name, rows in ROWS.items():
        was, now = getattr(old, name), getattr(new, name)
        changed = [key for key in rows if getattr(was, key) != getattr(now, key)]
        merged[name] = msgspec.structs.replace(was, **{key: getattr(now, key) for key in changed if rows[key].live})
        waiting += [f"{name}.{key}" for key in changed if not rows[key].live]
    return msgspec.structs.replace(old, **merged, origins=new.origins), tuple(waiting)


# ---- sources of values


def configuration_files(file: str | None) -> tuple[str, ...]:
    """The files to read, in order: `file` or else chatd.toml; and chatd.local.toml beside a chatd.toml."""
    folder, name = os.path.split(file or FILE_NAME)
    return (file or FILE_NAME, *([os.path.join(folder, LOCAL_FILE_NAME)] if name == FILE_NAME else []))


def from_file(path: str, *, required: bool = False) -> Iterator[SourceValue]:
    """The values in a TOML file. A `required` file must exist."""
    try:
        with open(path, encoding="utf-8") as opened:
            text = opened.read()
        tables = tomllib.loads(text)
    except FileNotFoundError:
        if not required:
            return
        raise ConfigError(
            f"{escaped(path)}: no such file; expected a configuration file (`chatd init` writes one)"
        ) from None
    except OSError as problem:
        raise ConfigError(f"{escaped(path)}: cannot be read ({problem.strerror}); expected a TOML file") from None
    except UnicodeDecodeError as problem:
        raise ConfigError(f"{escaped(path)}: byte {problem.start} is not UTF-8; expected a TOML file") from None
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise ConfigError(f"{escaped(path)}: is not TOML: {escaped(str(problem))}") from None
    for section, table in tables.items():
        where = line_of(path, text, section, None)
        if section not in SECTIONS and section != "dialects":
            refuse_unknown(where, section, "section", [*ROWS, "dialects"])
        if not isinstance(table, dict):
            raise ConfigError(f"{where}: {section} is {quoted(table)}; expected a section, [{section}]")
        for key, value in table.items():
            yield SourceValue(line_of(path, text, section, key), section, key, value, plain=False)


def from_common(environ: Mapping[str, str], own: list[SourceValue]) -> Iterator[SourceValue]:
    """The variables of COMMON_VARIABLES, for settings that no other source sets."""
    given = {(one.section, one.key) for one in own}
    for name, (section, key) in COMMON_VARIABLES.items():
        if environ.get(name) and (section, key) not in given:
            yield SourceValue(name, section, key, environ[name], plain=True)


def from_environment(environ: Mapping[str, str]) -> Iterator[SourceValue]:
    """The variables `CHATD_SECTION__KEY`. Names without the double underscore belong to other programs (CHATD_ROOT)."""
    for name, text in sorted(environ.items()):
        if not name.startswith(VARIABLE_PREFIX):
            continue
        if "__" not in name:
            refuse_single_underscore(name, text)
            continue
        section, _, key = name.removeprefix(VARIABLE_PREFIX).lower().partition("__")
        if section == "dialects":
            key = key if key.startswith("/") else f"/{key}"
        elif key not in ROWS.get(section, {}) and key.endswith("_file"):
            key = key.removesuffix("_file")
            if name.removesuffix("_FILE") in environ:
                raise ConfigError(f"{name}: {name.removesuffix('_FILE')} is set as well; expected one of them")
            text = read_value_file(name, text)
        yield SourceValue(name, section, key, text, plain=True)


def refuse_single_underscore(name: str, text: str) -> None:
    """Refuse CHATD_SERVER_PORT, unless a container manager has set it to the address of a service `chatd-server`."""
    section, _, key = name.removeprefix(VARIABLE_PREFIX).partition("_")
    known = ROWS.get(section.lower(), {})
    meant = key.lower() in known or key.lower().removesuffix("_file") in known or section == "DIALECTS"
    if key and meant and not text.startswith(SERVICE_ADDRESS_PREFIXES):
        raise ConfigError(f"{name}: is not a variable of chatd; did you mean {VARIABLE_PREFIX}{section}__{key}?")


def from_flags(flags: tuple[tuple[str, str, str], ...]) -> Iterator[SourceValue]:
    """The values of the flags, in the order of the command line."""
    for option, name, text in flags:
        section, dot, key = name.partition(".")
        if not dot:
            raise ConfigError(f"{option}: {quoted(name)} is not a setting; expected SECTION.KEY=VALUE")
        yield SourceValue(option, section, key, text, plain=True)


def read_value_file(name: str, path: str) -> str:
    """The value of a `…_FILE` variable: the content of the file, without the newline at its end."""
    try:
        with open(path, encoding="utf-8") as opened:
            return opened.read().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "not UTF-8"
        raise ConfigError(f"{name}: {quoted(path)} cannot be read ({reason}); expected a file with the value") from None


# ---- checks


def check_value(given: SourceValue) -> Any:
    """Convert the value to its type. Raises ConfigError when it is not valid."""
    row = find_row(given)
    try:
        return row.parse_text(given.value) if given.plain else row.parse(given.value)
    except ValueError:
        name = f"{given.section}.{given.key}"
        found = HIDDEN_TEXT if row.secret else quoted(given.value)
        raise ConfigError(f"{given.where}: {name} is {found}; expected {row.expected}") from None


def find_row(given: SourceValue) -> SettingRow:
    """The row of the setting. Raises ConfigError for an unknown name."""
    if given.section == "dialects":
        try:
            NAMESPACE_ROW.parse(given.key)
        except ValueError:
            raise ConfigError(
                f"{given.where}: {quoted(given.key)} is not a namespace; expected {NAMESPACE_ROW.expected}"
            ) from None
        return DIALECT_ROW
    if given.section not in ROWS:
        refuse_unknown(given.where, given.section, "section", [*ROWS, "dialects"])
    if given.key not in ROWS[given.section]:
        names = [f"{section}.{key}" for section, rows in ROWS.items() for key in rows]
        refuse_unknown(given.where, f"{given.section}.{given.key}", "setting", names)
    return ROWS[given.section][given.key]


def refuse_unknown(where: str, name: str, noun: str, known: list[str]) -> NoReturn:
    """Refuse an unknown name, and suggest the most similar one."""
    import difflib  # imported only for a misspelled name

    name = quoted(name).strip('"')
    section, _, key = name.partition(".")
    same_key = [other for other in known if key and other.endswith(f".{key}")]
    near = same_key or difflib.get_close_matches(name, known, 1, 0.7)
    names = f"a setting of [{section}]" if section in SECTIONS else f"one of {', '.join(SECTIONS)}"
    hint = f"did you mean {near[0]}?" if near else f"expected {names} (`chatd config default` lists them)"
    raise ConfigError(f"{where}: {name} is not a {noun}; {hint}")


def escaped(text: str) -> str:
    """Escape control characters, so that the text stays on one line."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def quoted(value: Any) -> str:
    """A value for an error line: in quotes, and shortened."""
    text = escaped(value if isinstance(value, str) else repr(value))
    text = text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}…"
    return f'"{text}"' if isinstance(value, str) else text


def line_of(path: str, text: str, section: str, key: str | None) -> str:
    """The place of a setting, `chatd.toml, line 3`. tomllib reports no lines, so this searches for the likely one."""
    target = section if key is None else f"{section}.{key}"
    table = ""
    for at, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            name = table = header[1].strip().replace('"', "")
        elif assignment := ASSIGNMENT.match(line):
            name = f"{table}.{assignment[1]}".replace('"', "").lstrip(".")
        else:
            continue
        if name == target or name.startswith(f"{target}."):
            return f"{escaped(path)}, line {at}"
    return escaped(path)


# ---- rules between settings: each returns its error line, or ""


def on_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    return host in LOOPBACK or host.startswith("127.")


def tls_pair_is_complete(config: Config) -> str:
    halves = {"tls_certificate": config.server.tls_certificate, "tls_key": config.server.tls_key}
    there = [f"server.{name}" for name, value in halves.items() if value]
    missing = [f"server.{name}" for name, value in halves.items() if not value]
    if not there or not missing:
        return ""
    return f"{origin(config, there[0])}: {there[0]} is set without {missing[0]}; expected both or none"


def dialects_exist(config: Config) -> str:
    changed = {space: name for space, name in config.dialects.items() if name != DEFAULT_DIALECTS.get(space)}
    if not changed:
        return ""
    from protocol.dialects import names  # imported only when needed: the defaults exist

    for namespace, name in changed.items():
        if name not in names():
            where = origin(config, f"dialects.{namespace}")
            return f'{where}: dialects."{namespace}" is {quoted(name)}; expected one of {", ".join(names())}'
    return ""


def one_kind_of_algorithm(config: Config) -> str:
    chosen = config.auth.algorithms
    if set(chosen) & set(SECRET_ALGORITHMS) and set(chosen) & set(PUBLIC_KEY_ALGORITHMS):
        return (
            f"{origin(config, 'auth.algorithms')}: auth.algorithms mixes secrets and public keys; "
            f"expected some of {', '.join(SECRET_ALGORITHMS)}, or some of {', '.join(PUBLIC_KEY_ALGORITHMS)}"
        )
    return ""


def one_source_of_keys(config: Config) -> str:
    names = ("public_key", "jwks_file", "jwks_url")
    chosen = [f"auth.{name}" for name in names if getattr(config.auth, name)]
    if len(chosen) < 2:
        return ""
    return f"{origin(config, chosen[1])}: {chosen[1]} is set beside {chosen[0]}; expected one of them"


def insecure_only_on_loopback(config: Config) -> str:
    if not config.auth.insecure_userid or on_loopback(config.server.host):
        return ""
    return (
        f"{origin(config, 'auth.insecure_userid')}: auth.insecure_userid is true and server.host is "
        f"{quoted(config.server.host)}; expected a loopback address such as 127.0.0.1"
    )


def pages_fit(config: Config) -> str:
    limits = config.limits
    if not limits.page or limits.page_default <= limits.page:
        return ""
    place = origin(config, "limits.page_default")
    return f"{place}: limits.page_default is {limits.page_default}; expected at most limits.page, {limits.page}"


def bucket_is_named(config: Config) -> str:
    if config.files.store == "disk" or config.s3.bucket:
        return ""
    return f'{origin(config, "files.store")}: files.store is "s3" and s3.bucket is empty; expected the name of a bucket'


def origin(config: Config, name: str) -> str:
    """The place where a setting was set."""
    return config.origins.get(name, "default")


RULES: tuple[Callable[[Config], str], ...] = (
    tls_pair_is_complete,
    dialects_exist,
    one_kind_of_algorithm,
    one_source_of_keys,
    insecure_only_on_loopback,
    pages_fit,
    bucket_is_named,
)


# ---- notes: consequences of a setting that are easily overlooked


def every_origin(config: Config) -> str:
    if ANY_ORIGIN not in config.server.allowed_origins:
        return ""
    return (
        'server.allowed_origins is "*": pages of every site may use this server with a token, without credentials; '
        "a Socket.IO client with withCredentials: true needs its origin in the list"
    )


NOTES: tuple[Callable[[Config], str], ...] = (every_origin,)


def notes(config: Config) -> list[str]:
    """The notes that `chatd config check` prints for a valid configuration."""
    return [text for note in NOTES if (text := note(config))]
