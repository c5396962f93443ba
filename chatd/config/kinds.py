"""The kinds of setting: how a value of each is read from TOML and from plain text, checked, and written again.

A kind is also the row of the table in chatd/config/load.py: it carries the sentence that explains the setting, whether
SIGHUP may change it, and its bounds. `parse` takes a TOML value, `read` the text of a flag or of the environment;
both raise ValueError, and `expected` is the phrase for what they would have taken. `write` gives TOML.
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

HIDDEN = "(hidden)"
LARGEST = 2**53
UNITS_OF_TIME = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}
UNITS_OF_SIZE = {"GiB": 2**30, "MiB": 2**20, "KiB": 2**10, "GB": 10**9, "MB": 10**6, "kB": 1000, "KB": 1000, "B": 1}
QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)")
ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:[0-9]{1,5})?")
HOST_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
ANY = "*"
LAST_PORT = 65535
WORDS = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}


class Secret(str):
    """Text that never shows itself where a value is printed for debugging."""

    __slots__ = ()

    def __repr__(self) -> str:
        return HIDDEN


def printable(text: str) -> bool:
    """No control characters, no lone surrogates."""
    return not any(ord(char) < 32 or ord(char) == 127 or 0xD800 <= ord(char) < 0xE000 for char in text)


def number(text: str) -> float | int:
    """Plain digits only: what TOML would take, not all that Python does."""
    if not QUANTITY.fullmatch(text.removeprefix("-")) or text[-1].isalpha():
        raise ValueError(text)
    return float(text) if "." in text else int(text)


def quantity(text: str, units: dict[str, Any]) -> float:
    """`15m` or `64 KiB`, in the smallest unit; a bare number is in it already."""
    match = QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return float(match[1]) * float(units[match[2]] if match[2] in units else units_of_nothing(match[2]))


def units_of_nothing(unit: str) -> int:
    """A missing unit means one; a wrong one is an error."""
    if unit:
        raise ValueError(unit)
    return 1


def largest_unit(value: float, units: dict[str, Any]) -> str | None:
    """`900` as `15m`: the largest unit that divides it."""
    for unit, size in units.items():
        count = value / size
        if count >= 1 and count == int(count):
            return f"{int(count)}{unit}"
    return None


class SettingRow(Struct, frozen=True):
    """One setting: its sentence, and whether SIGHUP may change it."""

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

    def read(self, text: str) -> Any:
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
        if type(found) is not str or not printable(found):
            raise ValueError(found)
        return found


class Pem(Text, frozen=True):
    """A key in PEM, which has many lines, or the path of a file with one."""

    noun: str = "a PEM public key, or the path of one"

    def parse(self, found: Any) -> Any:
        return found.strip() if type(found) is str and "-----BEGIN " in found else super().parse(found)


class Name(Text, frozen=True):
    """A word that people or protocols fixed: the name of a dialect, the path of a namespace."""

    pattern: str = "[a-z][a-z0-9_]*"

    def parse(self, found: Any) -> Any:
        if not re.fullmatch(self.pattern, super().parse(found)):
            raise ValueError(found)
        return found


class Origin(Text, frozen=True):
    """What a browser sends as Origin; with `any` also "*", every origin."""

    noun: str = "an origin such as https://chat.example.org, without a path"
    any: bool = False

    @property
    def expected(self) -> str:
        return f'{self.noun}, or "*"' if self.any else self.noun

    def parse(self, found: Any) -> Any:
        if self.any and found == ANY:
            return found
        match = ORIGIN.fullmatch(super().parse(found).lower())
        if match is None or int((match[2] or ":0")[1:]) > LAST_PORT:
            raise ValueError(found)
        return found.lower()


class PublicUrl(Origin, frozen=True):
    """The address that a browser shows: an origin, a slash behind it or not; empty for none."""

    def parse(self, found: Any) -> Any:
        return super().parse(found.removesuffix("/")) if type(found) is str and found else Text().parse(found)


class HostName(Text, frozen=True):
    """A name in a Host header, without a port."""

    noun: str = "a host name such as chat.local, without a port"

    def parse(self, found: Any) -> Any:
        if not HOST_NAME.fullmatch(super().parse(found).lower()):
            raise ValueError(found)
        return found.lower()


class ListenHost(Text, frozen=True):
    """Where to listen; empty is every address."""

    noun: str = "an address such as 127.0.0.1 or ::, or the name of one"

    def parse(self, found: Any) -> Any:
        text = super().parse(found)
        if HOST_NAME.fullmatch(text.lower()) and not text.replace(".", "").isdigit():
            return text
        if text:
            ipaddress.ip_address(text)
        return text


class HttpUrl(Text, frozen=True):
    """An address to fetch from; empty for none."""

    noun: str = "an address that begins with https:// or http://"

    def parse(self, found: Any) -> Any:
        text = super().parse(found)
        parts = urlsplit(text)
        if text and (parts.scheme not in ("https", "http") or not parts.hostname or " " in text):
            raise ValueError(found)
        return text


class Network(Text, frozen=True):
    """An address or a range of them."""

    noun: str = "an address or a network such as 10.0.0.0/8"

    def parse(self, found: Any) -> Any:
        return str(ipaddress.ip_network(super().parse(found)))


class Proxy(Network, frozen=True):
    """A proxy: an address, a range of them, or the unix socket."""

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


class Hidden(SettingRow, frozen=True):
    """Text that is never shown; empty means none."""

    least: int = 0

    @property
    def secret(self) -> bool:
        return True

    @property
    def expected(self) -> str:
        return f"text of at least {self.least} bytes"

    def parse(self, found: Any) -> Any:
        if type(found) is not str or 0 < len(found.encode(errors="replace")) < self.least:
            raise ValueError(HIDDEN)
        return Secret(found)

    def write(self, value: Any) -> str:
        return json.dumps(HIDDEN if value else "")


class Choice(SettingRow, frozen=True):
    """One of a few words."""

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

    def read(self, text: str) -> Any:
        if text.lower() not in WORDS:
            raise ValueError(text)
        return WORDS[text.lower()]


class Whole(SettingRow, frozen=True):
    """A whole number."""

    least: int = 0
    most: int = LARGEST

    @property
    def expected(self) -> str:
        upper = f" to {self.most}" if self.most < LARGEST else " upwards"
        return f"a whole number from {self.least}{upper}"

    def parse(self, found: Any) -> Any:
        if type(found) is not int or not self.least <= found <= self.most:
            raise ValueError(found)
        return found

    def read(self, text: str) -> Any:
        return self.parse(number(text))


class Measure(SettingRow, frozen=True):
    """A number with a unit, written as text, or bare in the smallest unit."""

    least: float = 0
    most: float = LARGEST

    def measure(self, text: str) -> float:
        raise NotImplementedError

    def parse(self, found: Any) -> Any:
        value = self.measure(found) if type(found) is str else found
        if type(value) not in (int, float) or not math.isfinite(value) or not self.least <= value <= self.most:
            raise ValueError(found)
        return float(value)


class Share(Measure, frozen=True):
    """A part of the whole."""

    most: float = 1

    @property
    def expected(self) -> str:
        return f"a number from {self.least} to {self.most}"

    def measure(self, text: str) -> float:
        return number(text)


class Duration(Measure, frozen=True):
    """A time in seconds."""

    @property
    def expected(self) -> str:
        bounds = f" of at least {self.write(self.least)}" if self.least else ""
        bounds += f" up to {self.write(self.most)}" if self.most < LARGEST else ""
        return f'seconds or a time such as "15m" or "30d"{bounds}'

    def measure(self, text: str) -> float:
        return quantity(text, UNITS_OF_TIME)

    def write(self, value: Any) -> str:
        unit = largest_unit(value, UNITS_OF_TIME)
        return f'"{unit}"' if unit else f"{value:g}"


class Size(Measure, frozen=True):
    """A number of bytes."""

    @property
    def expected(self) -> str:
        return 'bytes or a size such as "64KiB"'

    def measure(self, text: str) -> float:
        return quantity(text, UNITS_OF_SIZE)

    def parse(self, found: Any) -> Any:
        value = super().parse(found)
        if value != int(value):
            raise ValueError(found)
        return int(value)

    def write(self, value: Any) -> str:
        binary = {unit: size for unit, size in UNITS_OF_SIZE.items() if "i" in unit}
        unit = largest_unit(value, binary)
        return f'"{unit}"' if unit else str(value)


class RateSetting(Measure, frozen=True):
    """So many a second; slow ones are easier said as so many in a time."""

    @property
    def expected(self) -> str:
        return 'a number per second or a rate such as "5/30m"'

    def measure(self, text: str) -> float:
        count, slash, time = text.partition("/")
        if not slash:
            return number(text)
        seconds = quantity(time if time[:1].isdigit() else f"1{time}", UNITS_OF_TIME)
        if not seconds:
            raise ValueError(text)
        return number(count) / seconds

    def write(self, value: Any) -> str:
        if value == 0 or value >= 1:
            return f"{value:g}"
        for seconds in (1800, 60, 3600, 86400):
            count = round(value * seconds, 6)
            if count >= 1 and count == int(count):
                return f'"{int(count)}/{largest_unit(seconds, UNITS_OF_TIME)}"'
        return repr(value)


class Several(SettingRow, frozen=True):
    """A list; in plain text its members stand between commas."""

    each: SettingRow = Text()

    @property
    def expected(self) -> str:
        return f"a list, each {self.each.expected}"

    def parse(self, found: Any) -> Any:
        if type(found) is not list:
            raise ValueError(found)
        return tuple(self.each.parse(member) for member in found)

    def read(self, text: str) -> Any:
        return self.parse([part.strip() for part in text.split(",") if part.strip()])

    def write(self, value: Any) -> str:
        return f"[{', '.join(self.each.write(member) for member in value)}]"


class NamedValues(SettingRow, frozen=True):
    """A table with names of the user's own; in plain text `name=value,name=value`."""

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

    def read(self, text: str) -> Any:
        pairs = [part.partition("=") for part in text.split(",") if part.strip()]
        return self.parse({name.strip(): value.strip() for name, _, value in pairs})

    def write(self, value: Any) -> str:
        inner = ", ".join(f"{json.dumps(name)} = {self.each.write(member)}" for name, member in value.items())
        return f"{{ {inner} }}" if inner else "{}"
