"""A referral's life: checked for harm, agreed to, made, and every step of it."""

from __future__ import annotations

from events.case.events import (
    CaseConsentRecorded,
    CaseConsentWithdrawn,
    CaseEvent,
    CaseHarmChecked,
    CaseReferralAccepted,
    CaseReferralAcknowledged,
    CaseReferralCompleted,
    CaseReferralDeadlineMoved,
    CaseReferralDeclined,
    CaseReferralDeliveryFailed,
    CaseReferralOutcomeChecked,
    CaseReferralRevoked,
    CaseReferred,
    Scope,
)
from events.vocabulary import (
    ConsentBasis,
    DataItem,
    Means,
    OutcomeFound,
    Purpose,
    ReasonDeclined,
    ReasonNot,
    ReasonRevoked,
    RecordedBy,
    Role,
    Verdict,
)
from services.contracts.examples.wire import (
    ADA,
    BEN,
    CASE,
    CHECK,
    COLETTE,
    CONSENT,
    REFERRAL,
    Example,
    at,
    made_up,
    sealed,
)

RECIPIENT = "health-bubanza"
_CONFLICT = made_up("check that found a conflict")
_REFUSED = made_up("consent that was refused")
_SCOPE = Scope(purposes=(Purpose.MEDICAL, Purpose.PROTECTION), recipients=(RECIPIENT,))


def _of_case(name: str, data: CaseEvent, role: Role = Role.REFERRAL_OFFICER, version: int = 7) -> Example:
    return Example(name, f"case/{CASE}", data, role, version)


EXAMPLES = (
    _of_case(
        "clear",
        CaseHarmChecked(
            check_id=CHECK,
            recipient=RECIPIENT,
            register_version=1,
            purpose=Purpose.MEDICAL,
            verdict=Verdict.CLEAR,
            by=ADA,
            valid_until=at(days=7),
        ),
    ),
    _of_case(
        "conflict",
        CaseHarmChecked(
            check_id=_CONFLICT,
            recipient="police-bubanza",
            register_version=3,
            purpose=Purpose.PROTECTION,
            verdict=Verdict.CONFLICT,
            by=ADA,
            valid_until=at(days=7),
            reason=sealed("case", "why a conflict"),
        ),
    ),
    _of_case(
        "released",
        CaseHarmChecked(
            check_id=made_up("check that was released"),
            recipient="police-bubanza",
            register_version=3,
            purpose=Purpose.PROTECTION,
            verdict=Verdict.CONFLICT,
            by=BEN,
            valid_until=at(days=7),
            releases=_CONFLICT,
            reason=sealed("case", "why released"),
        ),
    ),
    _of_case(
        "given",
        CaseConsentRecorded(
            consent_id=CONSENT,
            basis=ConsentBasis.GIVEN,
            scope=_SCOPE,
            until=at(days=90),
            by=ADA,
            person=sealed("a person", "person"),
        ),
    ),
    _of_case(
        "released_by_a_second_person",
        CaseConsentRecorded(
            consent_id=made_up("acting without consent"),
            basis=ConsentBasis.NOT_POSSIBLE,
            scope=_SCOPE,
            by=BEN,
            releases=_REFUSED,
            reason=sealed("case", "why without consent"),
        ),
    ),
    _of_case("by_the_people_concerned", CaseConsentWithdrawn(consent_id=CONSENT)),
    _of_case(
        "medical",
        CaseReferred(
            referral_id=REFERRAL,
            recipient=RECIPIENT,
            purpose=Purpose.MEDICAL,
            minimum_data=(DataItem.HARM, DataItem.PLACE),
            acknowledge_by=at(hours=6),
            act_by=at(days=2),
            check_id=CHECK,
            consent_id=CONSENT,
            note=sealed("case", "referral note", 128),
        ),
    ),
    _of_case("by_the_recipient", CaseReferralAcknowledged(referral_id=REFERRAL), Role.RECIPIENT, 8),
    _of_case(
        "by_phone",
        CaseReferralAccepted(
            referral_id=REFERRAL, recorded_by=RecordedBy.OPERATOR, means=Means.PHONE, done_at=at(hours=3)
        ),
        version=9,
    ),
    _of_case(
        "no_mandate",
        CaseReferralDeclined(
            referral_id=REFERRAL,
            means=Means.PHONE,
            reason=ReasonDeclined.NO_MANDATE,
            note=sealed("case", "why declined"),
        ),
        Role.RECIPIENT,
        9,
    ),
    _of_case("successful", CaseReferralCompleted(referral_id=REFERRAL, successful=True), Role.RECIPIENT, 10),
    _of_case(
        "not_successful",
        CaseReferralCompleted(
            referral_id=REFERRAL,
            successful=False,
            reason_not=ReasonNot.UNABLE_TO_CONTACT_CLIENT,
            note=sealed("case", "why not successful"),
        ),
        Role.RECIPIENT,
        10,
    ),
    _of_case(
        "consent_withdrawn",
        CaseReferralRevoked(
            referral_id=REFERRAL, reason=ReasonRevoked.CONSENT_WITHDRAWN, note=sealed("case", "why revoked")
        ),
        version=8,
    ),
    _of_case(
        "by_letter", CaseReferralDeliveryFailed(referral_id=REFERRAL, means=Means.LETTER, done_at=at(days=1)), version=8
    ),
    _of_case(
        "road_cut",
        CaseReferralDeadlineMoved(
            referral_id=REFERRAL, acknowledge_by=at(days=1), act_by=at(days=4), reason=sealed("case", "why moved")
        ),
        version=8,
    ),
    _of_case(
        "contradicted",
        CaseReferralOutcomeChecked(
            referral_id=REFERRAL,
            outcome=OutcomeFound.CONTRADICTED,
            by=COLETTE,
            done_at=at(days=5),
            note=sealed("case", "what was found"),
        ),
        version=11,
    ),
)
