"""Every level anew, event by event, by the definition in projections/alert_level and none of its code.

An event of a case weighs the rows anew in which it, or a case that stands for it, counts; a midnight, rules, a
gazetteer and an election weigh every row.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from tests.faults.checker.announcing import Now, Voice
from tests.faults.checker.facts import CHANGES, Told, lose_link
from tests.faults.checker.findings import NotModelled
from tests.faults.checker.places import NOWHERE, Places
from tests.faults.checker.units import Unit
from tests.faults.checker.watched import Watched
from tests.faults.checker.weights import Case, Rules, local_day, midnight, weigh

DERIVED = {
    *("level.level_changed", "alert.issued", "level.response_overdue", "level.response_escalated"),
    *("level.coverage_lost", "level.coverage_restored", "alert.silence_announced"),
}
ENGINE = 1
"""The one whose definition is followed here."""
REFERENCE = {
    "clock.ticked",
    *(f"reference.{name}" for name in ("rules_adopted", "gazetteer_adopted", "election_dated", "engine_adopted")),
    *(f"reference.{name}" for name in ("recipient_registered", "event_waived")),
}
OVERRIDES = {"alert.overridden", "alert.override_ended"}
ANY_DAY = date(2027, 1, 1)
TAKES_UP = {"case.report_linked", "case.report_unlinked"}
CAUSES = {
    **dict.fromkeys(("case.opened", "case.ratified", "case.classified", "case.assessed", "case.reopened"), "evidence"),
    "case.merge_reversed": "evidence",
    "case.not_ratified": "retraction",
    "case.merged": "retraction",
    "case.resolved": "resolved",
    "case.closed": "resolved",
}


class Levels:
    """All that the log says so far about levels."""

    def __init__(self) -> None:
        self.voice = Voice()
        self.cases: dict[str, Case] = {}
        self.units: dict[str, Unit] = {}
        self._linked: dict[str, set[str]] = {}
        self._rules: Rules | None = None
        self._hash = ""
        self._places: Places | None = None
        self._elections: dict[str, dict[str, Any]] = {}
        self._watched = Watched()
        self._overridden: dict[str, str] = {}
        self._last: str | None = None
        self._next: date | None = None

    def take(self, event: Told) -> None:
        """One event more; nothing that follows from others tells anything new."""
        if event.mode != "actual" or event.type in DERIVED:
            return
        self._pass_time(event.time)
        noun, _, name = event.stream.partition("/")
        if event.type == "case.opened":
            self._open(event, name)
        elif noun == "case" and name in self.cases and event.type in CHANGES:
            self._change(event, self.cases[name])
        elif event.type in ("report.withdrawn", "report.superseded"):
            self._lose_report(event, name)
        elif noun == "reference":
            self._reference(event)
        elif event.type in OVERRIDES:
            self._override(event)
        elif self._watched.take(event, self._day(event.time), self._day):
            self._look([name for name, unit in self._units().items() if unit.home == event.home], event)
        self._last = event.time

    # --- one event ----------------------------------------------------------------------------------------------------

    def _open(self, event: Told, name: str) -> None:
        data = event.data
        row = self._row_of(data["place"]["unit"])
        case = Case(name, event.home, data["place"]["unit"], event.time, data["kind"], data, data["provisional"], row)
        self.cases[name] = case
        self._put(case)
        self._step([row], event.time, None, lambda unit, fell: "evidence")

    def _change(self, event: Told, case: Case) -> None:
        was_laid_by, case.laid_by = case.laid_by, False
        if was_laid_by:
            case.row = self._row_of(case.place)
            self._put(case)
        linked = set(case.links)
        touched, given = self._above(case), self._given(case)
        CHANGES[event.type](self, case, event)
        for report in linked ^ case.links:
            (self._linked.setdefault(report, set()).add if report in case.links else self._linked[report].discard)(
                case.case_id
            )
        touched |= self._above(case)
        own = CAUSES.get(event.type, f"nothing that {event.type} should change")
        if was_laid_by and (event.type in TAKES_UP or "absorbed" in event.data):
            own = "evidence"
        self._settle(touched, event.time, own, lambda: event.type == "case.assessed" and self._given(case) < given)

    def _lose_report(self, event: Told, report: str) -> None:
        touched: set[str] = set()
        for case_id in sorted(self._linked.get(report, ())):
            case = self.cases[case_id]
            touched |= self._above(case)
            lose_link(case, report)
        self._linked.pop(report, None)
        self._settle(touched, event.time, f"nothing that {event.type} should change")

    def _given(self, case: Case) -> int:
        """What a case is given, where an assessment by which it is given less corrects what was told."""
        if self._rules is None or not self._rules["alerts"].get("lower_assessment_corrects", False):
            return 0
        return weigh(case, self._rules, ANY_DAY, 1000).given

    def _settle(self, touched: set[str], moment: str, own: str, takes_back: Callable[[], bool] = lambda: False) -> None:
        """Who stands on nothing now, and the rows in which that or the event itself counts."""
        turned: dict[str, set[bool]] = {}
        for case_id in touched:
            case = self.cases[case_id]
            if case.row in self.units:
                self.units[case.row].touch(case_id)
            before, case.unfounded = case.unfounded, not any(self.cases[one].own_ground for one in self._family(case))
            if before != case.unfounded and not case.laid_by:
                turned.setdefault(case.row, set()).add(case.unfounded)

        says_less = takes_back()

        def cause(unit: Unit, fell: bool) -> str:
            if unit.unit in turned:
                return "retraction" if True in turned[unit.unit] else "evidence"
            return "retraction" if says_less and fell else own

        self._step(sorted({self.cases[one].row for one in touched}), moment, None, cause)

    def _reference(self, event: Told) -> None:
        data, cause = event.data, None
        lost: list[tuple[str, date, int, bool]] = []
        if event.type not in REFERENCE:
            raise NotModelled(f"{event.type} goes to everybody at {event.time}")
        if event.type == "reference.rules_adopted":
            self._rules, self._hash = tomllib.loads(data["content"]), sha256(data["content"].encode()).hexdigest()
            self._next, cause = None, "rules"
        elif event.type == "reference.gazetteer_adopted":
            lost = self._lost_places()
            self._places, cause = Places(data["content"]), "gazetteer"
            for case in self.cases.values():
                if not case.laid_by:
                    self.units[case.row].drop(case.case_id)
                    case.row = self._row_of(case.place)
                    self._put(case)
        elif event.type == "reference.election_dated":
            self._elections[data["election"]], cause = data, "election_window"
        if cause is not None:
            why = cause
            self._watch(self._units(), self._day(event.time))
            for place, since, level, taken_back in lost:
                self.units[self._row_of(place)].came_lost(since, level, taken_back)
            self._step(list(self.units), event.time, None, lambda unit, fell: why)
        if cause in ("rules", "gazetteer"):
            for name in self.voice.overrides():
                if cause == "gazetteer" and self._row_of(name) != name:
                    self.voice.end_override(name)
                self._decided(name, event.time)
        if event.type == "reference.engine_adopted" and data["projection"] == "alert_level":
            self._adopt(data["number"], event.time)

    def _lost_places(self) -> list[tuple[str, date, int, bool]]:
        """12. Places that anybody was ever assigned to, in rows that nobody watches: since when, at which level, and
        whether something was taken back there."""
        rows = ((place, self.units.get(self._row_of(place))) for place in self._watched.homes)
        return [
            (place, row.lost_since, row.level or 0, row.taken_back) for place, row in rows if row and row.lost_since
        ]

    def _adopt(self, engine: int, moment: str) -> None:
        if engine != ENGINE:
            raise NotModelled(f"engine {engine} of alert_level speaks from {moment} on")
        self.voice.engine = engine
        for name in sorted(self.units):
            unit, before = self.units[name], self.voice.last(name)
            if unit.level is not None and unit.level != before and self._rules is not None:
                told = {**unit.tell(), "from": before, "cause": "engine", "effective_at": moment, "held": unit.level}
                self.voice.say(unit.home, told, self._rules, self._places)
        for name in self.voice.overrides():
            self._decided(name, moment)

    # --- what people decide -------------------------------------------------------------------------------------------

    def _override(self, event: Told) -> None:
        name, data = event.data["unit"], event.data
        self._overridden[name] = event.home
        self.voice.end_override(name)
        by_people = event.type == "alert.overridden" and data["until"] > event.time
        if by_people:
            self.voice.override(name, data["level"], data["until"])
        self._decided(name, event.time, by_people=by_people)

    def _decided(self, name: str, moment: str, *, by_people: bool = False) -> None:
        if self._rules is not None and self.voice.engine is not None:
            levelled = name in self.units and name not in NOWHERE
            made_of = self.units[name].tell()["contributions"] if levelled else []
            now = Now(self._overridden[name], moment, made_of, self._hash)
            self.voice.decided(name, now, self._rules, self._places, by_people=by_people)

    # --- time ---------------------------------------------------------------------------------------------------------

    def _pass_time(self, until: str) -> None:
        """Midnights and ends of overrides in their order; where both are at one moment, the midnight first."""
        while ends := min((end for end in self.voice.overrides().values() if end <= until), default=None):
            self._pass_midnights(ends)
            for name, end in self.voice.overrides().items():
                if end == ends:
                    self.voice.end_override(name)
                    self._decided(name, ends)
        self._pass_midnights(until)

    def _pass_midnights(self, until: str) -> None:
        if self._rules is None or self._last is None:
            return
        zone = self._rules["time_zone"]
        if self._next is None:
            self._next = local_day(self._last, zone) + timedelta(days=1)
        while (moment := midnight(self._next, zone)) <= until:
            day = self._next
            moved = self._window(day) != self._window(day - timedelta(days=1))

            def cause(unit: Unit, fell: bool, moved: bool = moved) -> str:
                inside = moved and unit.multiplied and not unit.unit.startswith("outside:")
                return "election_window" if inside else "fading"

            self._watch(self.units, day)
            self._step(list(self.units), moment, day, cause)
            self._lay_by(day)
            self._next = day + timedelta(days=1)

    def _lay_by(self, day: date) -> None:
        """What is over and weighs nothing is in no row until an event takes it up again."""
        assert self._rules is not None
        for unit in self.units.values():
            unit.weigh(day, self._window(day), self._rules, self._hash)
            for case_id in list(unit.over):
                unit.cases[case_id].laid_by = True
                unit.drop(case_id)
                unit.over.discard(case_id)

    def _window(self, day: date) -> int:
        """6. The largest of the elections in whose window a day lies."""
        assert self._rules is not None
        found = [1000]
        for election in self._elections.values():
            rule = self._rules["windows"].get(election["round"])
            if rule is None or election["standing"] == "cancelled":
                continue
            on = date.fromisoformat(election["on"])
            begins = on - timedelta(days=rule["days_before"])
            if election.get("campaign_from"):
                begins = min(date.fromisoformat(election["campaign_from"]), on)
            if begins <= day <= on + timedelta(days=rule["days_after"]):
                found.append(rule["permille"])
        return max(found)

    # --- who watches --------------------------------------------------------------------------------------------------

    def _day(self, moment: str) -> date:
        return local_day(moment, self._rules["time_zone"] if self._rules else "UTC")

    def _units(self) -> dict[str, Unit]:
        """Every row, also those where somebody was assigned and nothing happened."""
        for place, home in self._watched.homes.items():
            if (row := self._row_of(place)) not in self.units:
                self.units[row] = Unit(row, home)
        return self.units

    def _watch(self, units: Iterable[str], day: date) -> None:
        if self._rules is not None:
            for name in units:
                self.units[name].watch(self._watched.confidence(name, self._rules, day, self._row_of), day)

    def _look(self, units: list[str], event: Told) -> None:
        """A sign: where somebody watches again, cases are as old as they are."""
        self._watch(units, self._day(event.time))
        self._step(units, event.time, None, lambda unit, fell: "coverage")

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _step(self, units: Iterable[str], moment: str, day: date | None, cause: Callable[[Unit, bool], str]) -> None:
        """Weigh rows anew; whoever speaks says what changed."""
        if self._rules is None:
            return
        day = day or local_day(moment, self._rules["time_zone"])
        window = self._window(day)
        for name in sorted(units):
            unit = self.units[name]
            if name in NOWHERE or not (unit.weigh(day, window, self._rules, self._hash) or unit.held):
                continue
            before = unit.level or 0
            least = {"held": unit.held} if unit.lost_since is not None and unit.held > before else {}
            changed = unit.step()
            fell = unit.fell if unit.lost_since is not None else (unit.level or 0) < before
            why = cause(unit, fell)
            if why == "coverage" and fell and unit.taken_back and unit.lost_since is None:
                why = "retraction"
            unit.remember(why)
            if changed and self.voice.engine is not None:
                told = {**unit.tell(), **least, "from": before, "cause": why, "effective_at": moment}
                self.voice.say(unit.home, told, self._rules, self._places)

    def _row_of(self, place: str) -> str:
        return self._places.row_at(place) if self._places else place

    def _put(self, case: Case) -> None:
        if case.row not in self.units:
            self.units[case.row] = Unit(case.row, case.home)
        self.units[case.row].put(case)

    # --- who stands on whom -------------------------------------------------------------------------------------------

    def _family(self, case: Case) -> list[str]:
        """The case and all that were merged into it, directly or through another."""
        family = [case.case_id]
        for one in family:
            family += [other for other in self.cases[one].absorbed if other not in family] if one in self.cases else []
        return family

    def _above(self, case: Case) -> set[str]:
        """The case and those it was merged into, directly or through another."""
        found = {case.case_id}
        above = case.merged_into
        while above is not None and above in self.cases and above not in found:
            found.add(above)
            above = self.cases[above].merged_into
        return found

    def merge(self, case: Case, into: str | None) -> None:
        if case.merged_into in self.cases:
            self.cases[case.merged_into].absorbed.discard(case.case_id)
        case.merged_into = into
        if into in self.cases:
            self.cases[into].absorbed.add(case.case_id)
