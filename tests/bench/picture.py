"""Draws curves as SVG: cost against size, both logarithmic, one line a server or request."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 170, 40, 50
COLOURS = ("#1b6ca8", "#c8553d", "#588157", "#8d6a9f", "#b08900", "#444444")


@dataclass(frozen=True)
class Line:
    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Scale:
    """Powers of ten, from one at or below the least to one at or above the most, spread over pixels."""

    low: int
    high: int
    start: float
    end: float

    def place(self, value: float) -> float:
        return self.start + (log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)


def scale_over(values: Sequence[float], start: float, end: float) -> Scale:
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return Scale(low, max(high, low + 1), start, end)


def spell_power(power: int) -> str:
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:g}"


def grid(across: Scale, up: Scale) -> list[str]:
    parts = []
    for power in range(across.low, across.high + 1):
        x = across.place(10.0**power)
        parts.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{spell_power(power)}</text>')
    for power in range(up.low, up.high + 1):
        y = up.place(10.0**power)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{spell_power(power)}</text>')
    return parts


def curve(line: Line, colour: str, across: Scale, up: Scale, row: int) -> list[str]:
    places = [(across.place(x), up.place(y)) for x, y in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts = [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>']
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
    y = TOP + 14 + 20 * row
    parts.append(f'<rect x="{WIDTH - RIGHT + 14}" y="{y - 9}" width="12" height="10" fill="{colour}"/>')
    parts.append(f'<text x="{WIDTH - RIGHT + 32}" y="{y}">{escape(line.name)}</text>')
    return parts


def draw(title: str, across_name: str, up_name: str, lines: Sequence[Line]) -> str:
    """The whole picture; lines without a point are left out."""
    drawn = [line for line in lines if line.points]
    across = scale_over([x for line in drawn for x, _ in line.points], LEFT, WIDTH - RIGHT)
    up = scale_over([y for line in drawn for _, y in line.points], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        ' font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="15">{escape(title)}</text>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">{escape(across_name)}</text>',
        f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{escape(up_name)}</text>',
        *grid(across, up),
    ]
    for row, line in enumerate(drawn):
        parts += curve(line, COLOURS[row % len(COLOURS)], across, up, row)
    return "\n".join([*parts, "</svg>", ""])
