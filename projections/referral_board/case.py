"""What the board knows of one case: its referrals, how bad it is, and whether anybody answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from events.vocabulary import wire_time
from projections.referral import Referral, follow
from projections.referral_board.told import Told
from projections.taken import Taken

ANSWER = "referral_or_decision/"
"""The gap of a grave case that nobody answered; it alone climbs the ladder."""
GRAVE = ("severe", "extreme")
"""Severities that a rule set wants answered within so many hours."""


@dataclass(slots=True)
class Gap:
    """One awaited answer. `passed`: its moment went by unanswered; `told`: an event says so; `awaited` now or not.

    `rung` is how far it climbed the rules' ladder (0: nowhere), `tell` and `rung_due` whom that rung tells and since
    when; `next_tell` and `next_due` are those of the next one, None where there is none.
    """

    due: str
    step: int = 1
    awaited: bool = True
    passed: bool = False
    told: bool = False
    answered_at: str | None = None
    answered_by: str | None = None
    rung: int = 0
    tell: str | None = None
    rung_due: str | None = None
    next_tell: str | None = None
    next_due: str | None = None


@dataclass(slots=True)
class Ask:
    """A moment from which an answer is wanted, how grave the case was then, and by when the rules want it.

    `of` is the case that had waited since then when it was merged into this one.
    """

    time: str
    severity: str
    due: str | None
    of: str | None = None


@dataclass(slots=True)
class CaseReferrals:
    """One case. Times and ids as on the wire; `_kept` holds rows of gaps that are still to be written.

    `begun_at` is when it was opened or last reopened, `responded` whether somebody decided or acted since the case was
    grave, reopened or contradicted. `asks` are the moments from which an answer is wanted now; none while none is.
    """

    stream: str
    home: str = ""
    unit: str = ""
    stage: str = "absent"
    merged: bool = False
    provisional: bool = False
    ratify_by: str | None = None
    severity: str | None = None
    begun_at: str = ""
    hours: int | None = None
    responded: bool = False
    asks: list[Ask] = field(default_factory=list)
    referrals: dict[str, Referral] = field(default_factory=dict)
    gaps: dict[str, Gap] = field(default_factory=dict)
    _kept: dict[tuple[str, int], tuple[object, ...]] = field(default_factory=dict)  # orjson leaves it out

    @property
    def case_id(self) -> str:
        return self.stream.removeprefix("case/")

    @property
    def unanswered(self) -> bool:
        """Whether it is open and grave, and nobody decided, acted or took a referral."""
        if self.stage != "open" or self.severity not in GRAVE or self.responded:
            return False
        return not any(referral.answers(self.begun_at) for referral in self.referrals.values())

    @property
    def answer_by(self) -> str | None:
        """When the rules want an answer, None while nothing is wanted: the earliest target counts."""
        return min((ask.due for ask in self.asks if ask.due is not None), default=None)

    @property
    def asked_since(self) -> str | None:
        """Since when an answer is wanted that is not there, here or in a case that was merged into this one."""
        return min((ask.time for ask in self.asks), default=None)

    def apply(self, told: Told, event: Taken) -> None:
        """Apply one event. The rules' target runs from the moment from which nothing answers a grave case."""
        was_unanswered, was = self.unanswered, self.severity
        if (change := _CHANGES.get(event.type)) is not None:
            change(self, event)
        follow(self.referrals, event)
        if self.severity != was:
            self.hours = told.hours.get(self.severity) if self.severity in GRAVE else None
        hours = told.hours.get(self.severity or "") if told.open_too else self.hours
        if not self.unanswered:
            self.asks.clear()
        elif not was_unanswered or self.severity != was:
            # a graver case is wanted sooner; a less grave one keeps what was promised
            self._ask(event.time, hours)
        elif event.type == "case.merged":
            since, absorbed = event.data.get("asked_since"), event.data.get("absorbed")
            if since is not None and absorbed is not None:
                self._ask(since, hours, of=absorbed)
        elif event.type == "case.merge_reversed":
            self.asks = [ask for ask in self.asks if ask.of is None or ask.of != event.data.get("absorbed")]

    def heed(self, told: Told) -> None:
        """Rules that speak for open cases give another target to a case that waits for an answer in time."""
        gap, due = self.gaps.get(ANSWER), self.answer_by
        passed = gap is not None and gap.passed and due is not None and gap.due >= due
        if told.open_too and self.unanswered and not passed:
            for ask in self.asks:
                ask.due = _target(ask.time, told.hours.get(ask.severity))

    def keep(self, gap: str, step: int, row: tuple[object, ...]) -> None:
        """Keep the row of a gap that changed until the rows are drawn; of one step the last counts."""
        self._kept[gap, step] = row

    def changed_gaps(self) -> list[tuple[object, ...]]:
        """Rows of the gaps that changed since they were asked for."""
        rows = list(self._kept.values())
        self._kept.clear()
        return rows

    def _ask(self, time: str, hours: int | None, of: str | None = None) -> None:
        self.asks.append(Ask(time, self.severity or "", _target(time, hours), of))


def hours_after(time: str, hours: int) -> str:
    """A moment so many hours after another, both as on the wire."""
    return wire_time(datetime.fromisoformat(time) + timedelta(hours=hours))


def _target(time: str, hours: int | None) -> str | None:
    return None if hours is None else hours_after(time, hours)


def _opened(case: CaseReferrals, event: Taken) -> None:
    data = event.data
    case.home, case.unit, case.stage, case.begun_at = event.home, data["place"]["unit"], "open", event.time
    case.provisional, case.ratify_by = data["provisional"], data.get("ratify_by")
    # Where life is threatened and nobody has said how bad it is: better asked too early than too late.
    case.severity = data.get("severity") or ("severe" if data["threat_to_life"] else None)


def _ratified(case: CaseReferrals, event: Taken) -> None:
    case.provisional, case.ratify_by = False, None


def _not_ratified(case: CaseReferrals, event: Taken) -> None:
    case.stage, case.provisional, case.ratify_by = "not_ratified", False, None


def _assessed(case: CaseReferrals, event: Taken) -> None:
    became_grave = case.severity not in GRAVE and event.data["severity"] in GRAVE
    case.severity = event.data["severity"]
    if became_grave:  # what was decided about a lesser case does not answer a grave one
        case.responded = False


def _responded(case: CaseReferrals, event: Taken) -> None:
    case.responded = True


def _outcome_checked(case: CaseReferrals, event: Taken) -> None:
    if event.data["outcome"] == "contradicted":
        case.responded = False


def _merged(case: CaseReferrals, event: Taken) -> None:
    case.merged = case.merged or "into" in event.data


def _parted(case: CaseReferrals, event: Taken) -> None:
    case.merged = case.merged and "into" not in event.data


def _resolved(case: CaseReferrals, event: Taken) -> None:
    case.stage = "resolved"


def _reopened(case: CaseReferrals, event: Taken) -> None:
    case.stage, case.begun_at, case.responded = "open", event.time, False


def _closed(case: CaseReferrals, event: Taken) -> None:
    case.stage = "closed"


_CHANGES: Mapping[str, Callable[[CaseReferrals, Taken], None]] = {
    "case.opened": _opened,
    "case.ratified": _ratified,
    "case.not_ratified": _not_ratified,
    "case.assessed": _assessed,
    "case.decided": _responded,
    "case.action_recorded": _responded,
    "case.referral_outcome_checked": _outcome_checked,
    "case.merged": _merged,
    "case.merge_reversed": _parted,
    "case.resolved": _resolved,
    "case.reopened": _reopened,
    "case.closed": _closed,
}
