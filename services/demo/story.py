"""A scenario as acts in order of time: the calendar and the recipients first, then every entry's own story."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from events.places.facts import UnitKind
from events.vocabulary import Kind
from projections.rule_set import read_rule_set
from services.demo import answers, committee, messages
from services.demo.acts import EVENING, MORNING, STEP, Act, Made, Pen
from services.demo.cast import Cast
from services.demo.chance import Chance
from services.demo.committee import GRAVE, Opened
from services.demo.scenario import Entry, Scenario

WITHIN = timedelta(days=14)
"""So long after a case something that was done in its place is taken to be done about it, where no account says so."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that people will do from the first day to the last, and when something falls due."""

    acts: Sequence[Act]
    deadlines: Sequence[datetime]
    begins: datetime
    ends: datetime
    seed: int

    @property
    def moments(self) -> Mapping[datetime, Sequence[Act]]:
        """Acts by their moment, with every midnight and every deadline in between, in order."""
        by_moment: dict[datetime, list[Act]] = {at: [] for at in self.deadlines if self.begins <= at <= self.ends}
        at = self.begins
        while at <= self.ends:
            by_moment[at] = []
            at += timedelta(days=1)
        for act in self.acts:
            by_moment.setdefault(act.at, []).append(act)
        return dict(sorted(by_moment.items()))


def plan(scenario: Scenario, cast: Cast, seed: int | None = None) -> Plan:
    """All acts of a scenario; the same for the same seed."""
    return _Story(scenario, cast, scenario.head.seed if seed is None else seed).told()


