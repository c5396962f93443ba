"""The kinds of setting: how a value of each kind is parsed from TOML and from plain text, checked, and written.

Kinds with a number are in quantities.py, kinds with an address in addresses.py.

An instance of a kind is the row of one setting in chatd/config/settings.py. It has the sentence that explains the
setting, its bounds, and whether SIGHUP may change it. `parse` takes a TOML value. `parse_text` takes the text of a flag
or of an environment variable. Both raise ValueError. `expected` is the phrase for the values that they accept. `write`
returns TOML.
"""

from __future__ import annotations

import json
import re
from typing import Any

from msgspec import Struct

HIDDEN_TEXT = "(hidden)"
SWITCH_WORDS = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}


class Secret(str):
    """Text whose `repr` is hidden, so that debugging output never shows it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return HIDDEN_TEXT


def is_printable(text: str) -> bool:
    """Whether the text has no control characters and no lone surrogates."""
    return not any(ord(char) < 32 or ord(char) == 127 or 0xD800 <= ord(char) < 0xE000 for char in text)


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
    """One value of a list."""

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


class MediaType(Text, frozen=True):
    """A media type, or all types of a kind."""

    noun: str = "a media type such as image/png, image/* or */*"

    def parse(self, found: Any) -> Any:
        text = super().parse(found).lower()
        if not re.fullmatch(r"[a-z]+/(\*|[a-z0-9][a-z0-9.+-]*)|\*/\*", text):
            raise ValueError(found)
        return text
