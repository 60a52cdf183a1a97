"""A case handed to those who can act: referred, and every step the recipient takes or does not take."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from events.case.events import (
    CaseEvent,
    CaseReferralAccepted,
    CaseReferralAcknowledged,
    CaseReferralCompleted,
    CaseReferralDeadlineMoved,
    CaseReferralDeclined,
    CaseReferralDeliveryFailed,
    CaseReferralOutcomeChecked,
    CaseReferralRevoked,
    CaseReferred,
    CaseReopened,
    RecipientId,
)
from events.case.protection import covering_consent, holding_check, withdrawn
from events.case.refusals import NoSuchReferral, NotCompleted, RecipientChecksItself, ReferralGoesBack
from events.case.standing import done_by_now, opened, takes_work
from events.case.state import Case, Reached, Referral, Stage
from events.command import Command, Text, clear
from events.event import Act
from events.reference import Recipient
from events.refusals import BadInput
from events.sealed import KeyKind
from events.vocabulary import (
    DataItem,
    Instant,
    Means,
    OutcomeFound,
    Purpose,
    ReasonDeclined,
    ReasonNot,
    ReasonReopened,
    ReasonRevoked,
    RecordedBy,
    Role,
)


class Refer(Command):
    """Hand the case to a recipient for a purpose, with deadlines, citing a harm check and a consent."""

    recipient: RecipientId
    purpose: Purpose
    minimum_data: Annotated[frozenset[DataItem], Field(min_length=1)]
    acknowledge_by: Instant
    act_by: Instant
    check_id: UUID
    consent_id: UUID
    follows: UUID | None = None
    note: Text | None = None
    done_at: Instant | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.acknowledge_by > self.act_by:
            raise ValueError("acknowledge_by not after act_by; exchange the two")
        if self.done_at is not None and self.acknowledge_by <= self.done_at:
            raise ValueError("acknowledge_by after done_at; set a later deadline")
        return self


def refer(case: Case, command: Refer, act: Act, *, referral_id: UUID, recipient: Recipient) -> tuple[CaseEvent, ...]:
    """Refer; `recipient` is its register entry. A resolved case may still be referred, a closed one not."""
    takes_work(case)
    done_by_now(command.done_at, act)
    if command.done_at is None and command.acknowledge_by <= act.at:
        raise BadInput.field("acknowledge_by", "a moment still to come", "set a later one")
    if command.follows is not None and command.follows not in case.referrals:
        raise NoSuchReferral()
    holding_check(case, command.check_id, act, recipient=recipient, name=command.recipient, purpose=command.purpose)
    covering_consent(case, command.consent_id, act, name=command.recipient, purpose=command.purpose)
    return (
        CaseReferred(
            referral_id=referral_id,
            recipient=command.recipient,
            purpose=command.purpose,
            minimum_data=tuple(sorted(command.minimum_data)),
            acknowledge_by=command.acknowledge_by,
            act_by=command.act_by,
            check_id=command.check_id,
            consent_id=command.consent_id,
            follows=command.follows,
            note=clear(command.note, KeyKind.CASE, case.case_id),
            done_at=command.done_at,
        ),
    )


class StepTaken(Command):
    """A step of a referral: how it became known and, where it is typed in later, when it was done."""

    referral_id: UUID
    recorded_by: RecordedBy = RecordedBy.SELF
    means: Means = Means.SYSTEM
    done_at: Instant | None = None


class Acknowledge(StepTaken):
    """The recipient has it."""


def acknowledge(case: Case, command: Acknowledge, act: Act) -> tuple[CaseEvent, ...]:
    _step(case, command, act, before=Reached.ACKNOWLEDGED)
    return (CaseReferralAcknowledged(**command.model_dump()),)


class Accept(StepTaken):
    """The recipient will act."""


def accept(case: Case, command: Accept, act: Act) -> tuple[CaseEvent, ...]:
    _step(case, command, act, before=Reached.ACCEPTED)
    return (CaseReferralAccepted(**command.model_dump()),)


class Decline(StepTaken):
    """The recipient will not act."""

    reason: ReasonDeclined
    note: Text | None = None


def decline(case: Case, command: Decline, act: Act) -> tuple[CaseEvent, ...]:
    """Decline before accepting; whoever has accepted completes it without success instead."""
    _step(case, command, act, before=Reached.ACCEPTED)
    note = clear(command.note, KeyKind.CASE, case.case_id)
    return (CaseReferralDeclined(**command.model_dump(exclude={"note"}), note=note),)


class Complete(StepTaken):
    """The recipient says it is done, or why it could not be."""

    successful: bool
    reason_not: ReasonNot | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _why_not(self) -> Self:
        if self.successful == (self.reason_not is not None):
            raise ValueError("reason_not exactly where successful is false; add it or leave it out")
        return self


def complete(case: Case, command: Complete, act: Act) -> tuple[CaseEvent, ...]:
    _step(case, command, act, before=Reached.COMPLETED)
    note = clear(command.note, KeyKind.CASE, case.case_id)
    return (CaseReferralCompleted(**command.model_dump(exclude={"note"}), note=note),)


class Revoke(Command):
    """Take an open referral back."""

    referral_id: UUID
    reason: ReasonRevoked
    note: Text | None = None


def revoke(case: Case, command: Revoke, act: Act) -> tuple[CaseEvent, ...]:
    _open(case, command.referral_id)
    note = clear(command.note, KeyKind.CASE, case.case_id)
    return (CaseReferralRevoked(referral_id=command.referral_id, reason=command.reason, note=note),)


class FailDelivery(Command):
    """The referral did not reach its recipient; deadlines run on."""

    referral_id: UUID
    means: Means
    done_at: Instant | None = None


def fail_delivery(case: Case, command: FailDelivery, act: Act) -> tuple[CaseEvent, ...]:
    """Record a failed delivery of a referral that the recipient has not acknowledged."""
    done_by_now(command.done_at, act)
    referral = _open(case, command.referral_id)
    if referral.reached > Reached.REFERRED:
        raise ReferralGoesBack(reached=referral.reached.name.lower())
    return (CaseReferralDeliveryFailed(referral_id=command.referral_id, means=command.means, done_at=command.done_at),)


class MoveDeadline(Command):
    """Move the deadlines of an open referral, with a reason."""

    referral_id: UUID
    acknowledge_by: Instant
    act_by: Instant
    reason: Text

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.acknowledge_by > self.act_by:
            raise ValueError("acknowledge_by not after act_by; exchange the two")
        return self


def move_deadline(case: Case, command: MoveDeadline, act: Act) -> tuple[CaseEvent, ...]:
    """Move the deadlines; the one for acting must be still to come."""
    _open(case, command.referral_id)
    if command.act_by <= act.at:
        raise BadInput.field("act_by", "a moment still to come", "set a later one")
    return (
        CaseReferralDeadlineMoved(
            referral_id=command.referral_id,
            acknowledge_by=command.acknowledge_by,
            act_by=command.act_by,
            reason=clear(command.reason, KeyKind.CASE, case.case_id),
        ),
    )


class CheckOutcome(Command):
    """Look whether what a recipient says was done was done."""

    referral_id: UUID
    outcome: OutcomeFound
    done_at: Instant | None = None
    note: Text | None = None


def check_outcome(case: Case, command: CheckOutcome, act: Act, *, is_recipient: bool) -> tuple[CaseEvent, ...]:
    """Check a completed referral's outcome; `is_recipient` says whether this person belongs to the recipient.

    A contradicted outcome opens the referral again, and with it the case where its work was over (`reopened_by_it`).
    Where the consent was withdrawn meanwhile, the referral is revoked at once.
    """
    done_by_now(command.done_at, act)
    referral = _known(case, command.referral_id)
    if is_recipient or act.by.role == Role.RECIPIENT:
        raise RecipientChecksItself()
    if referral.reached != Reached.COMPLETED:
        raise NotCompleted()
    checked = CaseReferralOutcomeChecked(
        referral_id=command.referral_id,
        outcome=command.outcome,
        by=act.by.ref,
        done_at=command.done_at,
        note=clear(command.note, KeyKind.CASE, case.case_id),
    )
    if command.outcome != OutcomeFound.CONTRADICTED:
        return (checked,)
    events: list[CaseEvent] = [checked, *reopened_by_it(case)]
    if withdrawn(case, referral.consent_id):
        events.append(CaseReferralRevoked(referral_id=command.referral_id, reason=ReasonRevoked.CONSENT_WITHDRAWN))
    return tuple(events)


def reopened_by_it(case: Case) -> tuple[CaseEvent, ...]:
    """Open a case again whose work was over before an outcome was contradicted, its own or of one merged into it.

    A case that the committee did not ratify stays as it is.
    """
    if case.stage != Stage.CLOSED or case.not_ratified:
        return ()
    return (CaseReopened(reason=ReasonReopened.OUTCOME_CONTRADICTED),)


def _step(case: Case, command: StepTaken, act: Act, *, before: Reached) -> None:
    """Refuse a step that is not ahead of what the referral has reached."""
    done_by_now(command.done_at, act)
    referral = _open(case, command.referral_id)
    if referral.reached >= before:
        raise ReferralGoesBack(reached=referral.reached.name.lower())


def _open(case: Case, referral_id: UUID) -> Referral:
    referral = _known(case, referral_id)
    if not referral.reached.is_open:
        raise ReferralGoesBack(reached=referral.reached.name.lower())
    return referral


def _known(case: Case, referral_id: UUID) -> Referral:
    """The referral, also of a case merged away: whoever has it in hand answers to the case it was made in."""
    opened(case)
    if (referral := case.referrals.get(referral_id)) is None:
        raise NoSuchReferral()
    return referral


COMMANDS: tuple[type[Command], ...] = (
    Refer,
    Acknowledge,
    Accept,
    Decline,
    Complete,
    Revoke,
    FailDelivery,
    MoveDeadline,
    CheckOutcome,
)
