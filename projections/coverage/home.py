"""A home's units as they are watched, and what the log was told of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from events.level import CoverageLost, CoverageRestored
from events.vocabulary import Channel
from projections.coverage.told import Told
from projections.projection import Derived, Page
from projections.watched import Watched
from projections.watching import CONFIDENCE, Coverage, Standing
from projections.watching import UNKNOWN as NOBODY

WATCHED, LOST, UNKNOWN, UNASSIGNED = "watched", "lost", "unknown", "unassigned"


@dataclass(slots=True)
class Watching:
    """A unit, or a channel of one: its state since a day, and how often the log was told of it, at last that it is lost
    or not."""

    state: str = ""
    since: int = 0
    last: int | None = None
    told_lost: bool = False
    told: int = 0

    def turn(self, state: str, day: int) -> None:
        if state != self.state:
            self.state, self.since = state, day


@dataclass(slots=True)
class Unit:
    """A unit with its channels."""

    unit: str
    whole: Watching = field(default_factory=Watching)
    coverage: Coverage = Coverage.UNKNOWN
    assigned: int = 0
    silent: int = 0
    next_due: str | None = None
    channels: dict[str, Watching] = field(default_factory=dict)

    def stand(self, standing: Standing, day: int, told: Told) -> None:
        """Take over how it stands on a day."""
        self.coverage, self.assigned, self.silent = standing.coverage, standing.assigned, standing.silent
        self.next_due = told.days.midnight(standing.next_day) if told.days and standing.next_day is not None else None
        known = standing.coverage is not Coverage.UNKNOWN
        self.whole.turn((LOST if standing.coverage is Coverage.LOST else WATCHED) if known else UNKNOWN, day)
        if standing.last is not None:
            self.whole.last = standing.last
        lines = {line.channel: line for line in standing.lines}
        for channel in lines.keys() | self.channels.keys():
            one, line = self.channels.setdefault(channel, Watching()), lines.get(channel)
            if line is None:
                one.turn(UNASSIGNED, day)
            else:
                one.turn(LOST if line.lost else WATCHED, day)
                one.last = line.last

    def subjects(self) -> Iterator[tuple[str | None, Watching]]:
        """The unit itself, without a channel, and then each of them."""
        yield None, self.whole
        yield from sorted(self.channels.items())


class Home:
    """A home: who watches it, its units, and when one of them turns next."""

    __slots__ = ("dirty", "drawn_due", "due", "due_day", "home", "units", "watched")

    def __init__(self, home: str) -> None:
        self.home = home
        self.watched = Watched()
        self.units: dict[str, Unit] = {}
        self.due: str | None = None
        self.drawn_due: str | None = None
        self.due_day = 0
        self.dirty: set[str] = set()

    def look(self, told: Told, unit_id: str, day: int, at: str) -> list[Derived]:
        """See how a unit stands on a day; returns what is to be told of it."""
        standing = self.watched.look(told.patience, unit_id, day)
        unit = self.units.get(unit_id)
        if unit is None:
            if standing == NOBODY:
                return []
            unit = self.units[unit_id] = Unit(unit_id)
        unit.stand(standing, day, told)
        self.dirty.add(unit_id)
        return self.tell(told, unit, at)

    def tell(self, told: Told, unit: Unit, at: str) -> list[Derived]:
        """What the log does not know yet of a unit, where an engine speaks."""
        if told.engine is None:
            return []
        derived = []
        for channel, one in unit.subjects():
            lost = one.state == LOST
            if lost == one.told_lost or one.state not in (LOST, WATCHED):
                continue
            one.told_lost = lost
            one.told += 1
            self.dirty.add(unit.unit)
            data = (CoverageLost if lost else CoverageRestored)(
                unit=unit.unit,
                channel=None if channel is None else Channel.read(channel),
                since=date.fromordinal(one.since),
                effective_at=at,
            )
            seed = "/".join(["coverage", unit.unit, *([channel] if channel else []), str(one.told)])
            derived.append(Derived(f"level/{unit.unit}", self.home, seed, at, data, told.engine))
        return derived

    def schedule(self, told: Told) -> None:
        """Find the next midnight at which a unit turns."""
        turn = self.watched.next_turn
        if turn is None or told.days is None:
            self.due = None
        else:
            self.due_day, self.due = turn, told.days.midnight(turn)

    def draw(self, page: Page) -> None:
        for unit_id in sorted(self.dirty):
            unit = self.units[unit_id]
            page.add("unit", _unit_row(self.home, unit))
            for channel, one in sorted(unit.channels.items()):
                page.add("channel", (unit_id, channel, self.home, *_standing_row(one)))
        self.dirty.clear()
        for source, body in self.watched.drawn():
            page.add("source", (self.home, source, body))
        if self.due != self.drawn_due:
            self.drawn_due = self.due
            page.add("home", (self.home, self.due, self.due_day))


def _unit_row(home: str, unit: Unit) -> tuple[Any, ...]:
    confidence, reason = CONFIDENCE[unit.coverage]
    counts = (confidence.value, reason.value, unit.assigned, unit.silent, unit.next_due)
    return (unit.unit, home, *_standing_row(unit.whole), *counts)


def _standing_row(one: Watching) -> tuple[Any, ...]:
    return (one.state, _iso(one.since), None if one.last is None else _iso(one.last), one.told_lost, one.told)


def _iso(day: int) -> str:
    return date.fromordinal(day).isoformat()
