"""Whoever reads events.v1 matches no report with its reporter, by neighbourhood, time or any attribute.

Three months are lived through by reporters of one commune, who check in minutes after they send a report, as people do.
The one who guesses has the bytes of the log and nothing else, and does no better than by drawing. That they are able to
is shown on logs in which something was left in: the form that check-ins once had, and others.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from math import sqrt
from secrets import token_bytes
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest

from events import reporter as reporters
from events.command import Command, read_command
from events.envelope import Draft, event_id
from events.event import Event
from events.report.decisions import Receive
from events.reporter import SignGivenAlready
from events.vocabulary import Actor, Role
from services.acts import report as report_acts
from services.acts import reporter as reporter_acts
from services.acts.network import Committee, Network
from services.desk.desk import Desk
from services.desk.order import Order
from services.gazetteer import read_gazetteer
from services.ledger.ledger import Append, Entry, Submission
from services.ledger.memory import MemoryLedger
from services.signs import Signs
from services.vault.commands import CommandIds
from services.vault.master import MasterKey
from services.vault.memory import MemoryVault
from services.vault.opening import Opener
from services.vault.sealing import Sealer
from services.vault.used import UsedInMemory
from tests.support.guessing import TRICKS, Log, guessed_right
from tests.support.history import GIHANGA
from tests.unit.desk.conftest import GAZETTEER

ZONE = timezone(timedelta(hours=2))
SOURCE = "urn:intabaza:test"
FIRST = date(2026, 5, 1)
DAYS = 96
REPORTERS = 8
A_DAY_REPORTS = 2
REPORTS = DAYS * A_DAY_REPORTS
MOST_DAYS_LATE = 12
LAST = FIRST + timedelta(days=DAYS - MOST_DAYS_LATE)


def by_chance(reports: int) -> float:
    """How many of them drawing gets right, at most: more of them about once in a hundred million times."""
    return reports / REPORTERS + 6 * sqrt(reports / REPORTERS * (1 - 1 / REPORTERS))


@dataclass(frozen=True)
class Deed:
    """What a reporter does at a moment: send a report, or check in with or without having sent one that day.

    What was written on an earlier day, `of`, came as a letter and is typed in at that moment.
    """

    at: datetime
    reporter: int
    reports: bool
    had_to_report: bool = False
    of: date | None = None

    @property
    def day(self) -> date:
        return self.of or self.at.date()


def some_months(dice: random.Random, checks_in: float = 0.8) -> list[Deed]:
    """Each reporter sends as many reports; whether they check in on a day has nothing to do with that."""
    turns = [number for number in range(REPORTERS) for _ in range(REPORTS // REPORTERS)]
    while True:
        dice.shuffle(turns)
        days = [turns[first : first + A_DAY_REPORTS] for first in range(0, REPORTS, A_DAY_REPORTS)]
        if all(len(set(day)) == A_DAY_REPORTS for day in days) or _spread(days, dice):
            break
    return sorted(
        (deed for number, day in enumerate(days) for deed in _a_day(number, day, dice, checks_in)),
        key=lambda one: one.at,
    )


def _spread(days: list[list[int]], dice: random.Random) -> bool:
    """Swap until nobody reports twice a day; whether it came so far."""
    for _ in range(10_000):
        twice = [day for day in days if len(set(day)) < A_DAY_REPORTS]
        if not twice:
            return True
        one, other = dice.choice(twice), dice.choice(days)
        here, there = dice.randrange(A_DAY_REPORTS), dice.randrange(A_DAY_REPORTS)
        one[here], other[there] = other[there], one[here]
    return False


def _a_day(number: int, who_reports: Sequence[int], dice: random.Random, checks_in: float) -> Iterator[Deed]:
    day = FIRST + timedelta(days=number + 1)
    minutes = dice.sample(range(5, 1_380), REPORTERS)
    for reporter, minute in enumerate(minutes):
        at = datetime.combine(day, time(), ZONE) + timedelta(minutes=minute)
        if (reports := reporter in who_reports) is True:
            yield Deed(at, reporter, reports=True)
        if dice.random() < checks_in:
            yield Deed(at + timedelta(minutes=dice.uniform(1, 4)), reporter, reports=False, had_to_report=reports)


def some_letters(deeds: Sequence[Deed], dice: random.Random) -> list[Deed]:
    """The same months, but what a reporter writes on half of the days is typed in some days later, all at once."""
    delays = {(deed.reporter, deed.day): dice.choice((0, dice.randint(1, MOST_DAYS_LATE))) for deed in deeds}
    found = []
    for deed in deeds:
        delay = delays[deed.reporter, deed.day]
        found.append(replace(deed, at=deed.at + timedelta(days=delay), of=deed.day if delay else None))
    return sorted(found, key=lambda one: one.at)


class CheckedInAtFirst(Event):
    """As version 1 was."""

    name: ClassVar[str] = "reporter.checked_in"

    on: date
    channel: str
    nothing_to_report: bool


class Months:
    """A network in memory whose clock they set."""

    def __init__(self) -> None:
        self.vault = MemoryVault()
        self.ledger = MemoryLedger(key_lives=self.vault.lives, simulated_from=self._at(FIRST))
        ids = CommandIds(MasterKey(token_bytes(32)))
        self.signs = Signs(self.vault, self.ledger, self.vault, ids, zone=ZONE, source=SOURCE)
        desk = Desk(
            *(self.ledger, Sealer(self.vault), self.vault, self.vault, ids, self.signs),
            clock=lambda: self.now,
            zone=ZONE,
            source=SOURCE,
        )
        opener = Opener(self.vault, self.ledger, ids, SOURCE, UsedInMemory())
        self.network = Network(desk, opener, read_gazetteer(GAZETTEER), Committee(frozenset(), 1))
        self.home = self.network.gazetteer.home_of(GIHANGA)
        self.people = [uuid4() for _ in range(REPORTERS)]
        self.now = self._at(FIRST)
        self.truth: dict[str, str] = {}

    @staticmethod
    def _at(day: date) -> datetime:
        return datetime.combine(day, time(9), UTC)

    async def live(self, deeds: Sequence[Deed], check_in: Callable[[Months, Deed], Any]) -> Log:
        """Live through it; what is on the log then."""
        coordinator = uuid4()
        for person in self.people:
            await self._set(self.now + timedelta(minutes=7))
            for command, fields in (
                (reporters.Enrol, {"languages": ["rn"], "channels": ["sms"], "trained": True}),
                (reporters.AssignCoverage, {"units": [GIHANGA], "channel": "sms", "cadence_days": 1}),
            ):
                order = self._order(coordinator, Role.COORDINATOR, command, fields)
                await reporter_acts.act(self.network, order, person, self.home)
        for deed in deeds:
            while (midnight := self._next_midnight()) <= deed.at:
                await self._set(midnight)
                await self.signs.look()
            await self._set(deed.at)
            await (self._report(deed) if deed.reports else check_in(self, deed))
        await self._set(self._next_midnight())
        await self.signs.look()
        return Log([row.wire() for row in await self.ledger.read(0, 10_000)], ZONE)

    async def check_in(self, deed: Deed) -> None:
        """As it is done today."""
        fields = {"on": deed.day, "channel": "sms", "nothing_to_report": not deed.had_to_report}
        order = self._order(self.people[deed.reporter], Role.REPORTER, reporters.CheckIn, fields)
        with suppress(SignGivenAlready):  # of the late ones of a week one is recorded
            await reporter_acts.check_in(self.network, order, self.people[deed.reporter], self.home)

    async def check_in_at_once(self, deed: Deed) -> None:
        """As it was done at first."""
        stream, rows = await self.stream_of(deed.reporter)
        command_id, mac = uuid4(), token_bytes(32)
        draft = Draft(
            event_id=event_id(command_id, 0),
            source=SOURCE,
            stream=stream,
            version=rows + 1,
            home=self.home,
            data=CheckedInAtFirst(on=deed.at.date(), channel="sms", nothing_to_report=not deed.had_to_report),
            command_id=command_id,
            command_mac=mac,
            actor=Actor(role=Role.REPORTER, ref=uuid4()),
            correlation_id=command_id,
        )
        entry = Entry(draft.event_id, draft.data.name, draft.body())
        await self.ledger.append(Submission(command_id, mac, (Append(stream, rows, self.home, (entry,)),)))

    async def stream_of(self, reporter: int) -> tuple[str, int]:
        """Their stream, and how many events it has."""
        stream = f"reporter/{await self.vault.reporter_id(self.people[reporter], self.home)}"
        return stream, len(await self.ledger.read_stream(stream))

    async def _report(self, deed: Deed) -> None:
        person = self.people[deed.reporter]
        fields = {
            "channel": "sms",
            "language": "rn",
            "kind": "tension",
            "unit": GIHANGA,
            "place_precision": "commune",
            "received_at": deed.at if deed.of is None else datetime.combine(deed.of, time(8), ZONE),
            "text": "Hari umwuka mubi ku isoko.",
        }
        order = self._order(person, Role.REPORTER, Receive, fields)
        await report_acts.receive(self.network, order, person)
        report_id = report_acts.report_id_of(self.network, order)
        self.truth[f"report/{report_id}"] = (await self.stream_of(deed.reporter))[0]

    async def _set(self, moment: datetime) -> None:
        self.now = moment.astimezone(UTC)
        await self.ledger.set_clock(self.now)

    def _next_midnight(self) -> datetime:
        return datetime.combine(self.now.astimezone(ZONE).date() + timedelta(days=1), time(), ZONE)

    def _order(self, person: UUID, role: Role, command: type[Command], fields: Mapping[str, Any]) -> Order[Any]:
        return Order(person, role, str(uuid4()), read_command(command, fields), "target")


def found_out(log: Log, truth: Mapping[str, str]) -> dict[str, float]:
    """How many reports each trick matches, where that is more than chance would."""
    right = {trick.__name__: guessed_right(log, truth, trick) for trick in TRICKS}
    return {name: count for name, count in right.items() if count > by_chance(len(log.reports))}


@pytest.fixture(scope="module")
def deeds() -> list[Deed]:
    return some_months(random.Random(7))


@pytest.fixture(scope="module")
async def lived(deeds: list[Deed]) -> tuple[Months, Log]:
    """Lived through as it is done today."""
    months = Months()
    return months, await months.live(deeds, Months.check_in)


async def test_no_trick_matches_reports_with_reporters_better_than_drawing(
    deeds: list[Deed], lived: tuple[Months, Log]
) -> None:
    months, log = lived
    assert len(log.reports) == REPORTS
    assert sum(map(len, log.signs.values())) == sum(not deed.reports for deed in deeds)
    assert found_out(log, months.truth) == {}


async def test_what_was_written_at_once_matched_most_of_them(deeds: list[Deed]) -> None:
    months = Months()
    log = await months.live(deeds, Months.check_in_at_once)
    found = found_out(log, months.truth)
    assert found["nearest_time"] > REPORTS * 0.6
    assert found["next_place"] > REPORTS * 0.6
    assert {"had_to_report", "something_else"} <= found.keys()


@pytest.mark.parametrize("sealed", [True, False])
async def test_a_letter_that_brings_both_leads_to_nobody_and_once_did(
    deeds: list[Deed], monkeypatch: pytest.MonkeyPatch, sealed: bool
) -> None:
    """Once a late sign came with the next midnight, as of its own day."""
    if not sealed:
        monkeypatch.setattr("services.vault.memory.recorded_from", lambda on, taken_on: taken_on + timedelta(days=1))
        monkeypatch.setattr("services.signs.recorded_as_of", lambda on, taken_on: on)
        monkeypatch.setattr("events.reporter.recorded_as_of", lambda on, taken_on: on)
    months = Months()
    letters = some_letters(deeds, random.Random(11))
    log = await months.live([one for one in letters if one.at.date() < LAST], Months.check_in)
    found = found_out(log, months.truth)
    assert found == {} if sealed else "late_of_its_time" in found


def planted(log: Log, change: Callable[[dict[str, Any], str], None]) -> Log:
    """The log with something left in each sign: `change` is given its event and its reporter's stream."""
    records = []
    for event in map(dict, log.events):
        if event["type"] == "reporter.checked_in":
            event["data"] = dict(event["data"])
            change(event, event["subject"])
        records.append(json.dumps(event).encode())
    return replace(log, records=records)


