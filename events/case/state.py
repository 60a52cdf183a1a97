"""What the network knows of one case, folded from its events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import assert_never
from uuid import UUID

from events.case.events import (
    CaseActionRecorded,
    CaseAssessed,
    CaseClassified,
    CaseClosed,
    CaseConsentRecorded,
    CaseConsentWithdrawn,
    CaseDecided,
    CaseEvent,
    CaseHarmChecked,
    CaseHarmRecorded,
    CaseMerged,
    CaseMergeReversed,
    CaseNotRatified,
    CaseOpened,
    CaseRatified,
    CaseReferralAccepted,
    CaseReferralAcknowledged,
    CaseReferralCompleted,
    CaseReferralDeadlineMoved,
    CaseReferralDeclined,
    CaseReferralDeliveryFailed,
    CaseReferralOutcomeChecked,
    CaseReferralRevoked,
    CaseReferred,
    CaseRelated,
    CaseReopened,
    CaseReportLinked,
    CaseReportUnlinked,
    CaseResolved,
    CaseUnrelated,
)
from events.sealed import Sealable
from events.vocabulary import Decided, HarmKind, Independence, Kind, Located, OutcomeFound, Purpose, Relation, Severity


class Stage(StrEnum):
    """Where the work stands. Resolved: the danger is over. Closed: the work is over."""

    ABSENT = "absent"
    OPEN = "open"
    RESOLVED = "resolved"
    CLOSED = "closed"
    NOT_RATIFIED = "not_ratified"


class Reached(IntEnum):
    """How far a referral has come; steps may be skipped but never go back."""

    REFERRED = 0
    ACKNOWLEDGED = 1
    ACCEPTED = 2
    COMPLETED = 3
    DECLINED = 4
    REVOKED = 5

    @property
    def is_open(self) -> bool:
        return self < Reached.COMPLETED


@dataclass(frozen=True, slots=True)
class Referral:
    """One hand-over and how far it has come; `contradicted` counts how often its outcome was found untrue."""

    recipient: str
    purpose: Purpose
    consent_id: UUID
    acknowledge_by: datetime
    act_by: datetime
    reached: Reached = Reached.REFERRED
    outcome: OutcomeFound | None = None
    contradicted: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """What the network knows of one case.

    `linked` maps report ids to their independence, `related` holds (other case, relation), `counted_in` says for each
    kind of toll which case counts it, `severity` is as assessed last, before that as it was opened, `words` in which
    version the current sealed actor class and summary stand.
    `not_ratified` stays, also in a case closed since, until it is opened again on new evidence.
    """

    case_id: UUID
    version: int = 0
    stage: Stage = Stage.ABSENT
    kind: Kind | None = None
    place: Located | None = None
    provisional: bool = False
    not_ratified: bool = False
    ratify_by: datetime | None = None
    linked: Mapping[UUID, Independence] = field(default_factory=dict)
    related: frozenset[tuple[UUID, Relation]] = frozenset()
    absorbed: frozenset[UUID] = frozenset()
    merged_into: UUID | None = None
    round: int = 0
    severity: Severity | None = None
    assessment: CaseAssessed | None = field(default=None, repr=False)
    counted_in: Mapping[HarmKind, UUID] = field(default_factory=dict)
    last_decision: Decided | None = None
    checks: Mapping[UUID, CaseHarmChecked] = field(default_factory=dict, repr=False)
    consents: Mapping[UUID, CaseConsentRecorded] = field(default_factory=dict, repr=False)
    withdrawn_consents: frozenset[UUID] = frozenset()
    referrals: Mapping[UUID, Referral] = field(default_factory=dict)
    words: Mapping[str, tuple[int, Sealable]] = field(default_factory=dict, repr=False)

    @property
    def open_referrals(self) -> tuple[UUID, ...]:
        return tuple(one for one, referral in self.referrals.items() if referral.reached.is_open)


def evolve(case: Case, event: CaseEvent) -> Case:
    """Apply one event; total: never raises on history."""
    case = replace(case, version=case.version + 1)
    match event:
        case CaseOpened():
            return replace(
                case,
                stage=Stage.OPEN,
                kind=event.kind,
                place=event.place,
                provisional=event.provisional,
                ratify_by=event.ratify_by,
                severity=event.severity or (Severity.SEVERE if event.threat_to_life else None),
                words=_words(case, event),
            )
        case CaseRatified():
            return replace(case, provisional=False, not_ratified=False, ratify_by=None)
        case CaseNotRatified():
            return replace(case, stage=Stage.NOT_RATIFIED, provisional=False, not_ratified=True, ratify_by=None)
        case CaseClassified():
            checks = {} if event.actor_class_changed else case.checks
            return replace(case, kind=event.kind, checks=checks, words=_words(case, event))
        case CaseReportLinked():
            return replace(case, linked={**case.linked, event.report_id: event.independent})
        case CaseReportUnlinked():
            return replace(case, linked={one: how for one, how in case.linked.items() if one != event.report_id})
        case CaseAssessed():
            return replace(case, round=event.round, severity=event.severity, assessment=event)
        case CaseHarmRecorded():
            return replace(case, counted_in={**case.counted_in, event.what: event.counted_in})
        case CaseDecided():
            return replace(case, last_decision=event.choice)
        case CaseHarmChecked():
            return replace(case, checks={**case.checks, event.check_id: event})
        case CaseConsentRecorded():
            return replace(case, consents={**case.consents, event.consent_id: event})
        case CaseConsentWithdrawn():
            return replace(case, withdrawn_consents=case.withdrawn_consents | {event.consent_id})
        case CaseReferred():
            referral = Referral(
                recipient=event.recipient,
                purpose=event.purpose,
                consent_id=event.consent_id,
                acknowledge_by=event.acknowledge_by,
                act_by=event.act_by,
            )
            return replace(case, referrals={**case.referrals, event.referral_id: referral})
        case CaseReferralAcknowledged():
            return _reached(case, event.referral_id, Reached.ACKNOWLEDGED)
        case CaseReferralAccepted():
            return _reached(case, event.referral_id, Reached.ACCEPTED)
        case CaseReferralDeclined():
            return _reached(case, event.referral_id, Reached.DECLINED)
        case CaseReferralCompleted():
            return _reached(case, event.referral_id, Reached.COMPLETED)
        case CaseReferralRevoked():
            return _reached(case, event.referral_id, Reached.REVOKED)
        case CaseReferralDeadlineMoved():
            return _referral(
                case,
                event.referral_id,
                lambda one: replace(one, acknowledge_by=event.acknowledge_by, act_by=event.act_by),
            )
        case CaseReferralOutcomeChecked():
            return _referral(case, event.referral_id, lambda one: _found(one, event.outcome))
        case CaseRelated():
            return replace(case, related=case.related | {(event.case_id, event.relation)})
        case CaseUnrelated():
            return replace(case, related=case.related - {(event.case_id, event.relation)})
        case CaseMerged():
            absorbed = case.absorbed if event.absorbed is None else case.absorbed | {event.absorbed}
            return replace(case, merged_into=event.into or case.merged_into, absorbed=absorbed)
        case CaseMergeReversed():
            return replace(
                case,
                merged_into=None if event.into else case.merged_into,
                absorbed=case.absorbed - {event.absorbed},
            )
        case CaseResolved():
            return replace(case, stage=Stage.RESOLVED)
        case CaseReopened():
            return replace(case, stage=Stage.OPEN, not_ratified=False)
        case CaseClosed():
            return replace(case, stage=Stage.CLOSED)
        case CaseActionRecorded() | CaseReferralDeliveryFailed():
            return case
        case _:
            assert_never(event)


def _words(case: Case, event: CaseOpened | CaseClassified) -> Mapping[str, tuple[int, Sealable]]:
    found = ((name, getattr(event, name, None)) for name in ("summary", "sub_kind", "actor_class"))
    return {**case.words, **{name: (case.version, value) for name, value in found if value is not None}}


def _reached(case: Case, referral_id: UUID, reached: Reached) -> Case:
    return _referral(case, referral_id, lambda one: replace(one, reached=reached))


def _found(referral: Referral, outcome: OutcomeFound) -> Referral:
    if outcome != OutcomeFound.CONTRADICTED:
        return replace(referral, outcome=outcome)
    return replace(referral, outcome=outcome, reached=Reached.REFERRED, contradicted=referral.contradicted + 1)


def _referral(case: Case, referral_id: UUID, change: Callable[[Referral], Referral]) -> Case:
    """Change one referral; an unknown one (a history cut by a restore) changes nothing."""
    if (referral := case.referrals.get(referral_id)) is None:
        return case
    return replace(case, referrals={**case.referrals, referral_id: change(referral)})
