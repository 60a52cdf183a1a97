"""Engine 1: how the cases of a home become the levels of its units. It says what changed and speaks to nobody.

Only what an event or a midnight touches is weighed again: each case knows the next day on which it weighs something
else, so a year without a change costs nothing. A later engine is another class with another number (projections/
alert_level/fold); this one stays as it is for ever, since a replay must say again what it said.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from events.alert import KindGroup
from events.level import LevelCause
from projections.alert_level import case as facts
from projections.alert_level.case import COUNTED, Case, Weight, judge, weigh
from projections.alert_level.change import Change, change_of, groups_of
from projections.alert_level.coverage import while_watched
from projections.alert_level.elections import NO_WINDOW
from projections.alert_level.home import EngineHome
from projections.alert_level.rows import case_row, unit_row
from projections.alert_level.rules import Rules
from projections.alert_level.shared import Shared
from projections.alert_level.unit import Unit
from projections.projection import Page
from projections.taken import Taken
from projections.watching import SIGNS, UNKNOWN, Coverage

NOTHING_HELD: Mapping[str, int] = MappingProxyType({})


class Engine(Protocol):
    """What a fold asks of an engine. Every method but `draw` returns what changed, in order."""

    number: int

    def roll(self, shared: Shared, home: EngineHome, until: str) -> list[Change]: ...

    def apply(self, shared: Shared, home: EngineHome, event: Taken) -> list[Change]: ...

    def heed(self, shared: Shared, home: EngineHome, at: str, cause: LevelCause) -> list[Change]: ...

    def stand(self, shared: Shared, home: EngineHome, unit: Unit, before: int, at: str) -> Change | None:
        """Where a unit stands, as a change from what the log says of it."""
        ...

    def groups(self, shared: Shared, home: EngineHome, unit_id: str) -> tuple[KindGroup, ...]:
        """The groups of kinds that make up a unit's level now."""
        ...

    def draw(self, home: EngineHome, page: Page) -> None: ...


