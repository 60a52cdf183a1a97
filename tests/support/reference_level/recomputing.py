"""The whole log, event by event and midnight by midnight."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from projections.taken import Taken
from tests.support.reference_coverage import places
from tests.support.reference_level.adopted import midnights
from tests.support.reference_level.cases import known
from tests.support.reference_level.causes import cause_at_midnight, cause_of_event
from tests.support.reference_level.rows import Ladder, Row, lay_by, lost_before, step
from tests.support.reference_level.voice import Voice

Engines: TypeAlias = Mapping[int, int]
"""Engines by number, with how many times as grave as the rules say each sees every case."""


class Recomputed:
    """Rows and history of every engine that still folds, and everything that was said, as of one instant."""

    def __init__(self, engines: Engines) -> None:
        self.ladders = {number: Ladder(gravity) for number, gravity in engines.items()}
        self.voice = Voice()
        self._passed = ""

    def pass_midnights(self, log: Sequence[Taken], until: str) -> None:
        """Weigh everything anew at every midnight after the last event of the log, at or before a moment; overrides
        end in between, after a midnight of the same moment."""
        while ends := min((end for _, _, end in self.voice.overrides.values() if end <= until), default=None):
            self._pass_midnights(log, ends)
            self.voice.end(ends, self._rows(), log)
        self._pass_midnights(log, until)

    def _rows(self) -> Mapping[str, Row]:
        return self.ladders[self.voice.speaker].rows if self.voice.speaker is not None else {}

    def _pass_midnights(self, log: Sequence[Taken], until: str) -> None:
        for moment, day in midnights(log, until):
            if moment <= self._passed:
                continue
            self._passed = moment
            for engine, ladder in self.ladders.items():
                for line in step(ladder, log, day, moment, partial(cause_at_midnight, ladder, log, day)):
                    self.voice.changed(engine, line, log)
                lay_by(ladder, log, day)

    def take_last_of(self, log: Sequence[Taken]) -> None:
        """Read the whole log again, with an event more at its end, and weigh everything anew."""
        event = log[-1]
        for engine, ladder in self.ladders.items():
            before, ladder.cases = ladder.cases, known(log, ladder.laid_by)
            for place, home, since, level, taken_back in lost_before(ladder, log):
                new = places(log)(place)
                ladder.rows.setdefault(new, Row(new, home)).came_lost.append((since, level, taken_back))
            for line in step(ladder, log, None, event.time, partial(cause_of_event, log, before, ladder.cases)):
                self.voice.changed(engine, line, log)
        if event.type in ("alert.overridden", "alert.override_ended"):
            self.voice.override(event, self._rows(), log)
        if event.type in ("reference.rules_adopted", "reference.gazetteer_adopted"):
            self.voice.after_reference(event, self._rows(), log)
        if event.type == "reference.engine_adopted" and event.data["projection"] == "alert_level":
            speaker = event.data["number"]
            self.ladders = {engine: ladder for engine, ladder in self.ladders.items() if engine >= speaker}
            self.voice.adopt(speaker, self.ladders[speaker].rows, log, event.time)


def recomputed(history: Iterable[Taken], engines: Engines) -> Iterator[tuple[Taken, Recomputed]]:
    """Step through every event and every midnight; yields what stands after each event."""
    log: list[Taken] = []
    standing = Recomputed(engines)
    for event in history:
        if event.mode == "actual":
            standing.pass_midnights(log, event.time)
            log.append(event)
            standing.take_last_of(log)
        yield event, standing


def at_instant(history: Iterable[Taken], instant: str, engines: Engines) -> Recomputed:
    """What stands at an instant of recorded time."""
    standing = Recomputed(engines)
    log = [event for event in history if event.mode == "actual" and event.time <= instant]
    for _, now in recomputed(log, engines):
        standing = now
    standing.pass_midnights(log, instant)
    return standing
