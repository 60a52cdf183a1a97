"""How well each unit of a home is watched: from assignments, signs of life and reports, and from nothing else.

Pure, and used by every fold that asks (design rule 9). Days are ordinals of local days: an event is of the day that it
was recorded on, by the time zone of the rules then in force, of UTC before any.

**Who watches.** A reporter's stream covers the places of its latest `coverage_assigned`, over that channel, until it is
stood down; each place is watched for its row (`Gazetteer.row_at`). Its *last sign* is the latest of its check-ins since
that assignment. A check-in is of the day that it names, and never of a later day than it was recorded on; one of a day
before the assignment is no sign. What is checked in over another channel than the assigned one says that the reporter
lives, and nothing of the channel.

**An assignment is no sign.** Whoever has given none since is *waited for*, as long as silence would take from that day
on: they count neither as silent nor as alive, and a channel over which nobody else is assigned does not stand there
yet, unless a report came over it. Afterwards they are silent since that day.

**Reports** are signs of life of the channel over which they came, in the row of the place of which they speak, and
never of a reporter: of the day on which they reached the door, and never of a later one than they were recorded on. One
that a machine recorded, or somebody of whom this program does not know who that is, is no sign: nobody there need have
spoken. Nor is one that nobody could place. A withdrawn report was a sign all the same; one received again elsewhere is
one there too, of its own day.

**Silence.** A reporter is silent from the day on which `missed` cadences and `told_within_days` have gone by since the
day after its last sign: whoever checks in on the last day is heard of in time. A *channel* of a unit is one over which
somebody is assigned there. It is lost while, of everybody assigned over it there, so much has gone by since the last
sign over it, and as many of their shortest cadences since the last report over it. A *unit* is lost while all its
reporters are silent and all its channels are lost, so also where nobody is assigned any more, or those alone who are
waited for: once it is lost, somebody has to speak. Where nobody ever was assigned it is unknown; and as long as each of
its places that anybody was ever assigned to is covered by its very first reporter, who is waited for still (an
assignment put right on its own day is the same one).

**Confidence**, beside a unit's level: blind where it is lost; low where it is unknown (`coverage_unknown`); else by how
many of its reporters are not silent, in permille rounded down: low below `medium_from` (`few_reporters`); medium where
a channel is lost (`channel_lost`), or below `high_from` (`coverage_partial`); else high.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from events.level import Confidence, ConfidenceReason

ASSIGNED, CHECKED_IN, STOOD_DOWN = "reporter.coverage_assigned", "reporter.checked_in", "reporter.stood_down"
RECEIVED = "report.received"
SIGNS = frozenset({ASSIGNED, CHECKED_IN, STOOD_DOWN, RECEIVED})
"""Types that say who watches, and that somebody does."""

REPORTER = "reporter/"
NOWHERE = "unplaced"
SPOKEN = frozenset({"self", "coordinator", "operator"})
"""By whom a report is recorded that somebody there has told."""


class Coverage(StrEnum):
    """How well a unit is watched."""

    UNKNOWN = "unknown"
    FULL = "full"
    PARTIAL = "partial"
    CHANNEL_LOST = "channel_lost"
    FEW = "few"
    LOST = "lost"


CONFIDENCE: Mapping[Coverage, tuple[Confidence, ConfidenceReason]] = {
    Coverage.UNKNOWN: (Confidence.LOW, ConfidenceReason.COVERAGE_UNKNOWN),
    Coverage.FULL: (Confidence.HIGH, ConfidenceReason.COVERAGE_FULL),
    Coverage.PARTIAL: (Confidence.MEDIUM, ConfidenceReason.COVERAGE_PARTIAL),
    Coverage.CHANNEL_LOST: (Confidence.MEDIUM, ConfidenceReason.CHANNEL_LOST),
    Coverage.FEW: (Confidence.LOW, ConfidenceReason.FEW_REPORTERS),
    Coverage.LOST: (Confidence.BLIND, ConfidenceReason.COVERAGE_LOST),
}
"""How much a level may be relied on, and why."""

BY_REASON: Mapping[str, Coverage] = {reason.value: coverage for coverage, (_, reason) in CONFIDENCE.items()}


class Patience(NamedTuple):
    """What a rule set says of silence: see the head of this page."""

    missed: int
    told_within_days: int
    high_from: int
    medium_from: int


class Reporter(NamedTuple):
    """One stream: what it covers, and the days of its last sign and of the last one over its channel, at first that of
    its assignment; whether it was heard since; and the places that nobody had been assigned to before it."""

    places: tuple[str, ...]
    channel: str
    cadence_days: int
    last: int
    last_over: int
    heard: bool = False
    first_at: tuple[str, ...] = ()


class Line(NamedTuple):
    """A channel of a unit on a day, with the day of the last sign over it."""

    channel: str
    lost: bool
    last: int


class Standing(NamedTuple):
    """A unit on a day. `last` is the day of the last sign of any kind, None where there was none; `next_day` the next
    one on which something of it is another without a new sign. Who is waited for is assigned and not silent."""

    coverage: Coverage
    assigned: int = 0
    silent: int = 0
    last: int | None = None
    lines: tuple[Line, ...] = ()
    next_day: int | None = None


UNKNOWN = Standing(Coverage.UNKNOWN)


class Place:
    """A place: whether it was ever covered, the day of the last report over each channel, and in which row it is."""

    __slots__ = ("covered", "heard", "row")

    def __init__(self, covered: bool = False, heard: dict[str, int] | None = None, row: str | None = None) -> None:
        self.covered = covered
        self.heard = {} if heard is None else heard
        self.row = row


class Row:
    """What belongs to one unit under the gazetteer in force; `covered` are its places that anybody was assigned to."""

    __slots__ = ("covered", "heard", "streams")

    def __init__(self) -> None:
        self.covered: set[str] = set()
        self.heard: dict[str, int] = {}
        self.streams: set[str] = set()

    def hear(self, channel: str, day: int) -> None:
        self.heard[channel] = max(day, self.heard.get(channel, day))


class Watch:
    """All that is known of who watches one home. It answers only after `place` has said which place is in which row."""

    def __init__(self) -> None:
        self.reporters: dict[str, Reporter] = {}
        self.places: dict[str, Place] = {}
        self.rows: dict[str, Row] = {}
        self.row_of: Callable[[str], str] | None = None
        self._dirty: set[str] = set()

    # --- what is told ---------------------------------------------------------------------------------------------

    def place(self, row_of: Callable[[str], str]) -> None:
        """Let a gazetteer say in which row each place is."""
        self.row_of = row_of
        self.rows = {}
        for place_id, place in self.places.items():
            if place_id != NOWHERE:
                row = self._row(place_id)
                if place.row != (unit := row_of(place_id)):
                    place.row = unit
                    self._dirty.add(place_id)
                if place.covered:
                    row.covered.add(place_id)
                for channel, day in place.heard.items():
                    row.hear(channel, day)
        for stream, reporter in self.reporters.items():
            for place_id in reporter.places:
                if place_id != NOWHERE:
                    self._row(place_id).streams.add(stream)

    def take(
        self, type_: str, stream: str, data: Mapping[str, Any], day: int, day_of: Callable[[str], int]
    ) -> set[str]:
        """Take one of `SIGNS`, recorded on this day; returns the rows whose standing may be another."""
        if type_ == RECEIVED:
            return self._received(data, day, day_of)
        if type_ == ASSIGNED:
            places = tuple(data["units"])
            before = self.reporters.get(stream)
            again = before.first_at if before and not before.heard and before.last == day else ()
            new = tuple(one for one in places if one in again or not self._was_covered(one))
            assigned = Reporter(places, data["channel"], data["cadence_days"], day, day, first_at=new)
            touched = self._assign(stream, assigned)
        elif (reporter := self.reporters.get(stream)) is None:
            return set()
        elif type_ == STOOD_DOWN:
            touched = self._assign(stream, None)
        else:
            signed = min(day, date.fromisoformat(data["on"]).toordinal())
            last = max(reporter.last, signed)
            over = max(reporter.last_over, signed) if data["channel"] == reporter.channel else reporter.last_over
            heard = reporter.heard or signed >= reporter.last
            if (last, over, heard) == (reporter.last, reporter.last_over, reporter.heard):
                return set()
            self.reporters[stream] = reporter._replace(last=last, last_over=over, heard=heard)
            touched = self._rows_of(reporter.places)
        self._dirty.add(stream)
        return touched

    def _received(self, data: Mapping[str, Any], day: int, day_of: Callable[[str], int]) -> set[str]:
        place_id, channel = data["place"]["unit"], data["channel"]
        if place_id == NOWHERE or data["recorded_by"] not in SPOKEN:
            return set()
        place = self.places.get(place_id)
        if place is not None and place.heard.get(channel, 0) >= day:
            return set()
        heard = min(day, day_of(data["received_at"]))
        if place is None:
            place = self.places[place_id] = Place(row=self._row_at(place_id))
        elif place.heard.get(channel, 0) >= heard:
            return set()
        place.heard[channel] = heard
        self._row(place_id).hear(channel, heard)
        self._dirty.add(place_id)
        return self._rows_of((place_id,))

    def _was_covered(self, place_id: str) -> bool:
        return place_id in self.places and self.places[place_id].covered

    def _assign(self, stream: str, reporter: Reporter | None) -> set[str]:
        before = self.reporters.pop(stream, None)
        left = self._rows_of(before.places) if before else set()
        for row in left:
            self.rows[row].streams.discard(stream)
        if reporter is None:
            return left
        self.reporters[stream] = reporter
        for place_id in reporter.places:
            place = self.places.setdefault(place_id, Place(row=self._row_at(place_id)))
            if not place.covered:
                place.covered = True
                self._dirty.add(place_id)
            if place_id != NOWHERE:
                found = self._row(place_id)
                found.covered.add(place_id)
                found.streams.add(stream)
        return left | self._rows_of(reporter.places)

    def _row(self, place_id: str) -> Row:
        return self.rows.setdefault(self._row_at(place_id), Row())

    def _row_at(self, place_id: str) -> str:
        assert self.row_of is not None
        return self.row_of(place_id)

    def _rows_of(self, places: Iterable[str]) -> set[str]:
        assert self.row_of is not None
        return {self.row_of(place_id) for place_id in places if place_id != NOWHERE}

    # --- what follows ---------------------------------------------------------------------------------------------

    def covered(self) -> Iterable[str]:
        """The units that somebody was ever assigned to."""
        return [unit for unit, row in self.rows.items() if row.covered]

    def standing(self, unit: str, patience: Patience | None, day: int) -> Standing:
        """A unit on a day; unknown where no rule says what silence is."""
        row = self.rows.get(unit)
        if row is None or not row.covered or patience is None:
            return UNKNOWN
        missed, told_within, high_from, medium_from = patience
        turns: list[int] = []
        assigned = silent = counted = 0
        last: int | None = max(row.heard.values(), default=None)
        over: dict[str, tuple[int, int]] = {}
        awaited: set[str] = set()
        shortest: dict[str, int] = {}
        for reporter in (self.reporters[stream] for stream in row.streams):
            wait = missed * reporter.cadence_days + told_within + 1
            channel = reporter.channel
            turns.append(reporter.last + wait)
            assigned += 1
            shortest[channel] = min(wait, shortest.get(channel, wait))
            if not reporter.heard and day < reporter.last + wait:
                awaited.update(reporter.first_at)
                continue
            counted += 1
            silent += reporter.last + wait <= day
            if reporter.heard:
                last = reporter.last if last is None else max(last, reporter.last)
            until, signed = over.get(channel, (0, 0))
            over[channel] = max(until, reporter.last_over + wait), max(signed, reporter.last_over)
        lines = []
        for channel in sorted(shortest):
            until, signed = over.get(channel, (0, 0))
            if (heard := row.heard.get(channel)) is not None:
                until, signed = max(until, heard + shortest[channel]), max(signed, heard)
            if channel in over or until > day:
                turns.append(until)
                lines.append(Line(channel, until <= day, signed))
        next_day = min((turn for turn in turns if turn > day), default=None)
        if silent < counted or not all(line.lost for line in lines):
            coverage = _coverage(counted, silent, lines, high_from, medium_from)
        else:
            coverage = Coverage.UNKNOWN if row.covered <= awaited and not lines else Coverage.LOST
        return Standing(coverage, assigned, silent, last, tuple(lines), next_day)

    # --- rows -----------------------------------------------------------------------------------------------------

    def drawn(self) -> list[tuple[str, str]]:
        """What changed since the last time: whose it is, a stream or a place, and what is known of it, as JSON."""
        rows = []
        for source in sorted(self._dirty):
            known: Any
            if source.startswith(REPORTER):
                known = tuple(self.reporters[source]) if source in self.reporters else None
            else:
                place = self.places[source]
                known = (place.covered, place.heard, place.row)
            rows.append((source, orjson.dumps(known, option=orjson.OPT_SORT_KEYS).decode()))
        self._dirty.clear()
        return rows

    def hold(self, source: str, body: str) -> None:
        """Take in what was drawn."""
        known = orjson.loads(body)
        if not source.startswith(REPORTER):
            self.places[source] = Place(*known)
        elif known is not None:
            places, channel, cadence, last, over, heard, first_at = known
            self.reporters[source] = Reporter(tuple(places), channel, cadence, last, over, heard, tuple(first_at))


def _coverage(counted: int, silent: int, lines: Iterable[Line], high_from: int, medium_from: int) -> Coverage:
    """Of a unit where somebody is alive or a channel is not lost."""
    living = (counted - silent) * 1000 // max(counted, 1)
    if living < medium_from:
        return Coverage.FEW
    if any(line.lost for line in lines):
        return Coverage.CHANNEL_LOST
    return Coverage.PARTIAL if living < high_from else Coverage.FULL
