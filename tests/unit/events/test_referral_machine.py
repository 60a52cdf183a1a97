"""Referrals, checks and consents under random commands, beside a model of sets and dicts that predicts every answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from events.case import refusals as no
from events.case.ending import Close, Reopen, Resolve, close, reopen, resolve
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
from events.case.referral import (
    Accept,
    Acknowledge,
    CheckOutcome,
    Complete,
    Decline,
    FailDelivery,
    MoveDeadline,
    Revoke,
    accept,
    acknowledge,
    check_outcome,
    complete,
    decline,
    fail_delivery,
    move_deadline,
    refer,
    revoke,
)
from events.case.state import Stage, evolve
from events.refusals import Refusal
from events.vocabulary import Actor, ActorClass
from tests.support import domain
from tests.support.domain import CLINIC, NOW, ODA, OLIVE, OSCAR, PLACE, POLICE, case, one, opened, recipient
from tests.unit.events.machines import budget, first, tried

PEOPLE = st.sampled_from([OLIVE, OSCAR, ODA])
WHERE = st.sampled_from([CLINIC, POLICE])
ACTORS = st.sampled_from([ActorClass.STATE_FORCES, ActorClass.RIOTERS, ActorClass.UNKNOWN])
PICK = st.integers(0, 30)
STEPS: dict[str, tuple[Any, Any, dict[str, Any], set[str]]] = {
    "acknowledged": (acknowledge, Acknowledge, {}, {"referred"}),
    "accepted": (accept, Accept, {}, {"referred", "acknowledged"}),
    "declined": (decline, Decline, {"reason": "unsafe"}, {"referred", "acknowledged"}),
    "completed": (complete, Complete, {"successful": True}, {"referred", "acknowledged", "accepted"}),
    "revoked": (revoke, Revoke, {"reason": "other"}, {"referred", "acknowledged", "accepted"}),
}
OPEN = {"referred", "acknowledged", "accepted"}
Why = tuple[bool, type[Refusal]]
Whys = tuple[Why, ...]


@dataclass
class Check:
    where: str
    register: int
    clear: bool
    until: datetime
    by: set[UUID]
    released: bool = False


@dataclass
class Consent:
    where: set[str]
    agreed: bool
    by: UUID
    until: datetime | None
    releases: UUID | None = None
    withdrawn: bool = False


@dataclass
class Sent:
    consent: UUID
    reached: str = "referred"
    contradictions: int = 0


@dataclass
class Simple:
    stage: str = "open"
    actor: ActorClass | None = None
    checks: dict[UUID, Check] = field(default_factory=dict)
    consents: dict[UUID, Consent] = field(default_factory=dict)
    referrals: dict[UUID, Sent] = field(default_factory=dict)

    def over(self) -> Why:
        return self.stage == "closed", no.CaseIsClosed

    def taken_back(self, consent_id: UUID) -> bool:
        of = self.consents[consent_id]
        return of.withdrawn or (of.releases is not None and self.consents[of.releases].withdrawn)


class ReferralMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.case = case(opened())
        self.model = Simple()
        self.now = NOW
        self.register = {CLINIC: 1, POLICE: 1}
        self.made = 0

    @initialize()
    def one_way_is_open(self) -> None:
        """So that referrals are reached often; everything else is found by chance."""
        self.is_classified(ActorClass.RIOTERS)
        self.is_checked(CLINIC, True, OSCAR, 48)
        self.consent_is_recorded(True, {CLINIC, POLICE}, OSCAR, None)

    def tries(self, decide: Any, command: Any, *whys: Why, by: Actor = OLIVE, **facts: Any) -> bool:
        predicted = first(*whys)
        self.case = tried(self.case, evolve, decide, command, predicted, by=by, at=self.now, **facts)
        return predicted is None

    def new_id(self) -> UUID:
        self.made += 1
        return one(f"made {self.made}")

    def pick(self, known: dict[UUID, Any], number: int) -> UUID:
        ids = [*known, one("unknown")]
        return ids[number % len(ids)]

    @rule(hours=st.integers(1, 12))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(where=WHERE)
    def the_register_changes(self, where: str) -> None:
        self.register[where] += 1

    @rule(actor=ACTORS)
    def is_classified(self, actor: ActorClass) -> None:
        command = Classify(kind="violence", actor_class=actor)
        if self.tries(classify, command, self.model.over(), current_actor=self.model.actor):
            if actor != self.model.actor:
                self.model.checks.clear()
            self.model.actor = actor

    @rule(where=WHERE, says_clear=st.booleans(), by=PEOPLE, hours=st.integers(1, 48))
    def is_checked(self, where: str, says_clear: bool, by: Actor, hours: int) -> None:
        actor, until = self.model.actor, self.now + timedelta(hours=hours)
        doubtful = actor in (None, ActorClass.UNKNOWN) or (where == POLICE and actor == ActorClass.STATE_FORCES)
        verdict = "clear" if says_clear else "unclear"
        command = CheckHarm(recipient=where, purpose="medical", verdict=verdict, valid_until=until)
        entry = recipient(where, version=self.register[where])
        check_id = self.new_id()
        whys = (self.model.over(), (says_clear and doubtful, no.ActorUnknownOrInConflict))
        facts = {"check_id": check_id, "recipient": entry, "actor": actor, "units": frozenset({PLACE.unit})}
        if self.tries(check_harm, command, *whys, by=by, **facts):
            self.model.checks[check_id] = Check(where, self.register[where], says_clear, until, {by.ref})

    @rule(number=PICK, by=PEOPLE)
    def is_released(self, number: int, by: Actor) -> None:
        of = self.pick(self.model.checks, number)
        check = self.model.checks.get(of)
        whys: Whys = (
            self.model.over(),
            (check is None or check.clear or check.released, no.NothingToRelease),
        )
        whys = (*whys, (check is not None and by.ref in check.by, no.SamePerson))
        released_id = self.new_id()
        command = ReleaseCheck(check_id=of, reason="nobody else is near")
        if self.tries(release_check, command, *whys, by=by, released_id=released_id) and check is not None:
            who = check.by | {by.ref}
            self.model.checks[released_id] = Check(check.where, check.register, False, check.until, who, True)

    @rule(agreed=st.booleans(), where=st.sets(WHERE, min_size=1), by=PEOPLE, hours=st.none() | st.integers(1, 48))
    def consent_is_recorded(self, agreed: bool, where: set[str], by: Actor, hours: int | None) -> None:
        until = None if hours is None else self.now + timedelta(hours=hours)
        basis = {"basis": "given"} if agreed else {"basis": "refused", "reason": "afraid"}
        command = RecordConsent(**basis, purposes=["medical"], recipients=sorted(where), until=until)
        consent_id = self.new_id()
        if self.tries(record_consent, command, self.model.over(), by=by, consent_id=consent_id):
            self.model.consents[consent_id] = Consent(where, agreed, by.ref, until)

    @rule(number=PICK, by=PEOPLE)
    def is_done_without_consent(self, number: int, by: Actor) -> None:
        of = self.pick(self.model.consents, number)
        first_one = self.model.consents.get(of)
        nothing = first_one is None or first_one.agreed or first_one.releases is not None
        whys: Whys = (self.model.over(), (nothing, no.NothingToRelease))
        if first_one is not None:
            whys = (*whys, (first_one.withdrawn, no.ConsentWithdrawnAlready), (by.ref == first_one.by, no.SamePerson))
        released_id = self.new_id()
        command = ActWithoutConsent(consent_id=of, reason="they would die")
        done = self.tries(act_without_consent, command, *whys, by=by, released_id=released_id)
        if done and first_one is not None:
            self.model.consents[released_id] = Consent(first_one.where, False, by.ref, first_one.until, of)

    @rule(number=PICK)
    def consent_is_withdrawn(self, number: int) -> None:
        of = self.pick(self.model.consents, number)
        consent = self.model.consents.get(of)
        whys: Whys = ((consent is None, no.NoConsent),)
        whys = (*whys, (consent is not None and consent.withdrawn, no.ConsentWithdrawnAlready))
        if self.tries(withdraw_consent, WithdrawConsent(consent_id=of), *whys) and consent is not None:
            consent.withdrawn = True
            for sent in self.model.referrals.values():
                if sent.reached in OPEN and self.model.taken_back(sent.consent):
                    sent.reached = "revoked"

    @rule(where=WHERE, check_number=PICK, consent_number=PICK, by=PEOPLE)
    def is_referred(self, where: str, check_number: int, consent_number: int, by: Actor) -> None:
        check_id = self.pick(self.model.checks, check_number)
        consent_id = self.pick(self.model.consents, consent_number)
        whys = (self.model.over(), *self.unchecked(check_id, where, by), *self.unconsented(consent_id, where, by))
        referral_id = self.new_id()
        deadlines = {"acknowledge_by": self.now + timedelta(hours=6), "act_by": self.now + timedelta(days=3)}
        command = domain.refer(recipient=where, check_id=check_id, consent_id=consent_id, **deadlines)
        entry = recipient(where, version=self.register[where])
        if self.tries(refer, command, *whys, by=by, referral_id=referral_id, recipient=entry):
            self.model.referrals[referral_id] = Sent(consent_id)

    def unchecked(self, check_id: UUID, where: str, by: Actor) -> Whys:
        check = self.model.checks.get(check_id)
        if check is None or check.where != where:
            return ((True, no.NoHarmCheck),)
        old = self.now > check.until or check.register != self.register[where]
        unclear = not check.clear and not check.released
        return (old, no.CheckTooOld), (unclear, no.CheckNotClear), (by.ref in check.by, no.SamePerson)

    def unconsented(self, consent_id: UUID, where: str, by: Actor) -> Whys:
        consent = self.model.consents.get(consent_id)
        if consent is None or where not in consent.where:
            return ((True, no.NoConsent),)
        past = consent.until is not None and self.now > consent.until
        alone = not consent.agreed and consent.releases is None
        same = not consent.agreed and by.ref == consent.by
        back = self.model.taken_back(consent_id)
        return (
            (past, no.NoConsent),
            (back, no.ConsentWithdrawnAlready),
            (alone, no.WithoutConsent),
            (same, no.SamePerson),
        )

    def unknown(self, of: UUID) -> Why:
        return of not in self.model.referrals, no.NoSuchReferral

    def reached(self, of: UUID) -> str:
        return self.model.referrals[of].reached if of in self.model.referrals else ""

    @rule(number=PICK, step=st.sampled_from(sorted(STEPS)))
    def takes_a_step(self, number: int, step: str) -> None:
        of = self.pick(self.model.referrals, number)
        decide, kind, fields, before = STEPS[step]
        whys = (self.unknown(of), (self.reached(of) not in before, no.ReferralGoesBack))
        if self.tries(decide, kind(referral_id=of, **fields), *whys):
            self.model.referrals[of].reached = step

    @rule(number=PICK)
    def is_not_delivered(self, number: int) -> None:
        of = self.pick(self.model.referrals, number)
        whys = (self.unknown(of), (self.reached(of) != "referred", no.ReferralGoesBack))
        self.tries(fail_delivery, FailDelivery(referral_id=of, means="phone"), *whys)

    @rule(number=PICK)
    def has_its_deadline_moved(self, number: int) -> None:
        of = self.pick(self.model.referrals, number)
        moment = self.now + timedelta(days=5)
        command = MoveDeadline(referral_id=of, acknowledge_by=moment, act_by=moment, reason="the road is cut")
        whys = (self.unknown(of), (self.reached(of) not in OPEN, no.ReferralGoesBack))
        if self.tries(move_deadline, command, *whys):
            assert self.case.referrals[of].act_by == moment

    @rule(number=PICK, outcome=st.sampled_from(["confirmed", "contradicted"]), itself=st.integers(0, 5))
    def has_its_outcome_checked(self, number: int, outcome: str, itself: int) -> None:
        of = self.pick(self.model.referrals, number)
        whys = (
            self.unknown(of),
            (itself == 0, no.RecipientChecksItself),
            (self.reached(of) != "completed", no.NotCompleted),
        )
        command = CheckOutcome(referral_id=of, outcome=outcome)
        if self.tries(check_outcome, command, *whys, is_recipient=itself == 0) and outcome == "contradicted":
            sent = self.model.referrals[of]
            sent.reached = "revoked" if self.model.taken_back(sent.consent) else "referred"
            sent.contradictions += 1
            self.model.stage = "open" if self.model.stage == "closed" else self.model.stage

    @rule()
    def is_resolved(self) -> None:
        command = Resolve(outcome="settled", mechanism="mediation", by="network")
        if self.tries(resolve, command, self.model.over()):
            self.model.stage = "resolved"

    @rule()
    def is_closed(self) -> None:
        waiting = any(sent.reached in OPEN for sent in self.model.referrals.values())
        if self.tries(close, Close(reason="over"), self.model.over(), (waiting, no.OpenReferrals), absorbed=[]):
            self.model.stage = "closed"

    @rule()
    def is_reopened(self) -> None:
        if self.tries(reopen, Reopen(reason="danger_returned"), (self.model.stage == "open", no.NotEnded)):
            self.model.stage = "open"

    @invariant()
    def the_case_is_what_the_model_says(self) -> None:
        assert self.case.stage == Stage(self.model.stage)
        assert self.case.checks.keys() == self.model.checks.keys()
        assert self.case.consents.keys() == self.model.consents.keys()
        withdrawn = {consent_id for consent_id, consent in self.model.consents.items() if consent.withdrawn}
        assert self.case.withdrawn_consents == withdrawn
        known = {of: (one.reached.name.lower(), one.contradicted) for of, one in self.case.referrals.items()}
        assert known == {of: (sent.reached, sent.contradictions) for of, sent in self.model.referrals.items()}

    @invariant()
    def no_open_referral_rests_on_a_withdrawn_consent(self) -> None:
        for of in self.case.open_referrals:
            assert not self.model.taken_back(self.case.referrals[of].consent_id)

    @invariant()
    def a_closed_case_has_no_open_referral(self) -> None:
        assert self.case.stage != Stage.CLOSED or self.case.open_referrals == ()

    @invariant()
    def a_release_is_by_another_person_than_what_it_releases(self) -> None:
        for check in self.case.checks.values():
            assert check.releases is None or check.by != self.case.checks[check.releases].by
        for consent in self.case.consents.values():
            assert consent.releases is None or consent.by != self.case.consents[consent.releases].by


TestReferralsUnderRandomCommands = ReferralMachine.TestCase
TestReferralsUnderRandomCommands.settings = budget()
