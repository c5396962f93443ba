"""The kinds of setting: how a value of each kind is parsed from TOML and from plain text, checked, and written.

An instance of a kind is the row of one setting in chatd/config/settings.py. It has the sentence that explains the
setting, its bounds, and whether SIGHUP may change it. `parse` takes a TOML value. `parse_text` takes the text of a flag
or of an environment variable. Both raise ValueError. `expected` is the phrase for the values that they accept. `write`
returns TOML.
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

HIDDEN_TEXT = "(hidden)"
MAX_NUMBER = 2**53
SECONDS_BY_UNIT = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}
BYTES_BY_UNIT = {"GiB": 2**30, "MiB": 2**20, "KiB": 2**10, "GB": 10**9, "MB": 10**6, "kB": 1000, "KB": 1000, "B": 1}
QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)")
ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:[0-9]{1,5})?")
HOST_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
ANY_ORIGIN = "*"
MAX_PORT = 65535
SWITCH_WORDS = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}


class Secret(str):
    """Text whose `repr` is hidden, so that debugging output never shows it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return HIDDEN_TEXT


def is_printable(text: str) -> bool:
    """Whether the text has no control characters and no lone surrogates."""
    return not any(ord(char) < 32 or ord(char) == 127 or 0xD800 <= ord(char) < 0xE000 for char in text)


def parse_number(text: str) -> float | int:
    """Parse a number of plain digits. Python accepts more (`1_0`, other alphabets), and TOML does not."""
    if not QUANTITY.fullmatch(text.removeprefix("-")) or text[-1].isalpha():
        raise ValueError(text)
    return float(text) if "." in text else int(text)


def parse_quantity(text: str, units: dict[str, Any]) -> float:
    """Parse `15m` or `64 KiB` into seconds or bytes. A number without a unit is in seconds or bytes already."""
    match = QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return float(match[1]) * float(units[match[2]] if match[2] in units else size_without_unit(match[2]))


def size_without_unit(unit: str) -> int:
    """Return 1 for a missing unit. Raises ValueError for an unknown one."""
    if unit:
        raise ValueError(unit)
    return 1


def with_largest_unit(value: float, units: dict[str, Any]) -> str | None:
    """Write `900` as `15m`, with the largest unit that divides the value."""
    for unit, size in units.items():
        count = value / size
        if count >= 1 and count == int(count):
            return f"{int(count)}{unit}"
    return None


class SettingRow(Struct, frozen=True):
    """One setting: the sentence that explains it, and whether SIGHUP may change it."""

    about: str = ""
    live: bool = False

    @property
    def secret(self) -> bool:
        return False

    @property
    def expected(self) -> str:
        raise NotImplementedError

    def parse(self, found: Any) -> Any:
        raise NotImplementedError

    def parse_text(self, text: str) -> Any:
        return self.parse(text)

    def write(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)


class Text(SettingRow, frozen=True):
    """One line of text."""

    noun: str = "one line of text"

    @property
    def expected(self) -> str:
        return self.noun

    def parse(self, found: Any) -> Any:
        if type(found) is not str or not is_printable(found):
            raise ValueError(found)
        return found


class Pem(Text, frozen=True):
    """A key in PEM format (several lines), or the path of a file with one."""

    noun: str = "a PEM public key, or the path of one"

    def parse(self, found: Any) -> Any:
        return found.strip() if type(found) is str and "-----BEGIN " in found else super().parse(found)


class Name(Text, frozen=True):
    """Text with a fixed pattern: the name of a dialect, the path of a namespace."""

    pattern: str = "[a-z][a-z0-9_]*"

    def parse(self, found: Any) -> Any:
        if not re.fullmatch(self.pattern, super().parse(found)):
            raise ValueError(found)
        return found


class Origin(Text, frozen=True):
    """The value of a browser's Origin header. With `any`, also "*" for every origin."""

    noun: str = "an origin such as https://chat.example.org, without a path"
    any: bool = False

    @property
    def expected(self) -> str:
        return f'{self.noun}, or "*"' if self.any else self.noun

    def parse(self, found: Any) -> Any:
        if self.any and found == ANY_ORIGIN:
            return found
        match = ORIGIN.fullmatch(super().parse(found).lower())
        if match is None or int((match[2] or ":0")[1:]) > MAX_PORT:
            raise ValueError(found)
        return found.lower()


