"""One case on one day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from events.vocabulary import CaseOutcome
from projections.rule_set import KindRule, PeaceRule, RuleSet
from tests.support.reference_level.adopted import last_possible, local_day
from tests.support.reference_level.cases import Case

T = TypeVar("T")


@dataclass(frozen=True)
class Weight:
    """One case on one day (2 to 6, 8). `weighted` is 0 for peace cases, `worth` for all others."""

    case: Case
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


def of(amount: int, share: int) -> int:
    """`a × s`: a share in permille, rounded down at that very step."""
    return amount * share // 1000


def looked_up(table: Mapping[Any, T], word: str | None) -> T | None:
    """A word that a table does not know counts as not given."""
    return table.get(word)


def view(case: Case, what: str) -> str | None:
    """What the committee said last."""
    return None if case.assessment is None else str(case.assessment[what])


def severity_of(case: Case, rules: RuleSet) -> str:
    """1."""
    for word in (view(case, "severity"), case.stated_severity):
        if word is not None and looked_up(rules.severity, word) is not None:
            return word
    return rules.unassessed.severity_of_threat if case.threat else rules.unassessed.severity


def credibility_of(case: Case, rules: RuleSet) -> int:
    """1."""
    sure = looked_up(rules.credibility, view(case, "credibility"))
    if sure is not None:
        return sure
    if case.provisional:
        return rules.unassessed.provisional
    return rules.unassessed.ratified if case.ratified else rules.unassessed.credibility


def circulation_of(case: Case, rules: RuleSet) -> int:
    """1."""
    far = looked_up(rules.circulation, view(case, "circulating"))
    return rules.unassessed.circulation if far is None else far


def disproved(case: Case, rules: RuleSet) -> bool:
    """2."""
    return view(case, "verification_state") in rules.disproved


def reference_day(case: Case, rules: RuleSet) -> date:
    """3."""
    opening = local_day(case.opened_at, rules)
    days = []
    if happened := last_possible(case.occurred):
        days.append(min(happened, opening))
    if expected := last_possible(case.expected):
        days.append(expected)
    if case.danger_returned_at:
        days.append(local_day(case.danger_returned_at, rules))
    return max(days, default=opening)


def left(case: Case, rule: KindRule | PeaceRule, rules: RuleSet, day: date) -> int:
    """4. The share that is left on a day."""
    age = (day - reference_day(case, rules)).days
    return [1000, *(share for days, share in rule.fade if days <= age)][-1]


def ending(case: Case, rules: RuleSet) -> int:
    """4. The share that is left of a case that ended."""
    if case.resolved_as is not None:
        listed = looked_up(rules.ended.resolved, case.resolved_as)
        return rules.ended.resolved[CaseOutcome.UNKNOWN] if listed is None else listed
    return rules.ended.closed if case.closed else 1000


def weigh(case: Case, rules: RuleSet, day: date, window: int, gravity: int) -> Weight:
    severity = severity_of(case, rules)
    if peace := looked_up(rules.peace.kinds, case.kind):
        return weigh_peace(case, peace, rules, day, severity, gravity)
    rule = looked_up(rules.kinds, case.kind)
    if rule is None or case.gives_nothing:
        return Weight(case, 0, 0, 0, 0, False, 0, 0, severity, False, False, None)
    if rule.scored_by == "circulation":
        sure = circulation_of(case, rules)
    else:
        sure = 0 if disproved(case, rules) else credibility_of(case, rules)
    given = rule.points * (looked_up(rules.severity, severity) or 0) * sure // 1_000_000
    remaining = of(of(given, left(case, rule, rules, day)), ending(case, rules))  # 4
    floored = case.is_open and rule.floored  # 5
    floor = min(given, looked_up(rules.floors, severity) or 0) if floored else 0
    standing = max(remaining, floor)
    times = window if rule.in_window else 1000  # 6
    return Weight(
        case,
        given=gravity * given,
        faded=gravity * (given - remaining),
        floor=gravity * floor,
        standing=gravity * standing,
        multiplied=rule.in_window and standing > 0,
        weighted=of(gravity * standing, times),
        worth=0,
        severity=severity,
        softened=rule.softened,
        peace=False,
        group=rule.group,
    )


def weigh_peace(case: Case, rule: PeaceRule, rules: RuleSet, day: date, severity: str, gravity: int) -> Weight:
    """8."""
    given = 0 if case.gives_nothing or disproved(case, rules) else of(rule.points, credibility_of(case, rules))
    worth = of(given, left(case, rule, rules, day))
    if rule.kept_when and case.resolved_as not in rule.kept_when:
        worth = 0
    return Weight(
        case,
        given=gravity * given,
        faded=gravity * (given - worth),
        floor=0,
        standing=0,
        multiplied=False,
        weighted=0,
        worth=gravity * worth,
        severity=severity,
        softened=False,
        peace=True,
        group=None,
    )
