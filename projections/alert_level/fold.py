"""The level's fold: engines that fold side by side, of which one speaks, and what the log was told.

Every engine of the program that is not older than the one that speaks folds every home. A change is a line of that
engine's history; only the speaking engine's changes become events. When an engine is adopted, the differences between
its levels and what the log says become events with the cause `engine`, and older engines end.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from events.alert import AlertOverridden, AlertOverrideEnded
from events.level import LevelCause
from projections.alert_level import case as facts
from projections.alert_level import shared as told
from projections.alert_level.change import Change
from projections.alert_level.engine import Engine, FirstEngine
from projections.alert_level.home import EngineHome
from projections.alert_level.rows import history_row
from projections.alert_level.shared import Shared
from projections.alert_level.voice import Override, Telling, Voice
from projections.projection import Page
from projections.taken import Taken
from projections.watching import SIGNS

ENGINES: Mapping[int, Engine] = MappingProxyType({engine.number: engine for engine in (FirstEngine(),)})
"""Every engine that ever spoke, and those that may. None is ever taken out: a replay needs each for its span."""

OVERRIDDEN, OVERRIDE_ENDED = AlertOverridden.name, AlertOverrideEnded.name
OVERRIDES = frozenset({OVERRIDDEN, OVERRIDE_ENDED})
"""Types that change what strangers are told, and no level."""

HEEDED = frozenset({*facts.FACTS, *facts.LOST, facts.OPENED, *SIGNS, *OVERRIDES})
"""Types that may change a level, or what is told of it. Every other event costs one look at this set."""

UNWRITTEN = "unwritten"

_CAUSES = {
    told.RULES: LevelCause.RULES,
    told.GAZETTEER: LevelCause.GAZETTEER,
    told.ELECTION: LevelCause.ELECTION_WINDOW,
}


class Home:
    """A home: what each engine knows of it, and what the log was told of its units."""

    __slots__ = ("eldest", "engines", "home", "override_ends", "retired", "said", "voices")

    def __init__(self, home: str, engines: dict[int, EngineHome], voices: dict[str, Voice] | None = None) -> None:
        self.home = home
        self.engines = engines
        self.voices = voices or {}
        self.eldest = min(engines)
        self.said: set[str] = set()
        self.retired: list[int] = []
        self.override_ends: str | None = None
        self.find_override_end()

    def find_override_end(self) -> None:
        """Find the next moment at which an override ends by itself."""
        ends = (voice.override.until for voice in self.voices.values() if voice.override is not None)
        self.override_ends = min(ends, default=None)

    def voice(self, unit: str) -> Voice:
        voice = self.voices.get(unit)
        if voice is None:
            voice = self.voices[unit] = Voice(unit)
        return voice


class AlertLevel:
    """A whole fold by home: a broadcast may change each of them, so all are in memory."""

    whole = True
    stateless = False

    def __init__(self, engines: Mapping[int, Engine] = ENGINES) -> None:
        self.engines = dict(sorted(engines.items()))

    def key(self, event: Taken) -> str | None:
        return event.home if event.type in HEEDED else None

    def initial(self, key: str) -> Home:
        return Home(key, {number: EngineHome(key) for number in self.engines})

    def due(self, state: Home) -> str | None:
        due = state.override_ends
        for home in state.engines.values():
            if home.due is not None and (due is None or home.due < due):
                due = home.due
        return due

    def roll(self, shared: Shared, state: Home, until: str, page: Page) -> None:
        while (ends := state.override_ends) is not None and ends <= until:
            self._roll_engines(shared, state, ends, page)
            for unit in sorted(state.voices):
                voice = state.voices[unit]
                if voice.override is not None and voice.override.until == ends:
                    voice.override = None
                    self._tell(shared, state, voice, ends, page)
            state.find_override_end()
        self._roll_engines(shared, state, until, page)

    def _roll_engines(self, shared: Shared, state: Home, until: str, page: Page) -> None:
        for number, home in state.engines.items():
            self._follow(shared, state, number, self.engines[number].roll(shared, home, until), page)

    def apply(self, shared: Shared, state: Home, event: Taken, page: Page) -> None:
        if state.eldest < shared.engine:
            self._retire(shared, state)
        if event.type in OVERRIDES:
            self._override(shared, state, event, page)
            return
        for number, home in state.engines.items():
            changes = self.engines[number].apply(shared, home, event)
            if changes:
                self._follow(shared, state, number, changes, page)

    def heed(self, shared: Shared, state: Home, event: Taken, page: Page) -> None:
        if event.type == told.ENGINE:
            self._adopted(shared, state, event.time, page)
            return
        for number, home in state.engines.items():
            changes = self.engines[number].heed(shared, home, event.time, _CAUSES[event.type])
            self._follow(shared, state, number, changes, page)
        if event.type != told.ELECTION:
            self._overrides_after(shared, state, event, page)

    def draw(self, state: Home, page: Page) -> None:
        for number in state.retired:
            page.add("retired", (number, state.home))
        state.retired = []
        for number, home in state.engines.items():
            self.engines[number].draw(home, page)
        for unit in sorted(state.said):
            page.add("said", state.voices[unit].row(state.home))
        state.said.clear()

    def shared(self, saved: Any | None) -> Shared:
        return Shared(saved)

    def save(self, shared: Shared) -> Any:
        return shared.saved()

    def broadcast(self, shared: Shared, event: Taken) -> bool:
        if event.type == told.ENGINE and event.data["projection"] == told.NAME:
            number = event.data["number"]
            if number not in self.engines:
                raise ValueError(f"engine {number} of {told.NAME} is not in this program: update it")
        return shared.take(event.type, event.data)

    # --- who speaks -----------------------------------------------------------------------------------------------

    def _adopted(self, shared: Shared, state: Home, at: str, page: Page) -> None:
        self._retire(shared, state)
        engine, home = self.engines[shared.engine], state.engines[shared.engine]
        changes = []
        spoken_of = (unit for unit, voice in state.voices.items() if voice.levels)
        for unit_id in sorted({*home.units, *spoken_of}):
            said = state.voices[unit_id].level if unit_id in state.voices else 0
            change = engine.stand(shared, home, home.unit(unit_id), said, at)
            if change is not None:
                changes.append(change)
        self._say(shared, state, changes, page)
        for unit in sorted(state.voices):
            if state.voices[unit].override is not None:
                self._tell(shared, state, state.voices[unit], at, page)

    def _retire(self, shared: Shared, state: Home) -> None:
        """Older engines end: what they said stands on the log, and their history stays."""
        for number in [one for one in state.engines if one < shared.engine]:
            del state.engines[number]
            state.retired.append(number)
        state.eldest = min(state.engines)

    def _follow(self, shared: Shared, state: Home, number: int, changes: list[Change], page: Page) -> None:
        for change in changes:
            page.add("history", history_row(number, state.home, change.number, change.data))
        if changes and number == shared.engine:
            self._say(shared, state, changes, page)

    def _say(self, shared: Shared, state: Home, changes: list[Change], page: Page) -> None:
        assert shared.rules is not None or not changes
        said = []
        for change in changes:
            assert shared.rules is not None
            voice = state.voice(change.data["unit"])
            said += voice.say(state.home, shared, change)
            state.said.add(voice.unit)
        page.derived += sorted(said, key=lambda one: one.order)

    # --- what people decide -----------------------------------------------------------------------------------------

    def _override(self, shared: Shared, state: Home, event: Taken, page: Page) -> None:
        voice, data = state.voice(event.data["unit"]), event.data
        for home in state.engines.values():
            home.drawn_due = UNWRITTEN  # a home of which nothing else was ever heard is found again by this row
        voice.override = None
        if event.type == OVERRIDDEN and data["until"] > event.time:
            voice.override = Override(data["level"], voice.level, data["until"])
        state.find_override_end()
        self._tell(shared, state, voice, event.time, page, decided=event.type == OVERRIDDEN)

    def _overrides_after(self, shared: Shared, state: Home, event: Taken, page: Page) -> None:
        """Rules let what was decided before any be told; it ends where its unit is no row any more."""
        for unit in sorted(state.voices):
            voice = state.voices[unit]
            if voice.override is not None:
                if event.type == told.GAZETTEER and shared.places.row(unit) != unit:
                    voice.override = None
                self._tell(shared, state, voice, event.time, page)
        state.find_override_end()

    def _tell(self, shared: Shared, state: Home, voice: Voice, at: str, page: Page, *, decided: bool = False) -> None:
        """Tell strangers what is theirs now, where an engine speaks; what people raise is raised, the rest corrects."""
        state.said.add(voice.unit)
        if shared.rules is None or shared.engine not in state.engines:
            return
        groups = self.engines[shared.engine].groups(shared, state.engines[shared.engine], voice.unit)
        telling = Telling(at, date.fromordinal(shared.rules.day(at)), groups)
        as_happened = decided and voice.override is not None and voice.override.level > voice.told
        page.derived += voice.tell(state.home, shared, telling, as_happened=as_happened)
