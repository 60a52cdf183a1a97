"""Plots as inline SVG that need no colour: what was adopted is solid, what the other rules say is dashed or hatched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from projections.alert_level.naming import LEVELS
from services.what_if.days import Run

WIDTH = 720
LEFT, RIGHT = 46, 12
INK, OTHER, GRID = "#1a1a1a", "#0b57a4", "#c8c8c8"
SHADES = ("#ffffff", "#dcdcdc", "#ababab", "#6a6a6a", "#161616")
"""A level's shade, the worse the darker."""

HATCH = (
    '<pattern id="{id}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="6" height="6" fill="#ffffff"/><rect width="3" height="6" fill="{OTHER}"/></pattern>'
)


@dataclass(frozen=True)
class Bar:
    """One line of a bar plot: what is counted, and a number for each side, or one for both."""

    what: str
    adopted: int
    other: int | None = None


def plot(name: str, height: float, title: str, said: str, parts: Iterable[str]) -> str:
    """An SVG with its name for screen readers and what it shows in words."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-labelledby="{name}-title {name}-said" '
        f'><title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-said">{escape(said)}</desc>{"".join(parts)}</svg>'
    )


def lines(name: str, title: str, said: str, first: int, adopted: Sequence[int], other: Sequence[int]) -> str:
    """Two numbers of each day, as steps over time."""
    height, top, bottom = 240, 26, 26
    most = _rounded(max(*adopted, *other, 1))
    inner = height - top - bottom

    def y(number: int) -> float:
        return top + inner - number * inner / most

    parts = [
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="{GRID}"/>'
        f"{_text(LEFT - 6, y(tick) + 4, str(tick), 'end')}"
        for tick in _ticks(most)
    ]
    parts += _months(first, len(adopted), height - bottom)
    parts.append(_step(adopted, y, f'stroke="{INK}" stroke-width="1.4"'))
    parts.append(_step(other, y, f'stroke="{OTHER}" stroke-width="2" stroke-dasharray="5 3"'))
    parts += _legend()
    return plot(name, height, title, said, parts)


def bars(name: str, title: str, said: str, rows: Sequence[Bar]) -> str:
    """Horizontal bars, two for each line where both sides have a number, with the number at the end of each."""
    two = any(row.other is not None for row in rows)
    label, thick, gap = 190, 15, 12
    each = thick * (2 if two else 1) + gap
    top = 26 if two else 6
    most = max((max(row.adopted, row.other or 0) for row in rows), default=0) or 1
    room = WIDTH - label - 70
    parts = [f"<defs>{HATCH.format(id=f'{name}-hatch')}</defs>", *(_legend(f"{name}-hatch") if two else ())]
    for number, row in enumerate(rows):
        at = top + number * each
        middle = at + (each - gap) / 2 + 4
        parts.append(_text(label - 8, middle, row.what, "end"))
        parts.append(_bar(label, at, row.adopted * room / most, thick, f'fill="{INK}"', row.adopted))
        if row.other is not None:
            style = f'fill="url(#{name}-hatch)" stroke="{OTHER}"'
            parts.append(_bar(label, at + thick, row.other * room / most, thick, style, row.other))
    return plot(name, top + len(rows) * each, title, said, parts)


def strips(name: str, title: str, said: str, rows: Sequence[tuple[str, Sequence[Run], Sequence[Run]]]) -> str:
    """Units over time, two strips each, shaded by level: above as adopted, below under the other rules."""
    first, last = rows[0][1][0].first, rows[0][1][-1].last
    days = last - first + 1
    thick, gap, top, label = 12, 16, 22, 176
    room = WIDTH - label - RIGHT
    parts = []
    for level, shade in enumerate(SHADES):
        at = label + level * 105
        parts.append(f'<rect x="{at}" y="2" width="14" height="12" fill="{shade}" stroke="{INK}" stroke-width=".5"/>')
        parts.append(_text(at + 19, 12, f"{level} {LEVELS[level]}"))
    for number, (unit, adopted, other) in enumerate(rows):
        at = top + number * (2 * thick + gap)
        parts.append(_text(label - 54, at + thick + 4, unit if len(unit) < 18 else f"{unit[:16]}…", "end", bold=True))
        parts.append(_text(label - 6, at + thick - 2, "adopted", "end", small=True))
        parts.append(_text(label - 6, at + 2 * thick - 1, "other", "end", small=True))
        for where, runs in ((at, adopted), (at + thick, other)):
            parts += [
                f'<rect x="{label + (run.first - first) * room / days:.2f}" y="{where}" '
                f'width="{max(run.days * room / days, 0.4):.2f}" height="{thick}" fill="{SHADES[run.level]}"/>'
                for run in runs
                if run.level
            ]
            parts.append(
                f'<rect x="{label}" y="{where}" width="{room}" height="{thick}" fill="none" stroke="{INK}" '
                'stroke-width=".6"/>'
            )
    bottom = top + len(rows) * (2 * thick + gap)
    parts += _months(first, days, bottom - gap + 4, label, ticks_up=False)
    return plot(name, bottom + 16, title, said, parts)


def _step(numbers: Sequence[int], y: object, style: str) -> str:
    assert callable(y)
    room, days = WIDTH - LEFT - RIGHT, len(numbers)
    path, before = [f"M{LEFT} {y(numbers[0]):.1f}"], numbers[0]
    for day, number in enumerate(numbers):
        if number != before:
            path.append(f"H{LEFT + day * room / days:.1f}V{y(number):.1f}")
            before = number
    path.append(f"H{WIDTH - RIGHT}")
    return f'<path d="{"".join(path)}" fill="none" {style}/>'


def _bar(x: float, y: float, width: float, thick: float, style: str, number: int) -> str:
    drawn = f'<rect x="{x}" y="{y}" width="{width:.1f}" height="{thick - 2}" {style}/>' if number else ""
    return drawn + _text(x + width + 5, y + thick - 4, f"{number:,}", small=True)


def _legend(hatch: str | None = None) -> Iterator[str]:
    if hatch is None:
        yield f'<line x1="{LEFT}" x2="{LEFT + 26}" y1="10" y2="10" stroke="{INK}" stroke-width="1.4"/>'
        yield (
            f'<line x1="{LEFT + 130}" x2="{LEFT + 156}" y1="10" y2="10" stroke="{OTHER}" stroke-width="2" '
            'stroke-dasharray="5 3"/>'
        )
    else:
        yield f'<rect x="{LEFT}" y="4" width="26" height="12" fill="{INK}"/>'
        yield f'<rect x="{LEFT + 130}" y="4" width="26" height="12" fill="url(#{hatch})" stroke="{OTHER}"/>'
    yield _text(LEFT + 32, 14, "as adopted")
    yield _text(LEFT + 162, 14, "under the other rules")


def _months(first: int, days: int, y: float, left: float = LEFT, *, ticks_up: bool = True) -> Iterator[str]:
    """The beginnings of months, quarters or years, as many as can be read."""
    room = WIDTH - left - RIGHT
    steps = next((step for step in (1, 2, 3, 6, 12, 24, 60) if days / (30.4 * step) <= 13), 120)
    begins, ends = date.fromordinal(first), date.fromordinal(first + days - 1)
    month = begins.year * 12 + begins.month - 1
    for number in range(month, ends.year * 12 + ends.month):
        on = date(number // 12, number % 12 + 1, 1)
        if number % steps or on < begins:
            continue
        x = left + (on.toordinal() - first) * room / days
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 4}" stroke="{INK}"/>'
        if x < WIDTH - 40:
            yield _text(x + 3, y + 14, f"{on:%b %Y}" if steps < 12 else f"{on:%Y}", small=True)
    if ticks_up:
        yield f'<line x1="{left}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="{INK}"/>'


def _text(x: float, y: float, said: str, anchor: str = "start", *, small: bool = False, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{10 if small else 12}"{weight} '
        f'fill="{INK}">{escape(said)}</text>'
    )


def _rounded(most: int) -> int:
    """The end of an axis: a number that divides into a few whole steps."""
    for size in (1, 2, 4, 5, 8, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300, 400, 500):
        if most <= size:
            return size
    return -(-most // 1_000) * 1_000


def _ticks(most: int) -> list[int]:
    steps = next((number for number in (5, 4, 3, 2, 1) if most % number == 0), 1)
    return [most * number // steps for number in range(steps + 1)]
