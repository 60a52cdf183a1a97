"""A comparison as JSON: all that is told, also what page and screen are too short for. Cases are random ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from events.vocabulary import wire_time
from projections.alert_level.naming import LEVELS
from services.what_if.comparing import MONTH, Alert, Comparison, Difference, Side, Verdict, Warned
from services.what_if.reading import WhatIf

FORMAT = 1


def document(told: WhatIf) -> dict[str, Any]:
    """The answer in JSON's own values; every key is there every time."""
    compared = told.compared
    return {
        "format": FORMAT,
        "as_of_position": told.moment.position,
        "as_of_recorded_at": wire_time(told.moment.recorded_at),
        "until": told.until,
        "rules": {"name": told.name, "hash": told.rules_hash},
        "adopted": [
            {"name": one.name, "hash": one.rules_hash, "position": one.position, "recorded_at": one.recorded_at}
            for one in told.adopted
        ],
        "days": {"first": day(compared.first), "last": day(compared.last), "time_zone": told.time_zone},
        "warned_from": compared.warned_from,
        "month_days": MONTH,
        "units": {unit: compared.name(unit) for unit in compared.units},
        "unit_days": {
            side.value: dict(zip(LEVELS, compared.unit_days[side], strict=True)) for side in compared.unit_days
        },
        "differing_unit_days": compared.differing_days,
        "differences": [_difference(one) for one in compared.differences],
        "units_at_an_alert": [*_by_day(compared)],
        "severe_cases": {
            "summary": lead_summary(compared),
            "cases": [_warned(one) for one in compared.warned],
        },
        "alerts": {
            side.value: {
                "verdicts": {verdict.value: compared.verdicts(side)[verdict] for verdict in Verdict},
                "false_permille": compared.false_permille(side),
                "list": [_alert(one) for one in compared.alerts if one.side is side],
            }
            for side in Side
        },
        "alerts_told": {side.value: dict(compared.told[side]) for side in Side},
        "alerts_told_by_unit": {side.value: dict(sorted(compared.told_by_unit[side].items())) for side in Side},
        "left_out": [{"home": one.home, "position": one.position, "why": one.why} for one in told.left_out],
    }


def day(ordinal: int) -> str:
    """A day as it is written."""
    return date.fromordinal(ordinal).isoformat()


def lead_summary(compared: Comparison) -> dict[str, Any]:
    """How many severe cases were warned of, on each side, and how many days were gained and lost."""
    warned = compared.warned
    gained = [one.gained for one in warned if one.gained is not None]
    return {
        "cases": len(warned),
        "not_asked": compared.not_asked,
        "warned_before": {side.value: _count(warned, side, lambda lead: lead > 0) for side in Side},
        "warned_on_the_day": {side.value: _count(warned, side, lambda lead: lead == 0) for side in Side},
        "warned_late": {side.value: _count(warned, side, lambda lead: lead < 0) for side in Side},
        "never_warned": {side.value: sum(lead_of(one, side) is None for one in warned) for side in Side},
        "earlier": sum(days > 0 for days in gained),
        "later": sum(days < 0 for days in gained),
        "as_early": sum(days == 0 for days in gained),
        "days_gained": sum(days for days in gained if days > 0),
        "days_lost": -sum(days for days in gained if days < 0),
        "only_adopted_warned": sum(one.adopted is not None and one.other is None for one in warned),
        "only_other_warned": sum(one.adopted is None and one.other is not None for one in warned),
    }


def lead_of(one: Warned, side: Side) -> int | None:
    return one.adopted if side is Side.ADOPTED else one.other


def _count(warned: Any, side: Side, is_so: Any) -> int:
    return sum((lead := lead_of(one, side)) is not None and is_so(lead) for one in warned)


def _difference(one: Difference) -> Mapping[str, Any]:
    stretch = one.stretch
    return {
        "unit": one.unit,
        "from": day(stretch.first),
        "to": day(stretch.last),
        "adopted": stretch.adopted,
        "other": stretch.other,
    }


def _by_day(compared: Comparison) -> Iterator[Mapping[str, Any]]:
    adopted, other = compared.by_day[Side.ADOPTED], compared.by_day[Side.OTHER]
    for number, (one, two) in enumerate(zip(adopted, other, strict=True)):
        yield {"on": day(compared.first + number), "adopted": one, "other": two}


def _warned(one: Warned) -> Mapping[str, Any]:
    return {
        "case_id": one.case_id,
        "unit": one.unit,
        "on": day(one.day),
        "severity": one.severity,
        "adopted": one.adopted,
        "other": one.other,
        "gained": one.gained,
    }


def _alert(one: Alert) -> Mapping[str, Any]:
    return {
        "unit": one.unit,
        "from": day(one.first),
        "to": day(one.last),
        "level": one.level,
        "verdict": one.verdict.value,
        "because": one.because and one.because.value,
        "alone": one.alone,
    }
