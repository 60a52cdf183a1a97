"""Cases and units as rows, and back: what an engine writes is all that it needs to go on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from sys import intern
from typing import Any

import orjson

from projections.alert_level.case import Case, Weight
from projections.alert_level.elections import NO_WINDOW
from projections.alert_level.laid_by import LaidBy
from projections.alert_level.unit import Unit
from projections.watching import BY_REASON, CONFIDENCE


def case_row(engine: int, home: str, case: Case, *, laid_by: bool) -> tuple[Any, ...]:
    """(engine, case id, home, unit, laid by, body); the body is a list: nothing is written oftener than a case."""
    body = (
        case.place,
        case.kind,
        case.opened,
        case.returned,
        case.occurred,
        case.expected,
        case.stated,
        case.threat,
        case.provisional,
        case.ratified,
        case.not_ratified,
        case.assessed,
        case.severity,
        case.credibility,
        case.circulating,
        case.verification,
        case.resolved,
        case.closed,
        case.into,
        case.lost,
        case.links,
        None if laid_by else tuple(case.weight),
    )
    return (engine, case.case_id, home, case.unit, laid_by, orjson.dumps(body).decode())


def case_of(case_id: str, unit: str, body: str) -> Case:
    """A case from its row."""
    (
        place, kind, opened, returned, occurred, expected, stated, threat, provisional, ratified, not_ratified,
        assessed, severity, credibility, circulating, verification, resolved, closed, into, lost, links, weight,
    ) = orjson.loads(body)  # fmt: skip
    case = Case(case_id, intern(place), intern(kind), opened)
    case.unit = unit
    case.returned, case.occurred, case.expected = returned, occurred, expected
    case.threat, case.provisional, case.ratified, case.not_ratified = threat, provisional, ratified, not_ratified
    case.assessed, case.closed, case.lost, case.into, case.links = assessed, closed, lost, into, links
    case.stated, case.severity, case.credibility = _kept(stated), _kept(severity), _kept(credibility)
    case.circulating, case.verification, case.resolved = _kept(circulating), _kept(verification), _kept(resolved)
    case.weight = Weight(*weight) if weight else Weight(is_open=False)
    return case


def _kept(word: str | None) -> str | None:
    """The one of this word that is kept for all cases."""
    return None if word is None else intern(word)


def lay_by(laid_by: LaidBy, case_id: str, unit: str, body: str) -> None:
    """Keep the case of a row that was laid by: a long history has many, so it never becomes a `Case`."""
    (
        place, kind, opened, returned, occurred, expected, stated, threat, provisional, ratified, not_ratified,
        assessed, severity, credibility, circulating, verification, resolved, closed, into, lost, links, _,
    ) = orjson.loads(body)  # fmt: skip
    words = (place, unit, kind, stated, severity, credibility, circulating, verification, resolved)
    flags = (threat, provisional, ratified, not_ratified, assessed, closed, lost)
    laid_by.keep(case_id, words, flags, opened, (returned, occurred, expected), links, into)


def unit_row(engine: int, home: str, unit: Unit, cases: Mapping[str, Case]) -> tuple[Any, ...]:
    """The values of the writing `unit`, in order."""
    confidence, reason = CONFIDENCE[unit.coverage]
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
        None if unit.lost_since is None else date.fromordinal(unit.lost_since).isoformat(),
        unit.taken_back,
        unit.cause,
        unit.effective_at,
        unit.changes,
        unit.rules_hash,
        orjson.dumps(unit.counted(cases)).decode(),
        orjson.dumps(unit.offsetting(cases)).decode(),
    )


_UNIT = (
    *("engine", "unit", "home", "level", "points", "peace_offset", "window_permille", "straight_to", "open_cases"),
    *("outcomes_asked", "confidence", "confidence_reason", "last_known", "taken_back", "cause", "effective_at"),
    *("changes", "rules_hash", "contributions", "peace"),
)


def unit_read(row: tuple[Any, ...]) -> dict[str, Any]:
    """The values of the writing `unit` by the names of their columns, for who folds in memory and looks at a unit."""
    return dict(zip(_UNIT, row, strict=True))


def unit_of(row: Any) -> Unit:
    """A unit from its row; its cases are counted as they are read."""
    unit = Unit(row["unit"])
    unit.level = row["level"]
    unit.points = row["points"]
    unit.offset = row["peace_offset"]
    unit.window = row["window_permille"] or NO_WINDOW
    unit.coverage = BY_REASON[row["confidence_reason"]]
    unit.lost_since = date.fromisoformat(row["last_known"]).toordinal() if row["last_known"] else None
    unit.taken_back = row["taken_back"]
    unit.straight = row["straight_to"]
    unit.cause = row["cause"]
    unit.effective_at = row["effective_at"]
    unit.changes = row["changes"]
    unit.rules_hash = row["rules_hash"]
    unit.shares = [one["counted"] for one in orjson.loads(row["contributions"])]
    unit.peace_shares = [one["counted"] for one in orjson.loads(row["peace"])]
    return unit


def history_row(engine: int, home: str, number: int, data: dict[str, Any]) -> tuple[Any, ...]:
    """A line of the history: a change, with all that it was computed from."""
    words = orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode()
    return (engine, data["unit"], number, home, data["from"], data["to"], data["cause"], data["effective_at"], words)
