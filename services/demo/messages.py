"""How an entry reaches the network: messages, some doubled, some taken back, some from places that nobody finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from events.vocabulary import Channel, Kind, PlacePrecision, Reliability, Severity
from services.demo import words
from services.demo.acts import EVENING, MORNING, STEP, Made, Pen
from services.demo.cast import Player
from services.demo.chance import Chance

CHANNELS: Mapping[Channel, int] = {
    Channel.SMS: 45,
    Channel.MESSENGER: 20,
    Channel.VOICE: 15,
    Channel.FORM: 15,
    Channel.ODK: 5,
}
BASES: Mapping[str, int] = {"witnessed": 30, "told_by_witness": 40, "heard_in_public": 25, "unknown": 5}
WRONG_KINDS = (Kind.RUMOUR_OR_HATE_SPEECH, Kind.RUMOUR_OR_HATE_SPEECH, Kind.VIOLENCE, Kind.WEAPONS, Kind.DISPLACEMENT)
RELIABILITY: Mapping[Reliability, int] = {
    Reliability.F: 35,
    Reliability.C: 30,
    Reliability.B: 25,
    Reliability.D: 8,
    Reliability.A: 2,
}
UNPLACED = "unplaced"
_HERE = "here"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it stands: its report, who sent it and when, and from when on somebody may work with it."""

    report: Made
    sender: Player
    at: datetime
    ready: datetime
    placed: bool = True


@dataclass(frozen=True, slots=True)
class Heard:
    """All messages of an entry that stand, the first one first, and the duplicates that wait to be linked."""

    messages: Sequence[Message]
    doubles: Sequence[Message]

    @property
    def first(self) -> Message:
        return self.messages[0]


def hear(pen: Pen) -> Heard:
    """Write down how an entry is told."""
    entry, chance, rule = pen.entry, pen.chance, pen.scenario.head.invented
    begins = pen.moment(entry.last_day + timedelta(days=_delay(pen)), chance.one((MORNING, EVENING), "hour"))
    senders = pen.cast.reporters(entry.unit)
    offset = chance.below(len(senders), "who")
    number = min(entry.origins, rule.most_origins, len(senders))
    sending = [senders[(offset + index) % len(senders)] for index in range(number)]
    messages = [_first(pen, sending[0], begins)]
    if not messages[0].placed and entry.unit != UNPLACED:
        # Nobody finds the place of the first one, so what is worked with comes from somebody else.
        other = senders[(offset + number) % len(senders)]
        placed = _send(pen, "again", other, begins + STEP, with_harm=True)
        messages.insert(0, placed)
    for index, sender in enumerate(sending[1:], 2):
        aside = pen.aside(f"m{index}")
        messages.append(_send(aside, "report", sender, begins + chance.between(0, 2, "later", index) * STEP))
    doubles = _doubled(pen, messages[0]) if chance.falls(rule.messages.doubled, "doubled") else []
    if chance.falls(rule.messages.corrected, "corrected"):
        first = messages[0]
        pen.on_report(
            first.ready + STEP,
            _coordinator(pen, first),
            "correct",
            first.report,
            "correct",
            urgency="past",
            reason=words.CORRECTED,
        )
    return Heard(messages, doubles)


def take_back(pen: Pen, heard: Heard) -> bool:
    """Whether the source takes the only message back, some days later; then nothing rests on it any more."""
    mild = pen.entry.severity in (Severity.MINOR, Severity.MODERATE)
    if not (
        mild and len(heard.messages) == 1 and pen.chance.falls(pen.scenario.head.invented.messages.withdrawn, "back")
    ):
        return False
    first = heard.first
    reason = pen.chance.one(("source_withdrew", "unsafe"), "back why")
    at = first.ready + pen.chance.between(4, 12, "back when") * STEP
    pen.on_report(at, _coordinator(pen, first), "withdraw", first.report, "withdraw", reason=reason)
    return True


def hear_wrong(pen: Pen) -> None:
    """Write down a message of something that nobody else knows of: graded low, then taken back or found untrue."""
    chance = pen.chance
    kind = chance.one(WRONG_KINDS, "kind")
    at = pen.moment(pen.entry.last_day, EVENING) + chance.between(0, 3, "when") * STEP
    sender = chance.one(pen.cast.reporters(pen.entry.unit), "who")
    wrong = replace(pen, entry=pen.entry.model_copy(update=_as_wrong(kind)))
    message = _send(wrong, "report", sender, at)
    first, second = chance.some(pen.cast.reviewers, 2, "reviewers")
    for number, reviewer in enumerate((first, second), 1):
        grade(pen, at + STEP, reviewer, f"grade {number}", message.report, "5", "D")
    pen.on_report(at + STEP, first, "conclude", message.report, "conclude", round=1, reliability="D", credibility="5")
    coordinator = pen.cast.coordinator(pen.entry.unit)
    if chance.falls(500, "found out") or kind != Kind.RUMOUR_OR_HATE_SPEECH:
        later = at + chance.between(2, 6, "back") * STEP
        pen.on_report(later, coordinator, "withdraw", message.report, "withdraw", reason="false")
        return
    case = pen.write(
        at + STEP,
        coordinator,
        "open",
        "/v1/cases",
        makes="case",
        kind=kind.value,
        unit=pen.entry.unit,
        place_precision=pen.entry.placed.value,
        reports=[{"report_id": message.report, "independent": "yes"}],
        occurred=when_of(wrong),
        summary=words.SUMMARY.format(kind=kind.value, severity="minor"),
    )
    pen.on_case(
        at + 2 * STEP,
        first,
        "assess",
        case,
        "assess",
        round=1,
        in_favour=chance.some(pen.cast.reviewers, 3, "votes"),
        verification_state=chance.one(("confirmed_false", "probably_false"), "state"),
        credibility="5",
        severity="minor",
        circulating="locally",
        evidence=[message.report],
    )
    pen.on_case(at + 3 * STEP, first, "close", case, "close", reason=words.CLOSED)


