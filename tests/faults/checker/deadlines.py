"""Who owes an answer by when, and which of them did not come: by the rules at the head of projections/referral_board.

- acknowledgement and action, of each referral, also where its case was merged away
- ratification of a provisional case, by `ratify_by`
- referral_or_decision, where a case is open and grave and nobody decided, acted or has a referral in hand: by the
  target of the rules that were in force when it became so grave, from the moment on from which nobody answers

A case into which one was merged that had waited (`asked_since`) is asked from that moment on, too, until they part.

Rules that say `open_cases_too` count such targets by their own hours, also those that have not passed when they come.

The latter two are not asked of a case that is merged away, and nothing is of one that is closed. A moment passes for a
case before its own next event and at whatever goes to everybody (ARCHITECTURE.md, 25). What passed unanswered is a gap,
and is told once where an engine speaks; `step` counts how often an answer was asked for anew after its gap. Where an
engine speaks, a gap of referral_or_decision goes up the ladder of the rules in force, and keeps the rung it reached.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.faults.checker.findings import Findings, NotModelled
from tests.faults.checker.identity import named
from tests.faults.checker.ledger import EVERYWHERE, Row
from tests.faults.checker.referrals import STEPS, Referral, follow

OVERDUE = "level.response_overdue"
ESCALATED = "level.response_escalated"
ANSWER = ("referral_or_decision", "")
ENGINE = 1
"""The one whose rules are followed here."""
GRAVE = {"severe", "extreme"}
MOVES = {
    *STEPS,
    "case.opened",
    "case.ratified",
    "case.not_ratified",
    "case.assessed",
    "case.decided",
    "case.merged",
    "case.merge_reversed",
    "case.resolved",
    "case.reopened",
    "case.closed",
}
"""What moves a case here; nothing else of it lets its moments pass."""


@dataclass
class Gap:
    """One answer that was asked for by a moment."""

    due: str
    step: int
    asked: bool = True
    passed: bool = False
    told: bool = False
    answered_at: str | None = None
    answered_by: str | None = None
    reached: list[tuple[str, str]] = field(default_factory=list)
    ahead: tuple[str, str] | None = None

    def climbed(self) -> tuple[Any, ...]:
        """How many rungs, the last of them and the next one, each by its role and moment."""
        role, at = self.reached[-1] if self.reached else (None, None)
        role_ahead, at_ahead = self.ahead if self.ahead and self.asked else (None, None)
        return len(self.reached), role, _moment(at), role_ahead, _moment(at_ahead)


@dataclass
class Want:
    """An answer wanted from a moment on, by how grave the case was; `waited` is the merged case that had waited."""

    at: str
    severity: str
    due: str | None
    waited: str | None = None


@dataclass
class Case:
    """What a case owes and is owed."""

    stream: str
    home: str
    unit: str
    stage: str
    provisional: bool
    ratify_by: str | None
    severity: str | None
    begun_at: str
    hours: int | None = None
    merged: bool = False
    answered: bool = False
    wanted: list[Want] = field(default_factory=list)
    referrals: dict[str, Referral] = field(default_factory=dict)
    gaps: dict[tuple[str, str], list[Gap]] = field(default_factory=dict)

    @property
    def unanswered(self) -> bool:
        if self.stage != "open" or self.severity not in GRAVE or self.answered:
            return False
        return not any(one.answers(self.begun_at) for one in self.referrals.values())

    @property
    def answer_by(self) -> str | None:
        return min((one.due for one in self.wanted if one.due is not None), default=None)

    def asked(self) -> Iterator[tuple[tuple[str, str], str]]:
        """What is waited for now, by what and which referral, and by when."""
        if self.stage == "closed":
            return
        for referral_id, referral in self.referrals.items():
            for what, due in referral.owed():
                yield (what, referral_id), due
        if self.provisional and self.ratify_by is not None and not self.merged:
            yield ("ratification", ""), self.ratify_by
        if self.answer_by is not None and not self.merged:
            yield ("referral_or_decision", ""), self.answer_by


class Told(NamedTuple):
    """An overdue answer, or a rung it has reached, as it has to be told."""

    type: str
    stream: str
    home: str
    engine: int
    data: dict[str, Any]


class Deadlines:
    """Every case's, up to where the log was read."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self.told: dict[str, Told] = {}
        self.misled: dict[int, str] = {}
        self._hours: dict[str, int] = {}
        self._ladder: list[dict[str, Any]] = []
        self._open_too = False
        self._engine: int | None = None

    def take(self, row: Row) -> None:
        """One event more."""
        if row.wire["mode"] != "actual":
            return
        if row.home == EVERYWHERE:
            self._heed(row)
        elif row.stream.startswith("case/") and row.type in MOVES:
            self._move(row)

    def _heed(self, row: Row) -> None:
        data = row.wire["data"]
        for case in self.cases.values():
            self._pass(case, row.at)  # by what was in force until now
        if row.type == "reference.rules_adopted":
            response = tomllib.loads(data["content"]).get("response", {})
            self._hours = response.get("answer_within_hours", {})
            self._ladder = response.get("ladder", [])
            self._open_too = response.get("open_cases_too", False)
            for case in self.cases.values():
                self._wanted_anew(case, row)
        elif row.type == "reference.engine_adopted" and data["projection"] == "referral_board":
            if data["number"] != ENGINE:
                raise NotModelled(f"engine {data['number']} of referral_board speaks from {row.at} on")
            self._engine = data["number"]
        for case in self.cases.values():
            self._pass(case, row.at)

    def _move(self, row: Row) -> None:
        case = self.cases.get(row.stream)
        if case is None:
            if row.type != "case.opened":
                return
            data = row.wire["data"]
            severity = data.get("severity") or ("severe" if data["threat_to_life"] else None)
            case = self.cases[row.stream] = Case(
                row.stream,
                row.home,
                data["place"]["unit"],
                "open",
                data["provisional"],
                data.get("ratify_by"),
                severity,
                row.at,
                self._hours.get(severity) if severity in GRAVE else None,
            )
            if case.unanswered:
                self._want(case, row.at)
        else:
            self._pass(case, row.at)
            before, severity = case.unanswered, case.severity
            _turn(case, row)
            follow(case.referrals, row)
            if case.severity != severity:
                case.hours = self._hours.get(case.severity or "") if case.severity in GRAVE else None
            data = row.wire["data"]
            if row.type == "case.merged" and "absorbed" in data:
                self._compare(row)
            if not case.unanswered:
                case.wanted = []
            elif not before or case.severity != severity:
                self._want(case, row.at)
            elif row.type == "case.merged" and "asked_since" in data:
                self._want(case, data["asked_since"], data["absorbed"])
            elif row.type == "case.merge_reversed" and "absorbed" in data:
                case.wanted = [one for one in case.wanted if one.waited != data["absorbed"]]
        _settle(case, row)
        self._pass(case, row.at)

    def _compare(self, row: Row) -> None:
        """Since when the other had waited in vain, as it is said and as its stream tells."""
        data = row.wire["data"]
        other = self.cases.get(f"case/{data['absorbed']}")
        since = min((one.at for one in other.wanted), default=None) if other is not None else None
        if data.get("asked_since") != since:
            said = data.get("asked_since")
            self.misled[row.position] = f"{row.stream}: the other is said to wait since {said}, it did since {since}."

    def _want(self, case: Case, at: str, waited: str | None = None) -> None:
        """An answer is wanted from then on, or once more: as grave as this, or for one that had waited in vain."""
        hours = self._hours.get(case.severity or "") if self._open_too else case.hours
        case.wanted.append(Want(at, case.severity or "", None if hours is None else _later(at, hours), waited))

    def _wanted_anew(self, case: Case, row: Row) -> None:
        gap = case.gaps[ANSWER][-1] if ANSWER in case.gaps else None
        by = case.answer_by
        if not self._open_too or not case.unanswered or (gap and gap.passed and by and gap.due >= by):
            return
        for one in case.wanted:
            one.due = _later(one.at, self._hours[one.severity]) if one.severity in self._hours else None
        _settle(case, row)

    def _climb(self, case: Case, gap: Gap, until: str) -> None:
        """Whatever of the ladder above the rung reached is over by now; what is not is ahead."""
        case_id, gap.ahead = case.stream.removeprefix("case/"), None
        for rung in self._ladder[len(gap.reached) :]:
            at = _later(gap.due, rung["after_hours"])
            if at > until:
                gap.ahead = (rung["tell"], at)
                return
            gap.reached.append((rung["tell"], at))
            number = len(gap.reached)
            data = {"unit": case.unit, "case_id": case_id, "awaited": ANSWER[0], "step": gap.step}
            data |= {"rung": number, "tell": rung["tell"], "due": at}
            event_id = named(f"overdue/{case_id}/case/{ANSWER[0]}/{gap.step}/rung/{number}")
            self.told[event_id] = Told(ESCALATED, f"level/{case.unit}", case.home, self._engine or 0, data)

    def _pass(self, case: Case, until: str) -> None:
        for (what, referral_id), steps in case.gaps.items():
            gap = steps[-1]
            if not gap.asked or gap.due > until:
                continue
            gap.passed = True
            if self._engine is None:
                continue
            if (what, referral_id) == ANSWER:
                self._climb(case, gap, until)
            if gap.told:
                continue
            gap.told = True
            case_id = case.stream.removeprefix("case/")
            data = {"unit": case.unit, "case_id": case_id, "awaited": what, "due": gap.due, "step": gap.step}
            if referral_id:
                data["referral_id"] = referral_id
            event_id = named(f"overdue/{case_id}/{referral_id or 'case'}/{what}/{gap.step}")
            self.told[event_id] = Told(OVERDUE, f"level/{case.unit}", case.home, self._engine, data)


