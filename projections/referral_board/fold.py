"""The board as a fold: a case's events move its referrals and gaps, time passes by them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from projections.projection import Page
from projections.referral_board.awaited import awaited, next_due, overdue_since, pass_by, settle
from projections.referral_board.case import CaseReferrals
from projections.referral_board.told import Told
from projections.taken import Taken

NO_MATTER = frozenset(
    {
        "case.classified",
        "case.report_linked",
        "case.report_unlinked",
        "case.harm_recorded",
        "case.harm_checked",
        "case.consent_recorded",
        "case.consent_withdrawn",
        "case.related",
        "case.unrelated",
    }
)
"""What happens to a case and changes nothing here. A type nobody knows yet is not among them: it parks its case."""


class Referrals:
    """Every case has a row of state, since any may be referred; the board's rows are those of its referrals."""

    whole = False
    stateless = False

    def key(self, event: Taken) -> str | None:
        stream = event.stream
        return stream if stream.startswith("case/") and event.type not in NO_MATTER else None

    def initial(self, key: str) -> CaseReferrals:
        return CaseReferrals(key)

    def due(self, state: CaseReferrals) -> str | None:
        return next_due(state)

    def roll(self, shared: Told, state: CaseReferrals, until: str, page: Page) -> None:
        pass_by(state, shared, until, page)

    def apply(self, shared: Told, state: CaseReferrals, event: Taken, page: Page) -> None:
        state.apply(shared, event)
        settle(state, event)
        pass_by(state, shared, event.time, page)

    def heed(self, shared: Told, state: CaseReferrals, event: Taken, page: Page) -> None:
        state.heed(shared)
        settle(state, event)
        pass_by(state, shared, event.time, page)

    def draw(self, state: CaseReferrals, page: Page) -> None:
        for row in state.changed_gaps():
            page.add("gap", row)
        dues = _dues(state)
        for referral_id, referral in state.referrals.items():
            page.add(
                "referral",
                (
                    state.stream,
                    referral_id,
                    referral.recipient,
                    referral.purpose,
                    referral.standing,
                    referral.is_open,
                    state.unit,
                    state.home,
                    referral.referred_at,
                    referral.state_since,
                    referral.acknowledge_by,
                    referral.act_by,
                    dues.get(referral_id),
                    overdue_since(state, referral_id),
                    referral.outcome,
                    referral.successful,
                    referral.reason,
                    referral.contradicted,
                    referral.follows,
                ),
            )
        page.add("case", (state.stream, next_due(state), orjson.dumps(state).decode()))

    def shared(self, saved: Any | None) -> Told:
        return Told(**saved) if saved else Told()

    def save(self, shared: Told) -> Any:
        return asdict(shared)

    def broadcast(self, shared: Told, event: Taken) -> bool:
        return shared.take(event)


def _dues(case: CaseReferrals) -> dict[str, str]:
    """What each recipient owes next, by referral."""
    dues: dict[str, str] = {}
    for name, due in awaited(case):
        _, referral_id = name.split("/")
        dues[referral_id] = min(due, dues.get(referral_id, due))
    return dues
