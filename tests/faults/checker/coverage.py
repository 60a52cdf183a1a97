"""Which places and channels nobody watched any more, and which somebody watched again: what had to be said of it.

By the words at the head of projections/coverage and of projections/watching, and none of their code.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from tests.faults.checker.facts import Told
from tests.faults.checker.findings import Findings, NotModelled
from tests.faults.checker.identity import named
from tests.faults.checker.ledger import Row
from tests.faults.checker.levels import told_by
from tests.faults.checker.places import Places
from tests.faults.checker.watched import BLIND, UNKNOWN, Watched
from tests.faults.checker.weights import Rules, local_day, midnight

LOST, RESTORED = "level.coverage_lost", "level.coverage_restored"
ENGINE = 1
Subject = tuple[str, str | None]
"""A unit, and a channel of it or none."""


class Said(NamedTuple):
    """An event that has to be there."""

    type: str
    stream: str
    home: str
    event_id: str
    engine: int
    data: dict[str, Any]


@dataclass
class Coverage:
    """All that the log says so far of who watches."""

    said: list[Said] = field(default_factory=list)
    _engine: int | None = None
    _rules: Rules | None = None
    _places: Places | None = None
    _watched: Watched = field(default_factory=Watched)
    _lost: dict[Subject, tuple[bool, date]] = field(default_factory=dict)
    _told: dict[Subject, int] = field(default_factory=dict)
    _homes: dict[str, str] = field(default_factory=dict)
    _last: str | None = None

    def take(self, event: Told) -> None:
        """One event more, after every midnight before it."""
        if event.mode != "actual" or event.type in (LOST, RESTORED):
            return
        self._pass_midnights(event.time)
        data = event.data
        if event.type == "reference.rules_adopted":
            self._rules = tomllib.loads(data["content"])
            self._look(self._day(event.time), event.time)
        elif event.type == "reference.gazetteer_adopted":
            self._places = Places(data["content"])
            self._look(self._day(event.time), event.time)
        elif event.type == "reference.engine_adopted" and data["projection"] == "coverage":
            if data["number"] != ENGINE:
                raise NotModelled(f"engine {data['number']} of coverage speaks from {event.time} on")
            self._engine = data["number"]
            self._tell(event.time)
        elif self._watched.take(event, self._day(event.time), self._day):
            self._look(self._day(event.time), event.time)
        self._last = event.time

    def _day(self, moment: str) -> date:
        return local_day(moment, self._rules["time_zone"] if self._rules else "UTC")

    def _row_of(self, place: str) -> str:
        return self._places.row_at(place) if self._places else place

    def _pass_midnights(self, until: str) -> None:
        if self._rules is None or self._last is None:
            return
        zone = self._rules["time_zone"]
        day = local_day(self._last, zone) + timedelta(days=1)
        while (moment := midnight(day, zone)) <= until:
            self._look(day, moment)
            day += timedelta(days=1)

    def _look(self, day: date, moment: str) -> None:
        """Every unit on a day, and its channels; what is unknown or unassigned is neither lost nor watched."""
        if self._rules is None:
            return
        now: dict[Subject, bool] = {}
        for place, home in self._watched.homes.items():
            unit = self._row_of(place)
            self._homes[unit] = home
            confidence = self._watched.confidence(unit, self._rules, day, self._row_of)
            if confidence != UNKNOWN:
                now[unit, None] = confidence == BLIND
                for channel, lost in self._watched.channels(unit, self._rules, day, self._row_of).items():
                    now[unit, channel] = lost
        for subject, lost in now.items():
            if subject not in self._lost or self._lost[subject][0] != lost:
                self._lost[subject] = (lost, day)
        for subject in self._lost.keys() - now.keys():
            del self._lost[subject]
        self._tell(moment)

    def _tell(self, moment: str) -> None:
        if self._engine is None:
            return
        for subject in sorted(self._lost, key=lambda one: (one[0], one[1] or "")):
            (lost, since), (unit, channel) = self._lost[subject], subject
            times = self._told.get(subject, 0)
            if lost == (times % 2 == 1):
                continue
            self._told[subject] = times + 1
            seed = "/".join(["coverage", unit, *([channel] if channel else []), str(times + 1)])
            data: dict[str, Any] = {"unit": unit, "since": since.isoformat(), "effective_at": moment}
            if channel:
                data["channel"] = channel
            kind = LOST if lost else RESTORED
            self.said.append(Said(kind, f"level/{unit}", self._homes[unit], named(seed), self._engine, data))


def judge(folded: Iterable[Row], rows: Sequence[Row], found: Findings) -> None:
    """Everything lost and restored that follows from the log is in it once, and nothing else of the kind."""
    coverage = Coverage()
    for event in told_by(folded):
        coverage.take(event)
    wanted = {one.event_id: one for one in coverage.said}
    there = {row.event_id: row for row in rows if row.type in (LOST, RESTORED)}
    for event_id in wanted.keys() - there.keys():
        found.add("coverage_missing", f"{wanted[event_id]} follows and is not told.")
    for event_id, row in there.items():
        one = wanted.get(event_id)
        if one is None:
            found.add("coverage_of_nothing", f"{row.type} {row.wire['data']} does not follow.", row.position)
        elif (row.type, row.stream, row.home, row.wire.get("engine"), row.wire["data"]) != (
            one.type,
            one.stream,
            one.home,
            one.engine,
            one.data,
        ):
            sentence = f"{row.type} {row.wire['data']} is told, and computed anew it is {one}."
            found.add("coverage_differs", sentence, row.position)
