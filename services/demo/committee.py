"""What the network makes of an entry: grades, a case, the committee's assessment with its dissent, tolls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from events.vocabulary import Kind, Severity
from services.demo import words
from services.demo.acts import STEP, Made, Pen
from services.demo.cast import Player
from services.demo.messages import Heard, Message, grade, harm_of, reliability_of, when_of

GRAVE = frozenset({Severity.SEVERE, Severity.EXTREME})
CREDIBILITY: Mapping[int, Mapping[str, int]] = {
    1: {"3": 55, "2": 22, "4": 10, "6": 13},
    2: {"2": 60, "3": 25, "1": 15},
    3: {"1": 65, "2": 35},
}
"""How credible an entry is found, by how many independent origins tell it."""
STATES = {
    "1": "confirmed_true",
    "2": "probably_true",
    "3": "unverifiable_leaning_true",
    "4": "unverifiable_leaning_false",
    "5": "probably_false",
    "6": "unverifiable",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A case that the committee assessed, and from when on others may work with it."""

    case: Made
    assessed: datetime


def judge(pen: Pen, heard: Heard) -> str:
    """Write down the grades of an entry's messages; returns how credible it is found."""
    chance, rule = pen.chance, pen.scenario.head.invented.committee
    credibility = chance.weighed(CREDIBILITY[min(pen.entry.origins, 3)], "credibility")
    first = heard.first
    at = first.ready + STEP
    reliability = reliability_of(pen, first.sender)
    reviewers = chance.some(pen.cast.reviewers, 2 if _weighs(pen) else 1, "reviewers")
    differs = chance.falls(rule.second_grade_differs, "differs")
    for number, reviewer in enumerate(reviewers, 1):
        given = _beside(credibility) if differs and number == 2 else credibility
        grade(pen, at, reviewer, f"grade {number}", first.report, given, reliability)
    if len(reviewers) == 2 and not differs and chance.falls(rule.concluded, "concluded"):
        pen.on_report(
            at,
            reviewers[0],
            "conclude",
            first.report,
            "conclude",
            round=1,
            reliability=reliability,
            credibility=credibility,
        )
    for number, message in enumerate(heard.messages[1:], 2):
        if chance.falls(350, "graded", number):
            aside = pen.aside(f"m{number}")
            grade(aside, message.ready + STEP, _who_grades(pen, number), "grade", message.report, credibility, "F")
    return credibility


def open_case(pen: Pen, heard: Heard, credibility: str) -> Opened | None:
    """Write down how the case of an entry is opened and assessed; None where the committee does not stand behind it."""
    chance, rule = pen.chance, pen.scenario.head.invented
    first, coordinator = heard.first, pen.cast.coordinator(pen.entry.unit)
    grave = pen.entry.severity in GRAVE
    provisional = grave and chance.falls(rule.openings.provisional, "provisional")
    at = first.ready if provisional else first.ready + STEP
    case = _open(pen, "open", at, coordinator.name, [first], provisional)
    if provisional and not _ratified(pen, case, at):
        return None
    at = first.ready + 2 * STEP
    for number, message in enumerate((*heard.messages[1:], *heard.doubles), 2):
        if message.placed:
            pen.on_case(
                max(at, message.ready + 2 * STEP),
                coordinator,
                f"link {number}",
                case,
                "link-report",
                report_id=message.report,
                independent="no" if message in heard.doubles else "yes",
            )
    _assess(pen, "assess", 1, at, case, first.report, credibility)
    for harm in harm_of(pen):
        if harm["max"] or harm["min"]:
            pen.on_case(at, coordinator, f"toll {harm['what']}", case, "record-harm", **harm, basis="heard_in_public")
    if chance.falls(rule.committee.second_round, "again"):
        later = at + chance.between(4, 12, "again when") * STEP
        better = _beside(credibility) if chance.falls(400, "worse") else max("1", _beside(credibility, -1))
        _assess(pen, "assess again", 2, later, case, first.report, better)
    return Opened(case, at)


