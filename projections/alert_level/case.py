"""One case as the level sees it: a few facts from its events, and what they weigh on a day under the rules in force."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from sys import intern
from typing import Any, NamedTuple

from projections.alert_level.coverage import fading_day
from projections.alert_level.rules import LAST_DAY, KindRules, Rules

EVIDENCE, RETRACTION, RESOLVED = "evidence", "retraction", "resolved"


class Weight(NamedTuple):
    """What a case weighs until `next_day`: see `projections/alert_level` for every word.

    From `weighted` to `windowed` is all that its unit counts.
    """

    given: int = 0
    faded: int = 0
    floor: int = 0
    standing: int = 0
    weighted: int = 0
    worth: int = 0
    is_open: bool = True
    asks: bool = False
    blocks: bool = False
    straight: bool = False
    windowed: bool = False
    next_day: int | None = None

    @property
    def ended_in_nothing(self) -> bool:
        return not self.is_open and not self.standing and not self.worth


COUNTED = slice(4, 11)
"""The part of a weight that its unit counts."""

NOTHING = Weight()


class Judged(NamedTuple):
    """What facts and rules say of a case, on whatever day. `given` is 0 for what does not count."""

    kind: KindRules | None
    is_open: bool
    asks_after: int | None
    reference: int
    given: int
    ending: int
    floor: int
    blocks: bool
    straight: bool


class Case:
    """The facts of a case. Words stay as they came: one that this program does not know is looked up in no table.

    A word is kept once for all cases: they are read from the wire one by one, and there are many live cases. `into` is
    the case that it was merged into, `lost` says that it has no ground of its own, `unfounded` that it stands on none.
    """

    __slots__ = (
        "assessed",
        "case_id",
        "circulating",
        "closed",
        "credibility",
        "expected",
        "into",
        "judged",
        "kind",
        "links",
        "lost",
        "not_ratified",
        "occurred",
        "opened",
        "place",
        "provisional",
        "ratified",
        "resolved",
        "returned",
        "severity",
        "stated",
        "threat",
        "unfounded",
        "unit",
        "verification",
        "weight",
    )

    def __init__(self, case_id: str, place: str, kind: str, opened: int) -> None:
        self.case_id = case_id
        self.place = place
        self.unit = ""
        self.kind = kind
        self.opened = opened
        self.returned: int | None = None
        self.occurred: int | None = None
        self.expected: int | None = None
        self.stated: str | None = None
        self.threat = False
        self.provisional = False
        self.ratified = False
        self.not_ratified = False
        self.assessed = False
        self.severity: str | None = None
        self.credibility: str | None = None
        self.circulating: str | None = None
        self.verification: str | None = None
        self.resolved: str | None = None
        self.closed = False
        self.into: str | None = None
        self.lost = False
        self.unfounded = False
        self.links: list[str] = []
        self.weight = NOTHING
        self.judged: Judged | None = None

    @property
    def is_open(self) -> bool:
        return not (self.closed or self.into is not None or self.not_ratified or self.resolved is not None)

    def lose(self, report_id: str) -> None:
        """A report is no longer evidence; with the last one that is known, the case loses its own ground."""
        if report_id in self.links:
            self.links.remove(report_id)
            self.lost = self.lost or not (self.links or self.provisional)

    def uphold(self) -> None:
        """The committee stands behind it: where it stood on nothing, on that from now on."""
        if self.unfounded:
            self.lost = False


def second(time: str) -> int:
    """A moment on the wire in whole seconds since 1970."""
    return int(datetime.fromisoformat(time).timestamp())


def opened(case_id: str, data: dict[str, Any], time: str) -> Case:
    case = Case(case_id, intern(data["place"]["unit"]), intern(data["kind"]), second(time))
    case.occurred = _last_day(data.get("occurred"))
    case.expected = _last_day(data.get("expected"))
    case.stated = intern(data["severity"]) if "severity" in data else None
    case.threat = data["threat_to_life"]
    case.provisional = data["provisional"]
    return case


def _last_day(dated: dict[str, Any] | None) -> int | None:
    """The latest day that a date may mean: the end of its week or month where it is known no better."""
    stated = [dated[end] for end in ("from", "to") if end in dated] if dated else []
    if dated is None or not stated:
        return None
    last = date.fromisoformat(max(stated))
    day = last.toordinal()
    match dated.get("precision"):
        case "week":
            day += 6 - last.weekday()
        case "month":
            turn = date(last.year + last.month // 12, last.month % 12 + 1, 1) if last.year < 9000 else last
            day = max(day, turn.toordinal() - 1)
    return min(day, LAST_DAY)


def _ratified(case: Case, data: dict[str, Any], time: str) -> str | None:
    case.provisional = case.not_ratified = False
    case.ratified = True
    case.uphold()
    return EVIDENCE


def _not_ratified(case: Case, data: dict[str, Any], time: str) -> str | None:
    case.provisional = False
    case.not_ratified = True
    return RETRACTION


def _classified(case: Case, data: dict[str, Any], time: str) -> str | None:
    case.kind = intern(data["kind"])
    return EVIDENCE


def _linked(case: Case, data: dict[str, Any], time: str) -> str | None:
    if data["report_id"] not in case.links:
        case.links.append(data["report_id"])
    case.lost = False
    return None


def _unlinked(case: Case, data: dict[str, Any], time: str) -> str | None:
    case.lose(data["report_id"])
    return None


def _assessed(case: Case, data: dict[str, Any], time: str) -> str | None:
    case.assessed = True
    case.uphold()
    case.severity = intern(data["severity"])
    case.credibility = intern(data["credibility"])
    case.circulating = intern(data.get("circulating", "unknown"))
    case.verification = intern(data["verification_state"])
    return EVIDENCE


def _merged(case: Case, data: dict[str, Any], time: str) -> str | None:
    if "into" not in data:
        return None
    case.into = data["into"]
    return RETRACTION


def _merge_reversed(case: Case, data: dict[str, Any], time: str) -> str | None:
    if "into" not in data:
        return None
    case.into = None
    return EVIDENCE


def _resolved(case: Case, data: dict[str, Any], time: str) -> str | None:
    case.resolved = intern(data["outcome"])
    return RESOLVED


def _reopened(case: Case, data: dict[str, Any], time: str) -> str | None:
    case.resolved = None
    case.closed = case.not_ratified = False
    case.uphold()
    if data["reason"] == "danger_returned":
        case.returned = second(time)
    return EVIDENCE


def _closed(case: Case, data: dict[str, Any], time: str) -> str | None:
    case.closed = True
    return RESOLVED


FACTS: dict[str, Callable[[Case, dict[str, Any], str], str | None]] = {
    "case.ratified": _ratified,
    "case.not_ratified": _not_ratified,
    "case.classified": _classified,
    "case.report_linked": _linked,
    "case.report_unlinked": _unlinked,
    "case.assessed": _assessed,
    "case.merged": _merged,
    "case.merge_reversed": _merge_reversed,
    "case.resolved": _resolved,
    "case.reopened": _reopened,
    "case.closed": _closed,
}
"""Type → how a case takes it. The answer is the cause of what follows, None where only what it stands on may change."""

OPENED, CLASSIFIED, ASSESSED = "case.opened", "case.classified", "case.assessed"
LOST = frozenset({"report.withdrawn", "report.superseded"})
"""What takes a report from every case that it is linked to."""


new = tuple.__new__
"""Makes a named tuple without its own constructor, which costs more than all the arithmetic of a weight."""


def judge(case: Case, rules: Rules) -> Judged:
    """What the rules say of the facts; it stands until either changes."""
    is_open = case.is_open
    asks_after = case.expected if is_open else None
    kind = rules.kinds.get(case.kind)
    if (
        kind is None
        or case.into is not None
        or case.not_ratified
        or case.unfounded
        or (case.verification in rules.disproved and not kind.by_circulation)
    ):
        return Judged(kind, is_open, asks_after, 0, 0, 0, 0, False, False)
    reference = _reference(case, rules)
    credibility = _credibility(case, kind, rules)
    if kind.peace:
        kept = not kind.kept_when or case.resolved in kind.kept_when
        given = kind.points * credibility // 1000 if kept else 0
        return Judged(kind, is_open, asks_after, reference, given, 1000, 0, False, False)
    severity = _severity(case, rules)
    given = kind.points * rules.severity[severity] * credibility // 1_000_000
    counts = is_open and given > 0
    floor = min(given, rules.floors.get(severity, 0)) if counts and kind.floored else 0
    straight = counts and case.assessed and severity == rules.straight_to
    ending = _ending(case, rules)
    blocks = counts and severity in rules.blocked_by
    return new(Judged, (kind, is_open, asks_after, reference, given, ending, floor, blocks, straight))


def weigh(judged: Judged, day: int, window: int, paused_since: int | None = None) -> Weight:
    """What a case so judged weighs on a local day, in a window of so many permille; it may have ceased to fade."""
    kind, is_open, asks_after, reference, given, ending, floor, blocks, straight = judged
    asks = asks_after is not None and day > asks_after
    next_day = None if asks or asks_after is None else asks_after + 1
    standing = weighted = worth = faded = 0
    windowed = False
    if given and kind is not None:
        as_of = day if paused_since is None else fading_day(day, paused_since)
        left, step = kind.fade.at(as_of - reference)
        remaining = given * left // 1000 * ending // 1000
        faded = given - remaining
        if kind.peace:
            worth = remaining
        else:
            standing = weighted = max(remaining, floor)
            if kind.in_window and standing:
                windowed = True
                weighted = standing * window // 1000
        if paused_since is None and step is not None and left and (next_day is None or reference + step < next_day):
            next_day = reference + step
    if not is_open and not standing and not worth:
        next_day = day + 1
    return new(
        Weight, (given, faded, floor, standing, weighted, worth, is_open, asks, blocks, straight, windowed, next_day)
    )


def _reference(case: Case, rules: Rules) -> int:
    """The day from which a case fades: the latest on which it may have happened, is expected, or returned."""
    opened_on = rules.day_of_second(case.opened)
    known = [] if case.occurred is None else [min(case.occurred, opened_on)]
    if case.expected is not None:
        known.append(case.expected)
    if case.returned is not None:
        known.append(rules.day_of_second(case.returned))
    return max(known, default=opened_on)


def _severity(case: Case, rules: Rules) -> str:
    """As assessed, else as stated, else by the rules; a word that no table has counts as not given."""
    for word in (case.severity, case.stated):
        if word in rules.severity:
            return word
    return str(rules.set.unassessed.severity_of_threat if case.threat else rules.set.unassessed.severity)


def _credibility(case: Case, kind: KindRules, rules: Rules) -> int:
    unassessed = rules.set.unassessed
    if kind.by_circulation:
        return rules.circulation.get(case.circulating or "", unassessed.circulation)
    if (known := rules.credibility.get(case.credibility or "")) is not None:
        return known
    if case.provisional:
        return unassessed.provisional
    return unassessed.ratified if case.ratified else unassessed.credibility


def _ending(case: Case, rules: Rules) -> int:
    if case.resolved is not None:
        return rules.resolved.get(case.resolved, rules.resolved["unknown"])
    return rules.set.ended.closed if case.closed else 1000