def _later(at: str, hours: int) -> str:
    return (datetime.fromisoformat(at) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _turn(case: Case, row: Row) -> None:
    """What an event says of the case itself."""
    data = row.wire["data"]
    match row.type:
        case "case.ratified":
            case.provisional = False
        case "case.not_ratified":
            case.provisional, case.stage = False, "not_ratified"
        case "case.assessed":
            if data["severity"] in GRAVE and case.severity not in GRAVE:
                case.answered = False  # what was decided about a lesser case does not answer a grave one
            case.severity = data["severity"]
        case "case.decided" | "case.action_recorded":
            case.answered = True
        case "case.referral_outcome_checked" if data["outcome"] == "contradicted":
            case.answered = False
        case "case.merged" if "into" in data:
            case.merged = True
        case "case.merge_reversed" if "into" in data:
            case.merged = False
        case "case.resolved":
            case.stage = "resolved"
        case "case.closed":
            case.stage = "closed"
        case "case.reopened":
            case.stage, case.begun_at, case.answered = "open", row.at, False


def _settle(case: Case, row: Row) -> None:
    """What is asked for now, and what no more, after an event."""
    asked = dict(case.asked())
    for what, steps in case.gaps.items():
        if steps[-1].asked and (what not in asked or (steps[-1].passed and not _is_of(steps[-1], what, asked[what]))):
            _answered(steps[-1], row)
    for what, due in asked.items():
        steps = case.gaps.setdefault(what, [])
        last = steps[-1] if steps else None
        if last is None:
            steps.append(Gap(due, 1))
        elif not last.passed:
            last.due, last.asked = due, True
        elif not last.asked and _is_of(last, what, due) and row.type == "case.merge_reversed":
            last.asked, last.answered_at, last.answered_by = True, None, None  # the two stand as before
        elif not last.asked:
            steps.append(Gap(due, last.step + 1))


def _is_of(gap: Gap, what: tuple[str, str], due: str) -> bool:
    """Whether a gap that has passed is this due's: an earlier target of the same answer opens no second one."""
    return gap.due == due or (what == ANSWER and gap.due > due)


def _answered(gap: Gap, row: Row) -> None:
    gap.asked = False
    if gap.passed:
        gap.answered_at, gap.answered_by = row.at, row.type


def of(rows: Sequence[Row]) -> Deadlines:
    """Everything that the log makes of them."""
    deadlines = Deadlines()
    for row in rows:
        deadlines.take(row)
    return deadlines


def judge(deadlines: Deadlines, rows: Sequence[Row], found: Findings) -> None:
    """Every answer that did not come was told, once, as it is; and no other."""
    there = {row.event_id: row for row in rows if row.type in (OVERDUE, ESCALATED)}
    for event_id, told in deadlines.told.items():
        row = there.get(event_id)
        if row is None:
            found.add("overdue_missing", f"{told.stream}: {told.data} was not told.")
            continue
        data = {name: value for name, value in row.wire["data"].items() if value is not None}
        if (row.type, row.stream, row.home, row.wire.get("engine"), data) != told:
            found.add("overdue_differs", f"{row.stream}: {data} is told, and computed anew it is {told}.", row.position)
    for position, sentence in deadlines.misled.items():
        found.add("wait_differs", sentence, position)
    for event_id in sorted(there.keys() - deadlines.told.keys()):
        row = there[event_id]
        found.add("overdue_of_nothing", f"{row.stream}: {row.wire['data']} does not follow.", row.position)


def board(deadlines: Deadlines) -> list[tuple[Any, ...]]:
    """Every referral: where it stands since when, what is owed next, since when something is overdue."""
    found: list[tuple[Any, ...]] = []
    for stream, case in sorted(deadlines.cases.items()):
        asked = list(case.asked())
        for referral_id, one in sorted(case.referrals.items()):
            late = [
                case.gaps[what, referral_id][-1]
                for what in ("acknowledgement", "action")
                if (what, referral_id) in case.gaps
            ]
            found.append(
                (
                    stream,
                    referral_id,
                    one.agreed["recipient"],
                    one.agreed["purpose"],
                    one.shown,
                    one.is_open,
                    case.unit,
                    case.home,
                    _moment(one.referred_at),
                    _moment(one.since),
                    _moment(one.agreed["acknowledge_by"]),
                    _moment(one.agreed["act_by"]),
                    _moment(min((due for (_, whose), due in asked if whose == referral_id), default=None)),
                    _moment(min((gap.due for gap in late if gap.asked and gap.passed), default=None)),
                    one.outcome,
                    one.successful,
                    one.reason,
                    one.contradicted,
                    one.agreed.get("follows"),
                )
            )
    return found


def gaps(deadlines: Deadlines) -> list[tuple[Any, ...]]:
    """Every answer that did not come in time, and when it came after all."""
    return sorted(
        (
            stream,
            what,
            whose,
            gap.step,
            case.unit,
            case.home,
            _moment(gap.due),
            _moment(gap.answered_at),
            gap.answered_by,
            *gap.climbed(),
        )
        for stream, case in deadlines.cases.items()
        for (what, whose), steps in case.gaps.items()
        for gap in steps
        if gap.passed
    )


def _moment(at: str | None) -> datetime | None:
    return None if at is None else datetime.fromisoformat(at)