class PublicUrl(Origin, frozen=True):
    """The address that a browser shows: an origin, with or without a trailing slash; empty for none."""

    def parse(self, found: Any) -> Any:
        return super().parse(found.removesuffix("/")) if type(found) is str and found else Text().parse(found)


class HostName(Text, frozen=True):
    """A host name, as in a Host header without its port."""

    noun: str = "a host name such as chat.local, without a port"

    def parse(self, found: Any) -> Any:
        if not HOST_NAME.fullmatch(super().parse(found).lower()):
            raise ValueError(found)
        return found.lower()


class ListenHost(Text, frozen=True):
    """The address to listen on; empty for every address."""

    noun: str = "an address such as 127.0.0.1 or ::, or a host name"

    def parse(self, found: Any) -> Any:
        text = super().parse(found)
        if HOST_NAME.fullmatch(text.lower()) and not text.replace(".", "").isdigit():
            return text
        if text:
            ipaddress.ip_address(text)
        return text


class HttpUrl(Text, frozen=True):
    """A URL to fetch from; empty for none."""

    noun: str = "a URL that begins with https:// or http://"

    def parse(self, found: Any) -> Any:
        text = super().parse(found)
        parts = urlsplit(text)
        if text and (parts.scheme not in ("https", "http") or not parts.hostname or " " in text):
            raise ValueError(found)
        return text


class Network(Text, frozen=True):
    """An IP address, or a network."""

    noun: str = "an address or a network such as 10.0.0.0/8"

    def parse(self, found: Any) -> Any:
        return str(ipaddress.ip_network(super().parse(found)))


class Proxy(Network, frozen=True):
    """A proxy: an IP address, a network, or the unix socket."""

    noun: str = 'an address, a network such as 10.0.0.0/8, or "unix" for the unix socket'

    def parse(self, found: Any) -> Any:
        return found if found == "unix" else super().parse(found)


class Mode(Text, frozen=True):
    """The permissions of a file."""

    noun: str = "an octal mode such as 0660"

    def parse(self, found: Any) -> Any:
        if not re.fullmatch("0?[0-7]{3}", super().parse(found)):
            raise ValueError(found)
        return found


class SecretText(SettingRow, frozen=True):
    """Text that is never shown; empty for none."""

    minimum_bytes: int = 0

    @property
    def secret(self) -> bool:
        return True

    @property
    def expected(self) -> str:
        return f"text of at least {self.minimum_bytes} bytes"

    def parse(self, found: Any) -> Any:
        if type(found) is not str or 0 < len(found.encode(errors="replace")) < self.minimum_bytes:
            raise ValueError(HIDDEN_TEXT)
        return Secret(found)

    def write(self, value: Any) -> str:
        return json.dumps(HIDDEN_TEXT if value else "")


class Choice(SettingRow, frozen=True):
    """One word of a list."""

    words: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        return " or ".join(f'"{word}"' for word in self.words)

    def parse(self, found: Any) -> Any:
        if type(found) is not str or found not in self.words:
            raise ValueError(found)
        return found


class Switch(SettingRow, frozen=True):
    """On or off."""

    @property
    def expected(self) -> str:
        return "true or false"

    def parse(self, found: Any) -> Any:
        if type(found) is not bool:
            raise ValueError(found)
        return found

    def parse_text(self, text: str) -> Any:
        if text.lower() not in SWITCH_WORDS:
            raise ValueError(text)
        return SWITCH_WORDS[text.lower()]


class WholeNumber(SettingRow, frozen=True):
    """A whole number."""

    minimum: int = 0
    maximum: int = MAX_NUMBER

    @property
    def expected(self) -> str:
        upper = f" to {self.maximum}" if self.maximum < MAX_NUMBER else " upwards"
        return f"a whole number from {self.minimum}{upper}"

    def parse(self, found: Any) -> Any:
        if type(found) is not int or not self.minimum <= found <= self.maximum:
            raise ValueError(found)
        return found

    def parse_text(self, text: str) -> Any:
        return self.parse(parse_number(text))


class Quantity(SettingRow, frozen=True):
    """A number, or text with a number and a unit."""

    minimum: float = 0
    maximum: float = MAX_NUMBER

    def parse_unit_text(self, text: str) -> float:
        raise NotImplementedError

    def parse(self, found: Any) -> Any:
        value = self.parse_unit_text(found) if type(found) is str else found
        if type(value) not in (int, float) or not math.isfinite(value) or not self.minimum <= value <= self.maximum:
            raise ValueError(found)
        return float(value)