def grade(
    pen: Pen, at: datetime, reviewer: Player, name: str, report: Made, credibility: str, reliability: str
) -> None:
    """A reviewer's view of a message."""
    note = (
        words.NOTES[pen.chance.below(len(words.NOTES), name, "note")] if pen.chance.falls(150, name, "noted") else None
    )
    pen.on_report(
        at, reviewer, name, report, "grade", round=1, reliability=reliability, credibility=credibility, note=note
    )


def reliability_of(pen: Pen, sender: Player) -> str:
    """What reviewers think of a source: the same each time."""
    return Chance(pen.chance.seed, sender.name).weighed(RELIABILITY, "reliability").value


def _delay(pen: Pen) -> int:
    most = pen.scenario.head.invented.delay_days
    if pen.entry.severity in (Severity.SEVERE, Severity.EXTREME):
        most = min(most, 1)  # what is grave is told sooner
    return pen.chance.between(0, most, "delay")


def _first(pen: Pen, sender: Player, at: datetime) -> Message:
    entry, chance, rule = pen.entry, pen.chance, pen.scenario.head.invented.messages
    unfound = entry.heard == "unfound"
    if not unfound and not chance.falls(rule.unplaced, "unplaced"):
        return _send(pen, "report", sender, at, with_harm=True)
    message = _send(pen, "report", sender, at, unit=None, with_harm=True)
    if entry.unit == UNPLACED or not (unfound or chance.falls(rule.found, "found")):
        return replace(message, placed=False)
    at += chance.between(1, 2, "found when") * STEP
    again = pen.on_report(
        at,
        pen.cast.national,
        "place",
        message.report,
        "supersede",
        unit=entry.unit,
        place_precision=entry.placed.value,
    )
    return Message(again, sender, message.at, at)


def _doubled(pen: Pen, first: Message) -> list[Message]:
    """The same person sends it again; it is taken back as a duplicate, or waits to be linked as not independent."""
    chance, rule = pen.chance.of("double"), pen.scenario.head.invented.messages
    aside = pen.aside("double")
    lost = chance.falls(rule.no_unit, "lost") or not first.placed
    double = _send(aside, "report", first.sender, first.at + STEP, unit=None if lost else _HERE)
    if not lost and chance.falls(500, "linked"):
        return [double]
    who = pen.cast.national if lost else pen.cast.coordinator(pen.entry.unit)
    aside.on_report(double.at + STEP, who, "withdraw", double.report, "withdraw", reason="duplicate")
    return []


def _send(
    pen: Pen, name: str, sender: Player, at: datetime, *, unit: str | None = _HERE, with_harm: bool = False
) -> Message:
    entry, chance = pen.entry, pen.chance.of(name)
    language = chance.weighed(words.LANGUAGES, "language")
    if unit == _HERE:
        unit = None if entry.unit == UNPLACED else entry.unit
    report = pen.write(
        at,
        sender,
        name,
        "/v1/reports",
        makes="report",
        channel=chance.weighed(CHANNELS, "channel").value,
        language=language.value,
        kind=entry.kind.value,
        basis=chance.weighed(BASES, "basis"),
        people_agree_to_share=chance.one(("yes", "yes", "not_asked", "no"), "agree"),
        unit=unit,
        place_precision=entry.placed.value if unit else PlacePrecision.UNKNOWN.value,
        occurred=when_of(pen),
        harm=harm_of(pen) if with_harm else None,
        urgency="immediate" if entry.severity in (Severity.SEVERE, Severity.EXTREME) else "unknown",
        text=words.MESSAGES[entry.kind][language],
        place_words=None if unit else chance.one(words.PLACES[language], "place"),
        actor_class=entry.alleged.value,
    )
    return Message(report, sender, at, at, placed=unit is not None)


def harm_of(pen: Pen) -> list[dict[str, Any]]:
    """What an entry states of people killed and injured."""
    entry = pen.entry
    stated: list[dict[str, Any]] = []
    if entry.killed_min is not None or entry.killed_max is not None:
        stated.append({"what": "killed", "min": entry.killed_min, "max": entry.killed_max})
    if entry.injured is not None:
        stated.append({"what": "injured", "min": entry.injured, "max": entry.injured})
    return stated


def when_of(pen: Pen) -> dict[str, Any]:
    """When an entry happened."""
    entry = pen.entry
    return {"from": entry.starts.isoformat(), "to": entry.last_day.isoformat(), "precision": entry.dated.value}


def _as_wrong(kind: Kind) -> dict[str, Any]:
    return {
        "kind": kind,
        "severity": Severity.MINOR,
        "killed_min": None,
        "killed_max": None,
        "injured": None,
    }


def _coordinator(pen: Pen, message: Message) -> Player:
    return pen.cast.coordinator(pen.entry.unit) if message.placed else pen.cast.national
