"""What is said of the levels, and what strangers are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from events.alert import KindGroup
from projections.projection import derived_id
from projections.rule_set import hash_of
from projections.taken import Taken
from tests.support.reference_coverage import places
from tests.support.reference_level.adopted import gazetteer_of, in_force, local_day, rules_of
from tests.support.reference_level.rows import Line, Row


@dataclass
class Said:
    """An event that follows, with what makes its id and its place."""

    stream: str
    home: str
    seed: str
    due: str
    engine: int
    data: dict[str, Any]


CORRECTING = ("retraction", "rules", "gazetteer", "engine")
"""Causes that say that what was told was not so, or is counted otherwise now: nothing happened in the unit."""


class Voice:
    """Nothing is said before an engine is adopted; then the differences to what the log says, then every change.

    Strangers are told of every change to a level of `alerts.from_level` or more, and of one below it where an alert
    stands; that one ends it. Alerts name the one before by `updates`, or by `cancels` where a correction ends it.
    Nothing is told of the outside. Where people overrode a unit, theirs is what strangers are told, until it ends; but
    a level above both theirs and the lowest that was said since is told as it is.
    """

    def __init__(self) -> None:
        self.speaker: int | None = None
        self.levels: dict[str, int] = {}
        self.strangers: dict[str, int] = {}
        self.overrides: dict[str, tuple[int, int, str]] = {}
        self.homes: dict[str, str] = {}
        self.changes: dict[str, int] = {}
        self.alerts: dict[str, int] = {}
        self.standing: dict[str, str] = {}
        self.said: list[Said] = []

    def adopt(self, engine: int, rows: Mapping[str, Row], log: Sequence[Taken], moment: str) -> None:
        self.speaker = engine
        for unit in sorted(rows):
            row, before = rows[unit], self.levels.get(unit, 0)
            if row.level is not None and row.level != before:
                told = row.explanation(before) | {"cause": "engine", "effective_at": moment, "held": row.level}
                self.say(row.home, told, log)
        for unit in sorted(self.overrides):
            self.decided(unit, rows, log, moment, raising=False)

    def changed(self, engine: int, line: Line, log: Sequence[Taken]) -> None:
        if engine == self.speaker:
            self.say(line.home, line.told, log)

    def say(self, home: str, told: dict[str, Any], log: Sequence[Taken]) -> None:
        unit = told["unit"]
        self.levels[unit] = told["to"]
        if unit in self.overrides:
            theirs, lowest, until = self.overrides[unit]
            self.overrides[unit] = (theirs, min(lowest, told["to"]), until)
        self._said("level", self.changes, home, told["effective_at"], told)
        corrects = told["cause"] in CORRECTING or (told["cause"] == "coverage" and told["to"] > told["from"])
        self.alert(home, unit, told["contributions"], told["effective_at"], log, corrects)

    def override(self, event: Taken, rows: Mapping[str, Row], log: Sequence[Taken]) -> None:
        """People decided, or took back, what strangers are told."""
        unit, data = event.data["unit"], event.data
        self.homes[unit] = event.home
        self.overrides.pop(unit, None)
        raising = False
        if event.type == "alert.overridden" and data["until"] > event.time:
            self.overrides[unit] = (data["level"], self.levels.get(unit, 0), data["until"])
            raising = data["level"] > self.strangers.get(unit, 0)
        self.decided(unit, rows, log, event.time, raising=raising)

    def after_reference(self, event: Taken, rows: Mapping[str, Row], log: Sequence[Taken]) -> None:
        """An override ends with its unit's row; others may be told now, if there were no rules before."""
        for unit in sorted(self.overrides):
            if event.type == "reference.gazetteer_adopted" and places(log)(unit) != unit:
                del self.overrides[unit]
            self.decided(unit, rows, log, event.time, raising=False)

    def end(self, moment: str, rows: Mapping[str, Row], log: Sequence[Taken]) -> None:
        """Overrides that end at a moment by themselves."""
        for unit in sorted(unit for unit, (_, _, until) in self.overrides.items() if until == moment):
            del self.overrides[unit]
            self.decided(unit, rows, log, moment, raising=False)

    def decided(self, unit: str, rows: Mapping[str, Row], log: Sequence[Taken], moment: str, *, raising: bool) -> None:
        if self.speaker is not None and in_force(log) is not None:
            listed = rows[unit].contributions if unit in rows else []
            self.alert(self.homes[unit], unit, listed, moment, log, not raising)

    def theirs(self, unit: str) -> int:
        level = self.levels.get(unit, 0)
        told, held, _ = self.overrides.get(unit, (level, level, ""))
        return level if level > held and level > told else told

    def alert(
        self,
        home: str,
        unit: str,
        contributions: Sequence[Mapping[str, Any]],
        moment: str,
        log: Sequence[Taken],
        corrects: bool,
    ) -> None:
        rules = rules_of(in_force(log) or "")
        before, after = self.strangers.get(unit, 0), self.theirs(unit)
        self.strangers[unit] = after
        ends = after < rules.alerts.from_level
        if before == after or unit.startswith("outside:") or (ends and unit not in self.standing):
            return
        groups = {rules.kinds[case["kind"]].group for case in contributions if case["counted"]}
        data = {
            "unit": unit,
            **name_and_codes(unit, log),
            "from": before,
            "to": after,
            "on": local_day(moment, rules).isoformat(),
            "kinds": [str(group) for group in KindGroup if group in groups],
            "rules_hash": hash_of(in_force(log) or ""),
        }
        if corrects:
            data["change"] = "cancelled" if ends else "corrected"
        else:
            data["change"] = "raised" if after > before else "lowered"
        if unit in self.standing:
            data["cancels" if corrects and ends else "updates"] = self.standing[unit]
        seed = self._said("alert", self.alerts, home, moment, data)
        if ends:
            del self.standing[unit]
        else:
            self.standing[unit] = str(derived_id(seed))

    def _said(self, noun: str, counts: dict[str, int], home: str, due: str, data: dict[str, Any]) -> str:
        assert self.speaker is not None
        stream = f"{noun}/{data['unit']}"
        counts[stream] = counts.get(stream, 0) + 1
        seed = f"{stream}/{counts[stream]}"
        self.said.append(Said(stream, home, seed, due, self.speaker, data))
        return seed


def name_and_codes(unit_id: str, log: Sequence[Taken]) -> dict[str, Any]:
    """A unit's name and codes for strangers; its id where no gazetteer in force knows it."""
    adopted = [event for event in log if event.type == "reference.gazetteer_adopted"]
    unit = gazetteer_of(adopted[-1]).units.get(unit_id) if adopted else None
    if unit is None:
        return {"unit_name": unit_id, "codes": []}
    codes = {"pcode": unit.pcode, "national_code": unit.national_code, "iso_3166": unit.iso_3166}
    return {"unit_name": unit.name, "codes": [{"scheme": key, "code": code} for key, code in codes.items() if code]}
