"""Levels and alerts computed anew from the log by the definition in projections/alert_level, and none of its code.

Every engine that ever spoke weighs as that page says. An event of a case weighs the rows anew in which it, or a case
that stands for it, counts; a midnight, rules, a gazetteer and an election weigh every row.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, NamedTuple, Protocol

from tests.faults.checker.findings import Findings, NotModelled
from tests.faults.checker.identity import named
from tests.faults.checker.ledger import Row
from tests.faults.checker.places import NOWHERE, Places
from tests.faults.checker.weights import Case, Rules, Weight, local_day, midnight, weigh

LEVEL, ALERT = "level.level_changed", "alert.issued"
DERIVED = {LEVEL, ALERT, "level.response_overdue"}
ENGINE = 1
"""The one whose definition is followed here."""
REFERENCE = {
    "clock.ticked",
    *(f"reference.{name}" for name in ("rules_adopted", "gazetteer_adopted", "election_dated", "engine_adopted")),
    *(f"reference.{name}" for name in ("recipient_registered", "event_waived")),
}
CORRECTING = {"retraction", "rules", "gazetteer", "engine"}
GROUPS = ("violence_and_weapons", "tension_and_rumour", "rights_and_elections", "displacement")
TAKES_UP = {"case.report_linked", "case.report_unlinked"}
CAUSES = {
    **dict.fromkeys(("case.opened", "case.ratified", "case.classified", "case.assessed", "case.reopened"), "evidence"),
    "case.merge_reversed": "evidence",
    "case.not_ratified": "retraction",
    "case.merged": "retraction",
    "case.resolved": "resolved",
    "case.closed": "resolved",
}


class Told(Protocol):
    """What is read of an event."""

    @property
    def time(self) -> str: ...
    @property
    def stream(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def home(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def data(self) -> dict[str, Any]: ...


class Said(NamedTuple):
    """An event that has to be there: its stream, id and all of its data."""

    stream: str
    home: str
    event_id: str
    engine: int
    data: dict[str, Any]


@dataclass
class Unit:
    """A row: the cases in it, and its level so far."""

    unit: str
    home: str
    cases: dict[str, Case] = field(default_factory=dict)
    level: int | None = None
    told: dict[str, Any] = field(default_factory=dict)
    multiplied: bool = False


class Voice:
    """What has to be said, and what was."""

    def __init__(self) -> None:
        self.engine: int | None = None
        self.said: list[Said] = []
        self._levels: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._standing: dict[str, str] = {}

    def say(self, home: str, told: dict[str, Any], rules: Rules, places: Places | None) -> None:
        """A change, and the alert that goes with it."""
        unit, now = told["unit"], told["to"]
        self._levels[unit] = now
        self._add(f"level/{unit}", home, told)
        from_level = rules["alerts"]["from_level"]
        if unit.startswith("outside:") or (now < from_level and unit not in self._standing):
            return
        groups = {rules["kinds"][case["kind"]]["group"] for case in told["contributions"] if case["counted"]}
        corrects, ends = told["cause"] in CORRECTING, now < from_level
        data = {
            "unit": unit,
            **(places.name_and_codes(unit) if places else {"unit_name": unit, "codes": []}),
            "from": told["from"],
            "to": now,
            "on": local_day(told["effective_at"], rules["time_zone"]).isoformat(),
            "kinds": [group for group in GROUPS if group in groups],
            "rules_hash": told["rules_hash"],
            "change": ("cancelled" if ends else "corrected")
            if corrects
            else ("raised" if now > told["from"] else "lowered"),
        }
        if unit in self._standing:
            data["cancels" if corrects and ends else "updates"] = self._standing[unit]
        event_id = self._add(f"alert/{unit}", home, data)
        if ends:
            self._standing.pop(unit, None)
        else:
            self._standing[unit] = event_id

    def last(self, unit: str) -> int:
        return self._levels.get(unit, 0)

    def _add(self, stream: str, home: str, data: dict[str, Any]) -> str:
        assert self.engine is not None
        self._counts[stream] = self._counts.get(stream, 0) + 1
        event_id = named(f"{stream}/{self._counts[stream]}")
        self.said.append(Said(stream, home, event_id, self.engine, data))
        return event_id


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
        self._last: str | None = None
        self._next: date | None = None

    def take(self, event: Told) -> None:
        """One event more; nothing that follows from others tells anything new."""
        if event.mode != "actual" or event.type in DERIVED:
            return
        self._pass_midnights(event.time)
        noun, _, name = event.stream.partition("/")
        if event.type == "case.opened":
            self._open(event, name)
        elif noun == "case" and name in self.cases and event.type in CHANGES:
            self._change(event, self.cases[name])
        elif event.type in ("report.withdrawn", "report.superseded"):
            self._lose_report(event, name)
        elif noun == "reference":
            self._reference(event)
        self._last = event.time

    # --- one event ----------------------------------------------------------------------------------------------------

    def _open(self, event: Told, name: str) -> None:
        data = event.data
        row = self._row_of(data["place"]["unit"])
        case = Case(name, event.home, data["place"]["unit"], event.time, data["kind"], data, data["provisional"], row)
        self.cases[name] = case
        self._put(case)
        self._step([row], event.time, None, lambda unit: "evidence")

    def _change(self, event: Told, case: Case) -> None:
        was_laid_by, case.laid_by = case.laid_by, False
        if was_laid_by:
            case.row = self._row_of(case.place)
            self._put(case)
        linked = set(case.links)
        touched = self._above(case)
        CHANGES[event.type](self, case, event)
        for report in linked ^ case.links:
            (self._linked.setdefault(report, set()).add if report in case.links else self._linked[report].discard)(
                case.case_id
            )
        touched |= self._above(case)
        own = CAUSES.get(event.type, f"nothing that {event.type} should change")
        if was_laid_by and (event.type in TAKES_UP or "absorbed" in event.data):
            own = "evidence"
        self._settle(touched, event.time, own)

    def _lose_report(self, event: Told, report: str) -> None:
        touched: set[str] = set()
        for case_id in sorted(self._linked.get(report, ())):
            case = self.cases[case_id]
            touched |= self._above(case)
            lose_link(case, report)
        self._linked.pop(report, None)
        self._settle(touched, event.time, f"nothing that {event.type} should change")

    def _settle(self, touched: set[str], moment: str, own: str) -> None:
        """Who stands on nothing now, and the rows in which that or the event itself counts."""
        turned: dict[str, set[bool]] = {}
        for case_id in touched:
            case = self.cases[case_id]
            case.weighed = None
            before, case.unfounded = case.unfounded, not any(self.cases[one].own_ground for one in self._family(case))
            if before != case.unfounded and not case.laid_by:
                turned.setdefault(case.row, set()).add(case.unfounded)

        def cause(unit: Unit) -> str:
            if unit.unit in turned:
                return "retraction" if True in turned[unit.unit] else "evidence"
            return own

        self._step(sorted({self.cases[one].row for one in touched}), moment, None, cause)

    def _reference(self, event: Told) -> None:
        data, cause = event.data, None
        if event.type not in REFERENCE:
            raise NotModelled(f"{event.type} goes to everybody at {event.time}")
        if event.type == "reference.rules_adopted":
            self._rules, self._hash = tomllib.loads(data["content"]), sha256(data["content"].encode()).hexdigest()
            self._next, cause = None, "rules"
        elif event.type == "reference.gazetteer_adopted":
            self._places, cause = Places(data["content"]), "gazetteer"
            for case in self.cases.values():
                if not case.laid_by:
                    self.units[case.row].cases.pop(case.case_id)
                    case.row = self._row_of(case.place)
                    self._put(case)
        elif event.type == "reference.election_dated":
            self._elections[data["election"]], cause = data, "election_window"
        if cause is not None:
            why = cause
            self._step(list(self.units), event.time, None, lambda unit: why)
        if event.type == "reference.engine_adopted" and data["projection"] == "alert_level":
            self._adopt(data["number"], event.time)

    def _adopt(self, engine: int, moment: str) -> None:
        if engine != ENGINE:
            raise NotModelled(f"engine {engine} of alert_level speaks from {moment} on")
        self.voice.engine = engine
        for name in sorted(self.units):
            unit, before = self.units[name], self.voice.last(name)
            if unit.level is not None and unit.level != before and self._rules is not None:
                told = {**unit.told, "from": before, "cause": "engine", "effective_at": moment, "held": unit.level}
                self.voice.say(unit.home, told, self._rules, self._places)

    # --- time ---------------------------------------------------------------------------------------------------------

    def _pass_midnights(self, until: str) -> None:
        if self._rules is None or self._last is None:
            return
        zone = self._rules["time_zone"]
        if self._next is None:
            self._next = local_day(self._last, zone) + timedelta(days=1)
        while (moment := midnight(self._next, zone)) <= until:
            day = self._next
            moved = self._window(day) != self._window(day - timedelta(days=1))

            def cause(unit: Unit, moved: bool = moved) -> str:
                inside = moved and unit.multiplied and not unit.unit.startswith("outside:")
                return "election_window" if inside else "fading"

            self._step(list(self.units), moment, day, cause)
            self._lay_by(day)
            self._next = day + timedelta(days=1)

    def _lay_by(self, day: date) -> None:
        for unit in self.units.values():
            for case in [case for case in unit.cases.values() if not case.is_open]:
                weight = self._weigh(case, day, 1000)
                if not weight.standing and not weight.worth:
                    case.laid_by = True
                    del unit.cases[case.case_id]

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

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _step(self, units: Sequence[str], moment: str, day: date | None, cause: Callable[[Unit], str]) -> None:
        """Weigh rows anew; whoever speaks says what changed."""
        if self._rules is None:
            return
        day = day or local_day(moment, self._rules["time_zone"])
        window = self._window(day)
        for name in sorted(units):
            unit = self.units[name]
            if name in NOWHERE:
                continue
            before = unit.level or 0
            unit.level = self._level(unit, day, window)
            if unit.level != before:
                unit.told |= {"from": before, "to": unit.level, "cause": cause(unit), "effective_at": moment}
                if self.voice.engine is not None:
                    self.voice.say(unit.home, dict(unit.told), self._rules, self._places)
            else:
                unit.told |= {"to": unit.level}

    def _level(self, unit: Unit, day: date, window: int) -> int:
        rules = self._rules
        assert rules is not None
        times = 1000 if unit.unit.startswith("outside:") else window
        weights = [(case, self._weigh(case, day, times)) for case in unit.cases.values()]
        unit.multiplied = any(weight.multiplied for _, weight in weights)
        grave = [(case, one) for case, one in weights if not one.peace and one.given > 0 and case.is_open]
        blocked = any(one.severity in rules["peace"]["blocked_by"] for _, one in grave)
        harm = ranked(((one.weighted, case, one) for case, one in weights if one.weighted), rules)  # 7
        kept = [] if blocked else ranked(((one.worth, case, one) for case, one in weights if one.worth), rules)  # 8
        softened = sum(told["counted"] for weight, told in harm if weight.softened)
        offset = min(sum(told["counted"] for _, told in kept), softened * rules["peace"]["share"] // 1000)
        points = sum(told["counted"] for _, told in harm) - offset  # 9
        extreme = rules["straight_to"]["severity"]
        straight = any(case.assessment is not None and one.severity == extreme for case, one in grave)  # 10
        up = sum(points >= least for least in rules["levels"]["up"])  # 11
        down = sum(points >= least for least in rules["levels"]["down"])
        unit.told = {
            "unit": unit.unit,
            "points": points,
            "contributions": [told for _, told in harm],
            "peace": [told for _, told in kept],
            "peace_offset": offset,
            "window_permille": times if unit.multiplied else 1000,
            "open_cases": sum(case.is_open for case in unit.cases.values()),
            "confidence": "low",
            "confidence_reason": "coverage_unknown",
            "rules_hash": self._hash,
            **({"straight_to": rules["straight_to"]["level"]} if straight else {}),
        }
        return int(max(up, min(unit.level or 0, down), rules["straight_to"]["level"] if straight else 0))

    def _weigh(self, case: Case, day: date, window: int) -> Weight:
        under = (day, window, self._hash)
        if case.weighed is None or case.weighed[0] != under:
            assert self._rules is not None
            case.weighed = (under, weigh(case, self._rules, day, window))
        return case.weighed[1]

    def _row_of(self, place: str) -> str:
        return self._places.row_at(place) if self._places else place

    def _put(self, case: Case) -> None:
        self.units.setdefault(case.row, Unit(case.row, case.home)).cases[case.case_id] = case

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


def ranked(found: Iterable[tuple[int, Case, Weight]], rules: Rules) -> list[tuple[Weight, dict[str, Any]]]:
    """7. The largest first, equals by case id; beyond the last rank none counts."""
    in_order = sorted(found, key=lambda one: (-one[0], one[1].case_id))
    return [
        (
            weight,
            {
                "case_id": case.case_id,
                "kind": case.kind,
                "given": weight.given,
                "faded": weight.faded,
                "floor": weight.floor,
                "rank": rank,
                "counted": amount * share // 1000,
            },
        )
        for rank, ((amount, case, weight), share) in enumerate(zip(in_order, rules["ranks"], strict=False), 1)
    ]


# --- what an event says of its case -----------------------------------------------------------------------------------


def lose_link(case: Case, report: str) -> None:
    if report in case.links:
        case.links.remove(report)
        if not case.links and not case.provisional:
            case.own_ground = False


def _classified(levels: Levels, case: Case, event: Told) -> None:
    case.kind = event.data["kind"]


def _linked(levels: Levels, case: Case, event: Told) -> None:
    case.links.add(event.data["report_id"])
    case.own_ground = True


def _unlinked(levels: Levels, case: Case, event: Told) -> None:
    lose_link(case, event.data["report_id"])


def _assessed(levels: Levels, case: Case, event: Told) -> None:
    case.assessment = event.data
    case.own_ground |= case.unfounded


def _ratified(levels: Levels, case: Case, event: Told) -> None:
    case.ratified, case.refused, case.provisional = True, False, False
    case.own_ground |= case.unfounded


def _not_ratified(levels: Levels, case: Case, event: Told) -> None:
    case.refused, case.provisional = True, False


def _merged(levels: Levels, case: Case, event: Told) -> None:
    if "into" in event.data:
        levels.merge(case, event.data["into"])


def _parted(levels: Levels, case: Case, event: Told) -> None:
    if "into" in event.data:
        levels.merge(case, None)


def _resolved(levels: Levels, case: Case, event: Told) -> None:
    case.resolved_as = event.data["outcome"]


def _closed(levels: Levels, case: Case, event: Told) -> None:
    case.closed = True


def _reopened(levels: Levels, case: Case, event: Told) -> None:
    case.resolved_as, case.closed, case.refused = None, False, False
    case.own_ground |= case.unfounded
    if event.data["reason"] == "danger_returned":
        case.danger_returned_at = event.time


CHANGES: dict[str, Callable[[Levels, Case, Told], None]] = {
    "case.classified": _classified,
    "case.report_linked": _linked,
    "case.report_unlinked": _unlinked,
    "case.assessed": _assessed,
    "case.ratified": _ratified,
    "case.not_ratified": _not_ratified,
    "case.merged": _merged,
    "case.merge_reversed": _parted,
    "case.resolved": _resolved,
    "case.closed": _closed,
    "case.reopened": _reopened,
}


# --- against the ledger -----------------------------------------------------------------------------------------------


class _FromRow(NamedTuple):
    time: str
    stream: str
    type: str
    home: str
    mode: str
    data: dict[str, Any]


def _told(rows: Sequence[Row]) -> Iterator[_FromRow]:
    for row in rows:
        time = row.recorded_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        yield _FromRow(time, row.stream, row.type, row.home, row.wire["mode"], row.wire["data"])


def judge(folded: Sequence[Row], rows: Sequence[Row], found: Findings) -> None:
    """Every change of a level and every alert that follows from the log is in it once, and nothing else of the kind."""
    levels = Levels()
    for event in _told(folded):
        levels.take(event)
    wanted: dict[str, list[Said]] = {}
    for said in levels.voice.said:
        wanted.setdefault(said.stream, []).append(said)
    told: dict[str, list[Row]] = {}
    for row in rows:
        if row.type in (LEVEL, ALERT):
            told.setdefault(row.stream, []).append(row)
    for stream in sorted(wanted.keys() | told.keys()):
        what = "level" if stream.startswith("level/") else "alert"
        own, theirs = wanted.get(stream, []), told.get(stream, [])
        for one, row in zip(own, theirs, strict=False):
            data = {name: value for name, value in row.wire["data"].items() if value is not None}
            differs = sorted(name for name in data.keys() | one.data.keys() if data.get(name) != one.data.get(name))
            as_said = (row.event_id, row.home, row.wire.get("engine"))
            if differs or as_said != (one.event_id, one.home, one.engine):
                sentence = f"{stream}: {data} is told, and computed anew it is {one.data} ({differs})."
                found.add(f"{what}_differs", sentence, row.position)
                break
        else:
            if len(own) > len(theirs):
                found.add(f"{what}_missing", f"{stream}: {own[len(theirs)].data} follows and is not told.")
            elif len(theirs) > len(own):
                row = theirs[len(own)]
                found.add(f"{what}_of_nothing", f"{stream}: {row.wire['data']} does not follow.", row.position)
