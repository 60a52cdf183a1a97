"""What happens to a case, as it stands on the log. Words that may name or describe a person are sealed."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeAlias
from uuid import UUID

from pydantic import Field

from events.event import Event
from events.sealed import Sealable
from events.vocabulary import (
    ActionKind,
    Basis,
    CaseOutcome,
    Circulating,
    ConsentBasis,
    Count,
    Credibility,
    DataItem,
    Dated,
    Decided,
    HarmKind,
    HomeId,
    Independence,
    Instant,
    Kind,
    Located,
    Means,
    Mechanism,
    Open,
    OutcomeFound,
    Purpose,
    Quorum,
    ReasonDeclined,
    ReasonNot,
    ReasonReopened,
    ReasonRevoked,
    RecordedBy,
    Relation,
    Resolver,
    Round,
    Severity,
    Stated,
    Value,
    Verdict,
    VerificationState,
)

RecipientId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
"""A recipient's id in the register (events/reference)."""


class CaseOpened(Event):
    """A case exists. A provisional one stands on no grade, for a threat to life, until the committee ratifies it."""

    name: ClassVar[str] = "case.opened"

    kind: Open[Kind]
    place: Located
    occurred: Dated | None = None
    expected: Dated | None = None
    threat_to_life: bool
    provisional: bool
    severity: Open[Severity] | None = None
    ratify_by: Instant | None = None
    summary: Sealable
    actor_class: Sealable | None = None


class CaseRatified(Event):
    """The committee stands behind a case that one person opened."""

    name: ClassVar[str] = "case.ratified"

    quorum: Quorum


class CaseNotRatified(Event):
    """The committee does not stand behind a case that one person opened."""

    name: ClassVar[str] = "case.not_ratified"

    quorum: Quorum
    reason: Sealable


class CaseClassified(Event):
    """What kind of case it is. The alleged actor class is sealed; that it changed is in clear, since checks fall."""

    name: ClassVar[str] = "case.classified"

    kind: Open[Kind]
    sub_kind: Sealable | None = None
    actor_class: Sealable | None = None
    actor_class_changed: bool


class CaseReportLinked(Event):
    """A report is counted as evidence of this case."""

    name: ClassVar[str] = "case.report_linked"

    report_id: UUID
    independent: Open[Independence]


class CaseReportUnlinked(Event):
    """A report is no longer evidence of this case."""

    name: ClassVar[str] = "case.report_unlinked"

    report_id: UUID
    reason: Sealable


class Dissent(Value):
    """A member's differing view, kept as given; what is left out agrees with the rest."""

    by: UUID
    verification_state: Open[VerificationState] | None = None
    credibility: Open[Credibility] | None = None
    severity: Open[Severity] | None = None
    note: Sealable | None = None


class CaseAssessed(Event):
    """The committee's view in a numbered round; the latest counts, all are kept."""

    name: ClassVar[str] = "case.assessed"

    round: Round
    verification_state: Open[VerificationState]
    credibility: Open[Credibility]
    severity: Open[Severity]
    harm: tuple[Stated, ...] = ()
    circulating: Open[Circulating] = Circulating.UNKNOWN
    quorum: Quorum
    dissent: tuple[Dissent, ...] = ()
    evidence: tuple[UUID, ...] = ()
    note: Sealable | None = None


class CaseHarmRecorded(Event):
    """A toll of one kind, as a range. It counts in the case `counted_in` and in no other."""

    name: ClassVar[str] = "case.harm_recorded"

    what: Open[HarmKind]
    min: Count | None = None
    max: Count | None = None
    basis: Open[Basis]
    counted_in: UUID


class CaseDecided(Event):
    """An explicit choice, also not to act, with its reason."""

    name: ClassVar[str] = "case.decided"

    choice: Open[Decided]
    by: UUID
    reason: Sealable
    done_at: Instant | None = None


class CaseHarmChecked(Event):
    """Whether handing this case to a recipient for a purpose could do harm.

    `releases` names an earlier check that was not clear and that this second person releases with a reason.
    `register_version` is the recipient's entry that was looked at.
    """

    name: ClassVar[str] = "case.harm_checked"

    check_id: UUID
    recipient: RecipientId
    register_version: int
    purpose: Open[Purpose]
    verdict: Open[Verdict]
    by: UUID
    on_behalf_of: UUID | None = None
    valid_until: Instant
    releases: UUID | None = None
    reason: Sealable | None = None

    @property
    def people(self) -> frozenset[UUID]:
        """Who stands behind it."""
        return frozenset({self.by, self.on_behalf_of or self.by})


class Scope(Value):
    """What a consent covers: these purposes, with these recipients."""

    purposes: tuple[Open[Purpose], ...]
    recipients: tuple[RecipientId, ...]


class CaseConsentRecorded(Event):
    """What the people concerned agreed to, or why nobody could be asked.

    `releases` names a consent that was refused or not possible: this second person lets the network act without it.
    """

    name: ClassVar[str] = "case.consent_recorded"

    consent_id: UUID
    basis: Open[ConsentBasis]
    scope: Scope
    until: Instant | None = None
    by: UUID
    on_behalf_of: UUID | None = None
    releases: UUID | None = None
    reason: Sealable | None = None
    person: Sealable | None = None

    @property
    def people(self) -> frozenset[UUID]:
        """Who stands behind it."""
        return frozenset({self.by, self.on_behalf_of or self.by})


class CaseConsentWithdrawn(Event):
    """The people concerned took their consent back."""

    name: ClassVar[str] = "case.consent_withdrawn"

    consent_id: UUID


