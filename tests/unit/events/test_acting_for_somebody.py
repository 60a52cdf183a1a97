"""Who acts on behalf of somebody is no second person beside them, and gives their view, not one more."""

from __future__ import annotations

from typing import Any

import pytest

from events.case.protection import (
    ActWithoutConsent,
    CheckHarm,
    RecordConsent,
    ReleaseCheck,
    act_without_consent,
    check_harm,
    record_consent,
    release_check,
)
from events.case.referral import refer
from events.case.refusals import SamePerson
from events.event import Event
from events.report.decisions import Grade, Recuse, grade, recuse
from events.report.refusals import AlreadyGraded, StoodAside
from events.vocabulary import Actor, ActorClass, ConsentBasis, Role, Verdict
from tests.support import domain
from tests.support.domain import (
    CLINIC,
    INES,
    JEAN,
    KEZA,
    LATER,
    ODA,
    OLIVE,
    OSCAR,
    PLACE,
    agreed,
    checked,
    given_case,
    given_report,
    graded,
    one,
    opened,
    received,
    recipient,
)


def for_(principal: Actor, by: Actor) -> Actor:
    """`by`, acting on behalf of `principal`."""
    return by.model_copy(update={"on_behalf_of": principal.ref})


ODA_FOR_OSCAR, OLIVE_FOR_OSCAR, OSCAR_FOR_ODA = for_(OSCAR, ODA), for_(OSCAR, OLIVE), for_(ODA, OSCAR)
ENTANGLED = [(OSCAR, ODA_FOR_OSCAR), (ODA_FOR_OSCAR, OSCAR), (ODA_FOR_OSCAR, ODA), (ODA_FOR_OSCAR, OLIVE_FOR_OSCAR)]
"""Two acts, in order, that are not by two persons."""

APART = [(OSCAR, ODA), (ODA_FOR_OSCAR, OLIVE)]
CHECKING: dict[str, Any] = {"recipient": CLINIC, "purpose": "medical", "valid_until": LATER}
FACTS: dict[str, Any] = {"recipient": recipient(), "actor": ActorClass.REBEL_GROUPS, "units": frozenset({PLACE.unit})}


def check(by: Actor, verdict: str = "conflict") -> tuple[Event, ...]:
    command = CheckHarm(**CHECKING, verdict=verdict)
    then = given_case(opened()).when(check_harm, command, by=by, check_id=one("check"), **FACTS)
    then.accepted()
    return then.events


def consent(by: Actor) -> tuple[Event, ...]:
    command = RecordConsent(basis="refused", purposes=["medical"], recipients=[CLINIC], reason="afraid")
    then = given_case(opened()).when(record_consent, command, by=by, consent_id=one("consent"))
    then.accepted()
    return then.events


@pytest.mark.parametrize(("first", "second"), ENTANGLED)
def test_nobody_releases_a_check_for_or_through_who_made_it(first: Actor, second: Actor) -> None:
    command = ReleaseCheck(check_id=one("check"), reason="the only clinic")
    given = given_case(opened(), *check(first))
    given.when(release_check, command, by=second, released_id=one("r")).refused(SamePerson)


@pytest.mark.parametrize(("first", "second"), ENTANGLED)
def test_nobody_does_without_a_consent_for_or_through_who_recorded_it(first: Actor, second: Actor) -> None:
    command = ActWithoutConsent(consent_id=one("consent"), reason="she would die")
    given = given_case(opened(), *consent(first))
    given.when(act_without_consent, command, by=second, released_id=one("r")).refused(SamePerson)


@pytest.mark.parametrize(("first", "second"), ENTANGLED)
def test_nobody_refers_for_or_through_who_checked(first: Actor, second: Actor) -> None:
    given = given_case(opened(), *check(first, "clear"), agreed())
    given.when(refer, domain.refer(), by=second, referral_id=one("referral"), recipient=recipient()).refused(SamePerson)


@pytest.mark.parametrize(("first", "second"), ENTANGLED)
def test_nobody_refers_for_or_through_who_released(first: Actor, second: Actor) -> None:
    made = checked(by=INES, verdict=Verdict.CONFLICT)
    release = given_case(opened(), made).when(
        release_check, ReleaseCheck(check_id=made.check_id, reason="x"), by=first, released_id=one("r")
    )
    refused = agreed(by=INES, basis=ConsentBasis.REFUSED)
    without = given_case(opened(), refused).when(
        act_without_consent,
        ActWithoutConsent(consent_id=refused.consent_id, reason="x"),
        by=first,
        released_id=one("c"),
    )
    facts: dict[str, Any] = {"by": second, "referral_id": one("referral"), "recipient": recipient()}
    on_check = given_case(opened(), made, *release.events, agreed())
    on_check.when(refer, domain.refer(check_id=one("r")), **facts).refused(SamePerson)
    on_consent = given_case(opened(), checked(by=INES), refused, *without.events)
    on_consent.when(refer, domain.refer(consent_id=one("c")), **facts).refused(SamePerson)


@pytest.mark.parametrize(("first", "second"), APART)
def test_two_persons_are_two_also_where_the_first_acted_for_a_third(first: Actor, second: Actor) -> None:
    command = ReleaseCheck(check_id=one("check"), reason="the only clinic")
    given = given_case(opened(), *check(first))
    given.when(release_check, command, by=second, released_id=one("r")).accepted()


VIEW = Grade(round=1, reliability="B", credibility="2")
JEAN_FOR_INES = for_(INES, JEAN)


def test_a_grade_given_for_a_reviewer_is_that_reviewers_only_one() -> None:
    for_ines = given_report(received()).when(grade, VIEW, by=JEAN_FOR_INES, own=False)
    assert [given.by for given in for_ines.accepted().grades] == [INES.ref]
    given = given_report(received(), *for_ines.events)
    given.when(grade, VIEW, by=INES, own=False).refused(AlreadyGraded)
    given.when(grade, VIEW, by=for_(INES, KEZA), own=False).refused(AlreadyGraded)
    given.when(grade, VIEW, by=JEAN, own=False).accepted()
    given_report(received(), graded(INES)).when(grade, VIEW, by=JEAN_FOR_INES, own=False).refused(AlreadyGraded)


def test_who_stands_aside_does_not_grade_through_another() -> None:
    aside = Recuse(round=1, reason="concerned")
    for by in (INES, JEAN_FOR_INES):
        then = given_report(received()).when(recuse, aside, by=by)
        then.accepted()
        given = given_report(received(), *then.events)
        given.when(grade, VIEW, by=JEAN_FOR_INES, own=False).refused(StoodAside)
        given.when(recuse, aside, by=INES).refused(StoodAside)
        given.when(grade, VIEW, by=JEAN, own=False).accepted()


def test_who_stands_behind_an_act() -> None:
    alone = Actor(role=Role.REVIEWER, ref=INES.ref)
    assert (alone.people, alone.whose) == (frozenset({INES.ref}), INES.ref)
    assert (JEAN_FOR_INES.people, JEAN_FOR_INES.whose) == (frozenset({INES.ref, JEAN.ref}), INES.ref)
