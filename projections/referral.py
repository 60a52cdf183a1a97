"""How far a referral has come and what its recipient still owes, as more than one projection reads it.

It follows events/case/state word for word, with one thing more: what is awaited. A contradicted outcome opens the
referral again, but does not ask for a new acknowledgement, since the recipient has it: it asks for the act. Only a
moved deadline asks for both anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from projections.taken import Taken

OPEN = frozenset({"referred", "acknowledged", "accepted"})


@dataclass(slots=True)
class Referral:
    """One hand-over. `acted`: somebody recorded an act under it since it was last open; times as on the wire."""

    recipient: str
    purpose: str
    acknowledge_by: str
    act_by: str
    referred_at: str
    state_since: str
    state: str = "referred"
    unacknowledged: bool = True
    acted: bool = False
    delivery_failed_at: str | None = None
    completed_at: str | None = None
    successful: bool | None = None
    reason: str | None = None
    outcome: str | None = None
    outcome_at: str | None = None
    contradicted: int = 0
    follows: str | None = None

    @property
    def standing(self) -> str:
        """Its state, as a board shows it: one that did not arrive is told apart until its recipient has it."""
        return "delivery_failed" if self.delivery_failed_at is not None else self.state

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def answers(self, since: str) -> bool:
        """Whether a recipient is at it, or did it after `since`, and nothing says that this came to nothing."""
        if self.state == "accepted":
            return True
        return self.state == "completed" and bool(self.successful) and (self.completed_at or "") > since

    @property
    def to_be_checked(self) -> bool:
        """Whether somebody who is not the recipient has still to look at what was done."""
        return self.state == "completed" and self.outcome is None

    def awaited(self) -> Iterator[tuple[str, str]]:
        """What the recipient still owes (a word of events.level.Awaited), and by when."""
        if self.state == "referred" and self.unacknowledged:
            yield "acknowledgement", self.acknowledge_by
        if self.is_open and not self.acted:
            yield "action", self.act_by


def follow(referrals: dict[str, Referral], event: Taken) -> Referral | None:
    """Apply an event of a case to its referrals; returns the one it changed, None where it is about none.

    A referral that nobody knows (a history cut by a restore) changes nothing.
    """
    data = event.data
    if event.type == "case.referred":
        referrals[data["referral_id"]] = referral = Referral(
            recipient=data["recipient"],
            purpose=data["purpose"],
            acknowledge_by=data["acknowledge_by"],
            act_by=data["act_by"],
            referred_at=event.time,
            state_since=event.time,
            follows=data.get("follows"),
        )
        return referral
    step = _STEPS.get(event.type)
    if step is None or (referral_id := data.get("referral_id")) is None:
        return None
    known = referrals.get(referral_id)
    if known is not None:
        step(known, event)
    return known


def _reached(state: str) -> Callable[[Referral, Taken], None]:
    def reach(referral: Referral, event: Taken) -> None:
        referral.state, referral.state_since = state, event.time
        referral.unacknowledged, referral.delivery_failed_at = False, None
        referral.reason = event.data.get("reason")

    return reach


def _completed(referral: Referral, event: Taken) -> None:
    _reached("completed")(referral, event)
    referral.completed_at = event.time
    referral.successful = event.data["successful"]
    referral.reason = event.data.get("reason_not")
    referral.outcome = referral.outcome_at = None


def _checked(referral: Referral, event: Taken) -> None:
    referral.outcome, referral.outcome_at = event.data["outcome"], event.time
    if referral.outcome == "contradicted":
        referral.state, referral.state_since = "referred", event.time
        referral.contradicted += 1
        referral.acted = False


def _moved(referral: Referral, event: Taken) -> None:
    referral.acknowledge_by, referral.act_by = event.data["acknowledge_by"], event.data["act_by"]
    referral.unacknowledged = referral.state == "referred"
    referral.acted = False


def _not_delivered(referral: Referral, event: Taken) -> None:
    referral.delivery_failed_at = event.time


def _acted(referral: Referral, event: Taken) -> None:
    referral.acted = True


_STEPS: Mapping[str, Callable[[Referral, Taken], None]] = {
    "case.referral_acknowledged": _reached("acknowledged"),
    "case.referral_accepted": _reached("accepted"),
    "case.referral_declined": _reached("declined"),
    "case.referral_completed": _completed,
    "case.referral_revoked": _reached("revoked"),
    "case.referral_delivery_failed": _not_delivered,
    "case.referral_deadline_moved": _moved,
    "case.referral_outcome_checked": _checked,
    "case.action_recorded": _acted,
}