class CaseReferred(Event):
    """The case was handed to a recipient for a purpose, with deadlines, citing its harm check and consent."""

    name: ClassVar[str] = "case.referred"

    referral_id: UUID
    recipient: RecipientId
    purpose: Open[Purpose]
    minimum_data: tuple[Open[DataItem], ...]
    acknowledge_by: Instant
    act_by: Instant
    check_id: UUID
    consent_id: UUID
    follows: UUID | None = None
    note: Sealable | None = None
    done_at: Instant | None = None


class Step(Event):
    """A step of a referral; it may be typed in later, by somebody else, with when and how it was done."""

    referral_id: UUID
    recorded_by: Open[RecordedBy] = RecordedBy.SELF
    means: Open[Means] = Means.SYSTEM
    done_at: Instant | None = None


class CaseReferralAcknowledged(Step):
    """The recipient has it."""

    name: ClassVar[str] = "case.referral_acknowledged"


class CaseReferralAccepted(Step):
    """The recipient will act."""

    name: ClassVar[str] = "case.referral_accepted"


class CaseReferralDeclined(Step):
    """The recipient will not act."""

    name: ClassVar[str] = "case.referral_declined"

    reason: Open[ReasonDeclined]
    note: Sealable | None = None


class CaseReferralCompleted(Step):
    """The recipient says it is done, or why it could not be."""

    name: ClassVar[str] = "case.referral_completed"

    successful: bool
    reason_not: Open[ReasonNot] | None = None
    note: Sealable | None = None


class CaseReferralRevoked(Event):
    """The network took the referral back."""

    name: ClassVar[str] = "case.referral_revoked"

    referral_id: UUID
    reason: Open[ReasonRevoked]
    note: Sealable | None = None


class CaseReferralDeliveryFailed(Event):
    """The referral did not reach its recipient."""

    name: ClassVar[str] = "case.referral_delivery_failed"

    referral_id: UUID
    means: Open[Means]
    done_at: Instant | None = None


class CaseReferralDeadlineMoved(Event):
    """A deadline was moved, with a reason."""

    name: ClassVar[str] = "case.referral_deadline_moved"

    referral_id: UUID
    acknowledge_by: Instant
    act_by: Instant
    reason: Sealable


class CaseReferralOutcomeChecked(Event):
    """Somebody who is not the recipient looked whether what was said to be done was done."""

    name: ClassVar[str] = "case.referral_outcome_checked"

    referral_id: UUID
    outcome: Open[OutcomeFound]
    by: UUID
    done_at: Instant | None = None
    note: Sealable | None = None


class CaseActionRecorded(Event):
    """Somebody did something about it; acts may precede decisions."""

    name: ClassVar[str] = "case.action_recorded"

    what: Open[ActionKind]
    by: Open[Resolver]
    referral_id: UUID | None = None
    done_at: Instant | None = None
    note: Sealable | None = None


class CaseRelated(Event):
    """This case stands in a relation to another, which may be in another home; nothing moves."""

    name: ClassVar[str] = "case.related"

    case_id: UUID
    home: HomeId
    relation: Open[Relation]


class CaseUnrelated(Event):
    """The relation does not hold after all."""

    name: ClassVar[str] = "case.unrelated"

    case_id: UUID
    relation: Open[Relation]


class CaseMerged(Event):
    """Two cases were one: `into` stands in the absorbed case's stream, `absorbed` in the other's.

    `asked_since` stands beside `absorbed` where that one was grave and nobody had answered: since when.
    """

    name: ClassVar[str] = "case.merged"
    schema_version: ClassVar[int] = 2

    into: UUID | None = None
    absorbed: UUID | None = None
    asked_since: Instant | None = None


class CaseMergeReversed(Event):
    """The two cases are two after all; fields as in `case.merged`."""

    name: ClassVar[str] = "case.merge_reversed"

    into: UUID | None = None
    absorbed: UUID | None = None


class CaseResolved(Event):
    """The danger is over. Referrals go on, since victims need care after it."""

    name: ClassVar[str] = "case.resolved"

    outcome: Open[CaseOutcome]
    mechanism: Open[Mechanism]
    by: Open[Resolver]
    done_at: Instant | None = None
    note: Sealable | None = None


class CaseReopened(Event):
    """The case is open again."""

    name: ClassVar[str] = "case.reopened"

    reason: Open[ReasonReopened]
    note: Sealable | None = None


class CaseClosed(Event):
    """The work is over: no more referrals."""

    name: ClassVar[str] = "case.closed"

    reason: Sealable


CaseEvent: TypeAlias = (
    CaseOpened
    | CaseRatified
    | CaseNotRatified
    | CaseClassified
    | CaseReportLinked
    | CaseReportUnlinked
    | CaseAssessed
    | CaseHarmRecorded
    | CaseDecided
    | CaseHarmChecked
    | CaseConsentRecorded
    | CaseConsentWithdrawn
    | CaseReferred
    | CaseReferralAcknowledged
    | CaseReferralAccepted
    | CaseReferralDeclined
    | CaseReferralCompleted
    | CaseReferralRevoked
    | CaseReferralDeliveryFailed
    | CaseReferralDeadlineMoved
    | CaseReferralOutcomeChecked
    | CaseActionRecorded
    | CaseRelated
    | CaseUnrelated
    | CaseMerged
    | CaseMergeReversed
    | CaseResolved
    | CaseReopened
    | CaseClosed
)
