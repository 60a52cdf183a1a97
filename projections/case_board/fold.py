"""What a board shows of a case, folded from the case's own stream; and which reports fell, from theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

from projections.projection import Page, Untimed
from projections.referral import Referral, follow
from projections.taken import Taken

FALLS = frozenset({"report.withdrawn", "report.superseded"})
ON_THE_BOARD = frozenset({"open", "resolved"})
"""Stages in which there is work to do; resolved says only that the danger is over."""


@dataclass(slots=True)
class OnBoard:
    """One case. Times and ids as on the wire; `severity` is the committee's, before an assessment the opener's."""

    stream: str
    home: str = ""
    version: int = 0
    stage: str = "absent"
    unit: str = ""
    precision: str = "unknown"
    kind: str = ""
    opened_at: str = ""
    changed_at: str = ""
    threat_to_life: bool = False
    provisional: bool = False
    ratify_by: str | None = None
    occurred: dict[str, Any] | None = None
    expected: dict[str, Any] | None = None
    severity: str | None = None
    round: int = 0
    verification_state: str | None = None
    credibility: str | None = None
    circulating: str | None = None
    assessed_at: str | None = None
    linked: dict[str, str] = field(default_factory=dict)
    merged_into: str | None = None
    last_decision: str | None = None
    last_decision_at: str | None = None
    outcome: str | None = None
    referrals: dict[str, Referral] = field(default_factory=dict)

    @property
    def on_the_board(self) -> bool:
        return self.stage in ON_THE_BOARD and self.merged_into is None

    @property
    def next_deadline(self) -> str | None:
        """The earliest moment by which somebody owes an answer; one that passed stays until it is answered.

        Nothing is owed in a closed case. One that was merged away need not be ratified: the other one stands for it;
        but whoever was asked to act owes an answer in the case that they know.
        """
        if self.stage == "closed":
            return None
        dues = [due for referral in self.referrals.values() for _, due in referral.awaited()]
        if self.provisional and self.merged_into is None and self.ratify_by is not None:
            dues.append(self.ratify_by)
        return min(dues, default=None)


@dataclass(slots=True)
class Fallen:
    """A report that stands no more."""

    stream: str
    how: str | None = None
    fell_at: str | None = None


CaseBoardState: TypeAlias = OnBoard | Fallen


class Board(Untimed):
    """A case's row is everything the fold knows of it; a report has one only when it fell."""

    stateless = False

    def key(self, event: Taken) -> str | None:
        stream = event.stream
        return stream if stream.startswith("case/") or event.type in FALLS else None

    def initial(self, key: str) -> CaseBoardState:
        return OnBoard(key) if key.startswith("case/") else Fallen(key)

    def apply(self, shared: None, state: CaseBoardState, event: Taken, page: Page) -> None:
        if isinstance(state, Fallen):
            state.how, state.fell_at = event.type.removeprefix("report."), event.time
            return
        state.version, state.changed_at = event.version, event.time
        if (change := _CHANGES.get(event.type)) is not None:
            change(state, event)
        else:
            follow(state.referrals, event)

    def draw(self, state: CaseBoardState, page: Page) -> None:
        if isinstance(state, Fallen):
            page.add("fallen", (state.stream.removeprefix("report/"), state.how, state.fell_at))
            return
        page.add(
            "case",
            (
                state.stream,
                state.home,
                state.unit,
                state.kind,
                state.stage,
                state.on_the_board,
                state.provisional,
                state.next_deadline,
                state.severity,
                state.verification_state,
                state.merged_into,
                orjson.dumps(state).decode(),
            ),
        )


def _opened(case: OnBoard, event: Taken) -> None:
    data = event.data
    case.home, case.stage, case.opened_at = event.home, "open", event.time
    case.unit, case.precision, case.kind = data["place"]["unit"], data["place"]["precision"], data["kind"]
    case.threat_to_life, case.provisional = data["threat_to_life"], data["provisional"]
    case.ratify_by, case.severity = data.get("ratify_by"), data.get("severity")
    case.occurred, case.expected = data.get("occurred"), data.get("expected")


def _ratified(case: OnBoard, event: Taken) -> None:
    case.provisional, case.ratify_by = False, None


def _not_ratified(case: OnBoard, event: Taken) -> None:
    case.stage, case.provisional, case.ratify_by = "not_ratified", False, None


def _classified(case: OnBoard, event: Taken) -> None:
    case.kind = event.data["kind"]


def _linked(case: OnBoard, event: Taken) -> None:
    case.linked[event.data["report_id"]] = event.data["independent"]


def _unlinked(case: OnBoard, event: Taken) -> None:
    case.linked.pop(event.data["report_id"], None)


def _assessed(case: OnBoard, event: Taken) -> None:
    data = event.data
    case.round, case.assessed_at, case.severity = data["round"], event.time, data["severity"]
    case.verification_state, case.credibility = data["verification_state"], data["credibility"]
    case.circulating = data.get("circulating")


def _decided(case: OnBoard, event: Taken) -> None:
    case.last_decision, case.last_decision_at = event.data["choice"], event.time


def _merged(case: OnBoard, event: Taken) -> None:
    if "into" in event.data:
        case.merged_into = f"case/{event.data['into']}"


def _parted(case: OnBoard, event: Taken) -> None:
    if "into" in event.data:
        case.merged_into = None


def _resolved(case: OnBoard, event: Taken) -> None:
    case.stage, case.outcome = "resolved", event.data["outcome"]


def _reopened(case: OnBoard, event: Taken) -> None:
    case.stage, case.outcome = "open", None


def _closed(case: OnBoard, event: Taken) -> None:
    case.stage = "closed"


_CHANGES: Mapping[str, Callable[[OnBoard, Taken], None]] = {
    "case.opened": _opened,
    "case.ratified": _ratified,
    "case.not_ratified": _not_ratified,
    "case.classified": _classified,
    "case.report_linked": _linked,
    "case.report_unlinked": _unlinked,
    "case.assessed": _assessed,
    "case.decided": _decided,
    "case.merged": _merged,
    "case.merge_reversed": _parted,
    "case.resolved": _resolved,
    "case.reopened": _reopened,
    "case.closed": _closed,
}