class Share(Quantity, frozen=True):
    """A fraction from 0 to 1."""

    maximum: float = 1

    @property
    def expected(self) -> str:
        return f"a number from {self.minimum} to {self.maximum}"

    def parse_unit_text(self, text: str) -> float:
        return parse_number(text)


class Duration(Quantity, frozen=True):
    """A time in seconds."""

    @property
    def expected(self) -> str:
        bounds = f" of at least {self.write(self.minimum)}" if self.minimum else ""
        bounds += f" up to {self.write(self.maximum)}" if self.maximum < MAX_NUMBER else ""
        return f'seconds or a time such as "15m" or "30d"{bounds}'

    def parse_unit_text(self, text: str) -> float:
        return parse_quantity(text, SECONDS_BY_UNIT)

    def write(self, value: Any) -> str:
        unit = with_largest_unit(value, SECONDS_BY_UNIT)
        return f'"{unit}"' if unit else f"{value:g}"


class Size(Quantity, frozen=True):
    """A number of bytes."""

    @property
    def expected(self) -> str:
        return 'bytes or a size such as "64KiB"'

    def parse_unit_text(self, text: str) -> float:
        return parse_quantity(text, BYTES_BY_UNIT)

    def parse(self, found: Any) -> Any:
        value = super().parse(found)
        if value != int(value):
            raise ValueError(found)
        return int(value)

    def write(self, value: Any) -> str:
        binary = {unit: size for unit, size in BYTES_BY_UNIT.items() if "i" in unit}
        unit = with_largest_unit(value, binary)
        return f'"{unit}"' if unit else str(value)


class RateSetting(Quantity, frozen=True):
    """A number per second. Slow rates are written as a number in a time, such as `5/30m`."""

    @property
    def expected(self) -> str:
        return 'a number per second or a rate such as "5/30m"'

    def parse_unit_text(self, text: str) -> float:
        count, slash, time = text.partition("/")
        if not slash:
            return parse_number(text)
        seconds = parse_quantity(time if time[:1].isdigit() else f"1{time}", SECONDS_BY_UNIT)
        if not seconds:
            raise ValueError(text)
        return parse_number(count) / seconds

    def write(self, value: Any) -> str:
        if value == 0 or value >= 1:
            return f"{value:g}"
        for seconds in (1800, 60, 3600, 86400):
            count = round(value * seconds, 6)
            if count >= 1 and count == int(count):
                return f'"{int(count)}/{with_largest_unit(seconds, SECONDS_BY_UNIT)}"'
        return repr(value)


class ListSetting(SettingRow, frozen=True):
    """A list. In plain text, commas separate its members."""

    each: SettingRow = Text()

    @property
    def expected(self) -> str:
        return f"a list, each {self.each.expected}"

    def parse(self, found: Any) -> Any:
        if type(found) is not list:
            raise ValueError(found)
        return tuple(self.each.parse(member) for member in found)

    def parse_text(self, text: str) -> Any:
        return self.parse([part.strip() for part in text.split(",") if part.strip()])

    def write(self, value: Any) -> str:
        return f"[{', '.join(self.each.write(member) for member in value)}]"


class NamedValues(SettingRow, frozen=True):
    """A table whose names the user chooses. In plain text: `name=value,name=value`."""

    each: SettingRow = Text()
    key: SettingRow = Text()

    @property
    def secret(self) -> bool:
        return self.each.secret

    @property
    def expected(self) -> str:
        return f"a table, each name {self.key.expected} and each value {self.each.expected}"

    def parse(self, found: Any) -> Any:
        if type(found) is not dict:
            raise ValueError(found)
        return {self.key.parse(name): self.each.parse(value) for name, value in found.items()}

    def parse_text(self, text: str) -> Any:
        pairs = [part.partition("=") for part in text.split(",") if part.strip()]
        return self.parse({name.strip(): value.strip() for name, _, value in pairs})

    def write(self, value: Any) -> str:
        inner = ", ".join(f"{json.dumps(name)} = {self.each.write(member)}" for name, member in value.items())
        return f"{{ {inner} }}" if inner else "{}"
