"""One unit as one engine sees it, weighed anew step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from projections.rule_set import RuleSet, hash_of
from projections.taken import Taken
from tests.support.reference_coverage import ever_assigned, places, rows_ever_covered, watch
from tests.support.reference_level.adopted import in_force, last_possible, local_day, rules_of, window
from tests.support.reference_level.cases import Case
from tests.support.reference_level.weights import Weight, of, weigh

UNPLACED = "unplaced"


@dataclass
class Row:
    """A unit as one engine sees it."""

    unit: str
    home: str
    level: int | None = None
    points: int = 0
    contributions: list[dict[str, Any]] = field(default_factory=list)
    peace: list[dict[str, Any]] = field(default_factory=list)
    peace_offset: int = 0
    window_permille: int = 1000
    straight_to: int | None = None
    open_cases: int = 0
    outcomes_asked: int = 0
    rules_hash: str | None = None
    confidence: str = "low"
    confidence_reason: str = "coverage_unknown"
    lost_since: date | None = None
    held: int | None = None
    came_lost: list[tuple[date, int, bool]] = field(default_factory=list)
    fell_unseen: bool = False
    taken_back: bool = False
    cause: str | None = None
    effective_at: str | None = None
    changes: int = 0

    def explanation(self, before: int) -> dict[str, Any]:
        """What `level.level_changed` says of this row."""
        assert self.level is not None
        told = {
            "unit": self.unit,
            "from": before,
            "to": self.level,
            "effective_at": self.effective_at,
            "cause": self.cause,
            "points": self.points,
            "contributions": self.contributions,
            "peace": self.peace,
            "peace_offset": self.peace_offset,
            "window_permille": self.window_permille,
            "straight_to": self.straight_to,
            "held": self.held,
            "open_cases": self.open_cases,
            "confidence": self.confidence,
            "confidence_reason": self.confidence_reason,
            "rules_hash": self.rules_hash,
        }
        return {key: value for key, value in told.items() if value is not None}


@dataclass(frozen=True)
class Line:
    """A line of a unit's history: its number, and what `level.level_changed` says of it."""

    home: str
    number: int
    told: dict[str, Any]


@dataclass
class Ladder:
    """What one engine has to remember: its rows with their levels, what it wrote down, which cases it laid by when."""

    gravity: int
    rows: dict[str, Row] = field(default_factory=dict)
    history: list[Line] = field(default_factory=list)
    laid_by: list[tuple[int, str]] = field(default_factory=list)
    """(so many events were read before, case id)"""
    cases: dict[str, Case] = field(default_factory=dict)


def lost_before(ladder: Ladder, log: Sequence[Taken]) -> list[tuple[str, str, date, int, bool]]:
    """12. Where the last event adopts a gazetteer: places of rows that were lost until then, since when, how high, and
    whether something was taken back there."""
    if log[-1].type != "reference.gazetteer_adopted":
        return []
    old = places(log[:-1])
    return [
        (place, row.home, row.lost_since, row.level or 0, row.taken_back)
        for place in ever_assigned(log)
        if (row := ladder.rows.get(old(place))) is not None and row.lost_since is not None
    ]


def weigh_row(row: Row, ladder: Ladder, log: Sequence[Taken], day: date | None, moment: str) -> int | None:
    """Weigh every case of a row as of a day (the moment's own, where none is named); returns its level."""
    watch(row, log, day, moment)
    row.held = None
    came_lost, row.came_lost = row.came_lost, []
    if row.lost_since is not None:
        row.lost_since = min([row.lost_since, *(since for since, _, _ in came_lost)])
        row.taken_back = row.taken_back or any(taken_back for _, _, taken_back in came_lost)
    here = [case for case in ladder.cases.values() if case.row == row.unit and not case.laid_by]
    row.open_cases = sum(case.is_open for case in here)
    text = in_force(log)
    if text is None:
        return None
    rules = rules_of(text)
    before = adds_up_to(row, rules)
    day = day or local_day(moment, rules)
    row.outcomes_asked = sum(
        case.is_open and (last := last_possible(case.expected)) is not None and last < day for case in here
    )
    if row.unit == UNPLACED:
        return None
    row.rules_hash = hash_of(text)
    times = 1000 if row.unit.startswith("outside:") else window(log, rules, day)
    weights = [weigh(case, rules, row.lost_since or day, times, ladder.gravity) for case in here]
    row.window_permille = times if any(weight.multiplied for weight in weights) else 1000

    harm = ranked([weight for weight in weights if weight.weighted], lambda weight: weight.weighted, rules)  # 7
    kept = ranked([weight for weight in weights if weight.worth], lambda weight: weight.worth, rules)  # 8
    grave = [one for one in weights if not one.peace and one.case.is_open and one.given > 0]
    if any(weight.severity in rules.peace.blocked_by for weight in grave):
        kept = []
    row.contributions, row.peace = [told for _, told in harm], [told for _, told in kept]
    softened = sum(told["counted"] for weight, told in harm if weight.softened)
    row.peace_offset = min(sum(told["counted"] for _, told in kept), of(softened, rules.peace.share))
    row.points = sum(told["counted"] for _, told in harm) - row.peace_offset  # 9

    straight = [one for one in grave if one.case.assessment and one.severity == rules.straight_to.severity]  # 10
    row.straight_to = rules.straight_to.level if straight else None
    level = adds_up_to(row, rules)
    row.fell_unseen = level < before
    if row.lost_since is None:
        return level
    least = max([row.level or 0, *(held for _, held, _ in came_lost)])
    row.held = least if least > (row.level or 0) else None
    return max(level, least)


