"""How a configuration is put together, and where it is refused.

A value comes from the first of: a flag, the environment (`CHATD_SECTION__KEY`, or `CHATD_SECTION__KEY_FILE` for the
content of a file), chatd.local.toml, the configuration file, a variable that other programs know (`PORT`), the default.
Every value that is given is checked, also where another
wins; what is wrong is said in one line that names the place, what was found and what is expected.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, NoReturn

import msgspec

from chatd.config.kinds import ANY, HIDDEN, SettingRow
from chatd.config.settings import (
    ASYMMETRIC,
    DIALECT,
    DIALECTS,
    NAMESPACE,
    ROWS,
    SECTIONS,
    SYMMETRIC,
    AuthSettings,
    Config,
    DataSettings,
    EventSettings,
    LimitSettings,
    LogSettings,
    MetricsSettings,
    PresenceSettings,
    ServerSettings,
    SocketIoSettings,
    Sources,
    TypingSettings,
)

__all__ = [  # the table's sections are part of this module's face
    "AuthSettings",
    "Config",
    "ConfigError",
    "DataSettings",
    "EventSettings",
    "LimitSettings",
    "LogSettings",
    "MetricsSettings",
    "PresenceSettings",
    "ServerSettings",
    "SocketIoSettings",
    "Sources",
    "TypingSettings",
    "load",
    "notes",
    "reload",
]

PREFIX = "CHATD_"
FILE_NAME = "chatd.toml"
LOCAL_NAME = "chatd.local.toml"
"""Settings of one's own beside a chatd.toml that comes with the program."""
COMMON = {"PORT": ("server", "port"), "ALLOWED_ORIGINS": ("server", "allowed_origins")}
"""Variables that hosts and other programs set. They count where chatd's own say nothing."""
ADDRESS_OF_A_SERVICE = ("tcp://", "udp://", "sctp://")
LOOPBACK = ("localhost", "::1")
FOUND_LENGTH = 60
HEADER = re.compile(r"\s*\[+([^\[\]]+)\]")
ASSIGNMENT = re.compile(r"""\s*("[^"]*"|[^\s="#]+)\s*=""")


class ConfigError(Exception):
    """What is wrong with the configuration, in one line that names the place."""


class Given(NamedTuple):
    """One value that somebody gave: where, for which setting, and whether it is still plain text."""

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
    """The configuration in force; without `file`, from ./chatd.toml if there is one.

    A flag is (the option as typed, `section.key`, the value's text).
    """
    values: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    dialects = dict(DIALECTS)
    origins = {}
    own = [
        *(given for path in files(file) for given in from_file(path, wanted=path == file)),
        *from_environment(environ),
        *from_flags(flags),
    ]
    for given in [*from_common(environ, own), *own]:
        value = checked(given)
        if given.section == "dialects":
            dialects[given.key] = value
        else:
            values[given.section][given.key] = value
        origins[f"{given.section}.{given.key}"] = given.where
    sections: dict[str, Any] = {name: kind(**values[name]) for name, kind in SECTIONS.items()}
    config = Config(**sections, dialects=dialects, origins=origins, sources=Sources(file, flags))
    for rule in RULES:
        if complaint := rule(config):
            raise ConfigError(complaint)
    return config


def reload(old: Config, environ: Mapping[str, str] = os.environ) -> tuple[Config, tuple[str, ...]]:
    """What SIGHUP does: `old` with what may change live, and the names of changed settings that wait for a restart."""
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


# ---- the places where values are given


def files(file: str | None) -> tuple[str, ...]:
    """What is read, in this order: the file that was asked for, else chatd.toml; and chatd.local.toml beside that."""
    folder, name = os.path.split(file or FILE_NAME)
    return (file or FILE_NAME, *([os.path.join(folder, LOCAL_NAME)] if name == FILE_NAME else []))


def from_file(path: str, *, wanted: bool = False) -> Iterator[Given]:
    """The tables of a TOML file; a file that was asked for must be there."""
    try:
        with open(path, encoding="utf-8") as opened:
            text = opened.read()
        tables = tomllib.loads(text)
    except FileNotFoundError:
        if not wanted:
            return
        raise ConfigError(f"{clean(path)}: no such file; expected a configuration (`chatd init` writes one)") from None
    except OSError as problem:
        raise ConfigError(f"{clean(path)}: cannot be read ({problem.strerror}); expected a TOML file") from None
    except UnicodeDecodeError as problem:
        raise ConfigError(f"{clean(path)}: byte {problem.start} is not UTF-8; expected a TOML file") from None
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise ConfigError(f"{clean(path)}: is not TOML: {clean(str(problem))}") from None
    for section, table in tables.items():
        where = place(path, text, section, None)
        if section not in SECTIONS and section != "dialects":
            unknown(where, section, "section", [*ROWS, "dialects"])
        if not isinstance(table, dict):
            raise ConfigError(f"{where}: {section} is {shown(table)}; expected a section, [{section}]")
        for key, value in table.items():
            yield Given(place(path, text, section, key), section, key, value, plain=False)


