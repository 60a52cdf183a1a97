"""The domain in tests: people with names and roles, builders with what most tests do not care about, given/when/then.

`given_case(OPENED).when(case_decision, command, by=OLIVE, fact=…).then(event, …)` or `.refused(Refusal)`; both return
the state afterwards or the refusal, for whoever wants to look closer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid5

from hypothesis import HealthCheck, settings

from events.case.events import (
    CaseConsentRecorded,
    CaseHarmChecked,
    CaseOpened,
    CaseReferred,
    CaseRelated,
    CaseReportLinked,
    Scope,
)
from events.case.linking import Evidence, LinkReport
from events.case.opening import OpenCase
from events.case.referral import Refer
from events.case.state import Case
from events.case.state import evolve as evolve_case
from events.command import clear
from events.event import Act, Event
from events.reference import LocalConflict, Recipient, RecipientRegistered
from events.refusals import Refusal
from events.report.decisions import Receive
from events.report.events import ReportGraded, ReportReceived
from events.report.state import Report
from events.report.state import evolve as evolve_report
from events.sealed import KeyKind
from events.vocabulary import (
    Actor,
    ActorClass,
    Basis,
    Channel,
    ConsentBasis,
    Credibility,
    DataItem,
    Independence,
    Kind,
    Language,
    Located,
    PeopleAgree,
    PlacePrecision,
    Purpose,
    RecipientClass,
    RecordedBy,
    Relation,
    Reliability,
    Role,
    Urgency,
    Verdict,
)

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
"""What holds where nothing else is asked for: what is read once at the first example takes long on a busy machine, and
timing decides no test."""
settings.register_profile("quick", max_examples=25, stateful_step_count=25, deadline=None)
settings.register_profile(
    "long", max_examples=2_000, stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

NOW = datetime(2026, 5, 20, 6, 30, tzinfo=UTC)
TODAY = date(2026, 5, 20)
SOON, LATER = NOW + timedelta(hours=6), NOW + timedelta(days=3)
_IDS = UUID("3d1f6f64-0b39-4c0e-9d0a-6d0f8f2a7c11")


def one(name: str) -> UUID:
    """The id of the person or thing of that name, always the same."""
    return uuid5(_IDS, name)


COLETTE = Actor(role=Role.COORDINATOR, ref=one("Colette"))
INES, JEAN, KEZA, LEA = (Actor(role=Role.REVIEWER, ref=one(name)) for name in ("Ines", "Jean", "Keza", "Lea"))
OLIVE, OSCAR, ODA = (Actor(role=Role.REFERRAL_OFFICER, ref=one(name)) for name in ("Olive", "Oscar", "Oda"))
CLINIC_NURSE = Actor(role=Role.RECIPIENT, ref=one("nurse"))
COMMITTEE = frozenset(member.ref for member in (INES, JEAN, KEZA, LEA))

REPORT, CASE, OTHER_CASE = one("report"), one("case"), one("other case")
HOME, OTHER_HOME = "home:kayanza", "home:ngozi"
PLACE = Located(unit="commune:kayanza", precision=PlacePrecision.COMMUNE, gazetteer="b" * 64)
OTHER_PLACE = PLACE.model_copy(update={"unit": "commune:ngozi"})
CLINIC, POLICE = "clinic-kayanza", "police-kayanza"


def act(by: Actor = INES, at: datetime = NOW) -> Act:
    return Act(at=at, today=at.date(), by=by)


# --- given, when, then ----------------------------------------------------------------------------------------------

S = TypeVar("S")
R = TypeVar("R", bound=Refusal)


@dataclass(frozen=True)
class Given(Generic[S]):
    state: S
    evolve: Callable[[S, Any], S]

    def when(
        self,
        decide: Callable[..., Sequence[Event]],
        command: Any,
        *,
        by: Actor = INES,
        at: datetime = NOW,
        **facts: Any,
    ) -> Then[S]:
        try:
            return Then(self, tuple(decide(self.state, command, act(by, at), **facts)), None)
        except Refusal as refusal:
            return Then(self, (), refusal)


@dataclass(frozen=True)
class Then(Generic[S]):
    given: Given[S]
    events: tuple[Event, ...]
    refusal: Refusal | None

    def then(self, *events: Event) -> S:
        """Exactly these events happened."""
        after = self.accepted()
        assert self.events == events
        return after

    def accepted(self) -> S:
        """Something happened; the state after it."""
        assert self.refusal is None, f"refused: {self.refusal!r}"
        assert self.events
        return fold(self.given.state, self.given.evolve, self.events)

    def refused(self, kind: type[R]) -> R:
        assert type(self.refusal) is kind, f"{self.refusal!r} instead of {kind.__name__}; events: {self.events}"
        return self.refusal


def fold(state: S, evolve: Callable[[S, Any], S], events: Sequence[Event]) -> S:
    for event in events:
        state = evolve(state, event)
    return state


def report(*events: Event, report_id: UUID = REPORT) -> Report:
    return fold(Report(report_id), evolve_report, events)


def case(*events: Event, case_id: UUID = CASE) -> Case:
    return fold(Case(case_id), evolve_case, events)


def given_report(*events: Event, report_id: UUID = REPORT) -> Given[Report]:
    return Given(report(*events, report_id=report_id), evolve_report)


def given_case(*events: Event, case_id: UUID = CASE) -> Given[Case]:
    return Given(case(*events, case_id=case_id), evolve_case)


# --- commands -------------------------------------------------------------------------------------------------------


def receive(**fields: Any) -> Receive:
    usual = {"channel": Channel.SMS, "language": Language.KIRUNDI, "kind": Kind.VIOLENCE, "text": "what was seen"}
    return Receive(**{**usual, "unit": PLACE.unit, "received_at": NOW, **fields})


def open_case(**fields: Any) -> OpenCase:
    usual = {"kind": Kind.VIOLENCE, "unit": PLACE.unit, "place_precision": PLACE.precision, "summary": "what is known"}
    return OpenCase(**{**usual, **fields})


def refer(**fields: Any) -> Refer:
    usual = {"recipient": CLINIC, "purpose": Purpose.MEDICAL, "minimum_data": {DataItem.PLACE}}
    cites = {"acknowledge_by": SOON, "act_by": LATER, "check_id": one("check"), "consent_id": one("consent")}
    return Refer(**{**usual, **cites, **fields})


# --- events and facts -----------------------------------------------------------------------------------------------


def received(*, report_id: UUID = REPORT, **fields: Any) -> ReportReceived:
    usual = {
        "channel": Channel.SMS,
        "language": Language.KIRUNDI,
        "kind": Kind.VIOLENCE,
        "basis": Basis.WITNESSED,
        "recorded_by": RecordedBy.SELF,
        "people_agree_to_share": PeopleAgree.YES,
        "place": PLACE,
        "urgency": Urgency.IMMEDIATE,
        "received_at": NOW,
        "text": clear("what was seen", KeyKind.REPORT, report_id),
    }
    return ReportReceived(**{**usual, **fields})


def graded(
    by: Actor = INES,
    credibility: Credibility = Credibility.TWO,
    reliability: Reliability = Reliability.F,
    round_number: int = 1,
) -> ReportGraded:
    return ReportGraded(by=by.ref, round=round_number, reliability=reliability, credibility=credibility)


def opened(*, case_id: UUID = CASE, **fields: Any) -> CaseOpened:
    usual = {"kind": Kind.VIOLENCE, "place": PLACE, "threat_to_life": False, "provisional": False}
    return CaseOpened(**{**usual, "summary": clear("what is known", KeyKind.CASE, case_id), **fields})


def provisional(**fields: Any) -> CaseOpened:
    return opened(**{"provisional": True, "threat_to_life": True, "ratify_by": SOON, **fields})


def linked(report_id: UUID = REPORT) -> CaseReportLinked:
    return CaseReportLinked(report_id=report_id, independent=Independence.UNKNOWN)


def related(case_id: UUID, relation: Relation, home: str = HOME) -> CaseRelated:
    return CaseRelated(case_id=case_id, home=home, relation=relation)


def evidence(*events: Event, report_id: UUID = REPORT, home: str = HOME) -> Evidence:
    """A report that stands and is graded, unless its events say otherwise."""
    return Evidence(report=report(*(events or (received(), graded())), report_id=report_id), home=home)


def cited(report_id: UUID = REPORT) -> LinkReport:
    return LinkReport(report_id=report_id)


def recipient(
    name: str = CLINIC, *, version: int = 1, local: tuple[LocalConflict, ...] = (), **fields: Any
) -> Recipient:
    """A registered recipient; the police of these tests conflict with state forces."""
    usual = {
        "recipient": name,
        "recipient_class": RecipientClass.HEALTH_FACILITY if name == CLINIC else RecipientClass.COMMUNITY_POLICE,
        "label": name,
        "serves": (PLACE.unit,),
        "purposes": (Purpose.MEDICAL, Purpose.PROTECTION),
        "conflicts_with": () if name == CLINIC else (ActorClass.STATE_FORCES,),
        "conflicts_locally": local,
    }
    return Recipient(version=version, entry=RecipientRegistered(**{**usual, **fields}))


def checked(check: str = "check", *, by: Actor = OSCAR, **fields: Any) -> CaseHarmChecked:
    usual = {"recipient": CLINIC, "register_version": 1, "purpose": Purpose.MEDICAL, "verdict": Verdict.CLEAR}
    return CaseHarmChecked(**{**usual, "check_id": one(check), "by": by.ref, "valid_until": LATER, **fields})


def agreed(consent: str = "consent", *, by: Actor = OSCAR, **fields: Any) -> CaseConsentRecorded:
    scope = Scope(purposes=(Purpose.MEDICAL,), recipients=(CLINIC,))
    usual = {"consent_id": one(consent), "basis": ConsentBasis.GIVEN, "scope": scope, "by": by.ref}
    return CaseConsentRecorded(**{**usual, **fields})


def referred(referral: str = "referral", **fields: Any) -> CaseReferred:
    usual = {"referral_id": one(referral), "recipient": CLINIC, "purpose": Purpose.MEDICAL, "act_by": LATER}
    cites = {"acknowledge_by": SOON, "check_id": one("check"), "consent_id": one("consent")}
    return CaseReferred(**{**usual, "minimum_data": (DataItem.PLACE,), **cites, **fields})