async def test_the_one_who_guesses_finds_whatever_is_left_in(deeds: list[Deed], lived: tuple[Months, Log]) -> None:
    months, log = lived
    reported = {(months.truth[report["subject"]], log.day(report)): report for report in log.reports}

    def flag(event: dict[str, Any], stream: str) -> None:
        event["data"]["nothing_to_report"] = (stream, event["data"]["on"]) not in reported

    def longer(event: dict[str, Any], stream: str) -> None:
        event["data"]["said"] = "x" * (600 if (stream, event["data"]["on"]) in reported else 300)

    def reference(event: dict[str, Any], stream: str) -> None:
        if (report := reported.get((stream, event["data"]["on"]))) is not None:
            event["anything"] = report["correlationid"]

    def near(event: dict[str, Any], stream: str) -> None:
        if (report := reported.get((stream, event["data"]["on"]))) is not None:
            event["commandid"] = str(UUID(int=UUID(report["commandid"]).int + 5))

    def in_order(log: Log) -> Log:
        came = {(deed.reporter, str(deed.at.date())): deed.at for deed in deeds if not deed.reports}
        number = {stream: place for place, stream in enumerate(streams)}
        others = [event for event in log.events if event["type"] != "reporter.checked_in"]
        signs = [event for event in log.events if event["type"] == "reporter.checked_in"]
        signs.sort(key=lambda event: came[number[event["subject"]], event["data"]["on"]])
        return replace(log, records=[json.dumps(event).encode() for event in (*others, *signs)])

    streams = [(await months.stream_of(number))[0] for number in range(REPORTERS)]
    assert {"had_to_report", "something_else"} <= found_out(planted(log, flag), months.truth).keys()
    assert "longest" in found_out(planted(log, longer), months.truth)
    assert {"same_values", "same_values_that_day"} <= found_out(planted(log, reference), months.truth).keys()
    assert "near_commandid" in found_out(planted(log, near), months.truth)
    assert "rank_of_the_day" in found_out(in_order(log), months.truth)


async def test_who_reports_instead_of_checking_in_is_found_by_that_alone() -> None:
    """The limit that the README names, measured: who else always checks in is missing on each day of their reports."""
    months = Months()
    instead = [deed for deed in some_months(random.Random(7), checks_in=0.95) if deed.reports or not deed.had_to_report]
    log = await months.live(instead, Months.check_in)
    assert found_out(log, months.truth).keys() == {"gave_none"}
