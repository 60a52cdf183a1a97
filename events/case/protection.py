"""What must be known before a case is handed on: that it does no harm, and that the people concerned agree."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from events.case.events import (
    CaseConsentRecorded,
    CaseConsentWithdrawn,
    CaseEvent,
    CaseHarmChecked,
    CaseReferralRevoked,
    RecipientId,
    Scope,
)
from events.case.refusals import (
    ActorUnknownOrInConflict,
    CheckNotClear,
    CheckTooOld,
    ConsentWithdrawnAlready,
    NoConsent,
    NoHarmCheck,
    NothingToRelease,
    RecipientNotForThis,
    RecipientNotRegistered,
    SamePerson,
    WithoutConsent,
)
from events.case.standing import opened, takes_work
from events.case.state import Case
from events.command import Command, Text, clear
from events.event import Act
from events.reference import Recipient, RecipientRegistered
from events.refusals import BadInput
from events.sealed import KeyKind
from events.vocabulary import ActorClass, ConsentBasis, Instant, Purpose, ReasonRevoked, Verdict

AGREED = frozenset({ConsentBasis.GIVEN, ConsentBasis.GUARDIAN, ConsentBasis.NO_PERSON_CONCERNED})
"""Bases on which a referral may rest by themselves."""


class CheckHarm(Command):
    """Check whether handing this case to a recipient for a purpose could do harm."""

    recipient: RecipientId
    purpose: Purpose
    verdict: Verdict
    valid_until: Instant
    reason: Text | None = None


def check_harm(
    case: Case,
    command: CheckHarm,
    act: Act,
    *,
    check_id: UUID,
    recipient: Recipient,
    actor: ActorClass | None,
    units: frozenset[str],
) -> tuple[CaseEvent, ...]:
    """Check for harm. `recipient` is its register entry, `actor` the alleged class as the vault opened it.

    `units` are the case's unit and those above it. A recipient that conflicts with the actor's class, or an unknown
    actor, is never clear by itself.
    """
    takes_work(case)
    _registered(recipient, command.recipient, command.purpose)
    _still_to_come("valid_until", command.valid_until, act)
    doubtful = actor is None or not actor.known or actor == ActorClass.UNKNOWN or actor in recipient.conflicting(units)
    if command.verdict == Verdict.CLEAR and doubtful:
        raise ActorUnknownOrInConflict(recipient=command.recipient)
    return (
        CaseHarmChecked(
            check_id=check_id,
            recipient=command.recipient,
            register_version=recipient.version,
            purpose=command.purpose,
            verdict=command.verdict,
            by=act.by.ref,
            on_behalf_of=act.by.on_behalf_of,
            valid_until=command.valid_until,
            reason=clear(command.reason, KeyKind.CASE, case.case_id),
        ),
    )


class ReleaseCheck(Command):
    """Release a check that was not clear, as a second person, with a reason."""

    check_id: UUID
    reason: Text


def release_check(case: Case, command: ReleaseCheck, act: Act, *, released_id: UUID) -> tuple[CaseEvent, ...]:
    """Release a check under the new id `released_id`, which referrals then cite."""
    takes_work(case)
    check = case.checks.get(command.check_id)
    if check is None or check.verdict == Verdict.CLEAR or check.releases is not None:
        raise NothingToRelease()
    if check.people & act.by.people:
        raise SamePerson()
    return (
        CaseHarmChecked(
            check_id=released_id,
            recipient=check.recipient,
            register_version=check.register_version,
            purpose=check.purpose,
            verdict=check.verdict,
            by=act.by.ref,
            on_behalf_of=act.by.on_behalf_of,
            valid_until=check.valid_until,
            releases=check.check_id,
            reason=clear(command.reason, KeyKind.CASE, case.case_id),
        ),
    )


class RecordConsent(Command):
    """Record what the people concerned agreed to, or why nobody could be asked."""

    basis: ConsentBasis
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1, max_length=7)]
    recipients: Annotated[tuple[RecipientId, ...], Field(min_length=1, max_length=50)]
    until: Instant | None = None
    person: Text | None = None
    reason: Text | None = None

    @model_validator(mode="after")
    def _why_not(self) -> Self:
        if self.basis in (ConsentBasis.REFUSED, ConsentBasis.NOT_POSSIBLE) and self.reason is None:
            raise ValueError("a reason where nobody agreed; add `reason`")
        return self


def record_consent(
    case: Case, command: RecordConsent, act: Act, *, consent_id: UUID, person: UUID | None = None
) -> tuple[CaseEvent, ...]:
    """Record a consent; who gave it is sealed under the key of that `person` where the vault knows one.

    So erasing the person erases it here too.
    """
    takes_work(case)
    whose = (KeyKind.PERSON, person) if person else (KeyKind.CASE, case.case_id)
    if command.until is not None:
        _still_to_come("until", command.until, act)
    return (
        CaseConsentRecorded(
            consent_id=consent_id,
            basis=command.basis,
            scope=Scope(purposes=command.purposes, recipients=command.recipients),
            until=command.until,
            by=act.by.ref,
            on_behalf_of=act.by.on_behalf_of,
            reason=clear(command.reason, KeyKind.CASE, case.case_id),
            person=clear(command.person, *whose),
        ),
    )


class ActWithoutConsent(Command):
    """Let the network act though nobody agreed, as a second person, with a reason."""

    consent_id: UUID
    reason: Text


def act_without_consent(
    case: Case, command: ActWithoutConsent, act: Act, *, released_id: UUID
) -> tuple[CaseEvent, ...]:
    """Release a refused or impossible consent under the new id `released_id`, which referrals then cite."""
    takes_work(case)
    consent = case.consents.get(command.consent_id)
    if consent is None or consent.basis in AGREED or consent.releases is not None:
        raise NothingToRelease()
    if command.consent_id in case.withdrawn_consents:
        raise ConsentWithdrawnAlready()
    if consent.people & act.by.people:
        raise SamePerson()
    return (
        CaseConsentRecorded(
            consent_id=released_id,
            basis=consent.basis,
            scope=consent.scope,
            until=consent.until,
            by=act.by.ref,
            on_behalf_of=act.by.on_behalf_of,
            releases=consent.consent_id,
            reason=clear(command.reason, KeyKind.CASE, case.case_id),
        ),
    )


class WithdrawConsent(Command):
    """The people concerned take their consent back."""

    consent_id: UUID


def withdraw_consent(case: Case, command: WithdrawConsent, act: Act) -> tuple[CaseEvent, ...]:
    """Withdraw a consent, also in a closed or merged case, and revoke every open referral that rests on it."""
    opened(case)
    consent = case.consents.get(command.consent_id)
    if consent is None:
        raise NoConsent()
    if command.consent_id in case.withdrawn_consents:
        raise ConsentWithdrawnAlready()
    resting = {command.consent_id} | {
        one.consent_id for one in case.consents.values() if one.releases == command.consent_id
    }
    revoked = tuple(
        CaseReferralRevoked(referral_id=referral_id, reason=ReasonRevoked.CONSENT_WITHDRAWN)
        for referral_id in case.open_referrals
        if case.referrals[referral_id].consent_id in resting
    )
    return (CaseConsentWithdrawn(consent_id=command.consent_id), *revoked)


def holding_check(
    case: Case, check_id: UUID, act: Act, *, recipient: Recipient, name: str, purpose: Purpose
) -> CaseHarmChecked:
    """The check that a referral cites: for this recipient and purpose, still valid, clear or released, by others."""
    _registered(recipient, name, purpose)
    check = case.checks.get(check_id)
    if check is None or (check.recipient, check.purpose) != (name, purpose):
        raise NoHarmCheck()
    if act.at > check.valid_until or check.register_version != recipient.version:
        raise CheckTooOld(valid_until=check.valid_until.isoformat())
    if check.verdict != Verdict.CLEAR and check.releases is None:
        raise CheckNotClear()
    first = case.checks.get(check.releases) if check.releases else None
    if act.by.people & (check.people | (first.people if first else frozenset())):
        raise SamePerson()
    return check


def covering_consent(case: Case, consent_id: UUID, act: Act, *, name: str, purpose: Purpose) -> CaseConsentRecorded:
    """The consent that a referral cites: it covers recipient and purpose, holds still, or was released."""
    consent = case.consents.get(consent_id)
    covers = consent is not None and name in consent.scope.recipients and purpose in consent.scope.purposes
    if consent is None or not covers or (consent.until is not None and act.at > consent.until):
        raise NoConsent()
    if withdrawn(case, consent_id):
        raise ConsentWithdrawnAlready()
    if consent.basis not in AGREED:
        first = case.consents.get(consent.releases) if consent.releases else None
        if first is None:
            raise WithoutConsent()
        if act.by.people & consent.people:
            raise SamePerson()
    return consent


def withdrawn(case: Case, consent_id: UUID) -> bool:
    """Whether a consent, or the one it releases, was taken back."""
    consent = case.consents.get(consent_id)
    first = consent.releases if consent else None
    return bool({consent_id, first} & case.withdrawn_consents)


def _registered(recipient: Recipient, name: str, purpose: Purpose) -> RecipientRegistered:
    entry = recipient.entry
    if entry is None or not entry.active or entry.recipient != name:
        raise RecipientNotRegistered(recipient=name)
    if purpose not in entry.purposes:
        raise RecipientNotForThis(recipient=name, purpose=purpose.value)
    return entry


def _still_to_come(field: str, moment: Instant, act: Act) -> None:
    if moment <= act.at:
        raise BadInput.field(field, "a moment still to come", "set a later one")


COMMANDS: tuple[type[Command], ...] = (CheckHarm, ReleaseCheck, RecordConsent, ActWithoutConsent, WithdrawConsent)
