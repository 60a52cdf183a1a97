"""A comparison as one page for a committee: plots with their tables, in words, in one file that loads nothing.

It has no script and no address: whoever reads it is seen by nobody, and it is the same page in ten years.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from projections.alert_level.naming import LEVELS
from services.what_if.comparing import MONTH, Alert, Comparison, Difference, Side
from services.what_if.document import lead_summary
from services.what_if.plots import Bar, bars, lines, strips
from services.what_if.reading import WhatIf
from services.what_if.wording import (
    UNKNOWN,
    VERDICTS,
    Row,
    asked,
    counted,
    lead_rows,
    lead_sentences,
    left_out_sentences,
    level_rows,
    most_telling,
    on,
    said_lead,
    signed,
    told_rows,
    verdict_rows,
)

MOST_UNITS = 10
MOST_LINES = 40
"""Lines of a table; the JSON holds all of them, and the page says so."""

SHORT_VERDICTS = {
    "borne_out": "borne out",
    "prevented": "prevented or settled",
    "false": "false",
    "unknown": "unknown",
}


class Listed(NamedTuple):
    """A table that may be cut: its heads, its lines, and how many there are in all."""

    heads: Sequence[str]
    lines: Sequence[Sequence[str]]
    all: int


def report(told: WhatIf) -> str:
    """The page."""
    compared = told.compared
    level = LEVELS[compared.warned_from]
    days = f"{on(compared.first)} to {on(compared.last)}"
    return _template().render(
        told=told,
        asked=asked(told),
        adopted=_adopted(told),
        days=days,
        level=level,
        month=MONTH,
        left_out=left_out_sentences(told),
        headline=_headline(compared, level),
        by_day=Markup(_by_day(compared, level)),  # noqa: S704 - made by plots, which escapes every word
        periods=[*_periods(compared)],
        levels=Markup(_levels(compared)),  # noqa: S704
        level_rows=level_rows(compared),
        units=_units(compared),
        stretches=_stretches(compared),
        lead=Markup(_lead(compared)),  # noqa: S704
        lead_rows=lead_rows(compared),
        lead_sentences=lead_sentences(compared),
        cases=_cases(compared),
        verdicts=Markup(_verdicts(compared)),  # noqa: S704
        verdict_rows=verdict_rows(compared),
        alone=_alone(compared),
        told_rows=told_rows(compared),
        more_or_fewer=_more_or_fewer(compared),
    )


@cache
def _template() -> Template:
    text = files("services.what_if").joinpath("report.html.jinja").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(text)


def _adopted(told: WhatIf) -> Listed:
    rows = [
        (one.name, f"{one.rules_hash[:12]}…", f"{one.recorded_at[:10]}", f"{one.position:,}") for one in told.adopted
    ]
    return _listed(("adopted", "hash", "on", "position"), rows)


def _headline(compared: Comparison, level: str) -> list[str]:
    """The three numbers that a reader takes home."""
    lead = lead_summary(compared)
    before = {side: lead["warned_before"][side.value] for side in Side}
    false = {side: compared.false_permille(side) for side in Side}
    shares = " and ".join("not known" if one is None else f"{one / 10:.0f} %" for one in false.values())
    return [
        f"Units stood at {level} or worse on {compared.alert_days(Side.ADOPTED):,} days as adopted, and would have on "
        f"{compared.alert_days(Side.OTHER):,} under the other rules.",
        f"Of {lead['cases']:,} severe cases {before[Side.ADOPTED]:,} were warned of before their day as adopted, and "
        f"{before[Side.OTHER]:,} would have been.",
        f"False alarms, of those alerts whose end is known: {shares}.",
    ]


def _by_day(compared: Comparison, level: str) -> str:
    adopted, other = compared.by_day[Side.ADOPTED], compared.by_day[Side.OTHER]
    said = (
        f"At most {max(adopted)} units on one day as adopted and {max(other)} under the other rules. "
        "The table below has the numbers."
    )
    return lines("by-day", f"Units at {level} or worse, day by day", said, compared.first, adopted, other)


def _periods(compared: Comparison) -> Iterator[Row]:
    """Alert days month by month, or year by year where there are many months."""
    first, last = date.fromordinal(compared.first), date.fromordinal(compared.last)
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    form = "%Y" if months > 36 else "%b %Y"
    sums: dict[str, list[int]] = {}
    for number, pair in enumerate(zip(compared.by_day[Side.ADOPTED], compared.by_day[Side.OTHER], strict=True)):
        period = sums.setdefault(f"{date.fromordinal(compared.first + number):{form}}", [0, 0])
        period[0] += pair[0]
        period[1] += pair[1]
    for name, (adopted, other) in sums.items():
        yield counted(name, adopted, other)


def _levels(compared: Comparison) -> str:
    adopted, other = compared.unit_days[Side.ADOPTED], compared.unit_days[Side.OTHER]
    rows = [Bar(f"{level} {LEVELS[level]}", adopted[level], other[level]) for level in range(len(LEVELS) - 1, 0, -1)]
    return bars("levels", "Days of units at each level above calm", "As in the table below, without calm days.", rows)


def _units(compared: Comparison) -> Markup | None:
    """The units that differ most, over time."""
    differing: dict[str, int] = {}
    for one in compared.differences:
        differing[one.unit] = differing.get(one.unit, 0) + one.stretch.days
    chosen = sorted(differing, key=lambda unit: (-differing[unit], unit))[:MOST_UNITS]
    if not chosen:
        return None
    rows = [
        (compared.names[unit], compared.runs[Side.ADOPTED][unit], compared.runs[Side.OTHER][unit]) for unit in chosen
    ]
    said = "The units with the most days on which the two do not say the same; the table below has the stretches."
    return Markup(strips("units", "The units that differ most", said, rows))  # noqa: S704


def _stretches(compared: Comparison) -> Listed:
    def weight(one: Difference) -> tuple[int, int]:
        stretch = one.stretch
        return (-stretch.days * abs(stretch.other - stretch.adopted), stretch.first)

    longest = sorted(compared.differences, key=weight)[:MOST_LINES]
    rows = [
        (
            compared.name(unit),
            on(stretch.first),
            on(stretch.last),
            f"{stretch.days:,}",
            LEVELS[stretch.adopted],
            LEVELS[stretch.other],
        )
        for unit, stretch in longest
    ]
    heads = ("where", "from", "to", "days", "as adopted", "other rules")
    return Listed(heads, rows, len(compared.differences))


BUCKETS: Sequence[tuple[str, range]] = (
    ("15 or more days earlier", range(15, 10_000)),
    ("8 to 14 days earlier", range(8, 15)),
    ("3 to 7 days earlier", range(3, 8)),
    ("1 or 2 days earlier", range(1, 3)),
    ("the same day", range(1)),
    ("1 or 2 days later", range(-2, 0)),
    ("3 to 7 days later", range(-7, -2)),
    ("8 to 14 days later", range(-14, -7)),
    ("15 or more days later", range(-10_000, -14)),
)


def _lead(compared: Comparison) -> str:
    found = lead_summary(compared)
    gained = [one.gained for one in compared.warned if one.gained is not None]
    neither = sum(one.adopted is None and one.other is None for one in compared.warned)
    rows = [
        Bar("only the other rules warn", found["only_other_warned"]),
        *(Bar(said, sum(days in bucket for days in gained)) for said, bucket in BUCKETS),
        Bar("only those adopted warn", found["only_adopted_warned"]),
        Bar("neither warns", neither),
    ]
    said = "How many severe cases the other rules would have warned of how much earlier or later."
    return bars("lead", "Severe cases, by what the other rules gain or lose", said, rows)


def _cases(compared: Comparison) -> Listed:
    telling = most_telling(compared, MOST_LINES)
    rows = [
        (
            on(one.day),
            compared.name(one.unit),
            one.severity,
            said_lead(one.adopted),
            said_lead(one.other),
            "" if one.gained is None else signed(one.gained),
        )
        for one in telling
    ]
    differing = sum(one.adopted != one.other for one in compared.warned)
    return Listed(("day", "where", "severity", "as adopted", "other rules", "days gained"), rows, differing)


def _verdicts(compared: Comparison) -> str:
    adopted, other = compared.verdicts(Side.ADOPTED), compared.verdicts(Side.OTHER)
    rows = [Bar(SHORT_VERDICTS[verdict.value], adopted[verdict], other[verdict]) for verdict in VERDICTS]
    return bars("verdicts", "What became of the alerts", "As in the table below.", rows)


def _alone(compared: Comparison) -> Listed:
    """False alarms, and what is unknown, that only one side has."""
    found = [one for one in compared.alerts if one.alone]
    rows = [
        (
            compared.name(one.unit),
            on(one.first),
            on(one.last),
            LEVELS[one.level],
            "adopted" if one.side is Side.ADOPTED else "other",
            _became(one),
        )
        for one in sorted(found, key=lambda one: (one.first, one.unit))[:MOST_LINES]
    ]
    return Listed(("where", "from", "to", "worst", "only", "what became of it"), rows, len(found))


def _became(one: Alert) -> str:
    said = SHORT_VERDICTS[one.verdict.value]
    return said if one.because is None else f"{said}: {UNKNOWN[one.because]}"


def _more_or_fewer(compared: Comparison) -> Listed:
    adopted, other = compared.told_by_unit[Side.ADOPTED], compared.told_by_unit[Side.OTHER]
    differing = [unit for unit in {*adopted, *other} if adopted.get(unit, 0) != other.get(unit, 0)]
    differing.sort(key=lambda unit: (-abs(other.get(unit, 0) - adopted.get(unit, 0)), compared.name(unit)))
    rows = [counted(compared.name(unit), adopted.get(unit, 0), other.get(unit, 0)) for unit in differing[:MOST_LINES]]
    return Listed(("where", "as adopted", "other rules", "difference"), rows, len(differing))


def _listed(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Listed:
    return Listed(heads, rows[:MOST_LINES], len(rows))
