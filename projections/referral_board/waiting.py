"""Since when a case has waited for an answer, for a decision that passes it on to another."""

from __future__ import annotations

from collections.abc import Iterable

from projections.referral_board.case import CaseReferrals
from projections.referral_board.fold import NO_MATTER
from projections.referral_board.told import Told
from projections.taken import Taken


def asked_since(stream: str, events: Iterable[Taken]) -> str | None:
    """Since when by the events of its stream, as on the wire; None where it is not grave or was answered.

    No rules are asked: they say by when an answer is wanted, and not from when.
    """
    case, no_rules = CaseReferrals(stream), Told()
    for event in events:
        if event.type not in NO_MATTER:
            case.apply(no_rules, event)
    return case.asked_since