class FirstEngine:
    """The rules of projections/alert_level, word for word."""

    number = 1

    # --- time -----------------------------------------------------------------------------------------------------

    def roll(self, shared: Shared, home: EngineHome, until: str) -> list[Change]:
        changes: list[Change] = []
        _begin(shared, home)
        while shared.rules is not None and home.due is not None and home.due <= until:
            changes += self._midnight(shared, shared.rules, home, home.due_day, home.due)
        return changes

    def _midnight(self, shared: Shared, rules: Rules, home: EngineHome, day: int, at: str) -> list[Change]:
        window = shared.window(day)
        turned = set()
        for unit in home.units.values():
            if unit.windowed and unit.has_windows and unit.window != window:
                turned.add(unit.unit)
        for unit_id in home.watched.turning(day):
            for case in self._look_again(rules, home, unit_id, day):
                self._weigh(shared, rules, home, case, day)
                if case.weight.ended_in_nothing:
                    self._lay_by(home, case)
        if turned:
            for case in list(home.cases.values()):
                if case.unit in turned and case.weight.windowed:
                    self._weigh(shared, rules, home, case, day)
                    if case.weight.ended_in_nothing:  # its last step of fading is this midnight's as well
                        self._lay_by(home, case)
        while home.midnights and home.midnights[0][0] <= day:
            _, case_id = heapq.heappop(home.midnights)
            touched = home.cases.get(case_id)
            if touched is None or touched.weight.next_day is None or touched.weight.next_day > day:
                continue
            self._weigh(shared, rules, home, touched, day)
            if touched.weight.ended_in_nothing:
                self._lay_by(home, touched)
        changes = self._settle(
            rules, home, at, day, lambda unit, fell: _of_midnight(unit in turned and home.units[unit].windowed)
        )
        self._schedule(shared, rules, home, day)
        return changes

    def _schedule(self, shared: Shared, rules: Rules, home: EngineHome, day: int) -> None:
        """Find the next midnight at which something may be another."""
        midnights = home.midnights
        while midnights:
            case = home.cases.get(midnights[0][1])
            if case is not None and case.weight.next_day == midnights[0][0]:
                break
            heapq.heappop(midnights)
        due = midnights[0][0] if midnights else None
        if home.windowed and (boundary := shared.next_boundary(day)) is not None:
            due = boundary if due is None else min(due, boundary)
        if (turn := home.watched.next_turn) is not None:
            due = turn if due is None else min(due, turn)
        if due is None:
            home.due = None
        elif home.due is None or due != home.due_day:
            home.due_day, home.due = due, rules.midnight(due)

    # --- events ---------------------------------------------------------------------------------------------------

    def apply(self, shared: Shared, home: EngineHome, event: Taken) -> list[Change]:
        type_, time = event.type, event.time
        says_less = False
        if type_ in SIGNS:
            return self._sign(shared, home, event)
        _begin(shared, home)
        if type_ in facts.LOST:
            touched = turned = self._lost(home, event.stream.removeprefix("report/"))
            cause: str | None = facts.RETRACTION
        elif type_ == facts.OPENED:
            case = facts.opened(event.stream.removeprefix("case/"), event.data, time)
            self._place(shared, home, case)
            touched, turned, cause = [case], [], facts.EVIDENCE
        else:
            case_id = event.stream.removeprefix("case/")
            found = home.cases.get(case_id)
            taken_up = self._take_up(shared, home, case_id) if found is None else None
            if (found := found or taken_up) is None:
                return []  # a history that begins in its middle
            before = _given(found, shared.rules) if type_ == facts.ASSESSED else 0
            cause, turned = self._take(home, found, event)
            says_less = before > _given(found, shared.rules)
            touched = [found, *(case for case in turned if case is not found)]
            if turned or taken_up:
                cause = cause or facts.EVIDENCE
        if not touched or cause is None:
            return []
        rules = shared.rules
        day = rules.day(time) if rules else 0
        for case in touched:
            self._weigh(shared, rules, home, case, day)
        if rules is None:
            home.stale.clear()
            return []
        because, by_ground = LevelCause(cause), _by_ground(turned)
        if_lower = LevelCause.RETRACTION if says_less else because
        changes = self._settle(
            rules, home, time, day, lambda unit, fell: by_ground.get(unit, if_lower if fell else because)
        )
        self._schedule(shared, rules, home, day)
        return changes

    def _sign(self, shared: Shared, home: EngineHome, event: Taken) -> list[Change]:
        """Somebody watches, gives a sign of life, or watches no more: what pauses and what goes on follows at once."""
        _begin(shared, home)
        day = shared.day(event.time)
        touched = home.watched.watch.take(event.type, event.stream, event.data, day, shared.day)
        rules = shared.rules
        if rules is None or not touched:
            return []
        for unit_id in sorted(touched):
            for case in self._look_again(rules, home, unit_id, day):
                self._weigh(shared, rules, home, case, day)
        changes = self._settle(rules, home, event.time, day, lambda unit, fell: LevelCause.COVERAGE)
        self._schedule(shared, rules, home, day)
        return changes

    def _look_again(self, rules: Rules, home: EngineHome, unit_id: str, day: int) -> list[Case]:
        """How well a unit is watched on a day; returns its cases where that stops or starts their fading."""
        standing = home.watched.look(rules.patience, unit_id, day)
        unit = home.units.get(unit_id)
        if unit is None:
            if standing == UNKNOWN:
                return []
            unit = home.unit(unit_id)
            home.stale.add(unit_id)
        was = unit.coverage
        if standing.coverage is was:
            return []
        unit.coverage = standing.coverage
        home.dirty_units.add(unit_id)
        if Coverage.LOST not in (was, standing.coverage):
            return []
        unit.lost_since = day if standing.coverage is Coverage.LOST else None
        home.stale.add(unit_id)
        return [case for case in home.cases.values() if case.unit == unit_id]

    def _take_up(self, shared: Shared, home: EngineHome, case_id: str) -> Case | None:
        """A case that was laid by lives again; it weighs nothing until its event is taken."""
        case = home.laid_by.take(case_id)
        if case is not None:
            case.weight = Weight(is_open=False)
            for report_id in case.links:
                home.by_report.setdefault(report_id, []).append(case_id)
            home.ground.merge(case)
            self._place(shared, home, case)
            home.ground.find([case])
        return case

    def _take(self, home: EngineHome, case: Case, event: Taken) -> tuple[str | None, list[Case]]:
        """Let a case take its event: its cause, and the cases that stand on something now, or on nothing any more."""
        linked, lost, into = case.links, case.lost, case.into
        before = len(linked)
        cause = facts.FACTS[event.type](case, event.data, event.time)
        case.judged = None
        home.dirty_cases.add(case.case_id)
        if event.type == facts.CLASSIFIED:  # as heavy as before, it may be softened now
            home.stale.add(case.unit)
        if len(linked) > before:
            home.by_report.setdefault(linked[-1], []).append(case.case_id)
        elif len(linked) < before:
            self._forget(home, event.data["report_id"], case.case_id)
        if case.lost == lost and case.into == into:
            return cause, []
        if case.into != into:
            home.ground.part(case.case_id, into)
            home.ground.merge(case)
        return cause, self._find_ground(home, [case, *home.ground.above(into), *home.ground.above(case.into)])

    def _lost(self, home: EngineHome, report_id: str) -> list[Case]:
        """Take a report from every case; returns those that stand on nothing any more."""
        touched = []
        for case_id in home.by_report.pop(report_id, ()):
            case = home.cases[case_id]
            home.dirty_cases.add(case_id)
            case.lose(report_id)
            touched += [case, *home.ground.above(case.into)]
        for case in home.laid_by.lose(report_id):  # it weighs nothing either way, until something takes it up
            home.gone[case.case_id] = case
            touched += home.ground.above(case.into)
        return self._find_ground(home, touched)

    def _find_ground(self, home: EngineHome, cases: list[Case]) -> list[Case]:
        turned = home.ground.find(cases)
        for case in turned:
            case.judged = None
            home.dirty_cases.add(case.case_id)
        return turned

    def _forget(self, home: EngineHome, report_id: str, case_id: str) -> None:
        cases = home.by_report.get(report_id, [])
        if case_id in cases:
            cases.remove(case_id)
        if not cases:
            home.by_report.pop(report_id, None)

    def _place(self, shared: Shared, home: EngineHome, case: Case) -> None:
        case.unit = shared.places.row(case.place)
        home.cases[case.case_id] = case
        home.gone.pop(case.case_id, None)
        home.add(case)
        home.stale.add(case.unit)
        home.dirty_cases.add(case.case_id)
        home.dirty_units.add(case.unit)

    def _lay_by(self, home: EngineHome, case: Case) -> None:
        home.remove(case)
        del home.cases[case.case_id]
        for report_id in case.links:
            self._forget(home, report_id, case.case_id)
        home.ground.part(case.case_id, case.into)
        home.laid_by.lay(case)
        home.dirty_cases.discard(case.case_id)
        home.gone[case.case_id] = case

    # --- broadcasts -----------------------------------------------------------------------------------------------

    def heed(self, shared: Shared, home: EngineHome, at: str, cause: LevelCause) -> list[Change]:
        rules = shared.rules
        held: dict[str, int] = {}
        lost = [*home.lost_places()] if cause is LevelCause.GAZETTEER else []  # before anything is in its new row
        _begin(shared, home)
        if cause is LevelCause.GAZETTEER:
            home.watched.watch.place(shared.places.row)
            for case in home.cases.values():
                if (row := shared.places.row(case.place)) != case.unit:
                    home.remove(case)
                    home.stale.update((case.unit, row))
                    home.dirty_units.update((case.unit, row))
                    home.dirty_cases.add(case.case_id)
                    case.unit = row
                    home.add(case)
        if rules is None:
            home.stale.clear()
            return []
        day = rules.day(at)
        if cause is not LevelCause.ELECTION_WINDOW:
            for unit_id in sorted({*home.units, *home.watched.covered()}):
                self._look_again(rules, home, unit_id, day)
        for place, was in lost:
            unit = home.unit(shared.places.row(place))
            if unit.lost_since is not None:
                unit.lost_since = min(was.since, unit.lost_since)
                unit.taken_back = was.taken_back or unit.taken_back
                held[unit.unit] = max(was.level, held.get(unit.unit, 0))
                home.stale.add(unit.unit)
        for case in home.cases.values():
            case.judged = None
            self._weigh(shared, rules, home, case, day)
        if cause is LevelCause.RULES:
            home.stale.update(home.units)
        changes = self._settle(rules, home, at, day, lambda unit, fell: cause, held)
        home.due = None
        self._schedule(shared, rules, home, day)
        return changes

    # --- weights and levels ---------------------------------------------------------------------------------------

    def _weigh(self, shared: Shared, rules: Rules | None, home: EngineHome, case: Case, day: int) -> None:
        unit = home.units[case.unit]
        window = shared.window(day) if rules is not None and unit.has_windows else NO_WINDOW
        weight, before = self.weight(case, rules, day, window, unit.lost_since), case.weight
        if weight == before and (unit.window == window or not weight.windowed):
            return
        if weight[COUNTED] != before[COUNTED]:
            home.remove(case)
            case.weight = weight
            home.add(case)
        else:
            case.weight = weight
        unit.window = window
        if weight.next_day is not None and weight.next_day != before.next_day:
            heapq.heappush(home.midnights, (weight.next_day, case.case_id))
        home.dirty_cases.add(case.case_id)
        home.dirty_units.add(case.unit)

    def weight(self, case: Case, rules: Rules | None, day: int, window: int, paused_since: int | None) -> Weight:
        """What a case weighs; the one thing that another engine is likely to see otherwise."""
        if rules is None:
            return Weight(is_open=case.is_open)
        judged = case.judged
        if judged is None:
            judged = judge(case, rules)
            case.judged = judged if judged.is_open else None  # the many that only fade are judged again each time
        return weigh(judged, day, window, paused_since)

    def _settle(
        self, rules: Rules, home: EngineHome, at: str, day: int, cause: Causes, held: Mapping[str, int] = NOTHING_HELD
    ) -> list[Change]:
        """Sum up what may be another now; `held` is what rows are at least at for rows that were lost before them."""
        changes = []
        for unit_id in sorted(home.stale):
            unit = home.unit(unit_id)
            home.dirty_units.add(unit_id)
            if not unit.is_levelled:
                continue
            before = unit.level or 0
            lost = unit.coverage is Coverage.LOST
            least = max(before, held.get(unit_id, 0))
            was = unit.settled(rules)
            settled = unit.settle(home.cases, rules)
            level = while_watched(settled, least, lost=lost)
            because = cause(unit_id, settled < (was if lost else before))
            unit.level = level
            if not lost:
                if unit.taken_back and because is LevelCause.COVERAGE and level < before:
                    because = LevelCause.RETRACTION
                unit.taken_back = False
            elif unit.settled(rules) >= level:  # also where the level that was held for another row holds itself
                unit.taken_back = False
            elif settled < was and because is LevelCause.RETRACTION:
                unit.taken_back = unit.taken_back or rules.corrects_later
            if level != before:
                unit.changes += 1
                unit.cause, unit.effective_at = because.value, at
                change = change_of(rules, home, unit, before, at, because)
                if least != before:
                    change.data["held"] = least
                changes.append(change)
        home.stale.clear()
        return changes

    def stand(self, shared: Shared, home: EngineHome, unit: Unit, before: int, at: str) -> Change | None:
        if shared.rules is None or unit.level is None or unit.level == before:
            return None
        return change_of(shared.rules, home, unit, before, at, LevelCause.ENGINE)

    def groups(self, shared: Shared, home: EngineHome, unit_id: str) -> tuple[KindGroup, ...]:
        unit = home.units.get(unit_id)
        if shared.rules is None or unit is None:
            return ()
        return groups_of(shared.rules, unit.counted(home.cases))

    # --- rows -----------------------------------------------------------------------------------------------------

    def draw(self, home: EngineHome, page: Page) -> None:
        for case in home.gone.values():
            page.add("case", case_row(self.number, home.home, case, laid_by=True))
        home.gone.clear()
        for case_id in sorted(home.dirty_cases):
            page.add("case", case_row(self.number, home.home, home.cases[case_id], laid_by=False))
        for unit_id in sorted(home.dirty_units):
            page.add("unit", unit_row(self.number, home.home, home.units[unit_id], home.cases))
        for source, body in home.watched.drawn():
            page.add("watch", (self.number, home.home, source, body))
        home.dirty_cases.clear()
        home.dirty_units.clear()
        if home.due != home.drawn_due:
            home.drawn_due = home.due
            page.add("home", (self.number, home.home, home.due, home.due_day))


def _begin(shared: Shared, home: EngineHome) -> None:
    patience = shared.rules.patience if shared.rules else None
    home.watched.begin(shared.places.row, patience, home.due, home.due_day)


def _given(case: Case, rules: Rules | None) -> int:
    """What a case is given, where an assessment by which it is given less may take back what was said of it."""
    return judge(case, rules).given if rules is not None and rules.lower_assessment_corrects else 0


def _by_ground(turned: list[Case]) -> dict[str, LevelCause]:
    """The cause in the rows of cases that stand on something now, or on nothing: these go before."""
    if not turned:
        return {}
    founded = {case.unit: LevelCause.EVIDENCE for case in turned if not case.unfounded}
    return founded | {case.unit: LevelCause.RETRACTION for case in turned if case.unfounded}


class Causes(Protocol):
    """Why the level of a unit is another one, by whether it fell."""

    def __call__(self, unit: str, fell: bool) -> LevelCause: ...


def _of_midnight(turned: object) -> LevelCause:
    return LevelCause.ELECTION_WINDOW if turned else LevelCause.FADING
