"""Silences as a fold: they are begun and ended, and time ends them."""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson

from events.alert import AlertSilenceAnnounced, AlertSilenced, AlertSilenceEnded, SilenceStanding
from events.vocabulary import wire_time
from projections.projection import Derived, Page, Untimed
from projections.taken import Taken

NAME = "silences"
VERSION = 1

OF_SILENCES = frozenset({AlertSilenced.name, AlertSilenceEnded.name})


@dataclass(slots=True)
class Standing:
    """A silence that stands; `said` is the event that began it."""

    silence_id: str
    home: str
    since: str
    by: str
    said: AlertSilenced

    @property
    def until(self) -> str:
        return wire_time(self.said.until)

    @property
    def body(self) -> str:
        """What was said, but for what is sealed."""
        return orjson.dumps({name: value for name, value in self.said.wire_data().items() if name != "note"}).decode()


@dataclass(slots=True)
class OfUnit:
    """The silences of one unit that stand, by id; and rows to write."""

    standing: dict[str, Standing] = field(default_factory=dict)
    begun: list[Standing] = field(default_factory=list)
    over: list[tuple[str, str, str]] = field(default_factory=list)


class Silences(Untimed):
    """By the stream of a unit's alerts."""

    whole = False
    stateless = False

    def key(self, event: Taken) -> str | None:
        return event.stream if event.type in OF_SILENCES else None

    def initial(self, key: str) -> OfUnit:
        return OfUnit()

    def due(self, state: OfUnit) -> str | None:
        return min((one.until for one in state.standing.values()), default=None)

    def roll(self, shared: None, state: OfUnit, until: str, page: Page) -> None:
        over = sorted((one.until, silence_id) for silence_id, one in state.standing.items() if one.until <= until)
        for at, silence_id in over:
            self._end(state, silence_id, at, "expired", page)

    def apply(self, shared: None, state: OfUnit, event: Taken, page: Page) -> None:
        if event.type == AlertSilenceEnded.name:
            self._end(state, event.data["silence_id"], event.time, "ended", page)
            return
        said = AlertSilenced.model_validate(event.data)
        one = Standing(str(said.silence_id), event.home, event.time, event.role, said)
        state.standing[one.silence_id] = one
        state.begun.append(one)
        page.derived.append(_announced(one, SilenceStanding.BEGINS, event.time))
        self.roll(shared, state, event.time, page)

    def _end(self, state: OfUnit, silence_id: str, at: str, how: str, page: Page) -> None:
        """A silence that is over already is not ended again: whoever ended it was slower than time."""
        if (one := state.standing.pop(silence_id, None)) is None:
            return
        state.over.append((silence_id, at, how))
        page.derived.append(_announced(one, SilenceStanding.ENDS, at))

    def draw(self, state: OfUnit, page: Page) -> None:
        for one in state.begun:
            unit = one.said.unit
            page.add("begun", (one.silence_id, f"alert/{unit}", unit, one.home, one.since, one.until, one.by, one.body))
        for row in state.over:
            page.add("over", row)
        state.begun.clear()
        state.over.clear()


def _announced(one: Standing, standing: SilenceStanding, at: str) -> Derived:
    said = one.said
    announced = AlertSilenceAnnounced(
        silence_id=said.silence_id,
        standing=standing,
        unit=said.unit,
        unit_name=said.unit_name,
        codes=said.codes,
        up_to_level=said.up_to_level,
        changes=said.changes,
        kinds=said.kinds,
        until=said.until,
    )
    seed = f"silence/{one.silence_id}/{standing.value}"
    return Derived(f"alert/{said.unit}", one.home, seed, at, announced, VERSION)
