"""What waits, stream by stream: the rows of a stream are those things that wait in it, and no others."""

from __future__ import annotations

from typing import TypeAlias

import orjson

from projections.projection import Page, Untimed
from projections.review_queue.case import CaseWaits
from projections.review_queue.report import ReportWaits
from projections.taken import Taken

QueueState: TypeAlias = ReportWaits | CaseWaits

NO_MATTER = frozenset(
    {
        "case.decided",
        "case.harm_recorded",
        "case.harm_checked",
        "case.consent_recorded",
        "case.consent_withdrawn",
        "case.referral_acknowledged",
        "case.referral_accepted",
        "case.referral_declined",
        "case.referral_revoked",
        "case.referral_delivery_failed",
        "case.referral_deadline_moved",
        "case.action_recorded",
        "case.related",
        "case.unrelated",
    }
)
"""What happens to a case and ends or begins no waiting. A type that nobody knows yet is not among them: it parks its
stream."""


class Queue(Untimed):
    """Rules of what waits stand in report.py and case.py."""

    stateless = False

    def key(self, event: Taken) -> str | None:
        stream = event.stream
        return stream if stream.startswith(("report/", "case/")) and event.type not in NO_MATTER else None

    def initial(self, key: str) -> QueueState:
        return ReportWaits(key) if key.startswith("report/") else CaseWaits(key)

    def apply(self, shared: None, state: QueueState, event: Taken, page: Page) -> None:
        state.apply(event)

    def draw(self, state: QueueState, page: Page) -> None:
        waiting = list(state.waiting())
        names = [one.name for one in waiting]
        for name in state.shown:
            if name not in names:
                page.add("answered", (state.stream, *name.split("/", 1)))
        for one in waiting:
            page.add("waiting", one.row())
        state.shown = names
        body = orjson.dumps(state).decode()
        if isinstance(state, ReportWaits):
            page.add("report", (state.stream, state.stands, state.changed_at, body))
        else:
            page.add("case", (state.stream, state.takes_assessment, state.assessed_at, body))
