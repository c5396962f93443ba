"""The kinds of setting with a number: counts, times, sizes, rates. The functions read and write units."""

from __future__ import annotations

import math
import re
from typing import Any

from chatd.config.kinds import SettingRow

MAX_NUMBER = 2**53
SECONDS_BY_UNIT = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}
BYTES_BY_UNIT = {"GiB": 2**30, "MiB": 2**20, "KiB": 2**10, "GB": 10**9, "MB": 10**6, "kB": 1000, "KB": 1000, "B": 1}
QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)")


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
