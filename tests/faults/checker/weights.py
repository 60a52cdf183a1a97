"""What one case weighs on one day, by the numbered definition in projections/alert_level: numbers in comments are its.

A rule set is the tables of its text and nothing more; a word that a table does not know counts as not given.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

Rules = Mapping[str, Any]


@dataclass
class Case:
    """What the log says of one case so far."""

    case_id: str
    home: str
    place: str
    opened_at: str
    kind: str
    said: Mapping[str, Any]
    provisional: bool
    row: str
    assessment: Mapping[str, Any] | None = None
    ratified: bool = False
    refused: bool = False
    merged_into: str | None = None
    resolved_as: str | None = None
    closed: bool = False
    danger_returned_at: str | None = None
    links: set[str] = field(default_factory=set)
    absorbed: set[str] = field(default_factory=set)
    own_ground: bool = True
    unfounded: bool = False
    laid_by: bool = False
    aged_from: tuple[tuple[Any, ...], date] | None = None

    @property
    def is_open(self) -> bool:
        return not (self.resolved_as is not None or self.merged_into is not None or self.closed or self.refused)


class Weight(NamedTuple):
    """`weighted` counts for cases of harm, `worth` for those of peace; the other one is 0."""

    given: int
    faded: int
    floor: int
    standing: int
    multiplied: bool
    weighted: int
    worth: int
    severity: str
    softened: bool
    peace: bool
    group: str | None


def local_day(moment: str, zone: str) -> date:
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(zone)).date()


@cache
def midnight(day: date, zone: str) -> str:
    """The moment at which a local day begins, as the wire spells it."""
    moment = datetime.combine(day - timedelta(days=1), time(), UTC)
    while moment.astimezone(ZoneInfo(zone)).date() < day:
        moment += timedelta(minutes=15)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def last_possible(dated: Mapping[str, Any]) -> date | None:
    """3. The latest possible day of what is dated."""
    days = [date.fromisoformat(dated[end]) for end in ("from", "to") if end in dated]
    if not days:
        return None
    day = max(days)
    if dated.get("precision") == "week":
        return day + timedelta(days=6 - day.weekday())
    if dated.get("precision") == "month":
        return day.replace(day=monthrange(day.year, day.month)[1])
    return day


def _view(case: Case, what: str) -> str | None:
    return None if case.assessment is None else case.assessment.get(what)


def _severity(case: Case, rules: Rules) -> str:
    for word in (_view(case, "severity"), case.said.get("severity")):
        if word in rules["severity"]:
            return str(word)
    return str(rules["unassessed"]["severity_of_threat" if case.said["threat_to_life"] else "severity"])


def _credibility(case: Case, rules: Rules) -> int:
    known = rules["credibility"].get(_view(case, "credibility"))
    if known is None:
        stage = "provisional" if case.provisional else "ratified" if case.ratified else "credibility"
        known = rules["unassessed"][stage]
    return int(known)


def _reference_day(case: Case, zone: str) -> date:
    """3. From which day it ages."""
    under = (case.danger_returned_at, zone)
    if case.aged_from is None or case.aged_from[0] != under:
        opening = local_day(case.opened_at, zone)
        days = []
        if (happened := last_possible(case.said.get("occurred") or {})) is not None:
            days.append(min(happened, opening))
        if (expected := last_possible(case.said.get("expected") or {})) is not None:
            days.append(expected)
        if case.danger_returned_at is not None:
            days.append(local_day(case.danger_returned_at, zone))
        case.aged_from = (under, max(days, default=opening))
    return case.aged_from[1]


def _left(case: Case, fade: list[list[int]], rules: Rules, day: date) -> int:
    """4. By the days since the reference day (3)."""
    age = (day - _reference_day(case, rules["time_zone"])).days
    return [1000, *(share for since, share in fade if since <= age)][-1]


def weighs_otherwise_on(case: Case, rules: Rules, day: date) -> date | None:
    """The next day on which it may weigh something else though nothing is said of it; None where there is none."""
    kind = rules["peace"]["kinds"].get(case.kind) or rules["kinds"].get(case.kind)
    if kind is None:
        return None
    reference = _reference_day(case, rules["time_zone"])
    age = (day - reference).days
    later = [since for since, _ in kind["fade"] if since > age]
    return reference + timedelta(days=min(later)) if later else None


def _ending(case: Case, rules: Rules) -> int:
    ended = rules["ended"]
    if case.resolved_as is not None:
        return int(ended["resolved"].get(case.resolved_as, ended["resolved"]["unknown"]))
    return int(ended["closed"]) if case.closed else 1000


def weigh(case: Case, rules: Rules, day: date, window: int) -> Weight:
    """1 to 6, and 8."""
    nothing = case.merged_into is not None or case.refused or case.unfounded
    disproved = _view(case, "verification_state") in rules["disproved"]
    severity = _severity(case, rules)
    if (peace := rules["peace"]["kinds"].get(case.kind)) is not None:
        given = 0 if nothing or disproved else peace["points"] * _credibility(case, rules) // 1000
        worth = given * _left(case, peace["fade"], rules, day) // 1000
        if (kept := peace.get("kept_when")) and case.resolved_as not in kept:
            worth = 0
        return Weight(given, given - worth, 0, 0, False, 0, worth, severity, False, True, None)
    rule = rules["kinds"].get(case.kind)
    if rule is None or nothing:
        return Weight(0, 0, 0, 0, False, 0, 0, severity, False, False, None)
    if rule.get("scored_by", "credibility") == "circulation":
        sure = rules["circulation"].get(_view(case, "circulating"), rules["unassessed"]["circulation"])
    else:
        sure = 0 if disproved else _credibility(case, rules)
    given = rule["points"] * rules["severity"].get(severity, 0) * sure // 1_000_000
    remaining = given * _left(case, rule["fade"], rules, day) // 1000 * _ending(case, rules) // 1000
    floor = min(given, rules["floors"].get(severity, 0)) if case.is_open and rule["floored"] else 0
    standing = max(remaining, floor)
    return Weight(
        given,
        given - remaining,
        floor,
        standing,
        rule["in_window"] and standing > 0,
        standing * (window if rule["in_window"] else 1000) // 1000,
        0,
        severity,
        rule["softened"],
        False,
        rule["group"],
    )