def adds_up_to(row: Row, rules: RuleSet) -> int:
    """11. The level of its points, from the level so far."""
    up = sum(row.points >= points for points in rules.levels.up)
    down = sum(row.points >= points for points in rules.levels.down)
    return max(up, min(row.level or 0, down), row.straight_to or 0)


def take_back(row: Row, because: Callable[[], str], log: Sequence[Taken]) -> None:
    """12. Remember, of a row that nobody watches, that something was taken back which told of its level."""
    text = in_force(log)
    if row.level is None or text is None or adds_up_to(row, rules_of(text)) >= row.level:
        row.taken_back = False
        return
    silence = rules_of(text).coverage
    if row.fell_unseen and silence is not None and silence.corrects_later and because() == "retraction":
        row.taken_back = True


def ranked(
    weights: list[Weight], amount: Callable[[Weight], int], rules: RuleSet
) -> list[tuple[Weight, dict[str, Any]]]:
    """7. The largest first, equals by case id; each counts by its rank, and beyond the last rank none counts."""
    told = []
    in_order = sorted(weights, key=lambda one: (-amount(one), one.case.case_id))
    for place, (weight, share) in enumerate(zip(in_order, rules.ranks, strict=False)):
        contribution = {
            "case_id": weight.case.case_id,
            "kind": weight.case.kind,
            "given": weight.given,
            "faded": weight.faded,
            "floor": weight.floor,
            "rank": place + 1,
            "counted": of(amount(weight), share),
        }
        told.append((weight, contribution))
    return told


def step(
    ladder: Ladder, log: Sequence[Taken], day: date | None, moment: str, cause_of: Callable[[Row, bool], str]
) -> list[Line]:
    """Weigh every row anew; a row whose level is another one now gets a line of history, which is returned."""
    for case in ladder.cases.values():
        ladder.rows.setdefault(case.row, Row(case.row, case.home))
    for unit, home in rows_ever_covered(log):
        ladder.rows.setdefault(unit, Row(unit, home))
    changes = []
    for unit in sorted(ladder.rows):
        row = ladder.rows[unit]
        before = row.level or 0
        row.level = weigh_row(row, ladder, log, day, moment)
        if row.level is not None and row.level != before:
            row.cause, row.effective_at = cause_of(row, row.level < before), moment
            if row.cause == "coverage" and row.level < before and row.taken_back:
                row.cause = "retraction"
            row.changes += 1
            changes.append(Line(row.home, row.changes, row.explanation(before)))
        if row.lost_since is None:
            row.taken_back = False
        else:
            take_back(row, partial(cause_of, row, row.fell_unseen), log)
    ladder.history += changes
    return changes


def lay_by(ladder: Ladder, log: Sequence[Taken], day: date) -> None:
    """At a midnight: a case that is not open, stands at 0 and has no worth is laid by."""
    rules = rules_of(in_force(log) or "")
    for case in ladder.cases.values():
        weight = weigh(case, rules, ladder.rows[case.row].lost_since or day, 1000, ladder.gravity)
        if not (case.is_open or case.laid_by or weight.standing or weight.worth):
            ladder.laid_by.append((len(log), case.case_id))
            case.laid_by = True