def from_common(environ: Mapping[str, str], own: list[Given]) -> Iterator[Given]:
    """The variables of COMMON, for settings that are given nowhere else."""
    given = {(one.section, one.key) for one in own}
    for name, (section, key) in COMMON.items():
        if environ.get(name) and (section, key) not in given:
            yield Given(name, section, key, environ[name], plain=True)


def from_environment(environ: Mapping[str, str]) -> Iterator[Given]:
    """`CHATD_SECTION__KEY`. Other names without the double underscore are other programs': CHATD_ROOT, CHATD_PORT."""
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX):
            continue
        if "__" not in name:
            refuse_single_underscore(name, text)
            continue
        section, _, key = name.removeprefix(PREFIX).lower().partition("__")
        if section == "dialects":
            key = key if key.startswith("/") else f"/{key}"
        elif key not in ROWS.get(section, {}) and key.endswith("_file"):
            key = key.removesuffix("_file")
            if name.removesuffix("_FILE") in environ:
                raise ConfigError(f"{name}: {name.removesuffix('_FILE')} is set as well; expected one of them")
            text = content(name, text)
        yield Given(name, section, key, text, plain=True)


def refuse_single_underscore(name: str, text: str) -> None:
    """CHATD_SERVER_PORT is a mistake, unless a container manager wrote the address of a service chatd-server there."""
    section, _, key = name.removeprefix(PREFIX).partition("_")
    known = ROWS.get(section.lower(), {})
    meant = key.lower() in known or key.lower().removesuffix("_file") in known or section == "DIALECTS"
    if key and meant and not text.startswith(ADDRESS_OF_A_SERVICE):
        raise ConfigError(f"{name}: is not a variable of chatd; did you mean {PREFIX}{section}__{key}?")


def from_flags(flags: tuple[tuple[str, str, str], ...]) -> Iterator[Given]:
    """What was typed, later ones last."""
    for option, name, text in flags:
        section, dot, key = name.partition(".")
        if not dot:
            raise ConfigError(f"{option}: {shown(name)} is not a setting; expected SECTION.KEY=VALUE")
        yield Given(option, section, key, text, plain=True)


def content(name: str, path: str) -> str:
    """The value of a `…_FILE` variable: the file's content without the newline at its end."""
    try:
        with open(path, encoding="utf-8") as opened:
            return opened.read().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "not UTF-8"
        raise ConfigError(f"{name}: {shown(path)} cannot be read ({reason}); expected a file with the value") from None


# ---- checks


def checked(given: Given) -> Any:
    """The value in its own type, or the one line that says why not."""
    row = row_of(given)
    try:
        return row.read(given.value) if given.plain else row.parse(given.value)
    except ValueError:
        name = f"{given.section}.{given.key}"
        found = HIDDEN if row.secret else shown(given.value)
        raise ConfigError(f"{given.where}: {name} is {found}; expected {row.expected}") from None


def row_of(given: Given) -> SettingRow:
    """The row of the setting that was meant."""
    if given.section == "dialects":
        try:
            NAMESPACE.parse(given.key)
        except ValueError:
            raise ConfigError(
                f"{given.where}: {shown(given.key)} is no namespace; expected {NAMESPACE.expected}"
            ) from None
        return DIALECT
    if given.section not in ROWS:
        unknown(given.where, given.section, "section", [*ROWS, "dialects"])
    if given.key not in ROWS[given.section]:
        names = [f"{section}.{key}" for section, rows in ROWS.items() for key in rows]
        unknown(given.where, f"{given.section}.{given.key}", "setting", names)
    return ROWS[given.section][given.key]


def unknown(where: str, name: str, noun: str, known: list[str]) -> NoReturn:
    """Refuse a name that does not exist, and offer the nearest that does."""
    import difflib  # only for people who mistype

    name = shown(name).strip('"')
    section, _, key = name.partition(".")
    same_key = [other for other in known if key and other.endswith(f".{key}")]
    near = same_key or difflib.get_close_matches(name, known, 1, 0.7)
    names = f"a setting of [{section}]" if section in SECTIONS else f"one of {', '.join(SECTIONS)}"
    hint = f"did you mean {near[0]}?" if near else f"expected {names} (`chatd config default` lists them)"
    raise ConfigError(f"{where}: {name} is not a {noun}; {hint}")


