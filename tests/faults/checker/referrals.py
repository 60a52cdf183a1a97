"""How far a referral has come, and what its recipient owes: the rules at the head of projections/referral.py.

A contradicted outcome asks for the act again and not for another acknowledgement; a moved deadline asks for both anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.faults.checker.ledger import Row

OPEN = {"referred", "acknowledged", "accepted"}
REACHED = {
    "case.referral_acknowledged": "acknowledged",
    "case.referral_accepted": "accepted",
    "case.referral_declined": "declined",
    "case.referral_completed": "completed",
    "case.referral_revoked": "revoked",
}
STEPS = {
    "case.referred",
    *REACHED,
    "case.referral_outcome_checked",
    "case.referral_deadline_moved",
    "case.referral_delivery_failed",
    "case.action_recorded",
}


@dataclass
class Referral:
    """One hand-over: what was agreed, where it stands since when, and what is owed."""

    agreed: dict[str, Any]
    referred_at: str
    since: str
    state: str = "referred"
    arrived: bool = True
    owes_acknowledgement: bool = True
    owes_act: bool = True
    completed_at: str | None = None
    successful: bool | None = None
    outcome: str | None = None
    reason: str | None = None
    contradicted: int = 0

    @property
    def shown(self) -> str:
        return self.state if self.arrived else "delivery_failed"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def waits_for_a_look(self) -> bool:
        return self.state == "completed" and self.outcome is None

    def owed(self) -> Iterator[tuple[str, str]]:
        """What the recipient owes, and by when."""
        if self.owes_acknowledgement and self.state == "referred":
            yield "acknowledgement", self.agreed["acknowledge_by"]
        if self.owes_act and self.is_open:
            yield "action", self.agreed["act_by"]

    def answers(self, begun_at: str) -> bool:
        """Whether the recipient is at it, or has done it since the case began anew."""
        done = self.state == "completed" and self.successful and (self.completed_at or "") > begun_at
        return self.state == "accepted" or bool(done)

    def step(self, kind: str, data: dict[str, Any], at: str) -> None:
        if kind in REACHED:
            self.state, self.since = REACHED[kind], at
            self.arrived, self.owes_acknowledgement = True, False
            self.reason = data.get("reason_not" if kind == "case.referral_completed" else "reason")
        if kind == "case.referral_completed":
            self.completed_at, self.successful, self.outcome = at, data["successful"], None
        elif kind == "case.referral_outcome_checked":
            self.outcome = data["outcome"]
            if self.outcome == "contradicted":
                self.state, self.since, self.owes_act = "referred", at, True
                self.contradicted += 1
        elif kind == "case.referral_deadline_moved":
            self.agreed |= {by: data[by] for by in ("acknowledge_by", "act_by")}
            self.owes_acknowledgement, self.owes_act = self.state == "referred", True
        elif kind == "case.referral_delivery_failed":
            self.arrived = False
        elif kind == "case.action_recorded":
            self.owes_act = False


def follow(referrals: dict[str, Referral], row: Row) -> None:
    """Let an event of a case move the referral that it names."""
    data, kind = row.wire["data"], row.type
    if kind == "case.referred":
        referrals[data["referral_id"]] = Referral(dict(data), row.at, row.at)
    elif kind in STEPS and (known := referrals.get(data.get("referral_id"))) is not None:
        known.step(kind, data, row.at)