def open_twice(pen: Pen, heard: Heard, opened: Opened) -> None:
    """Somebody else opens a case on another message of the same thing, and the two are merged a day later."""
    others = [one for one in heard.messages[1:] if one.placed]
    if not others or not pen.chance.falls(pen.scenario.head.invented.committee.opened_twice, "twice"):
        return
    aside = pen.aside("twice")
    message = others[0]
    graded_by = _who_grades(pen, heard.messages.index(message) + 1)
    reviewer = pen.chance.one([one for one in pen.cast.reviewers if one != graded_by], "twice")
    grade(aside, message.ready + 2 * STEP, reviewer, "grade", message.report, "3", "F")
    at = max(opened.assessed, message.ready + 2 * STEP) + STEP
    case = _open(aside, "open", at, pen.cast.national.name, [message], False)
    aside.on_case(at + 2 * STEP, pen.cast.national, "merge", case, "merge", into=opened.case)


def _weighs(pen: Pen) -> bool:
    """Whether two reviewers look at it: always at what is grave, at some of what is less so."""
    moderate = pen.entry.severity is Severity.MODERATE and pen.chance.falls(500, "two look")
    return pen.entry.severity in GRAVE or moderate


def _who_grades(pen: Pen, number: int) -> Player:
    """The one reviewer who looks at a message that is not the first."""
    return pen.chance.one(pen.cast.reviewers, "reviewer", number)


def _open(pen: Pen, name: str, at: datetime, who: str, messages: list[Message], provisional: bool) -> Made:
    entry = pen.entry
    coordinator = pen.cast.national if who == pen.cast.national.name else pen.cast.coordinator(entry.unit)
    return pen.write(
        at,
        coordinator,
        name,
        "/v1/cases",
        makes="case",
        kind=entry.kind.value,
        unit=entry.unit,
        place_precision=entry.placed.value,
        reports=[{"report_id": one.report, "independent": "yes"} for one in messages],
        occurred=when_of(pen),
        threat_to_life=True if provisional else None,
        provisional=True if provisional else None,
        severity=entry.severity.value,
        summary=words.SUMMARY.format(kind=entry.kind.value, severity=entry.severity.value),
        actor_class=entry.alleged.value,
    )


def _ratified(pen: Pen, case: Made, at: datetime) -> bool:
    """How the committee votes on a provisional case."""
    chance, rule = pen.chance, pen.scenario.head.invented.openings
    reviewer = chance.one(pen.cast.reviewers, "ratifies")
    votes = chance.some(pen.cast.reviewers, chance.between(2, 3, "votes for"), "for")
    drawn = chance.below(1000, "ratified")
    if drawn < rule.not_ratified:
        pen.on_case(at + 2 * STEP, reviewer, "vote", case, "not-ratify", in_favour=votes, reason=words.NOT_RATIFIED)
        return False
    late = drawn < rule.not_ratified + rule.ratified_late
    steps = chance.between(5, 6, "late") if late else chance.between(1, 3, "ratified when")
    pen.on_case(at + steps * STEP, reviewer, "vote", case, "ratify", in_favour=votes)
    return True


def _assess(pen: Pen, name: str, round: int, at: datetime, case: Made, report: Made, credibility: str) -> None:
    chance, rule = pen.chance.of(name), pen.scenario.head.invented.committee
    members = list(pen.cast.reviewers)
    present = chance.some(members, chance.between(3, len(members), "present"), "who")
    dissent = recused = None
    if len(present) > 3 and chance.falls(rule.dissent, "dissent"):
        member = present.pop(chance.below(len(present), "dissents"))
        dissent = [{"by": member, "credibility": _beside(credibility), "note": chance.one(words.NOTES, "note")}]
    if len(present) > 3 and chance.falls(rule.recused, "recused"):
        recused = [present.pop(chance.below(len(present), "stands aside"))]
    rumour = pen.entry.kind == Kind.RUMOUR_OR_HATE_SPEECH
    pen.on_case(
        at,
        present[0],
        name,
        case,
        "assess",
        round=round,
        in_favour=present,
        recused=recused,
        dissent=dissent,
        verification_state=STATES[credibility],
        credibility=credibility,
        severity=pen.entry.severity.value,
        harm=harm_of(pen) or None,
        circulating=("widely" if pen.entry.origins > 1 else "locally") if rumour else None,
        evidence=[report],
    )


def _beside(credibility: str, step: int = 1) -> str:
    """One step more doubtful, or less."""
    if credibility == "6":
        return "4" if step > 0 else "3"
    return str(min(max(int(credibility) + step, 1), 5))
