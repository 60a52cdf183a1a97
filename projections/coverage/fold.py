"""Coverage as a fold: signs of life come, midnights pass over silence, rules and gazetteers say what that means."""

from __future__ import annotations

from typing import Any

from events.reference import EngineAdopted, GazetteerAdopted
from projections.coverage.home import Home
from projections.coverage.told import Told
from projections.projection import Derived, Page
from projections.taken import Taken
from projections.watching import SIGNS


class Coverages:
    """A whole fold by home: another gazetteer may move what is watched in each of them."""

    whole = True
    stateless = False

    def key(self, event: Taken) -> str | None:
        return event.home if event.type in SIGNS else None

    def initial(self, key: str) -> Home:
        return Home(key)

    def due(self, state: Home) -> str | None:
        return state.due

    def roll(self, shared: Told, state: Home, until: str, page: Page) -> None:
        _begin(shared, state)
        while state.due is not None and state.due <= until:
            day, at = state.due_day, state.due
            derived: list[Derived] = []
            for unit_id in state.watched.turning(day):
                derived += state.look(shared, unit_id, day, at)
            page.derived += _in_order(derived)
            state.schedule(shared)

    def apply(self, shared: Told, state: Home, event: Taken, page: Page) -> None:
        _begin(shared, state)
        day = shared.day(event.time)
        touched = state.watched.watch.take(event.type, event.stream, event.data, day, shared.day)
        self._look(shared, state, touched, event.time, page)

    def heed(self, shared: Told, state: Home, event: Taken, page: Page) -> None:
        _begin(shared, state)
        if event.type == EngineAdopted.name:
            told = (state.tell(shared, unit, event.time) for unit in state.units.values())
            page.derived += _in_order([one for of in told for one in of])
            return
        if event.type == GazetteerAdopted.name:
            state.watched.watch.place(shared.row)
        self._look(shared, state, {*state.units, *state.watched.covered()}, event.time, page)

    def _look(self, shared: Told, state: Home, units: set[str], at: str, page: Page) -> None:
        """See how units stand; before any rules nothing is looked at."""
        if shared.days is None or not units:
            return
        day = shared.day(at)
        derived = [one for unit_id in sorted(units) for one in state.look(shared, unit_id, day, at)]
        page.derived += _in_order(derived)
        state.schedule(shared)

    def draw(self, state: Home, page: Page) -> None:
        state.draw(page)

    def shared(self, saved: Any | None) -> Told:
        return Told(saved)

    def save(self, shared: Told) -> Any:
        return shared.saved()

    def broadcast(self, shared: Told, event: Taken) -> bool:
        return shared.take(event)


def _begin(shared: Told, state: Home) -> None:
    state.watched.begin(shared.row, shared.patience, state.due, state.due_day)


def _in_order(derived: list[Derived]) -> list[Derived]:
    return sorted(derived, key=lambda one: one.order)
