"""The level computed the slow way: what projections/alert_level/__init__.py says, and nothing that its code does.

Nothing is kept from one moment to the next but what the definition itself looks back to: each row's level so far, when
a case was laid by, and what was said. At every event everything that is known of every case is read again from the
whole log, and at every event and every midnight every case is weighed anew. Numbers in comments are the definition's.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial
from typing import Any, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from events.alert import KindGroup
from events.places.gazetteer import Gazetteer
from events.vocabulary import CaseOutcome, wire_time
from projections.projection import derived_id
from projections.rule_set import KindRule, PeaceRule, RuleSet, hash_of, read_rule_set
from projections.taken import Taken
from tests.support.reference_coverage import SIGNS, ever_assigned, places, rows_ever_covered, watch

T = TypeVar("T")
Engines: TypeAlias = Mapping[int, int]
"""Engines by number, with how many times as grave as the rules say each sees every case."""

UNPLACED = "unplaced"
QUARTER = timedelta(minutes=15)


@dataclass
class Case:
    """What the log says of one case so far."""

    case_id: str
    home: str
    place: str
    kind: str
    opened_at: str
    occurred: Mapping[str, Any]
    expected: Mapping[str, Any]
    threat: bool
    provisional: bool
    stated_severity: str | None
    assessment: Mapping[str, Any] | None = None
    ratified: bool = False
    not_ratified: bool = False
    merged_into: str | None = None
    resolved_as: str | None = None
    closed: bool = False
    danger_returned_at: str | None = None
    links: set[str] = field(default_factory=set)
    has_ground_of_its_own: bool = True
    unfounded: bool = False
    laid_by: bool = False
    row: str = ""

    @property
    def is_open(self) -> bool:
        return self.resolved_as is None and self.merged_into is None and not (self.closed or self.not_ratified)

    @property
    def gives_nothing(self) -> bool:
        return self.merged_into is not None or self.not_ratified or self.unfounded


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


@dataclass
class Said:
    """An event that follows, with what makes its id and its place."""

    stream: str
    home: str
    seed: str
    due: str
    engine: int
    data: dict[str, Any]


class Recomputed:
    """Rows and history of every engine that still folds, and everything that was said, as of one instant."""

    def __init__(self, engines: Engines) -> None:
        self.ladders = {number: Ladder(gravity) for number, gravity in engines.items()}
        self.voice = Voice()
        self._passed = ""

    def pass_midnights(self, log: Sequence[Taken], until: str) -> None:
        """Weigh everything anew at every midnight after the last event of the log, at or before a moment; overrides
        end in between, after a midnight of the same moment."""
        while ends := min((end for _, _, end in self.voice.overrides.values() if end <= until), default=None):
            self._pass_midnights(log, ends)
            self.voice.end(ends, self._rows(), log)
        self._pass_midnights(log, until)

    def _rows(self) -> Mapping[str, Row]:
        return self.ladders[self.voice.speaker].rows if self.voice.speaker is not None else {}

    def _pass_midnights(self, log: Sequence[Taken], until: str) -> None:
        for moment, day in midnights(log, until):
            if moment <= self._passed:
                continue
            self._passed = moment
            for engine, ladder in self.ladders.items():
                for line in step(ladder, log, day, moment, partial(cause_at_midnight, ladder, log, day)):
                    self.voice.changed(engine, line, log)
                lay_by(ladder, log, day)

    def take_last_of(self, log: Sequence[Taken]) -> None:
        """Read the whole log again, with an event more at its end, and weigh everything anew."""
        event = log[-1]
        for engine, ladder in self.ladders.items():
            before, ladder.cases = ladder.cases, known(log, ladder.laid_by)
            for place, home, since, level, taken_back in lost_before(ladder, log):
                new = places(log)(place)
                ladder.rows.setdefault(new, Row(new, home)).came_lost.append((since, level, taken_back))
            for line in step(ladder, log, None, event.time, partial(cause_of_event, log, before, ladder.cases)):
                self.voice.changed(engine, line, log)
        if event.type in ("alert.overridden", "alert.override_ended"):
            self.voice.override(event, self._rows(), log)
        if event.type in ("reference.rules_adopted", "reference.gazetteer_adopted"):
            self.voice.after_reference(event, self._rows(), log)
        if event.type == "reference.engine_adopted" and event.data["projection"] == "alert_level":
            speaker = event.data["number"]
            self.ladders = {engine: ladder for engine, ladder in self.ladders.items() if engine >= speaker}
            self.voice.adopt(speaker, self.ladders[speaker].rows, log, event.time)


def recomputed(history: Iterable[Taken], engines: Engines) -> Iterator[tuple[Taken, Recomputed]]:
    """Step through every event and every midnight; yields what stands after each event."""
    log: list[Taken] = []
    standing = Recomputed(engines)
    for event in history:
        if event.mode == "actual":
            standing.pass_midnights(log, event.time)
            log.append(event)
            standing.take_last_of(log)
        yield event, standing


def at_instant(history: Iterable[Taken], instant: str, engines: Engines) -> Recomputed:
    """What stands at an instant of recorded time."""
    standing = Recomputed(engines)
    log = [event for event in history if event.mode == "actual" and event.time <= instant]
    for _, now in recomputed(log, engines):
        standing = now
    standing.pass_midnights(log, instant)
    return standing


# --- what is known ----------------------------------------------------------------------------------------------------


def known(log: Sequence[Taken], laid_by: Sequence[tuple[int, str]]) -> dict[str, Case]:
    """Every case that was opened, as the log and the midnights so far leave it."""
    cases: dict[str, Case] = {}
    places = None
    for number, event in enumerate(log):
        for at, case_id in laid_by:
            if at == number:
                cases[case_id].laid_by = True
        noun, _, name = event.stream.partition("/")
        if event.type == "case.opened":
            cases[name] = opened(event, name)
        elif noun == "case" and name in cases and event.type in CASE_EVENTS:
            cases[name].unfounded = stands_on_nothing(cases[name], cases)
            CASE_EVENTS[event.type](cases[name], event)
            cases[name].laid_by = False
        elif event.type in ("report.withdrawn", "report.superseded"):
            for case in cases.values():
                lose_link(case, name)
        elif event.type == "reference.gazetteer_adopted":
            places = gazetteer_of(event)
        for case in cases.values():
            if not case.laid_by:
                case.row = places.row_at(case.place) if places else case.place
    for case in cases.values():
        case.unfounded = stands_on_nothing(case, cases)
    return cases


def stands_on_nothing(case: Case, cases: Mapping[str, Case]) -> bool:
    """Neither the case nor any merged into it, directly or through another, has ground of its own."""
    family = [case.case_id]
    for one in family:
        family += [other for other in cases if cases[other].merged_into == one and other not in family]
    return not any(cases[one].has_ground_of_its_own for one in family)


def opened(event: Taken, case_id: str) -> Case:
    data = event.data
    return Case(
        case_id=case_id,
        home=event.home,
        place=data["place"]["unit"],
        kind=data["kind"],
        opened_at=event.time,
        occurred=data.get("occurred", {}),
        expected=data.get("expected", {}),
        threat=data["threat_to_life"],
        provisional=data["provisional"],
        stated_severity=data.get("severity"),
    )


def classified(case: Case, event: Taken) -> None:
    case.kind = event.data["kind"]


def linked(case: Case, event: Taken) -> None:
    case.links.add(event.data["report_id"])
    case.has_ground_of_its_own = True


def unlinked(case: Case, event: Taken) -> None:
    lose_link(case, event.data["report_id"])


def lose_link(case: Case, report_id: str) -> None:
    if report_id in case.links:
        case.links.remove(report_id)
        if not case.links and not case.provisional:
            case.has_ground_of_its_own = False


def upheld(case: Case) -> None:
    """What the committee says of an unfounded case is ground for it."""
    if case.unfounded:
        case.has_ground_of_its_own = True


def assessed(case: Case, event: Taken) -> None:
    case.assessment = event.data
    upheld(case)


def ratified(case: Case, event: Taken) -> None:
    case.ratified, case.not_ratified, case.provisional = True, False, False
    upheld(case)


def not_ratified(case: Case, event: Taken) -> None:
    case.not_ratified, case.provisional = True, False


def merged(case: Case, event: Taken) -> None:
    if "into" in event.data:
        case.merged_into = event.data["into"]


def merge_reversed(case: Case, event: Taken) -> None:
    if "into" in event.data:
        case.merged_into = None


def resolved(case: Case, event: Taken) -> None:
    case.resolved_as = event.data["outcome"]


def closed(case: Case, event: Taken) -> None:
    case.closed = True


def reopened(case: Case, event: Taken) -> None:
    case.resolved_as, case.closed, case.not_ratified = None, False, False
    upheld(case)
    if event.data["reason"] == "danger_returned":
        case.danger_returned_at = event.time


CASE_EVENTS: dict[str, Callable[[Case, Taken], None]] = {
    "case.classified": classified,
    "case.report_linked": linked,
    "case.report_unlinked": unlinked,
    "case.assessed": assessed,
    "case.ratified": ratified,
    "case.not_ratified": not_ratified,
    "case.merged": merged,
    "case.merge_reversed": merge_reversed,
    "case.resolved": resolved,
    "case.reopened": reopened,
    "case.closed": closed,
}


rules_of = cache(read_rule_set)


_GAZETTEERS: dict[str, Gazetteer] = {}


def gazetteer_of(event: Taken) -> Gazetteer:
    """Read once for each content."""
    found = _GAZETTEERS.get(event.data["content_hash"])
    if found is None:
        found = _GAZETTEERS[event.data["content_hash"]] = Gazetteer.from_content(event.data["content"])
    return found


def in_force(log: Sequence[Taken]) -> str | None:
    """The text of the rule set in force."""
    adopted = [event for event in log if event.type == "reference.rules_adopted"]
    return adopted[-1].data["content"] if adopted else None


def window(log: Sequence[Taken], rules: RuleSet, day: date) -> int:
    """The window of a day (6): the largest of the elections that it lies in, as they were dated last."""
    elections = {event.data["election"]: event.data for event in log if event.type == "reference.election_dated"}
    found = [1000]
    for election in elections.values():
        rule = rules.windows.get(election["round"])
        if rule is None or election["standing"] == "cancelled":
            continue
        on = date.fromisoformat(election["on"])
        begins = on - timedelta(days=rule.days_before)
        if "campaign_from" in election:
            begins = min(date.fromisoformat(election["campaign_from"]), on)
        if begins <= day <= on + timedelta(days=rule.days_after):
            found.append(rule.permille)
    return max(found)


# --- days and midnights -----------------------------------------------------------------------------------------------


def local_day(moment: str, rules: RuleSet) -> date:
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(rules.time_zone)).date()


@cache
def midnight(day: date, time_zone: str) -> str:
    """The moment at which a local day begins: the first quarter of an hour that lies in it."""
    zone = ZoneInfo(time_zone)
    moment = datetime.combine(day - timedelta(days=1), time(), UTC)
    while moment.astimezone(zone).date() < day:
        moment += QUARTER
    return wire_time(moment)


def midnights(log: Sequence[Taken], until: str) -> Iterator[tuple[str, date]]:
    """Every midnight after the last event and at or before another moment, with the day that begins."""
    text = in_force(log)
    if text is None:  # nothing is computed before any rules are adopted
        return
    rules = rules_of(text)
    day = local_day(log[-1].time, rules) + timedelta(days=1)
    while (moment := midnight(day, rules.time_zone)) <= until:
        yield moment, day
        day += timedelta(days=1)


def last_possible(dated: Mapping[str, Any]) -> date | None:
    """The latest possible day of what is dated (3)."""
    days = [date.fromisoformat(dated[end]) for end in ("from", "to") if end in dated]
    if not days:
        return None
    day = max(days)
    if dated.get("precision") == "week":
        return day + timedelta(days=6 - day.weekday())
    if dated.get("precision") == "month":
        return day.replace(day=monthrange(day.year, day.month)[1])
    return day


# --- one case ---------------------------------------------------------------------------------------------------------


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


# --- one unit ---------------------------------------------------------------------------------------------------------


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


# --- step by step -----------------------------------------------------------------------------------------------------


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


# --- why --------------------------------------------------------------------------------------------------------------

CAUSES = {
    "case.opened": "evidence",
    "case.ratified": "evidence",
    "case.classified": "evidence",
    "case.assessed": "evidence",
    "case.reopened": "evidence",
    "case.merge_reversed": "evidence",
    "case.not_ratified": "retraction",
    "case.merged": "retraction",
    "case.resolved": "resolved",
    "case.closed": "resolved",
    "reference.rules_adopted": "rules",
    "reference.gazetteer_adopted": "gazetteer",
    "reference.election_dated": "election_window",
    **dict.fromkeys(SIGNS, "coverage"),
}


def says_less(before: Case, after: Case, rules: RuleSet) -> bool:
    """Whether a case is given less than it was, where an assessment by which it is takes back what was said."""
    any_day = date(2027, 1, 1)
    was, now = (weigh(case, rules, any_day, 1000, 1).given for case in (before, after))
    return rules.alerts.lower_assessment_corrects and now < was


def cause_of_event(
    log: Sequence[Taken], before: Mapping[str, Case], after: Mapping[str, Case], row: Row, fell: bool
) -> str:
    """Who is left unfounded in a row goes before who is founded again there; else it is the event's own cause.

    A case that was laid by is taken up by its own event, also by one that takes nothing from it.
    """
    event, rules = log[-1], rules_of(in_force(log) or "")
    turned = {
        case.unfounded
        for case in after.values()
        if case.row == row.unit and not case.laid_by and case.case_id in before
        if before[case.case_id].unfounded != case.unfounded
    }
    if turned:
        return "retraction" if True in turned else "evidence"
    case = before.get(event.stream.removeprefix("case/"))
    takes_up = case is not None and case.laid_by
    if takes_up and (event.type in ("case.report_linked", "case.report_unlinked") or "absorbed" in event.data):
        return "evidence"
    if event.type == "case.assessed" and case is not None and says_less(case, after[case.case_id], rules):
        return "retraction" if fell else "evidence"
    return CAUSES.get(event.type, f"nothing that {event.type} should change")


def cause_at_midnight(ladder: Ladder, log: Sequence[Taken], day: date, row: Row, fell: bool) -> str:
    """The window of a row with multiplied cases changed, or time went on."""
    rules = rules_of(in_force(log) or "")
    here = [case for case in ladder.cases.values() if case.row == row.unit and not case.laid_by]
    moved = window(log, rules, day) != window(log, rules, day - timedelta(days=1))
    as_of = row.lost_since or day
    multiplied = any(weigh(case, rules, as_of, 1000, ladder.gravity).multiplied for case in here)
    outside = row.unit.startswith("outside:")
    return "election_window" if moved and multiplied and not outside else "fading"


# --- what is said -----------------------------------------------------------------------------------------------------


CORRECTING = ("retraction", "rules", "gazetteer", "engine")
"""Causes that say that what was told was not so, or is counted otherwise now: nothing happened in the unit."""


class Voice:
    """Nothing is said before an engine is adopted; then the differences to what the log says, then every change.

    Strangers are told of every change to a level of `alerts.from_level` or more, and of one below it where an alert
    stands; that one ends it. Alerts name the one before by `updates`, or by `cancels` where a correction ends it.
    Nothing is told of the outside. Where people overrode a unit, theirs is what strangers are told, until it ends; but
    a level above both theirs and the lowest that was said since is told as it is.
    """

    def __init__(self) -> None:
        self.speaker: int | None = None
        self.levels: dict[str, int] = {}
        self.strangers: dict[str, int] = {}
        self.overrides: dict[str, tuple[int, int, str]] = {}
        self.homes: dict[str, str] = {}
        self.changes: dict[str, int] = {}
        self.alerts: dict[str, int] = {}
        self.standing: dict[str, str] = {}
        self.said: list[Said] = []

    def adopt(self, engine: int, rows: Mapping[str, Row], log: Sequence[Taken], moment: str) -> None:
        self.speaker = engine
        for unit in sorted(rows):
            row, before = rows[unit], self.levels.get(unit, 0)
            if row.level is not None and row.level != before:
                told = row.explanation(before) | {"cause": "engine", "effective_at": moment, "held": row.level}
                self.say(row.home, told, log)
        for unit in sorted(self.overrides):
            self.decided(unit, rows, log, moment, raising=False)

    def changed(self, engine: int, line: Line, log: Sequence[Taken]) -> None:
        if engine == self.speaker:
            self.say(line.home, line.told, log)

    def say(self, home: str, told: dict[str, Any], log: Sequence[Taken]) -> None:
        unit = told["unit"]
        self.levels[unit] = told["to"]
        if unit in self.overrides:
            theirs, lowest, until = self.overrides[unit]
            self.overrides[unit] = (theirs, min(lowest, told["to"]), until)
        self._said("level", self.changes, home, told["effective_at"], told)
        corrects = told["cause"] in CORRECTING or (told["cause"] == "coverage" and told["to"] > told["from"])
        self.alert(home, unit, told["contributions"], told["effective_at"], log, corrects)

    def override(self, event: Taken, rows: Mapping[str, Row], log: Sequence[Taken]) -> None:
        """People decided, or took back, what strangers are told."""
        unit, data = event.data["unit"], event.data
        self.homes[unit] = event.home
        self.overrides.pop(unit, None)
        raising = False
        if event.type == "alert.overridden" and data["until"] > event.time:
            self.overrides[unit] = (data["level"], self.levels.get(unit, 0), data["until"])
            raising = data["level"] > self.strangers.get(unit, 0)
        self.decided(unit, rows, log, event.time, raising=raising)

    def after_reference(self, event: Taken, rows: Mapping[str, Row], log: Sequence[Taken]) -> None:
        """An override ends with its unit's row; others may be told now, if there were no rules before."""
        for unit in sorted(self.overrides):
            if event.type == "reference.gazetteer_adopted" and places(log)(unit) != unit:
                del self.overrides[unit]
            self.decided(unit, rows, log, event.time, raising=False)

    def end(self, moment: str, rows: Mapping[str, Row], log: Sequence[Taken]) -> None:
        """Overrides that end at a moment by themselves."""
        for unit in sorted(unit for unit, (_, _, until) in self.overrides.items() if until == moment):
            del self.overrides[unit]
            self.decided(unit, rows, log, moment, raising=False)

    def decided(self, unit: str, rows: Mapping[str, Row], log: Sequence[Taken], moment: str, *, raising: bool) -> None:
        if self.speaker is not None and in_force(log) is not None:
            listed = rows[unit].contributions if unit in rows else []
            self.alert(self.homes[unit], unit, listed, moment, log, not raising)

    def theirs(self, unit: str) -> int:
        level = self.levels.get(unit, 0)
        told, held, _ = self.overrides.get(unit, (level, level, ""))
        return level if level > held and level > told else told

    def alert(
        self,
        home: str,
        unit: str,
        contributions: Sequence[Mapping[str, Any]],
        moment: str,
        log: Sequence[Taken],
        corrects: bool,
    ) -> None:
        rules = rules_of(in_force(log) or "")
        before, after = self.strangers.get(unit, 0), self.theirs(unit)
        self.strangers[unit] = after
        ends = after < rules.alerts.from_level
        if before == after or unit.startswith("outside:") or (ends and unit not in self.standing):
            return
        groups = {rules.kinds[case["kind"]].group for case in contributions if case["counted"]}
        data = {
            "unit": unit,
            **name_and_codes(unit, log),
            "from": before,
            "to": after,
            "on": local_day(moment, rules).isoformat(),
            "kinds": [str(group) for group in KindGroup if group in groups],
            "rules_hash": hash_of(in_force(log) or ""),
        }
        if corrects:
            data["change"] = "cancelled" if ends else "corrected"
        else:
            data["change"] = "raised" if after > before else "lowered"
        if unit in self.standing:
            data["cancels" if corrects and ends else "updates"] = self.standing[unit]
        seed = self._said("alert", self.alerts, home, moment, data)
        if ends:
            del self.standing[unit]
        else:
            self.standing[unit] = str(derived_id(seed))

    def _said(self, noun: str, counts: dict[str, int], home: str, due: str, data: dict[str, Any]) -> str:
        assert self.speaker is not None
        stream = f"{noun}/{data['unit']}"
        counts[stream] = counts.get(stream, 0) + 1
        seed = f"{stream}/{counts[stream]}"
        self.said.append(Said(stream, home, seed, due, self.speaker, data))
        return seed


def name_and_codes(unit_id: str, log: Sequence[Taken]) -> dict[str, Any]:
    """A unit's name and codes for strangers; its id where no gazetteer in force knows it."""
    adopted = [event for event in log if event.type == "reference.gazetteer_adopted"]
    unit = gazetteer_of(adopted[-1]).units.get(unit_id) if adopted else None
    if unit is None:
        return {"unit_name": unit_id, "codes": []}
    codes = {"pcode": unit.pcode, "national_code": unit.national_code, "iso_3166": unit.iso_3166}
    return {"unit_name": unit.name, "codes": [{"scheme": key, "code": code} for key, code in codes.items() if code]}
