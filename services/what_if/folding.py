"""One partition of the log folded twice, under the rules as they were adopted and under the other ones, in memory.

Kept is what each side said of each unit by days, and in the end what is known of each case: a few bytes for each level
that changed and each case, nothing for an event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from events.alert import AlertIssued
from events.level import LevelChanged
from events.reference import ClockTicked, EventWaived
from events.vocabulary import EVERY_HOME
from projections.alert_level import PROJECTION
from projections.alert_level.fold import Home
from projections.alert_level.places import Places
from projections.alert_level.rules import Rules
from projections.alert_level.shared import GAZETTEER, NAME, RULES, Shared
from projections.part import COUNTED, Part, Poisoned
from projections.projection import Derived
from projections.rule_set import hash_of
from projections.taken import Taken
from services.what_if.cases import Danger, Maps, danger
from services.what_if.days import Days

Batches: TypeAlias = Callable[[], Iterable[Sequence[Taken]]]
"""A partition's events from the beginning on, in batches, as often as it is asked for."""

BY_CHANGE: TypeAlias = "Counter[tuple[str, str]]"
"""How many alerts were told, by unit and change."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """A rule set as the log adopted it."""

    position: int
    recorded_at: str
    name: str
    rules_hash: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A home that one of the folds cannot take, and why."""

    home: str
    position: int
    why: str


@dataclass
class Said:
    """What one side said: levels by unit and day, and alerts by unit and change."""

    days: dict[str, Days] = field(default_factory=dict)
    alerts: BY_CHANGE = field(default_factory=Counter)

    def of(self, unit: str) -> Days:
        """The days of a unit, also of one of which this side said nothing."""
        return self.days.get(unit) or Days()


@dataclass
class Kept:
    """What is kept of one partition, or of several: no unit and no case is in two of them."""

    adopted: Said = field(default_factory=Said)
    other: Said = field(default_factory=Said)
    dangers: list[Danger] = field(default_factory=list)
    rules: list[Adopted] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def units(self) -> list[str]:
        """Units of which either side ever said anything, in order."""
        return sorted({*self.adopted.days, *self.other.days})

    def add(self, more: Kept) -> None:
        """Take in what another partition kept; what all are told alike is taken once."""
        for mine, its in ((self.adopted, more.adopted), (self.other, more.other)):
            mine.days |= its.days
            mine.alerts += its.alerts
        self.dangers += more.dangers
        self.names |= more.names
        self.left_out += more.left_out
        self.rules = self.rules or more.rules


def fold_twice(batches: Batches, text: str, until: str) -> Kept:
    """Fold a partition up to a moment under both; `text` is the other rule set's, which `read_rule_set` has taken.

    Raises Unfoldable where a broadcast cannot be folded.
    """
    passed: set[tuple[str, int]] = set()
    left_out: dict[str, LeftOut] = {}
    while True:
        try:
            return _Folding(text, passed, left_out.values()).run(batches(), until)
        except Poisoned as poison:
            # The fold is of no use any more, so it begins anew, without what it could not take.
            if poison.exact and (poison.key, poison.position) in _waived(batches()):
                passed.add((poison.key, poison.position))
            else:
                left_out[poison.key] = LeftOut(poison.key, poison.position, poison.why)


class _Folding:
    def __init__(self, text: str, passed: Iterable[tuple[str, int]], left_out: Iterable[LeftOut]) -> None:
        self._text, self._hash = text, hash_of(text)
        self._local = Rules(text)
        self._kept = Kept(left_out=list(left_out))
        self._maps = Maps()
        self._last = 0
        without = [one.home for one in self._kept.left_out]
        self._adopted: Part[Home, Shared] = Part(PROJECTION.fold, parked=without, waived=passed)
        self._other: Part[Home, Shared] = Part(PROJECTION.fold, parked=without, waived=passed)

    def run(self, batches: Iterable[Sequence[Taken]], until: str) -> Kept:
        for events in batches:
            self._take(events)
        self._take([_tick(until, self._last)])  # what falls due by then is said, whether or not anything happened since
        kept = self._kept
        for state in self._adopted.states.values():
            youngest = state.engines[max(state.engines)]
            found = (danger(case, self._maps, self._local) for case in youngest.every_case())
            kept.dangers += [one for one in found if one is not None]
        places = self._adopted.shared.places
        kept.names = {unit: places.name(unit) for unit in {*kept.units, *(one.unit for one in kept.dangers)}}
        return kept

    def _take(self, events: Sequence[Taken]) -> None:
        self._last = events[-1].position if events else self._last
        for event in events:
            if event.mode == COUNTED and event.fault is None:
                self._look(event)
        self._hear(self._kept.adopted, self._adopted.take(events)[0].derived)
        self._hear(self._kept.other, self._other.take([self._otherwise(event) for event in events])[0].derived)

    def _look(self, event: Taken) -> None:
        if event.type == RULES:
            told = event.data
            self._kept.rules.append(Adopted(event.position, event.time, told["rule_set"], told["content_hash"]))
        elif event.type == GAZETTEER:
            self._maps.adopt(self._local.day(event.time), Places.of(event.data["content"]))

    def _otherwise(self, event: Taken) -> Taken:
        """Wherever rules are adopted, these are."""
        if event.type != RULES or event.fault is not None:
            return event
        return replace(event, data=event.data | {"content": self._text, "content_hash": self._hash})

    def _hear(self, said: Said, derived: Iterable[Derived]) -> None:
        for one in derived:
            match one.data:
                case LevelChanged(unit=unit, after=level):
                    day = self._local.day(one.due)
                    at_its_beginning = one.due == self._local.midnight(day)
                    said.days.setdefault(unit, Days()).say(day, level, at_its_beginning=at_its_beginning)
                case AlertIssued(unit=unit, change=change):
                    said.alerts[unit, str(change)] += 1


def _tick(at: str, position: int) -> Taken:
    """Time goes on to a moment; it stands on no log."""
    data = {"nominal": at, "reason": "hour"}
    return Taken(position, at, "reference/clock", 1, ClockTicked.name, EVERY_HOME, COUNTED, "", "", data)


def _waived(batches: Iterable[Sequence[Taken]]) -> set[tuple[str, int]]:
    """What keys of the level pass over, by all that the log says."""
    waivers = [one for events in batches for one in events if one.type == EventWaived.name and one.fault is None]
    return {
        (one.data["key"], one.data["position"])
        for one in waivers
        if one.data["projection"] == NAME and one.data["position"] < one.position
    }