class _Story:
    def __init__(self, scenario: Scenario, cast: Cast, seed: int) -> None:
        self._scenario = scenario
        self._cast = cast
        self._rules = read_rule_set(scenario.rules)
        self._zone = ZoneInfo(self._rules.time_zone)
        self._seed = seed
        self._chance = Chance(seed)
        self._acts: list[Act] = []
        self._opened: dict[str, Opened] = {}
        self._settled = {one.answers: one for one in scenario.entries if one.answer == "resolved" and one.answers}

    def told(self) -> Plan:
        head = self._scenario.head
        begins = datetime.combine(head.begins, time(), self._zone)
        ends = datetime.combine(head.ends, time(), self._zone)
        self._reference(begins)
        self._enrol(begins)
        for entry in self._scenario.entries:
            self._entry(entry)
        self._one_incident()
        # Sorting keeps what is written first before what is written later at the same moment.
        within = sorted((act for act in self._acts if act.at <= ends), key=lambda act: act.at)
        acts = tuple(_whole(within))
        return Plan(acts, tuple(sorted({at for act in acts for at in self._deadlines(act)})), begins, ends, self._seed)

    def _deadlines(self, act: Act) -> Iterator[datetime]:
        """When something that this act begins falls due; many are met and never told of."""
        match act.operation:
            case "refer":
                yield from (datetime.fromisoformat(act.body[name]) for name in ("acknowledge_by", "act_by"))
            case "cases" if act.body.get("provisional"):
                yield act.at + timedelta(hours=self._rules.committee.ratify_within_hours)
            case "assess" if (hours := self._rules.response.answer_within_hours.get(act.body["severity"])) is not None:
                yield act.at + timedelta(hours=hours)

    def _reference(self, begins: datetime) -> None:
        admin = self._cast.admin
        for one in self._scenario.head.recipients:
            body = {
                "recipient": one.recipient,
                "recipient_class": one.recipient_class.value,
                "label": one.label,
                "serves": countries_of(self._scenario),
                "purposes": [purpose.value for purpose in one.purposes],
                "conflicts_with": [actor.value for actor in one.conflicts_with],
            }
            self._write(begins, admin, f"recipient {one.recipient}", "/v1/reference/register-recipient", body)
        for number, told in enumerate(self._scenario.head.elections):
            at = max(begins, datetime.combine(told.told, time(MORNING), self._zone))
            fields = told.model_dump(mode="json", exclude={"told"}, exclude_none=True)
            self._write(at, admin, f"election {number}", "/v1/reference/date-election", fields, chain="elections")

    def _enrol(self, begins: datetime) -> None:
        """One reporter of each place is enrolled by its coordinator."""
        for unit in dict.fromkeys(entry.unit for entry in self._scenario.entries if entry.unit != messages.UNPLACED):
            reporter = self._cast.reporters(unit)[0]
            body = {
                "who": {"person_id": str(reporter.person_id)},
                "unit": unit,
                "languages": ["rn", "fr"],
                "channels": ["sms", "voice"],
                "trained": True,
            }
            self._write(begins, self._cast.coordinator(unit), f"enrol {unit}", "/v1/reporters/enrol", body)

    def _write(
        self, at: datetime, who: Any, name: str, address: str, body: Mapping[str, Any], chain: str | None = None
    ) -> None:
        self._acts.append(Act(at, who, name, chain or name, (address,), body))

    def _entry(self, entry: Entry) -> None:
        chance = self._chance.of("entry", entry.entry)
        pen = Pen(self._scenario, self._cast, self._zone, entry, chance, entry.entry, self._acts)
        heard = messages.hear(pen)
        credibility = committee.judge(pen, heard)
        if entry.kind in (Kind.RESPONSE_UPDATE, Kind.NOTHING_TO_REPORT):
            self._done_about_it(pen, heard)
        elif heard.first.placed:
            opened = committee.open_case(pen, heard, credibility)
            if opened is not None:
                self._opened[entry.entry] = opened
                committee.open_twice(pen, heard, opened)
                work = answers.answer(pen, opened)
                answers.end(pen, opened, work, self._settled_on(entry, opened))
            if opened is None or not self._is_answered(entry):
                messages.take_back(pen, heard)
        if chance.falls(self._scenario.head.invented.messages.wrong, "wrong") and entry.unit != messages.UNPLACED:
            messages.hear_wrong(pen.aside("wrong"))

    def _settled_on(self, entry: Entry, opened: Opened) -> datetime | None:
        """When an account says that it ended."""
        if (by := self._settled.get(entry.entry)) is None:
            return None
        return max(datetime.combine(by.last_day, time(EVENING), self._zone), opened.assessed + STEP)

    def _is_answered(self, entry: Entry) -> bool:
        return any(one.answers == entry.entry for one in self._scenario.entries)

    def _done_about_it(self, pen: Pen, heard: messages.Heard) -> None:
        """What was done is recorded in the case that an account names, else in the latest one of its place."""
        entry = pen.entry
        about, what = self._opened.get(entry.answers or ""), entry.answer
        if entry.answers is None:
            since = entry.starts - WITHIN
            near = [
                one
                for one in self._scenario.entries
                if one.unit == entry.unit and since <= one.last_day <= entry.starts and one.entry in self._opened
            ]
            about = self._opened[near[-1].entry] if near else None
            what = None
        if about is None or what == "resolved":
            return
        at = max(heard.first.ready, about.assessed) + STEP
        coordinator = self._cast.coordinator(self._unit_of(about))
        pen.on_case(at, coordinator, "record", about.case, "record-action", what=what or "other", by="others")

    def _unit_of(self, opened: Opened) -> str:
        name = next(name for name, one in self._opened.items() if one is opened)
        return next(one.unit for one in self._scenario.entries if one.entry == name)

    def _one_incident(self) -> None:
        """Grave cases of a day on which several entries tell of one attack are related to the first of them."""
        for day in self._scenario.head.one_incident:
            grave = [
                one
                for one in self._scenario.entries
                if one.starts == day and one.severity in GRAVE and one.entry in self._opened
            ]
            for one in grave[1:]:
                self._relate(one, grave[0], day)

    def _relate(self, entry: Entry, to: Entry, day: date) -> None:
        pen = Pen(self._scenario, self._cast, self._zone, entry, self._chance, f"{entry.entry} relation", self._acts)
        at = pen.moment(day + timedelta(days=5), EVENING)
        case, other = self._opened[entry.entry].case, self._opened[to.entry].case
        pen.on_case(at, self._cast.national, "relate", case, "relate", case_id=other, relation="same_incident")


def countries_of(scenario: Scenario) -> list[str]:
    """The units that hold all others."""
    return [unit.unit_id for unit in scenario.gazetteer.in_force(kind=UnitKind.COUNTRY)]


def _whole(acts: Iterable[Act]) -> Iterable[Act]:
    """Leave out what speaks of something that the scenario's last day cut off."""
    made: set[str] = set()
    for act in acts:
        if all(one.of in made for one in spoken_of(act)):
            if act.makes is not None:
                made.add(act.makes.of)
            yield act


def spoken_of(act: Act) -> list[Made]:
    """Everything that an act speaks of and that another one made."""
    return [*(part for part in act.address if isinstance(part, Made)), *_within(act.body)]


def _within(value: object) -> Iterable[Made]:
    if isinstance(value, Made):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _within(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _within(part)
