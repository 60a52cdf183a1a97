"""Two rule sets compared the slow way: what services/what_if/__init__.py says, and nothing that its code does.

Levels, alerts and cases come from the reference of the level; every day of every unit is looked at by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from projections.rule_set import RuleSet, hash_of, read_rule_set
from projections.taken import Taken
from tests.support.reference_level.adopted import gazetteer_of, last_possible, local_day, midnight
from tests.support.reference_level.cases import Case
from tests.support.reference_level.recomputing import Recomputed, at_instant

DANGERS = {
    *("tension", "violence", "weapons", "rumour_or_hate_speech", "electoral_irregularity"),
    *("detention_or_rights", "displacement"),
}
A_MONTH = timedelta(days=30)
DAY = timedelta(days=1)


@dataclass
class Expected:
    """What a comparison must say; days are dates here."""

    first: date
    last: date
    levels: dict[str, dict[str, dict[date, int]]] = field(default_factory=dict)
    leads: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)
    not_asked: int = 0
    alerts: dict[tuple[str, str, date, date], tuple[str, str | None, bool]] = field(default_factory=dict)
    told: dict[str, Counter[str]] = field(default_factory=dict)


def otherwise(log: Sequence[Taken], text: str) -> list[Taken]:
    """The log as if every rule set that it adopts were this one."""
    adopted = {"content": text, "content_hash": hash_of(text)}
    return [replace(one, data=one.data | adopted) if one.type == "reference.rules_adopted" else one for one in log]


def expected(log: Sequence[Taken], text: str, until: str, warned_from: int) -> Expected | None:
    """What must be said of a log up to a moment; None where it adopts no rules by then."""
    log = [one for one in log if one.time <= until and one.mode == "actual"]
    rules = read_rule_set(text)
    first = next((local_day(one.time, rules) for one in log if one.type == "reference.rules_adopted"), None)
    if first is None:
        return None
    sides = {
        "adopted": at_instant(log, until, {1: 1}),
        "other": at_instant(otherwise(log, text), until, {1: 1}),
    }
    found = Expected(first, local_day(until, rules))
    days = [first + number * DAY for number in range((found.last - first).days + 1)]
    said = {side: _said(standing) for side, standing in sides.items()}
    units = sorted({unit for of in said.values() for unit in of})
    for side, of in said.items():
        found.levels[side] = {unit: {day: _level(of.get(unit, []), day, rules) for day in days} for unit in units}
        alerts = (one.data["change"] for one in sides[side].voice.said if one.stream.startswith("alert/"))
        found.told[side] = Counter(alerts)
    cases = {
        name: case
        for name, case in sides["adopted"].ladders[1].cases.items()
        if case.kind in DANGERS and case.merged_into is None
    }
    for name, case in cases.items():
        unit, day = _unit_and_day(case, log, rules)
        if _severe(case):
            if unit == "unplaced" or day not in days:
                found.not_asked += 1
            else:
                adopted, other = (
                    _lead(found.levels[side].get(unit, {}), day, warned_from) for side in ("adopted", "other")
                )
                found.leads[name] = adopted, other
    for side, across in (("adopted", "other"), ("other", "adopted")):
        for unit in units:
            beside = found.levels[across][unit]
            warned = [day for day in days if found.levels[side][unit][day] >= warned_from]
            for begins in (day for day in warned if day - DAY not in warned):
                ends = begins
                while ends + DAY in warned:
                    ends += DAY
                alone = not any(beside[day] >= warned_from for day in days if begins <= day <= ends)
                near = [
                    case
                    for case in cases.values()
                    for where, day in [_unit_and_day(case, log, rules)]
                    if where == unit and begins - A_MONTH <= day <= ends + A_MONTH
                ]
                found.alerts[side, unit, begins, ends] = *_became(near, ends + A_MONTH > found.last), alone
    return found


def _said(standing: Recomputed) -> dict[str, list[tuple[str, int]]]:
    """Of each unit: when which level was said."""
    told: dict[str, list[tuple[str, int]]] = {}
    for one in standing.voice.said:
        if one.stream.startswith("level/"):
            told.setdefault(one.data["unit"], []).append((one.due, one.data["to"]))
    return told


def _level(told: Sequence[tuple[str, int]], day: date, rules: RuleSet) -> int:
    begins, ends = midnight(day, rules.time_zone), midnight(day + DAY, rules.time_zone)
    before = [0, *(level for at, level in told if at <= begins)]
    return max(before[-1], *(level for at, level in told if begins < at < ends), 0)


def _unit_and_day(case: Case, log: Sequence[Taken], rules: RuleSet) -> tuple[str, date]:
    opened = local_day(case.opened_at, rules)
    occurred, awaited = last_possible(case.occurred), last_possible(case.expected)
    day = min(occurred, opened) if occurred is not None else opened if awaited is None else awaited
    maps = [one for one in log if one.type == "reference.gazetteer_adopted"]
    by_then = [one for one in maps if local_day(one.time, rules) <= day]
    if not maps:
        return case.place, day
    return gazetteer_of(by_then[-1] if by_then else maps[0]).row_at(case.place), day


def _assessed(case: Case) -> Mapping[str, Any]:
    return case.assessment or {}


def _taken_back(case: Case) -> bool:
    return case.not_ratified or case.unfounded or _assessed(case).get("verification_state") == "confirmed_false"


def _severe(case: Case) -> bool:
    return not _taken_back(case) and _assessed(case).get("severity") in ("severe", "extreme")


def _lead(levels: Mapping[date, int], day: date, warned_from: int) -> int | None:
    if levels.get(day, 0) >= warned_from:
        began = day
        while levels.get(began - DAY, 0) >= warned_from and day - began < A_MONTH:
            began -= DAY
        return (day - began).days
    later = [number for number in range(1, 31) if levels.get(day + number * DAY, 0) >= warned_from]
    return -later[0] if later else None


def _became(cases: Sequence[Case], is_early: bool) -> tuple[str, str | None]:
    true = [case for case in cases if not _taken_back(case)]
    confirmed = ("confirmed_true", "probably_true")
    if any(
        case.resolved_as == "harm_done" or (_severe(case) and _assessed(case)["verification_state"] in confirmed)
        for case in true
    ):
        return "borne_out", None
    if any(case.resolved_as in ("prevented", "settled") for case in true):
        return "prevented", None
    if not cases:
        return "unknown", "no_case"
    if is_early:
        return "unknown", "too_early"
    if any(case.resolved_as != "subsided" for case in true):
        return "unknown", "no_outcome"
    return "false", None
