"""What each role does, each act with how often it is chosen; every one is an act of the published API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from events.vocabulary import Role
from services.api.examples import EXAMPLES, HEALTH, POLICE
from tests.faults import alerts
from tests.faults.cast import COMMITTEE, OFFICERS, REPORTERS, Person
from tests.faults.known import Case, Referral, Report
from tests.faults.places import UNITS
from tests.faults.sending import Answer

if TYPE_CHECKING:
    from tests.faults.generator import Generator

PerformedBy: TypeAlias = "Callable[[Generator, Person], Awaitable[None]]"

KINDS = (
    *("violence",) * 4,
    "tension",
    "weapons",
    "rumour_or_hate_speech",
    "electoral_irregularity",
    "detention_or_rights",
    "displacement",
)
SERVES: Mapping[str, str] = {POLICE: "protection", HEALTH: "medical"}
RECIPIENTS: Sequence[Mapping[str, Any]] = (
    {"recipient": POLICE, "serves": list(UNITS), "purposes": ["protection", "information"], "conflicts_with": []},
    {
        "recipient": HEALTH,
        "recipient_class": "health_facility",
        "label": "Health centre of Gihanga",
        "serves": list(UNITS),
        "purposes": ["medical"],
        "conflicts_with": [],
    },
)


def otherwise(body: Mapping[str, Any]) -> dict[str, Any]:
    """Another body for the same command."""
    for name in ("text", "note", "reason", "summary", "sub_kind"):
        if isinstance(said := body.get(name), str) and " " in said:
            return {**body, name: f"{said} Cyangwa."}
    return {**body, "mode": "exercise"}


def _days_ago(load: Generator, most: int = 20) -> dict[str, str]:
    return {"from": str((load.world.now() - timedelta(days=load.dice.randint(1, most))).date())}


# --- reporters --------------------------------------------------------------------------------------------------------


async def receive(load: Generator, person: Person, **changes: Any) -> None:
    dice = load.dice
    unplaced = dice.random() < 0.05
    unit = None if unplaced else dice.choice(UNITS[:3] if dice.random() < 0.6 else UNITS)
    answer = await load.example(
        person,
        "report.receive",
        "/v1/reports",
        channel=dice.choice(("sms", "voice", "form", "messenger", "in_person")),
        language=dice.choice(("rn", "fr", "sw")),
        kind=dice.choice(KINDS),
        basis=dice.choice(("witnessed", "told_by_witness", "heard_in_public", "unknown")),
        unit=unit,
        place_precision=None if unplaced else "commune",
        occurred=_days_ago(load),
        harm=[{"what": dice.choice(("killed", "injured", "displaced")), "min": dice.randint(0, 3)}],
        urgency=dice.choice(("past", "immediate", "unknown")),
        text=f"Abantu {dice.randint(2, 900)} bagize ubwoba ku isoko.",
        **changes,
    )
    if answer.accepted:
        load.known.reports.append(Report(answer.told["report_id"], unit, person.name))


def _watched_by(reporter: Person) -> str:
    """The unit that one of our reporters covers, once a coordinator has enrolled them."""
    return UNITS[REPORTERS.index(reporter) % len(UNITS)]


async def check_in(load: Generator, person: Person) -> None:
    await load.example(
        person,
        "reporter.check-in",
        "/v1/reporters/check-in",
        unit=_watched_by(person),
        on=_days_ago(load)["from"],
        felt_safety=load.dice.randint(1, 10),
    )


# --- the committee ----------------------------------------------------------------------------------------------------


async def grade(load: Generator, person: Person) -> None:
    report = load.known.report(load.dice, lambda one: one.unit is not None and person.name not in one.graded_by)
    if report is None:
        return
    report.graded_by.add(person.name)
    await load.example(
        person,
        "report.grade",
        f"/v1/reports/{report.report_id}/grade",
        reliability=load.dice.choice("ABCF"),
        credibility=load.dice.choice("1123"),
    )


async def recuse(load: Generator, person: Person) -> None:
    report = load.known.report(load.dice, lambda one: person.name not in one.graded_by)
    if report is not None:
        report.graded_by.add(person.name)
        await load.example(person, "report.recuse", f"/v1/reports/{report.report_id}/recuse")


async def conclude(load: Generator, person: Person) -> None:
    report = load.known.report(load.dice, lambda one: len(one.graded_by) >= 2)
    if report is not None:
        await load.example(person, "report.conclude", f"/v1/reports/{report.report_id}/conclude")


def _voted(load: Generator) -> list[str]:
    return [load.known.people[one.name] for one in load.dice.sample(COMMITTEE, 2)]


async def assess(load: Generator, person: Person) -> None:
    case = load.known.case(load.dice, lambda one: one.stage == "open" and not one.provisional and bool(one.reports))
    if case is None:
        return
    answer = await _at(
        load,
        person,
        case,
        "assess",
        round=case.round,
        verification_state=load.dice.choice(("confirmed_true", "probably_true", "probably_true", "probably_false")),
        severity=load.dice.choice(("moderate", "severe", "extreme")),
        evidence=case.reports[:],
        in_favour=_voted(load),
        recused=None,
        dissent=None,
    )
    if answer.accepted:
        case.round += 1


async def ratify(load: Generator, person: Person) -> None:
    case = load.known.case(load.dice, lambda one: one.provisional and one.stage == "open")
    if case is None:
        return
    verdict = load.dice.choice(("ratify", "ratify", "not-ratify"))
    answer = await _at(load, person, case, verdict, in_favour=_voted(load))
    if answer.accepted:
        case.provisional = False
        case.stage = "open" if verdict == "ratify" else "not ratified"


async def record_harm(load: Generator, person: Person) -> None:
    if case := load.known.case(load.dice, lambda one: one.stage == "open"):
        least = load.dice.randint(0, 3)
        await _at(
            load, person, case, "record-harm", what=load.dice.choice(("killed", "injured")), min=least, max=least + 2
        )


# --- cases ------------------------------------------------------------------------------------------------------------


async def _at(load: Generator, person: Person, case: Case, name: str, /, **changes: Any) -> Answer:
    answer = await load.example(person, f"case.{name}", f"/v1/cases/{case.case_id}/{name}", **changes)
    if answer.accepted and answer.etag is not None:
        case.etag = answer.etag
    return answer


async def open_case(load: Generator, person: Person) -> None:
    report = load.known.report(
        load.dice, lambda one: one.unit is not None and len(one.graded_by) > 0 and one.case is None
    )
    if report is None or report.unit is None:
        return
    answer = await load.example(
        person,
        "case.open-case",
        "/v1/cases",
        kind=load.dice.choice(KINDS),
        unit=report.unit,
        reports=[{"report_id": report.report_id, "independent": "yes"}],
        occurred=_days_ago(load),
        severity=load.dice.choice(("moderate", "severe", "extreme")),
    )
    if answer.accepted:
        report.case = answer.told["case_id"]
        load.known.cases.append(Case(answer.told["case_id"], report.unit, False, [report.report_id], answer.etag))


async def open_at_once(load: Generator, person: Person) -> None:
    unit = load.dice.choice(UNITS)
    answer = await load.example(
        person,
        "case.open-case",
        "/v1/cases",
        unit=unit,
        reports=None,
        occurred=_days_ago(load),
        threat_to_life=True,
        provisional=True,
    )
    if answer.accepted:
        load.known.cases.append(Case(answer.told["case_id"], unit, True, [], answer.etag))


async def link(load: Generator, person: Person) -> None:
    report = load.known.report(load.dice, lambda one: one.unit is not None and one.case is None)
    case = None if report is None else load.known.case(load.dice, lambda one: one.unit == report.unit)
    if report is None or case is None:
        return
    answer = await _at(
        load,
        person,
        case,
        "link-report",
        report_id=report.report_id,
        independent=load.dice.choice(("yes", "no", "unknown")),
    )
    if answer.accepted:
        report.case = case.case_id
        case.reports.append(report.report_id)


async def unlink(load: Generator, person: Person) -> None:
    case = load.known.case(load.dice, lambda one: len(one.reports) > 1)
    if case is not None:
        report_id = case.reports[-1]
        answer = await _at(load, person, case, "unlink-report", report_id=report_id)
        if answer.accepted and report_id in case.reports:
            case.reports.remove(report_id)


async def classify_at_once(load: Generator, person: Person) -> None:
    """Two officers about one case at one moment, each on what they read: at most one of them is right."""
    if case := load.known.case(load.dice, lambda one: one.stage == "open"):
        etag, found = case.etag, case

        async def classify(officer: Person, kind: str) -> None:
            await _at(load, officer, found, "classify", kind=kind, actor_class="civilians", if_match=etag)

        other = load.dice.choice([one for one in OFFICERS if one != person])
        await load.both(lambda: classify(person, "violence"), lambda: classify(other, "tension"))


async def decide(load: Generator, person: Person) -> None:
    if case := load.known.case(load.dice, lambda one: one.stage == "open"):
        await _at(load, person, case, "decide", choice=load.dice.choice(("refer", "monitor")))


async def merge(load: Generator, person: Person) -> None:
    into = load.known.case(load.dice, lambda one: one.stage == "open" and not one.provisional)
    case = None
    if into is not None:
        case = load.known.case(
            load.dice, lambda one: one.unit == into.unit and one is not into and one.merged_into is None
        )
    if into is None or case is None:
        return
    answer = await _at(load, person, case, "merge", into=into.case_id)
    if answer.accepted:
        case.merged_into, case.stage = into.case_id, "merged"


async def reverse_merge(load: Generator, person: Person) -> None:
    if case := load.known.case(load.dice, lambda one: one.merged_into is not None):
        answer = await _at(load, person, case, "reverse-merge", into=case.merged_into)
        if answer.accepted:
            case.merged_into, case.stage = None, "open"


async def resolve(load: Generator, person: Person) -> None:
    if case := load.known.case(load.dice, lambda one: one.stage == "open" and one.round > 1):
        answer = await _at(load, person, case, "resolve")
        if answer.accepted:
            case.stage = "resolved"


async def close(load: Generator, person: Person) -> None:
    if case := load.known.case(load.dice, lambda one: one.stage == "resolved"):
        answer = await _at(load, person, case, "close")
        if answer.accepted:
            case.stage = "closed"


async def reopen(load: Generator, person: Person) -> None:
    case = load.known.case(load.dice, lambda one: one.stage in ("resolved", "closed"))
    report = None if case is None else load.known.report(load.dice, lambda one: one.unit == case.unit and not one.case)
    if case is None or report is None:
        return
    fresh = [{"report_id": report.report_id, "independent": "yes"}]
    answer = await _at(load, person, case, "reopen", reports=fresh)
    if answer.accepted:
        case.stage, report.case = "open", case.case_id
        case.reports.append(report.report_id)


# --- referrals --------------------------------------------------------------------------------------------------------


async def refer(load: Generator, person: Person) -> None:
    """A harm check, released where it is not clear; a consent; the referral that rests on both."""
    case = load.known.case(load.dice, lambda one: one.stage == "open" and len(one.referrals) < 3)
    if case is None:
        return
    recipient = load.dice.choice((POLICE, HEALTH))
    purpose = SERVES[recipient]
    soon = load.world.now() + timedelta(hours=2)
    later = (soon + timedelta(days=2)).isoformat()
    await _at(load, person, case, "classify", actor_class="civilians")
    checked = await _at(
        load,
        person,
        case,
        "check-harm",
        recipient=recipient,
        purpose=purpose,
        verdict=load.dice.choice(("clear", "unclear")),
        valid_until=later,
    )
    if not checked.accepted:
        return
    check_id = checked.told["check_id"]
    if checked.command.body["verdict"] == "unclear":
        released = await _at(load, load.dice.choice(COMMITTEE), case, "release-check", check_id=check_id)
        if not released.accepted:
            return
        check_id = released.told["check_id"]
    consent = await _at(
        load,
        person,
        case,
        "record-consent",
        basis="given",
        purposes=[purpose],
        recipients=[recipient],
        who={"phone": f"+2577922{load.dice.randint(0, 40):04}"},
        person="Uwakomeretse",
    )
    if not consent.accepted:
        return
    referred = await _at(
        load,
        person,
        case,
        "refer",
        recipient=recipient,
        purpose=purpose,
        acknowledge_by=soon.isoformat(),
        act_by=later,
        check_id=check_id,
        consent_id=consent.told["consent_id"],
    )
    if referred.accepted:
        case.referrals.append(Referral(referred.told["referral_id"], recipient))


NEXT = {"acknowledge": "accept", "accept": "complete", "complete": "check-outcome"}


async def answer_a_referral(load: Generator, person: Person) -> None:
    """The next step of a referral to them, or sometimes a no."""
    found = [
        (case, one)
        for case in load.known.cases[-40:]
        for one in case.referrals
        if one.recipient == person.recipient and one.step in NEXT
    ]
    if not found:
        return
    case, referral = load.dice.choice(found)
    step = "decline" if load.dice.random() < 0.1 else referral.step
    changes = {"recorded_by": None, "means": None} if step == "accept" else {}
    answer = await _at(load, person, case, step, referral_id=referral.referral_id, **changes)
    if answer.accepted:
        referral.step = NEXT.get(step, "over")


async def check_outcome(load: Generator, person: Person) -> None:
    found = [(case, one) for case in load.known.cases[-40:] for one in case.referrals if one.step == "check-outcome"]
    if found:
        case, referral = load.dice.choice(found)
        outcome = load.dice.choice(("confirmed", "confirmed", "contradicted"))
        answer = await _at(load, person, case, "check-outcome", referral_id=referral.referral_id, outcome=outcome)
        if answer.accepted:
            referral.step = "over" if outcome == "confirmed" else "acknowledge"


# --- coordinators -----------------------------------------------------------------------------------------------------


async def receive_for_another(load: Generator, person: Person) -> None:
    source = {"phone": f"+2577933{load.dice.randint(0, 60):04}"}
    await receive(load, person, source=source, recorded_by="coordinator")


async def place_anew(load: Generator, person: Person) -> None:
    """An unplaced report gets its place."""
    report = load.known.report(load.dice, lambda one: one.unit is None)
    if report is not None:
        unit = load.dice.choice(UNITS)
        answer = await load.example(person, "report.supersede", f"/v1/reports/{report.report_id}/supersede", unit=unit)
        if answer.accepted:
            report.gone = True
            load.known.reports.append(Report(answer.told["report_id"], unit, report.by))


async def correct(load: Generator, person: Person) -> None:
    report = load.known.report(load.dice, lambda one: one.unit is not None)
    if report is not None:
        await load.example(person, "report.correct", f"/v1/reports/{report.report_id}/correct", unit=report.unit)


async def withdraw(load: Generator, person: Person) -> None:
    report = load.known.report(load.dice, lambda one: True)
    if report is not None:
        answer = await load.example(person, "report.withdraw", f"/v1/reports/{report.report_id}/withdraw")
        report.gone = answer.accepted


async def enrol(load: Generator, person: Person) -> None:
    """Somebody who never writes, or one of those who do."""
    who, unit = {"phone": f"+2577944{load.dice.randint(0, 99):04}"}, load.dice.choice(UNITS)
    if load.dice.random() < 0.5:
        reporter = load.dice.choice(REPORTERS)
        who, unit = {"phone": reporter.phone}, _watched_by(reporter)
    answer = await load.example(
        person, "reporter.enrol", "/v1/reporters/enrol", who=who, unit=unit, person_name="Umumenyeshamakuru"
    )
    if answer.accepted:
        await load.example(
            person, "reporter.assign-coverage", "/v1/reporters/assign-coverage", who=who, unit=unit, units=[unit]
        )


_OF_ALERTS = ((alerts.silence, 3), (alerts.end_silence, 1), (alerts.override, 3), (alerts.end_override, 1))

OF: Mapping[Role, Sequence[tuple[PerformedBy, float]]] = {
    Role.REPORTER: ((receive, 9), (check_in, 1)),
    Role.REVIEWER: (
        (grade, 10),
        (recuse, 0.5),
        (conclude, 1),
        (assess, 4),
        (ratify, 2),
        (record_harm, 1),
        (check_outcome, 2),
        (resolve, 0.7),
        (close, 0.7),
        *_OF_ALERTS,
    ),
    Role.COORDINATOR: (
        (receive_for_another, 3),
        (place_anew, 1),
        (correct, 0.7),
        (withdraw, 0.7),
        (open_at_once, 1),
        (merge, 1),
        (reverse_merge, 0.5),
        (enrol, 0.7),
        (check_outcome, 1),
    ),
    Role.REFERRAL_OFFICER: (
        (open_case, 6),
        (link, 5),
        (unlink, 0.5),
        (classify_at_once, 2),
        (decide, 1),
        (refer, 4),
        (reopen, 1),
        (resolve, 0.7),
        (close, 0.5),
        *_OF_ALERTS,
    ),
    Role.RECIPIENT: ((answer_a_referral, 1),),
}
"""Role → what it does."""

assert {f"case.{step}" for step in NEXT} <= set(EXAMPLES)
