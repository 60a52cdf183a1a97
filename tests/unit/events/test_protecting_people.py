"""No case is handed on without a harm check that holds and a consent that covers, or a second person's reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from events.case.events import (
    CaseClosed,
    CaseConsentWithdrawn,
    CaseReferralAccepted,
    CaseReferralCompleted,
    CaseReferralOutcomeChecked,
    CaseReferralRevoked,
)
from events.case.opening import Classify, classify
from events.case.protection import (
    ActWithoutConsent,
    CheckHarm,
    RecordConsent,
    ReleaseCheck,
    WithdrawConsent,
    act_without_consent,
    check_harm,
    record_consent,
    release_check,
    withdraw_consent,
)
from events.case.referral import CheckOutcome, check_outcome, refer
from events.case.refusals import (
    ActorUnknownOrInConflict,
    CaseIsClosed,
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
from events.case.state import Case, Reached
from events.command import clear, read_command
from events.event import Event
from events.reference import LocalConflict, Recipient
from events.refusals import BadInput
from events.sealed import Clear, KeyKind
from events.vocabulary import ActorClass, ConsentBasis, OutcomeFound, Purpose, ReasonRevoked, Verdict
from tests.support import domain
from tests.support.domain import (
    CASE,
    CLINIC,
    LATER,
    NOW,
    ODA,
    OLIVE,
    OSCAR,
    PLACE,
    POLICE,
    Then,
    agreed,
    checked,
    given_case,
    one,
    opened,
    recipient,
    referred,
)

CLOSED = CaseClosed(reason=clear("over", KeyKind.CASE, CASE))
READY: tuple[Event, ...] = (opened(), checked(), agreed())
UNITS = frozenset({PLACE.unit, "province:kayanza"})
RELEASED = checked("released", by=ODA, verdict=Verdict.CONFLICT, releases=one("check"))


def check(verdict: str = "clear", name: str = CLINIC, **fields: Any) -> CheckHarm:
    return CheckHarm(**{"recipient": name, "purpose": "medical", "verdict": verdict, "valid_until": LATER, **fields})


def checking(command: CheckHarm, actor: ActorClass | None, entry: Recipient | None = None) -> Then[Case]:
    entry = entry or recipient(command.recipient)
    facts: dict[str, Any] = {"check_id": one("check"), "recipient": entry, "actor": actor, "units": UNITS}
    return given_case(opened()).when(check_harm, command, by=OSCAR, **facts)


def referring(*events: Event, by: Any = OLIVE, at: Any = NOW, entry: Recipient | None = None, **fields: Any) -> Any:
    facts: dict[str, Any] = {"referral_id": one("referral"), "recipient": entry or recipient()}
    return given_case(*events).when(refer, domain.refer(**fields), by=by, at=at, **facts)


# --- harm checks ------------------------------------------------------------------------------------------------------


def test_a_recipient_without_conflict_with_a_known_actor_may_be_clear() -> None:
    checking(check(), ActorClass.REBEL_GROUPS).then(checked())


@pytest.mark.parametrize("actor", [None, ActorClass.UNKNOWN, ActorClass.read("a_class_of_a_later_version")])
def test_an_unknown_actor_is_never_clear_by_itself(actor: ActorClass | None) -> None:
    checking(check(), actor).refused(ActorUnknownOrInConflict)
    checking(check("unclear"), actor).accepted()


def test_a_recipient_that_conflicts_with_the_actors_class_is_never_clear_by_itself() -> None:
    checking(check(name=POLICE), ActorClass.STATE_FORCES).refused(ActorUnknownOrInConflict)
    checking(check("conflict", POLICE), ActorClass.STATE_FORCES).accepted()
    checking(check(name=POLICE), ActorClass.REBEL_GROUPS).accepted()


@pytest.mark.parametrize(("unit", "conflicts"), [(PLACE.unit, True), ("province:kayanza", True), ("commune:x", False)])
def test_a_conflict_in_one_commune_counts_in_it_and_below_and_nowhere_else(unit: str, conflicts: bool) -> None:
    local = LocalConflict(unit=unit, conflicts_with=(ActorClass.POLITICAL_MILITIAS,))
    then = checking(check(), ActorClass.POLITICAL_MILITIAS, recipient(local=(local,)))
    if conflicts:
        then.refused(ActorUnknownOrInConflict)
    else:
        then.accepted()


def test_a_check_needs_a_registered_active_recipient_for_that_purpose_and_a_moment_to_come() -> None:
    actor = ActorClass.REBEL_GROUPS
    checking(check(), actor, Recipient()).refused(RecipientNotRegistered)
    checking(check(), actor, recipient(active=False)).refused(RecipientNotRegistered)
    checking(check(), actor, recipient(POLICE)).refused(RecipientNotRegistered)
    checking(check(purpose="legal"), actor).refused(RecipientNotForThis)
    checking(check(valid_until=NOW), actor).refused(BadInput)


def test_a_check_that_is_not_clear_is_released_by_a_second_person_with_a_reason() -> None:
    given = given_case(opened(), checked(verdict=Verdict.CONFLICT))
    command = ReleaseCheck(check_id=one("check"), reason="the only clinic, and the nurse is trusted")
    given.when(release_check, command, by=OSCAR, released_id=one("released")).refused(SamePerson)
    reason = clear("the only clinic, and the nurse is trusted", KeyKind.CASE, CASE)
    given.when(release_check, command, by=ODA, released_id=one("released")).then(
        RELEASED.model_copy(update={"reason": reason})
    )
    with pytest.raises(BadInput):
        read_command(ReleaseCheck, {"check_id": str(one("check"))})


@pytest.mark.parametrize("events", [[], [checked()], [checked(verdict=Verdict.CONFLICT), RELEASED]])
def test_only_a_check_that_is_not_clear_is_released_and_a_release_is_not(events: list[Event]) -> None:
    of = one("released") if len(events) == 2 else one("check")
    command = ReleaseCheck(check_id=of, reason="because")
    given_case(opened(), *events).when(release_check, command, by=OLIVE, released_id=one("x")).refused(NothingToRelease)


def test_a_referral_cites_a_clear_check() -> None:
    referring(*READY).then(referred())


def test_a_referral_without_a_check_for_this_recipient_and_purpose_is_refused() -> None:
    referring(opened(), agreed()).refused(NoHarmCheck)
    referring(opened(), agreed(), checked(purpose=Purpose.PROTECTION)).refused(NoHarmCheck)
    referring(opened(), agreed(), checked(recipient=POLICE)).refused(NoHarmCheck)


@pytest.mark.parametrize("verdict", [Verdict.CONFLICT, Verdict.UNCLEAR, Verdict.read("a_word_of_a_later_version")])
def test_a_check_that_is_not_clear_carries_no_referral_until_it_is_released(verdict: Verdict) -> None:
    not_clear = checked(verdict=verdict)
    released = RELEASED.model_copy(update={"verdict": verdict})
    referring(opened(), not_clear, agreed()).refused(CheckNotClear)
    referring(opened(), not_clear, released, agreed()).refused(CheckNotClear)
    referring(opened(), not_clear, released, agreed(), check_id=one("released")).accepted()


def test_who_checked_or_released_does_not_refer() -> None:
    referring(*READY, by=OSCAR).refused(SamePerson)
    released = (opened(), checked(verdict=Verdict.CONFLICT), RELEASED, agreed())
    for by in (OSCAR, ODA):
        referring(*released, check_id=one("released"), by=by).refused(SamePerson)


def test_a_check_holds_until_its_moment_and_for_the_register_entry_it_looked_at() -> None:
    deadlines: dict[str, Any] = {"acknowledge_by": LATER + timedelta(days=1), "act_by": LATER + timedelta(days=2)}
    referring(*READY, at=LATER, **deadlines).accepted()
    referring(*READY, at=LATER + timedelta(seconds=1), **deadlines).refused(CheckTooOld)
    referring(*READY, entry=recipient(version=2)).refused(CheckTooOld)


def test_a_recipient_that_is_no_longer_active_is_referred_nothing() -> None:
    referring(*READY, entry=recipient(active=False)).refused(RecipientNotRegistered)


def classified(actor: ActorClass | None, current: ActorClass | None) -> Case:
    given = given_case(*READY, checked("released", by=ODA, releases=one("check"), verdict=Verdict.UNCLEAR))
    return given.when(classify, Classify(kind="violence", actor_class=actor), current_actor=current).accepted()


@pytest.mark.parametrize(
    ("actor", "current"),
    [
        (ActorClass.STATE_FORCES, ActorClass.REBEL_GROUPS),
        (ActorClass.STATE_FORCES, None),
        (ActorClass.UNKNOWN, ActorClass.REBEL_GROUPS),
    ],
)
def test_a_changed_actor_class_voids_every_check_released_ones_too(actor: ActorClass, current: Any) -> None:
    assert classified(actor, current).checks == {}


@pytest.mark.parametrize("actor", [None, ActorClass.REBEL_GROUPS])
def test_an_actor_class_that_did_not_change_voids_nothing(actor: ActorClass | None) -> None:
    assert classified(actor, ActorClass.REBEL_GROUPS).checks.keys() == {one("check"), one("released")}


def test_after_the_actor_class_changed_no_referral_rests_on_an_old_check() -> None:
    changed = given_case(*READY).when(
        classify, Classify(kind="violence", actor_class="state_forces"), current_actor=ActorClass.REBEL_GROUPS
    )
    referring(*READY, *changed.events).refused(NoHarmCheck)
    referring(*READY, *changed.events, checked("new"), check_id=one("new")).accepted()


# --- consent ----------------------------------------------------------------------------------------------------------


def consent(basis: str, **fields: Any) -> RecordConsent:
    return RecordConsent(**{"basis": basis, "purposes": ["medical"], "recipients": [CLINIC], **fields})


@pytest.mark.parametrize("basis", ["given", "guardian", "no_person_concerned"])
def test_a_referral_rests_on_a_consent_that_covers_recipient_and_purpose(basis: str) -> None:
    recorded = given_case(opened()).when(record_consent, consent(basis), by=OSCAR, consent_id=one("consent"))
    recorded.then(agreed(basis=ConsentBasis.read(basis)))
    referring(opened(), checked(), *recorded.events).accepted()


def test_a_consent_covers_its_purposes_and_recipients_and_nothing_else() -> None:
    both = recipient(POLICE, conflicts_with=())
    police = checked("police", recipient=POLICE)
    referring(*READY, police, entry=both, recipient=POLICE, check_id=one("police")).refused(NoConsent)
    protection = checked("protection", purpose=Purpose.PROTECTION)
    referring(*READY, protection, purpose="protection", check_id=one("protection")).refused(NoConsent)
    referring(opened(), checked()).refused(NoConsent)


def test_a_consent_holds_until_its_moment() -> None:
    until = agreed(until=NOW + timedelta(hours=1))
    referring(opened(), checked(), until, at=NOW + timedelta(hours=1)).accepted()
    referring(opened(), checked(), until, at=NOW + timedelta(hours=1, seconds=1)).refused(NoConsent)
    given_case(opened()).when(record_consent, consent("given", until=NOW), consent_id=one("c")).refused(BadInput)


REFUSED = agreed(basis=ConsentBasis.REFUSED)
SECOND = agreed("second", by=ODA, basis=ConsentBasis.REFUSED, releases=one("consent"))


@pytest.mark.parametrize("basis", ["refused", "not_possible"])
def test_where_nobody_agreed_a_reason_is_asked_and_a_second_person_with_another(basis: str) -> None:
    with pytest.raises(BadInput):
        read_command(RecordConsent, {"basis": basis, "purposes": ["medical"], "recipients": [CLINIC]})
    first = given_case(opened()).when(
        record_consent, consent(basis, reason="unconscious"), by=OSCAR, consent_id=one("consent")
    )
    events = (opened(), checked(), *first.events)
    referring(*events).refused(WithoutConsent)
    command = ActWithoutConsent(consent_id=one("consent"), reason="she would die")
    second = given_case(*events).when(act_without_consent, command, by=ODA, released_id=one("second"))
    second.accepted()
    referring(*events, *second.events).refused(WithoutConsent)
    referring(*events, *second.events, consent_id=one("second")).accepted()
    given_case(*events).when(act_without_consent, command, by=OSCAR, released_id=one("x")).refused(SamePerson)


def test_who_lets_the_network_act_without_consent_does_not_refer() -> None:
    referring(opened(), checked(), REFUSED, SECOND, consent_id=one("second"), by=ODA).refused(SamePerson)


@pytest.mark.parametrize("events", [[], [agreed()], [REFUSED, SECOND]])
def test_only_a_consent_that_nobody_gave_is_released(events: list[Event]) -> None:
    of = one("second") if len(events) == 2 else one("consent")
    command = ActWithoutConsent(consent_id=of, reason="because")
    facts: dict[str, Any] = {"released_id": one("x")}
    given_case(opened(), *events).when(act_without_consent, command, by=OLIVE, **facts).refused(NothingToRelease)


def test_who_consented_is_sealed_under_their_own_key_where_the_vault_knows_them() -> None:
    for person, expected in ((one("survivor"), (KeyKind.PERSON, one("survivor"))), (None, (KeyKind.CASE, CASE))):
        command = consent("given", person="the mother of the injured boy")
        then = given_case(opened()).when(record_consent, command, consent_id=one("consent"), person=person)
        then.accepted()
        text = getattr(then.events[0], "person", None)
        assert isinstance(text, Clear)
        assert (text.under.kind, text.under.owner) == expected


ACCEPTED = CaseReferralAccepted(referral_id=one("referral"))
DONE = CaseReferralCompleted(referral_id=one("other"), successful=True)
WITHDRAW = WithdrawConsent(consent_id=one("consent"))
REVOKED = CaseReferralRevoked(referral_id=one("referral"), reason=ReasonRevoked.CONSENT_WITHDRAWN)
WITHDRAWN = CaseConsentWithdrawn(consent_id=one("consent"))


@pytest.mark.parametrize("steps", [[], [ACCEPTED]])
def test_withdrawn_consent_revokes_the_open_referrals_that_rest_on_it_and_no_others(steps: list[Event]) -> None:
    elsewhere = (agreed("elsewhere"), referred("unconcerned", consent_id=one("elsewhere")))
    given = given_case(*READY, referred(), *steps, referred("other"), DONE, *elsewhere)
    state = given.when(withdraw_consent, WITHDRAW).then(WITHDRAWN, REVOKED)
    assert state.open_referrals == (one("unconcerned"),)
    assert state.referrals[one("other")].reached == Reached.COMPLETED


def test_withdrawing_reaches_referrals_that_rest_on_its_release() -> None:
    given = given_case(opened(), checked(), REFUSED, SECOND, referred(consent_id=one("second")))
    given.when(withdraw_consent, WITHDRAW).then(WITHDRAWN, REVOKED)


def test_nothing_rests_on_a_withdrawn_consent_any_more() -> None:
    referring(*READY, WITHDRAWN).refused(ConsentWithdrawnAlready)
    released = (opened(), checked(), REFUSED, SECOND, WITHDRAWN)
    referring(*released, consent_id=one("second")).refused(ConsentWithdrawnAlready)
    command = ActWithoutConsent(consent_id=one("consent"), reason="because")
    facts: dict[str, Any] = {"released_id": one("x")}
    given_case(opened(), REFUSED, WITHDRAWN).when(act_without_consent, command, by=ODA, **facts).refused(
        ConsentWithdrawnAlready
    )


def test_a_consent_is_withdrawn_once_whatever_became_of_the_case() -> None:
    given_case(*READY, WITHDRAWN).when(withdraw_consent, WITHDRAW).refused(ConsentWithdrawnAlready)
    given_case(opened()).when(withdraw_consent, WITHDRAW).refused(NoConsent)
    given_case(*READY, CLOSED).when(withdraw_consent, WITHDRAW).then(WITHDRAWN)


@pytest.mark.parametrize("of", ["consent", "second"])
def test_a_referral_found_contradicted_after_consent_was_withdrawn_is_not_open_again(of: str) -> None:
    """Otherwise a recipient would be asked to act on people who have said no."""
    rests = (REFUSED, SECOND) if of == "second" else (agreed(),)
    completed = CaseReferralCompleted(referral_id=one("referral"), successful=True)
    given = given_case(opened(), checked(), *rests, referred(consent_id=one(of)), completed, WITHDRAWN)
    command = CheckOutcome(referral_id=one("referral"), outcome="contradicted")
    found = CaseReferralOutcomeChecked(
        referral_id=one("referral"), outcome=OutcomeFound.CONTRADICTED, by=domain.INES.ref
    )
    state = given.when(check_outcome, command, is_recipient=False).then(found, REVOKED)
    assert state.open_referrals == ()


def test_a_closed_case_takes_no_new_check_or_consent() -> None:
    given = given_case(opened(), CLOSED)
    facts: dict[str, Any] = {"check_id": one("c"), "recipient": recipient(), "actor": None, "units": UNITS}
    given.when(check_harm, check("unclear"), **facts).refused(CaseIsClosed)
    given.when(record_consent, consent("given"), consent_id=one("c")).refused(CaseIsClosed)