def clean(text: str) -> str:
    """Control characters escaped, so that one line stays one."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def shown(value: Any) -> str:
    """A value as part of one line: quoted, and short."""
    text = clean(value if isinstance(value, str) else repr(value))
    text = text if len(text) <= FOUND_LENGTH else f"{text[:FOUND_LENGTH]}…"
    return f'"{text}"' if isinstance(value, str) else text


def place(path: str, text: str, section: str, key: str | None) -> str:
    """`chatd.toml, line 3`: tomllib keeps no lines, so look for the one that was most likely meant."""
    wanted = section if key is None else f"{section}.{key}"
    table = ""
    for at, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            name = table = header[1].strip().replace('"', "")
        elif assignment := ASSIGNMENT.match(line):
            name = f"{table}.{assignment[1]}".replace('"', "").lstrip(".")
        else:
            continue
        if name == wanted or name.startswith(f"{wanted}."):
            return f"{clean(path)}, line {at}"
    return clean(path)


# ---- rules between settings: each gives its complaint, or nothing


def on_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    return host in LOOPBACK or host.startswith("127.")


def both_halves_of_tls(config: Config) -> str:
    halves = {"tls_certificate": config.server.tls_certificate, "tls_key": config.server.tls_key}
    there = [f"server.{name}" for name, value in halves.items() if value]
    missing = [f"server.{name}" for name, value in halves.items() if not value]
    if not there or not missing:
        return ""
    return f"{origin(config, there[0])}: {there[0]} is set without {missing[0]}; expected both or none"


def dialects_exist(config: Config) -> str:
    changed = {space: name for space, name in config.dialects.items() if name != DIALECTS.get(space)}
    if not changed:
        return ""
    from protocol.dialects import names  # late: the defaults are known to be there

    for namespace, name in changed.items():
        if name not in names():
            where = origin(config, f"dialects.{namespace}")
            return f'{where}: dialects."{namespace}" is {shown(name)}; expected one of {", ".join(names())}'
    return ""


def one_family(config: Config) -> str:
    chosen = config.auth.algorithms
    if set(chosen) & set(SYMMETRIC) and set(chosen) & set(ASYMMETRIC):
        return (
            f"{origin(config, 'auth.algorithms')}: auth.algorithms mixes secrets and public keys; "
            f"expected some of {', '.join(SYMMETRIC)}, or some of {', '.join(ASYMMETRIC)}"
        )
    return ""


def one_source_of_keys(config: Config) -> str:
    names = ("public_key", "jwks_file", "jwks_url")
    chosen = [f"auth.{name}" for name in names if getattr(config.auth, name)]
    if len(chosen) < 2:
        return ""
    return f"{origin(config, chosen[1])}: {chosen[1]} is set beside {chosen[0]}; expected one of them"


def insecure_only_at_home(config: Config) -> str:
    if not config.auth.insecure_userid or on_loopback(config.server.host):
        return ""
    return (
        f"{origin(config, 'auth.insecure_userid')}: auth.insecure_userid is true and server.host is "
        f"{shown(config.server.host)}; expected a loopback address such as 127.0.0.1"
    )


def pages_fit(config: Config) -> str:
    limits = config.limits
    if not limits.page or limits.page_default <= limits.page:
        return ""
    place = origin(config, "limits.page_default")
    return f"{place}: limits.page_default is {limits.page_default}; expected at most limits.page, {limits.page}"


def origin(config: Config, name: str) -> str:
    """Where a setting was given."""
    return config.origins.get(name, "default")


RULES: tuple[Callable[[Config], str], ...] = (
    both_halves_of_tls,
    dialects_exist,
    one_family,
    one_source_of_keys,
    insecure_only_at_home,
    pages_fit,
)


# ---- notes: what a setting means where that is easily overlooked


def every_origin(config: Config) -> str:
    if ANY not in config.server.allowed_origins:
        return ""
    return (
        'server.allowed_origins is "*": pages of every site may use this server with a token, without credentials; '
        "a Socket.IO client with withCredentials: true needs its own origin in the list"
    )


NOTES: tuple[Callable[[Config], str], ...] = (every_origin,)


def notes(config: Config) -> list[str]:
    """What `chatd config check` says of a configuration that is right."""
    return [said for note in NOTES if (said := note(config))]
