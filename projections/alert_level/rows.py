"""Cases and units as rows, and back: what an engine writes is all that it needs to go on."""

from __future__ import annotations

from typing import Any

import orjson

from events.level import Confidence, ConfidenceReason, LevelChanged
from projections.alert_level.case import Case, Weight
from projections.alert_level.elections import NO_WINDOW
from projections.alert_level.unit import Counted, Unit

_FACTS = tuple(name for name in Case.__slots__ if name not in ("case_id", "unit", "links", "weight"))
_COUNTED = ("case_id", "kind", "given", "faded", "floor", "rank", "counted")


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def case_row(engine: int, home: str, case: Case, *, laid_by: bool) -> tuple[Any, ...]:
    """(engine, case id, home, unit, laid by, body); the body holds what is not the same as in a new case."""
    body = {name: value for name in _FACTS if (value := getattr(case, name)) not in (None, False)}
    if not laid_by:
        body["links"] = case.links
        body["weight"] = {name: value for name, value in case.weight._asdict().items() if value not in (None, False, 0)}
    return (engine, case.case_id, home, case.unit, laid_by, _json(body))


def case_of(case_id: str, unit: str, body: str) -> Case:
    """A case from its row."""
    found = orjson.loads(body)
    case = Case(case_id, found["place"], found["kind"], found["opened"])
    case.unit = unit
    for name in _FACTS:
        if name in found:
            setattr(case, name, found[name])
    case.links = found.get("links", [])
    case.weight = Weight(**({"is_open": False} | found.get("weight", {})))
    return case


def unit_row(engine: int, home: str, unit: Unit, confident: tuple[Confidence, ConfidenceReason]) -> tuple[Any, ...]:
    """The values of the writing `unit`, in order."""
    confidence, reason = confident
    return (
        engine,
        unit.unit,
        home,
        unit.level,
        unit.points,
        unit.offset,
        unit.window_shown,
        unit.straight,
        unit.open_cases,
        unit.asks,
        confidence.value,
        reason.value,
        unit.cause,
        unit.effective_at,
        unit.changes,
        unit.rules_hash,
        _json([dict(zip(_COUNTED, one, strict=True)) for one in unit.counted]),
        _json([dict(zip(_COUNTED, one, strict=True)) for one in unit.offsetting]),
    )


def unit_of(row: Any) -> Unit:
    """A unit from its row; its cases are counted as they are read."""
    unit = Unit(row["unit"])
    unit.level = row["level"]
    unit.points = row["points"]
    unit.offset = row["peace_offset"]
    unit.window = row["window_permille"] or NO_WINDOW
    unit.straight = row["straight_to"]
    unit.cause = row["cause"]
    unit.effective_at = row["effective_at"]
    unit.changes = row["changes"]
    unit.rules_hash = row["rules_hash"]
    unit.counted = _counted(row["contributions"])
    unit.offsetting = _counted(row["peace"])
    return unit


def _counted(text: str) -> tuple[Counted, ...]:
    return tuple(
        (one["case_id"], one["kind"], one["given"], one["faded"], one["floor"], one["rank"], one["counted"])
        for one in orjson.loads(text)
    )


def history_row(engine: int, home: str, number: int, at: str, event: LevelChanged) -> tuple[Any, ...]:
    """A line of the history: a change, with all that it was computed from."""
    words = _json(event.wire_data())
    return (engine, event.unit, number, home, event.before, event.after, event.cause.value, at, words)
