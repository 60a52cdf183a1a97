"""Any history that the door could have let in: random acts on few cases, reports and units, each decided by real
decisions.

An act that is refused does not happen. So a history is a list of small choices (`HAPPENINGS`), which Hypothesis shrinks
to the shortest that still shows a fault, and every history is one that the folds must be total on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from pydantic import SecretStr

from events import alert
from events.case import ending, judging, linking, opening, protection, referral
from events.case.linking import Evidence
from events.case.state import Case
from events.case.state import evolve as evolve_case
from events.event import Event
from events.reference import ClockTicked, EngineAdopted, RulesAdopted, TickReason
from events.refusals import Refusal
from events.report import decisions as reports
from events.report.state import Report
from events.report.state import evolve as evolve_report
from events.reporter import ReporterCheckedIn, ReporterCoverageAssigned, ReporterStoodDown, StandDown
from events.vocabulary import Actor, ActorClass, Channel, Decided, Kind, Mode, Purpose, Severity
from projections.referral_board.waiting import asked_since
from projections.taken import Taken
from tests.support.domain import (
    CLINIC,
    CLINIC_NURSE,
    COLETTE,
    COMMITTEE,
    INES,
    JEAN,
    KEZA,
    OLIVE,
    OSCAR,
    PLACE,
    act,
    one,
    open_case,
    receive,
    recipient,
)
from tests.support.written import Written

HOMES = ("home:kayanza", "home:ngozi", "home:gitega")
CASES = tuple(one(f"any case {number}") for number in range(5))
REPORTS = tuple(one(f"any report {number}") for number in range(5))
VOTED: dict[str, Any] = {"eligible": COMMITTEE, "required": 2}
SILENCE = "missed = 1\ntold_within_days = 0\nhigh_from = 800\nmedium_from = 500\n"
RULES = (
    f"[coverage]\n{SILENCE}[response.answer_within_hours]\nsevere = 24\nextreme = 6\n",
    f'time_zone = "Africa/Bujumbura"\n[response.answer_within_hours]\nsevere = 3\n[coverage]\n{SILENCE}',
    'name = "silent"\n',
    "[response]\nopen_cases_too = true\n[response.answer_within_hours]\nsevere = 12\nextreme = 2\n"
    + "".join(
        f'[[response.ladder]]\nafter_hours = {hours}\ntell = "{role}"\n'
        for hours, role in ((0, "referral_officer"), (5, "coordinator"), (90, "analyst"))
    )
    + f"[coverage]\n{SILENCE}",
    '[response.answer_within_hours]\nsevere = 24\n[[response.ladder]]\nafter_hours = 2\ntell = "reviewer"\n',
)
REPORTERS = tuple(one(f"any reporter {number}") for number in range(5))
UNITS = tuple(f"commune:any-{number}" for number in range(5))


def home_of(number: int) -> str:
    """Three of five live in the first home, so that they can be merged and linked."""
    return HOMES[max(0, number - 2)]


@dataclass
class World:
    """Cases and reports as they stand, and the log of what was done to them."""

    log: Written = field(default_factory=Written)
    cases: dict[UUID, Case] = field(default_factory=lambda: {one: Case(one) for one in CASES})
    reports: dict[UUID, Report] = field(default_factory=lambda: {one: Report(one) for one in REPORTS})
    homes: dict[UUID, str] = field(
        default_factory=lambda: {one: home_of(at) for ids in (CASES, REPORTS) for at, one in enumerate(ids)}
    )
    now_as: dict[UUID, UUID] = field(default_factory=dict)
    alerting: dict[str, alert.Alerting] = field(default_factory=lambda: {one: alert.Alerting() for one in UNITS})
    made: int = 0

    def new_id(self) -> UUID:
        self.made += 1
        return one(f"made {self.made}")

    def case_id(self, number: int) -> UUID:
        return CASES[number % len(CASES)]

    def report_id(self, number: int) -> UUID:
        """The report of that number, under the id that it has now."""
        report_id = REPORTS[number % len(REPORTS)]
        while report_id in self.now_as:
            report_id = self.now_as[report_id]
        return report_id

    def evidence(self, report_id: UUID) -> Evidence:
        return Evidence(report=self.reports[report_id], home=self.homes[report_id])

    def case(
        self, case_id: UUID, decide: Callable[..., Sequence[Event]], command: Any, by: Actor, **facts: Any
    ) -> None:
        events = decide(self.cases[case_id], command, act(by, self.log.now), **facts)
        self.happened(case_id, events, by)

    def happened(self, case_id: UUID, events: Sequence[Event], by: Actor) -> None:
        self.log.write(f"case/{case_id}", *events, home=self.homes[case_id], by=by)
        for event in events:
            self.cases[case_id] = evolve_case(self.cases[case_id], event)  # type: ignore[arg-type]

    def report(
        self, report_id: UUID, decide: Callable[..., Sequence[Event]], command: Any, by: Actor = INES, **facts: Any
    ) -> None:
        events = decide(self.reports[report_id], command, act(by, self.log.now), **facts)
        self.told(report_id, events, by)

    def told(self, report_id: UUID, events: Sequence[Event], by: Actor) -> None:
        self.log.write(f"report/{report_id}", *events, home=self.homes[report_id], by=by)
        for event in events:
            self.reports[report_id] = evolve_report(self.reports[report_id], event)  # type: ignore[arg-type]

    def alert(self, of: int, decide: Callable[..., Sequence[alert.AlertEvent]], command: Any, **facts: Any) -> None:
        unit = UNITS[of]
        events = decide(self.alerting[unit], command, act(INES, self.log.now), person=INES.ref, **facts)
        self.log.write(f"alert/{unit}", *events, home=home_of(of), by=INES)
        for event in events:
            self.alerting[unit] = alert.evolve(self.alerting[unit], event)


T = TypeVar("T")


def _pick(choices: Sequence[T], number: int) -> T:
    return choices[number % len(choices)]


def receives(world: World, of: int, how: int) -> None:
    """A report, sometimes unplaced, sometimes with dates that cannot be."""
    today = world.log.now.date()
    dates = {"from": today + timedelta(days=2)} if how & 1 else {"from": today}
    command = receive(
        channel=Channel.SMS, occurred=dates, received_at=world.log.now, urgency=_pick(["immediate", "unknown"], how)
    )
    world.report(world.report_id(of), reports.receive, command, COLETTE, place=PLACE, placed=how & 2 == 0, person=None)


def grades(world: World, of: int, how: int) -> None:
    report_id = world.report_id(of)
    command = reports.Grade(round=world.reports[report_id].round, reliability="F", credibility=_pick("224", how))
    world.report(report_id, reports.grade, command, _pick([INES, JEAN, KEZA], how // 2), own=False)


def recuses(world: World, of: int, how: int) -> None:
    report_id = world.report_id(of)
    command = reports.Recuse(round=world.reports[report_id].round, reason="concerned")
    world.report(report_id, reports.recuse, command, _pick([INES, JEAN, KEZA], how))


def concludes(world: World, of: int, how: int) -> None:
    report_id = world.report_id(of)
    command = reports.Conclude(round=world.reports[report_id].round, reliability="F", credibility="2")
    world.report(report_id, reports.conclude, command, eligible=COMMITTEE, required=1)


def corrects(world: World, of: int, how: int) -> None:
    changes: Sequence[dict[str, Any]] = (
        {"occurred": {"from": world.log.now.date()}},
        {"kind": Kind.TENSION, "urgency": "immediate"},
        {"no_longer_stated": {"occurred"}},
    )
    command = reports.Correct(reason="a slip", **_pick(changes, how))
    world.report(world.report_id(of), reports.correct, command, COLETTE, place=None, moves_home=False)


def withdraws(world: World, of: int, how: int) -> None:
    world.report(world.report_id(of), reports.withdraw, reports.Withdraw(reason="false"), COLETTE)


def supersedes(world: World, of: int, how: int) -> None:
    """The report is received again in another home."""
    report_id, again = world.report_id(of), world.new_id()
    here = world.homes[report_id]
    there = _pick([home for home in HOMES if home != here], how)
    away, anew = reports.supersede(
        world.reports[report_id], Report(again), act(COLETTE, world.log.now), place=PLACE, here=here, there=there,
        words={name: SecretStr("what was seen") for name in world.reports[report_id].words},
    )  # fmt: skip
    world.homes[again], world.reports[again], world.now_as[report_id] = there, Report(again), again
    world.told(report_id, away, COLETTE)
    world.told(again, anew, COLETTE)


def opens(world: World, of: int, how: int) -> None:
    case_id, report_id = world.case_id(of), world.report_id(of)
    provisional = how & 1 == 1
    command = open_case(
        provisional=provisional,
        threat_to_life=provisional or how & 2 == 2,
        severity=_pick([None, Severity.MINOR, Severity.SEVERE, None], how // 2),
    )
    evidence = [world.evidence(report_id)] if not provisional else []
    world.case(
        case_id, opening.open_case, command, COLETTE, place=PLACE, evidence=evidence, home=world.homes[case_id],
        ratify_within=timedelta(hours=12),
    )  # fmt: skip


def votes(world: World, of: int, how: int) -> None:
    members = [INES.ref, JEAN.ref]
    if how & 1:
        world.case(world.case_id(of), opening.ratify, opening.Ratify(in_favour=members), INES, **VOTED)
    else:
        command = opening.NotRatify(in_favour=members, reason="too little")
        world.case(world.case_id(of), opening.not_ratify, command, INES, **VOTED)


def classifies(world: World, of: int, how: int) -> None:
    command = opening.Classify(kind=_pick([Kind.TENSION, Kind.WEAPONS], how))
    world.case(world.case_id(of), opening.classify, command, OLIVE, current_actor=None)


def links(world: World, of: int, how: int) -> None:
    case_id, report_id = world.case_id(of), world.report_id(how)
    facts: dict[str, Any] = {"home": world.homes[case_id], "there": world.homes[report_id]}
    command = linking.LinkReport(report_id=report_id, independent="yes")
    world.case(case_id, linking.link_report, command, OLIVE, report=world.reports[report_id], **facts)


def unlinks(world: World, of: int, how: int) -> None:
    command = linking.UnlinkReport(report_id=world.report_id(how), reason="another matter")
    world.case(world.case_id(of), linking.unlink_report, command, OLIVE)


def assesses(world: World, of: int, how: int) -> None:
    case_id = world.case_id(of)
    case = world.cases[case_id]
    command = judging.Assess(
        round=case.round + 1,
        verification_state=_pick(["probably_true", "unverifiable"], how),
        credibility="2",
        severity=_pick(["severe", "minor", "extreme", "severe"], how),
        evidence=frozenset(case.linked),
        in_favour=[INES.ref, JEAN.ref],
    )
    world.case(case_id, judging.assess, command, INES, **VOTED)


def decides(world: World, of: int, how: int) -> None:
    command = judging.Decide(choice=_pick(list(Decided), how), reason="as agreed")
    world.case(world.case_id(of), judging.decide, command, OLIVE)


def acts(world: World, of: int, how: int) -> None:
    case_id = world.case_id(of)
    referral_id = _a_referral(world, case_id, how) if how & 1 else None
    command = judging.RecordAction(what="visit", by="network", referral_id=referral_id)
    world.case(case_id, judging.record_action, command, OLIVE)


def refers(world: World, of: int, how: int) -> None:
    """With a check and a consent of its own; sometimes typed in late, so that its first deadline passed already."""
    case_id, now = world.case_id(of), world.log.now
    if world.cases[case_id].stage not in ("open", "resolved") or world.cases[case_id].merged_into:
        return
    check_id, consent_id = world.new_id(), world.new_id()
    late = timedelta(hours=-2) if how & 4 else timedelta()
    check = protection.CheckHarm(
        recipient=CLINIC, purpose=Purpose.MEDICAL, verdict="clear", valid_until=now + timedelta(days=9)
    )
    facts: dict[str, Any] = {
        "recipient": recipient(),
        "actor": ActorClass.REBEL_GROUPS,
        "units": frozenset({PLACE.unit}),
    }
    world.case(case_id, protection.check_harm, check, OSCAR, check_id=check_id, **facts)
    consent = protection.RecordConsent(basis="given", purposes=[Purpose.MEDICAL], recipients=[CLINIC])
    world.case(case_id, protection.record_consent, consent, OSCAR, consent_id=consent_id)
    command = referral.Refer(
        recipient=CLINIC,
        purpose=Purpose.MEDICAL,
        minimum_data={"place"},
        acknowledge_by=now + late + timedelta(hours=1),
        act_by=now + late + timedelta(hours=1 + _pick([0, 8, 30], how)),
        check_id=check_id,
        consent_id=consent_id,
        done_at=now + late if late else None,
    )
    world.case(case_id, referral.refer, command, OLIVE, referral_id=world.new_id(), recipient=recipient())


def _a_referral(world: World, case_id: UUID, how: int) -> UUID:
    return _pick([*world.cases[case_id].referrals, one("no such referral")], how // 2)


def steps(world: World, of: int, how: int) -> None:
    case_id = world.case_id(of)
    about: dict[str, Any] = {"referral_id": _a_referral(world, case_id, how)}
    taken: Sequence[tuple[Any, Any]] = (
        (referral.acknowledge, referral.Acknowledge(**about)),
        (referral.accept, referral.Accept(**about)),
        (referral.decline, referral.Decline(**about, reason="unsafe")),
        (referral.complete, referral.Complete(**about, successful=True)),
        (referral.complete, referral.Complete(**about, successful=False, reason_not="other")),
        (referral.fail_delivery, referral.FailDelivery(**about, means="phone")),
        (referral.revoke, referral.Revoke(**about, reason="harm_feared")),
    )
    decide, command = _pick(taken, how)
    world.case(case_id, decide, command, CLINIC_NURSE)


def moves(world: World, of: int, how: int) -> None:
    case_id, now = world.case_id(of), world.log.now
    command = referral.MoveDeadline(
        referral_id=_a_referral(world, case_id, how),
        acknowledge_by=now + timedelta(hours=_pick([-1, 2], how)),
        act_by=now + timedelta(hours=_pick([3, 20], how)),
        reason="the road is cut",
    )
    world.case(case_id, referral.move_deadline, command, OLIVE)


def checks(world: World, of: int, how: int) -> None:
    case_id = world.case_id(of)
    outcome = _pick(["contradicted", "confirmed", "contradicted", "unknown"], how)
    command = referral.CheckOutcome(referral_id=_a_referral(world, case_id, how), outcome=outcome)
    world.case(case_id, referral.check_outcome, command, COLETTE, is_recipient=False)


def takes_back_consent(world: World, of: int, how: int) -> None:
    case_id = world.case_id(of)
    consents = [*world.cases[case_id].consents, one("no such consent")]
    command = protection.WithdrawConsent(consent_id=_pick(consents, how))
    world.case(case_id, protection.withdraw_consent, command, OSCAR)


def merges(world: World, of: int, how: int) -> None:
    away, into = world.case_id(of), world.case_id(how)
    stream = f"case/{away}"
    waited = asked_since(stream, [one for one in world.log.events if one.stream == stream and one.mode == "actual"])
    since = None if waited is None else datetime.fromisoformat(waited)
    there, here = linking.merge(
        world.cases[away], linking.Merge(into=into), act(OLIVE, world.log.now), into=world.cases[into],
        home=world.homes[away], there=world.homes[into], asked_since=since,
    )  # fmt: skip
    world.happened(away, there, OLIVE)
    world.happened(into, here, OLIVE)


def parts(world: World, of: int, how: int) -> None:
    away = world.case_id(of)
    into = world.cases[away].merged_into or world.case_id(how)
    there, here = linking.reverse_merge(
        world.cases[away], linking.ReverseMerge(into=into), act(OLIVE, world.log.now), into=world.cases[into]
    )
    world.happened(away, there, OLIVE)
    world.happened(into, here, OLIVE)


def ends(world: World, of: int, how: int) -> None:
    case_id = world.case_id(of)
    if how & 1:
        command = ending.Resolve(outcome="settled", mechanism="mediation", by="network")
        world.case(case_id, ending.resolve, command, OLIVE)
    else:
        absorbed = [*map(world.cases.__getitem__, world.cases[case_id].absorbed)]
        for into in absorbed:  # which grows by what went into each of them
            absorbed += map(world.cases.__getitem__, into.absorbed)
        world.case(case_id, ending.close, ending.Close(reason="over"), OLIVE, absorbed=absorbed)


def reopens(world: World, of: int, how: int) -> None:
    case_id, report_id = world.case_id(of), world.report_id(how)
    cited = [linking.LinkReport(report_id=report_id)] if how & 1 else []
    evidence = [world.evidence(report_id)] if how & 1 else []
    command = ending.Reopen(reason="danger_returned", reports=cited)
    world.case(case_id, ending.reopen, command, OLIVE, evidence=evidence, home=world.homes[case_id])


def ticks(world: World, of: int, how: int) -> None:
    world.log.write("reference/clock", ClockTicked(nominal=world.log.now, reason=TickReason.HOUR))


def sleeps(world: World, of: int, how: int) -> None:
    """Days go by."""
    world.log.after(days=1 + how % 4)
    ticks(world, of, how)


def adopts_rules(world: World, of: int, how: int) -> None:
    content = _pick(RULES, how)
    world.log.write("reference/rules", RulesAdopted(rule_set="any", content_hash="0" * 64, content=content))


def assigns(world: World, of: int, how: int) -> None:
    """A reporter, of a home or of another, covers a place or two; sometimes it stands down instead."""
    stream, home = f"reporter/{REPORTERS[of]}", home_of(of)
    if how == 7:
        world.log.write(stream, ReporterStoodDown(reason=StandDown.MOVED), home=home)
        return
    near = PLACE.unit if home == HOMES[0] else f"{home}:near"
    units = (f"{home}:far",) if how & 4 else (near, f"{home}:beside")
    channel = _pick([Channel.SMS, Channel.VOICE], how)
    world.log.write(stream, ReporterCoverageAssigned(units=units, channel=channel, cadence_days=1 + how % 3), home=home)


def checks_in(world: World, of: int, how: int) -> None:
    on = world.log.now.date() - timedelta(days=how % 3)
    sign = ReporterCheckedIn(on=on, channel=_pick([Channel.SMS, Channel.VOICE], how))
    world.log.write(f"reporter/{REPORTERS[of]}", sign, home=home_of(of))


def silences(world: World, of: int, how: int) -> None:
    """Subscribers are left in peace with a unit, for an hour or for days; or it was the wrong one, and ends at once."""
    unit, silence_id = UNITS[of], world.new_id()
    until = world.log.now + timedelta(hours=_pick([1, 90, 8], how))
    command = alert.Silence(unit=unit, up_to_level=1 + how % 3, until=until, reason="planned_event")
    world.alert(of, alert.silence, command, silence_id=silence_id, place=(unit, ()))
    if how & 1:
        world.alert(of, alert.end_silence, alert.EndSilence(unit=unit, silence_id=silence_id))


def ends_a_silence(world: World, of: int, how: int) -> None:
    begun = world.alerting[UNITS[of]].silenced_until.items()
    standing = [silence_id for silence_id, until in begun if until > world.log.now] or [one("no such silence")]
    world.alert(of, alert.end_silence, alert.EndSilence(unit=UNITS[of], silence_id=_pick(standing, how)))


def adopts_an_engine(world: World, of: int, how: int) -> None:
    for projection in ("referral_board", "alert_level", "coverage"):
        world.log.write("reference/engines", EngineAdopted(projection=projection, number=1))


def exercises(world: World, of: int, how: int) -> None:
    """An exercise writes what would upset every count, if it counted."""
    case_id = one(f"exercise {of}")
    command = open_case(provisional=True, threat_to_life=True, severity=Severity.EXTREME)
    events = opening.open_case(
        Case(case_id), command, act(COLETTE, world.log.now), place=PLACE, evidence=(), home=HOMES[0],
        ratify_within=timedelta(hours=1),
    )  # fmt: skip
    world.log.write(f"case/{case_id}", *events, home=HOMES[0], mode=Mode.EXERCISE)


Act: TypeAlias = Callable[[World, int, int], None]
Happening: TypeAlias = tuple[Act, int, int, float]
ACTS: Sequence[Act] = (
    receives, grades, grades, recuses, concludes, corrects, withdraws, supersedes,
    opens, opens, votes, classifies, links, links, unlinks, assesses, assesses, decides, acts,
    refers, refers, refers, steps, steps, steps, steps, steps, moves, moves, checks, checks, checks, checks,
    takes_back_consent,
    merges, parts, ends, reopens, ticks, ticks, ticks, adopts_rules, adopts_an_engine, exercises,
    assigns, assigns, checks_in, checks_in, sleeps, silences, ends_a_silence,
)  # fmt: skip
"""What may happen, the more often the more there is to go wrong."""

OF_SILENCES: Sequence[Act] = (silences, ends_a_silence)


def _any_of(acts: Sequence[Act], at_least: int = 10) -> st.SearchStrategy[list[Happening]]:
    one = st.tuples(
        st.sampled_from(acts), st.integers(0, 4), st.integers(0, 7), st.sampled_from([0, 0, 0.5, 1, 2, 7, 30])
    )
    return st.lists(one, min_size=at_least, max_size=80)


HAPPENINGS = _any_of(ACTS)
ABOUT_SILENCES = _any_of((*OF_SILENCES, silences, ticks), at_least=30)
"""Histories in which hardly anything else happens: among all acts they would meet too rarely."""


def history(happenings: Sequence[Happening]) -> list[Taken]:
    """What is on the log when everything that could happen of these has happened, one after the other.

    It begins with rules, and with a report graded and a case opened here and there, so that a short list gets far.
    """
    world = World()
    ticks(world, 0, 0)
    adopts_rules(world, 0, 0)
    for number in range(len(CASES)):
        for begin in (receives, grades, opens):
            _try(world, begin, number, number)
    for happening, of, how, hours in happenings:
        world.log.after(hours=hours)
        _try(world, happening, of, how)
    return world.log.events


def _try(world: World, happening: Act, of: int, how: int) -> None:
    try:
        happening(world, of, how)
    except Refusal:
        return
