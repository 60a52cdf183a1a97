"""One accepted act for every command there is, every text in it a canary, so that rules for all can be tried on all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar, get_args
from uuid import UUID

from pydantic import SecretStr

from events import alert, reference, reporter
from events.case import ending, judging, linking, opening, protection, referral
from events.case.events import CaseMerged, CaseReferralCompleted, CaseResolved
from events.case.state import Case
from events.case.state import evolve as evolve_case
from events.command import Command
from events.event import Event
from events.reference import Recipient, Register
from events.report import decisions as reports
from events.report.state import Report
from events.report.state import evolve as evolve_report
from events.reporter import Reporter, ReporterEnrolled
from events.vocabulary import ActorClass, CaseOutcome, ConsentBasis, Mechanism, Relation, Reliability, Resolver, Verdict
from tests.support import domain
from tests.support.domain import (
    CASE,
    COLETTE,
    COMMITTEE,
    HOME,
    INES,
    JEAN,
    KEZA,
    LATER,
    NOW,
    OLIVE,
    OTHER_CASE,
    OTHER_HOME,
    OTHER_PLACE,
    PLACE,
    REPORT,
    SOON,
    TODAY,
    act,
    agreed,
    case,
    checked,
    cited,
    evidence,
    graded,
    linked,
    one,
    opened,
    provisional,
    received,
    recipient,
    referred,
    report,
)

CANARY = "Kanari-7731"
PERSON = one("witness")
ACTOR = ActorClass.IDENTITY_MILITIAS
C = TypeVar("C", bound=Command)


@dataclass(frozen=True)
class Told:
    """Events for one stream, and the ids under whose keys their texts may be."""

    owner: UUID
    events: Sequence[Event]


@dataclass(frozen=True)
class Deed:
    """A command, the states it is decided on, how they evolve, and the deciding."""

    command: Command
    states: tuple[Any, ...]
    evolve: Callable[[Any, Any], Any]
    decide: Callable[..., tuple[Told, ...]]

    def done(self) -> tuple[Told, ...]:
        return self.decide(*self.states)

    def refusable(self) -> tuple[Told, ...]:
        """The same act on things that do not exist."""
        return self.decide(*(_nothing(state) for state in self.states))

    @property
    def id(self) -> str:
        return type(self.command).__name__


def _nothing(state: Any) -> Any:
    match state:
        case Report():
            return Report(state.report_id)
        case Case():
            return Case(state.case_id)
        case Reporter():
            return Reporter(state.reporter_id)
        case _:
            return type(state)()


def text_fields(command: type[Command]) -> list[str]:
    return [name for name, field in command.model_fields.items() if _is_text(field.annotation)]


def _is_text(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_text(part) for part in get_args(annotation))


def filled(command: type[C], **fields: Any) -> C:
    """A command with every text a canary of its own."""
    return command(**{**{name: f"{CANARY} {name}" for name in text_fields(command)}, **fields})


def on_report(decide: Callable[..., Any], command: Command, *events: Event, by: Any = INES, **facts: Any) -> Deed:
    def decided(state: Report) -> tuple[Told, ...]:
        return (Told(REPORT, decide(state, command, act(by), **facts)),)

    return Deed(command, (report(*events),), evolve_report, decided)


def on_case(decide: Callable[..., Any], command: Command, *events: Event, by: Any = INES, **facts: Any) -> Deed:
    def decided(state: Case) -> tuple[Told, ...]:
        return (Told(CASE, decide(state, command, act(by), **facts)),)

    return Deed(command, (case(*events),), evolve_case, decided)


def on_two_cases(decide: Callable[..., Any], command: Command, one_case: Case, other: Case, **facts: Any) -> Deed:
    def decided(state: Case, into: Case) -> tuple[Told, ...]:
        away, here = decide(state, command, act(), into=into, **facts)
        return Told(CASE, away), Told(OTHER_CASE, here)

    return Deed(command, (one_case, other), evolve_case, decided)


def on_reporter(decide: Callable[..., Any], command: Command, *events: Event, **facts: Any) -> Deed:
    def decided(state: Reporter) -> tuple[Told, ...]:
        return (Told(one("reporter"), decide(state, command, act(COLETTE), **facts)),)

    state = domain.fold(Reporter(one("reporter")), reporter.evolve, events)
    return Deed(command, (state,), reporter.evolve, decided)


def on_alerting(decide: Callable[..., Any], command: Command, *events: Event, **facts: Any) -> Deed:
    def decided(state: alert.Alerting) -> tuple[Told, ...]:
        return (Told(one("alert"), decide(state, command, act(INES), person=PERSON, **facts)),)

    return Deed(command, (domain.fold(alert.Alerting(), alert.evolve, events),), alert.evolve, decided)


def on_register(decide: Callable[..., Any], command: Command, state: Any = None) -> Deed:
    state = Register() if state is None else state
    evolve = reference.evolve_recipient if isinstance(state, Recipient) else reference.evolve
    return Deed(command, (state,), evolve, lambda register: (Told(one("x"), decide(register, command, act())),))


def superseded() -> Deed:
    command = reports.Supersede(unit=OTHER_PLACE.unit, place_precision="hill")
    words = {name: SecretStr(f"{CANARY} {name}") for name in ("text", "contact", "place_words")}
    words["source"] = SecretStr(str(PERSON))

    def decided(state: Report, again: Report) -> tuple[Told, ...]:
        facts: dict[str, Any] = {"place": OTHER_PLACE, "here": HOME, "there": OTHER_HOME, "words": words}
        here, there = reports.supersede(state, again, act(), **facts)
        return Told(REPORT, here), Told(one("again"), there)

    return Deed(command, (report(received()), Report(one("again"))), evolve_report, decided)


ENROLLED = ReporterEnrolled(languages=("rn",), channels=("sms",), trained=True)
READY = (opened(), checked(), agreed())
REFERRED = (*READY, referred())
DONE = CaseReferralCompleted(referral_id=one("referral"), successful=True)
RESOLVED = CaseResolved(outcome=CaseOutcome.SETTLED, mechanism=Mechanism.COURT, by=Resolver.OTHERS)
OTHER = case(opened(case_id=OTHER_CASE), case_id=OTHER_CASE)
AWAY = case(opened(), CaseMerged(into=OTHER_CASE))
STEP: dict[str, Any] = {"referral_id": one("referral")}
VOTED: dict[str, Any] = {"eligible": COMMITTEE, "required": 2}
FOR: dict[str, Any] = {"in_favour": [INES.ref, JEAN.ref]}
ASSESSED: dict[str, Any] = {"verification_state": "new", "credibility": "2", "severity": "minor", "round": 1}
DISSENT = {"by": KEZA.ref, "severity": "severe", "note": f"{CANARY} dissent"}
CHECK = {"check_id": one("c"), "recipient": recipient(), "actor": ACTOR, "units": frozenset({PLACE.unit})}
CHECKING = {"recipient": domain.CLINIC, "purpose": "medical", "verdict": "clear", "valid_until": LATER}
CONSENT = {"basis": "refused", "purposes": ["medical"], "recipients": [domain.CLINIC]}
REFER = {name: value for name, value in vars(domain.refer()).items() if name != "note"}
ELECTION = {"election": "e", "round": "hill", "standing": "announced", "on": TODAY, "source": "gazette"}
RECIPIENT = {name: value for name, value in vars(recipient().entry).items() if name != "conflicts_locally"}
RULES = {"rule_set": "r", "content_hash": sha256(b"x = 1").hexdigest(), "content": "x = 1"}
GAZETTEER = {"gazetteer": "g", "content_hash": sha256(b'{"u":1}').hexdigest(), "content": {"u": 1}}
MESSAGE = {"channel": "sms", "language": "rn", "kind": "tension", "received_at": NOW, "actor_class": ACTOR}
OPEN = {"kind": "violence", "unit": PLACE.unit, "place_precision": "hill", "actor_class": ACTOR}
OPENING: dict[str, Any] = {"place": PLACE, "home": HOME, "ratify_within": LATER - NOW, "evidence": [evidence()]}
ENROL = {"languages": ["rn"], "channels": ["sms"], "trained": True}
SIGN = {"on": TODAY, "channel": "sms", "nothing_to_report": True, "felt_safety": 2}

OVERRIDE = {"unit": "bi:commune", "level": 2, "until": SOON, "reason": "local_knowledge"}
OVERRIDDEN = alert.AlertOverridden(unit="bi:commune", level=2, until=SOON, reason=alert.OverrideReason.PROTECTION)
SILENCED = alert.AlertSilenced(
    silence_id=one("silence"),
    unit="bi:commune",
    unit_name="Bubanza",
    up_to_level=3,
    until=SOON,
    reason=alert.SilenceReason.PROTECTION,
)

DEEDS: tuple[Deed, ...] = (
    on_report(reports.receive, filled(reports.Receive, **MESSAGE), place=PLACE, placed=True, person=PERSON),
    on_report(reports.grade, filled(reports.Grade, round=1, reliability="B", credibility="2"), received(), own=False),
    on_report(reports.recuse, reports.Recuse(round=1, reason="concerned"), received()),
    on_report(
        reports.conclude,
        reports.Conclude(round=1, reliability="F", credibility="2"),
        *(received(), graded(INES), graded(JEAN), graded(KEZA, reliability=Reliability.C)),
        **VOTED,
    ),
    on_report(reports.correct, filled(reports.Correct, actor_class=ACTOR), received()),
    on_report(reports.withdraw, filled(reports.Withdraw, reason="unsafe"), received()),
    superseded(),
    on_case(opening.open_case, filled(opening.OpenCase, **OPEN), **OPENING),
    on_case(opening.ratify, opening.Ratify(**FOR), provisional(), **VOTED),
    on_case(opening.not_ratify, filled(opening.NotRatify, **FOR), provisional(), **VOTED),
    on_case(
        opening.classify, filled(opening.Classify, kind="weapons", actor_class=ACTOR), opened(), current_actor=None
    ),
    on_case(
        linking.link_report,
        linking.LinkReport(report_id=REPORT),
        opened(),
        report=report(received()),
        home=HOME,
        there=HOME,
    ),
    on_case(linking.unlink_report, filled(linking.UnlinkReport, report_id=REPORT), opened(), linked()),
    on_case(
        linking.relate,
        linking.Relate(case_id=OTHER_CASE, relation="continues"),
        opened(),
        other=OTHER,
        there=OTHER_HOME,
    ),
    on_case(
        linking.unrelate,
        linking.Unrelate(case_id=OTHER_CASE, relation="continues"),
        *(opened(), domain.related(OTHER_CASE, Relation.CONTINUES)),
    ),
    on_two_cases(linking.merge, linking.Merge(into=OTHER_CASE), case(opened()), OTHER, home=HOME, there=HOME),
    on_two_cases(linking.reverse_merge, linking.ReverseMerge(into=OTHER_CASE), AWAY, OTHER),
    on_case(judging.assess, filled(judging.Assess, **ASSESSED, **FOR, dissent=[DISSENT]), opened(), **VOTED),
    on_case(judging.record_harm, judging.RecordHarm(what="killed", basis="unknown"), opened(), counting=None),
    on_case(judging.decide, filled(judging.Decide, choice="no_action"), opened()),
    on_case(judging.record_action, filled(judging.RecordAction, what="visit", by="network"), opened()),
    on_case(protection.check_harm, filled(protection.CheckHarm, **CHECKING), opened(), **CHECK),
    on_case(
        protection.release_check,
        filled(protection.ReleaseCheck, check_id=one("check")),
        *(opened(), checked(verdict=Verdict.CONFLICT)),
        released_id=one("r"),
    ),
    on_case(
        protection.record_consent,
        filled(protection.RecordConsent, **CONSENT),
        opened(),
        consent_id=one("c"),
        person=PERSON,
    ),
    on_case(
        protection.act_without_consent,
        filled(protection.ActWithoutConsent, consent_id=one("consent")),
        *(opened(), agreed(basis=ConsentBasis.REFUSED)),
        released_id=one("r"),
    ),
    on_case(protection.withdraw_consent, protection.WithdrawConsent(consent_id=one("consent")), *REFERRED),
    on_case(
        referral.refer, filled(referral.Refer, **REFER), *READY, by=OLIVE, referral_id=one("r"), recipient=recipient()
    ),
    on_case(referral.acknowledge, referral.Acknowledge(**STEP), *REFERRED),
    on_case(referral.accept, referral.Accept(**STEP), *REFERRED),
    on_case(referral.decline, filled(referral.Decline, **STEP, reason="unsafe"), *REFERRED),
    on_case(referral.complete, filled(referral.Complete, **STEP, successful=True), *REFERRED),
    on_case(referral.revoke, filled(referral.Revoke, **STEP, reason="other"), *REFERRED),
    on_case(referral.fail_delivery, referral.FailDelivery(**STEP, means="phone"), *REFERRED),
    on_case(
        referral.move_deadline,
        filled(referral.MoveDeadline, **STEP, acknowledge_by=SOON, act_by=LATER),
        *REFERRED,
    ),
    on_case(
        referral.check_outcome,
        filled(referral.CheckOutcome, **STEP, outcome="contradicted"),
        *(*REFERRED, DONE),
        is_recipient=False,
    ),
    on_case(ending.resolve, filled(ending.Resolve, outcome="settled", mechanism="court", by="others"), opened()),
    on_case(
        ending.reopen,
        filled(ending.Reopen, reason="new_evidence", reports=[cited()]),
        *(opened(), RESOLVED),
        evidence=[evidence()],
        home=HOME,
    ),
    on_case(ending.close, filled(ending.Close), opened(), absorbed=[]),
    on_reporter(reporter.enrol, filled(reporter.Enrol, **ENROL), person=PERSON),
    on_reporter(
        reporter.assign_coverage,
        reporter.AssignCoverage(units=["a"], channel="sms", cadence_days=1),
        ENROLLED,
        outside=frozenset(),
    ),
    on_reporter(reporter.check_in, filled(reporter.CheckIn, **SIGN), ENROLLED, person=PERSON),
    on_reporter(reporter.stand_down, filled(reporter.StandDownReporter, reason="safety"), ENROLLED, person=PERSON),
    on_alerting(alert.override, filled(alert.Override, **OVERRIDE), row="bi:commune"),
    on_alerting(alert.end_override, filled(alert.EndOverride, unit="bi:commune"), OVERRIDDEN),
    on_alerting(
        alert.acknowledge, filled(alert.Acknowledge, unit="bi:commune", alert_id=one("alert")), last=one("alert")
    ),
    on_alerting(
        alert.silence,
        filled(alert.Silence, unit="bi:commune", until=SOON, reason="planned_event"),
        silence_id=one("silence"),
        place=("Bubanza", (alert.Code(scheme="pcode", code="BI0101"),)),
    ),
    on_alerting(alert.end_silence, filled(alert.EndSilence, unit="bi:commune", silence_id=one("silence")), SILENCED),
    on_register(reference.adopt_rules, reference.AdoptRules(**RULES)),
    on_register(reference.adopt_gazetteer, reference.AdoptGazetteer(**GAZETTEER)),
    on_register(reference.register_recipient, reference.RegisterRecipient(**RECIPIENT), Recipient()),
    on_register(reference.date_election, reference.DateElection(**ELECTION)),
    on_register(reference.adopt_engine, reference.AdoptEngine(projection="p", number=1)),
    on_register(
        reference.waive_event, reference.WaiveEvent(projection="p", key="case/1", position=1, why="unreadable")
    ),
    on_register(reference.tick, reference.Tick(nominal=NOW, reason="hour")),
)
