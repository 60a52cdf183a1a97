"""What waits about a case: to be ratified, to be assessed (anew), and each completed referral to be looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from projections.referral import Referral, follow
from projections.review_queue.waiting import Waiting
from projections.taken import Taken


@dataclass(slots=True)
class CaseWaits:
    """A case as its committee needs it. `linked` maps a report to (position, time) of its linking.

    `assessed_at` is the position of the last assessment; `lost_since`: when a report that was linked then was unlinked.
    """

    stream: str
    home: str = ""
    unit: str = ""
    kind: str = ""
    stage: str = "absent"
    merged: bool = False
    urgent: bool = False
    opened_at: str = ""
    provisional: bool = False
    ratify_by: str | None = None
    round: int = 0
    assessed_at: int | None = None
    lost_since: str | None = None
    linked: dict[str, tuple[int, str]] = field(default_factory=dict)
    referrals: dict[str, Referral] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)

    @property
    def takes_assessment(self) -> bool:
        return self.stage in ("open", "resolved") and not self.merged

    def apply(self, event: Taken) -> None:
        if (change := _CHANGES.get(event.type)) is not None:
            change(self, event)
        else:
            follow(self.referrals, event)

    def waiting(self) -> Iterator[Waiting]:
        about = Waiting(self.stream, "", self.opened_at, self.home, self.unit, self.kind, self.urgent)
        if self.provisional and not self.merged:
            yield about._replace(what="ratification", due=self.ratify_by)
        if self.takes_assessment and (since := self._unassessed_since()) is not None:
            yield about._replace(what="assessment", since=since, round=self.round + 1)
        for referral_id, referral in self.referrals.items():
            if referral.to_be_checked:
                since = referral.completed_at or referral.state_since
                yield about._replace(what="outcome_check", subject=referral_id, since=since)

    def _unassessed_since(self) -> str | None:
        """Since when the committee's view is missing, or older than the evidence."""
        assessed_at = self.assessed_at
        if assessed_at is None:
            return self.opened_at
        newer = [time for position, time in self.linked.values() if position > assessed_at]
        if self.lost_since is not None:
            newer.append(self.lost_since)
        return min(newer, default=None)


def _opened(case: CaseWaits, event: Taken) -> None:
    data = event.data
    case.home, case.unit, case.kind = event.home, data["place"]["unit"], data["kind"]
    case.stage, case.opened_at, case.urgent = "open", event.time, data["threat_to_life"]
    case.provisional, case.ratify_by = data["provisional"], data.get("ratify_by")


def _ratified(case: CaseWaits, event: Taken) -> None:
    case.provisional, case.ratify_by = False, None


def _not_ratified(case: CaseWaits, event: Taken) -> None:
    case.stage, case.provisional, case.ratify_by = "not_ratified", False, None


def _classified(case: CaseWaits, event: Taken) -> None:
    case.kind = event.data["kind"]


def _linked(case: CaseWaits, event: Taken) -> None:
    case.linked[event.data["report_id"]] = (event.position, event.time)


def _unlinked(case: CaseWaits, event: Taken) -> None:
    known = case.linked.pop(event.data["report_id"], None)
    if known is not None and case.assessed_at is not None and known[0] < case.assessed_at:
        case.lost_since = case.lost_since or event.time


def _assessed(case: CaseWaits, event: Taken) -> None:
    case.round, case.assessed_at, case.lost_since = event.data["round"], event.position, None


def _merged(case: CaseWaits, event: Taken) -> None:
    case.merged = case.merged or "into" in event.data


def _parted(case: CaseWaits, event: Taken) -> None:
    case.merged = case.merged and "into" not in event.data


def _stage(stage: str) -> Callable[[CaseWaits, Taken], None]:
    def reach(case: CaseWaits, event: Taken) -> None:
        case.stage = stage

    return reach


_CHANGES: Mapping[str, Callable[[CaseWaits, Taken], None]] = {
    "case.opened": _opened,
    "case.ratified": _ratified,
    "case.not_ratified": _not_ratified,
    "case.classified": _classified,
    "case.report_linked": _linked,
    "case.report_unlinked": _unlinked,
    "case.assessed": _assessed,
    "case.merged": _merged,
    "case.merge_reversed": _parted,
    "case.resolved": _stage("resolved"),
    "case.reopened": _stage("open"),
    "case.closed": _stage("closed"),
}
