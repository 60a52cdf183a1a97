"""Who watches, the slow way: what projections/watching.py says, read again from the whole log each time it is asked."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from events.places.gazetteer import Gazetteer
from projections.taken import Taken

if TYPE_CHECKING:
    from tests.support.reference_level.rows import Row

SIGNS = ("reporter.coverage_assigned", "reporter.checked_in", "reporter.stood_down", "report.received")
BLIND = ("blind", "coverage_lost")


def watch(row: Row, log: Sequence[Taken], day: date | None, moment: str) -> None:
    """Say how well a row is watched on a day (the moment's own, where none is named)."""
    row.confidence, row.confidence_reason = confidence(log, row.unit, day, moment)
    if (row.confidence, row.confidence_reason) != BLIND:
        row.lost_since = None
    elif row.lost_since is None:
        row.lost_since = day or local(moment, _last(log, "reference.rules_adopted"))


def confidence(log: Sequence[Taken], unit: str, day: date | None, moment: str) -> tuple[str, str]:
    rules = _last(log, "reference.rules_adopted")
    numbers = rules_of(rules.data["content"]).get("coverage") if rules else None
    if numbers is None:
        return "low", "coverage_unknown"
    today = day or local(moment, rules)
    reporters, covered = watching(log, unit)
    if not covered:
        return "low", "coverage_unknown"

    def gone_by(cadence: int, last: date) -> bool:
        whole_days = (today - last).days - 1
        return bool(whole_days >= numbers["missed"] * cadence + numbers["told_within_days"])

    awaited = [one for one in reporters if not one["heard"] and not gone_by(one["cadence_days"], one["last"])]
    counted = [one for one in reporters if one not in awaited]
    silent = [one for one in counted if gone_by(one["cadence_days"], one["last"])]
    lost = []
    for channel in {one["channel"] for one in reporters}:
        over = [one for one in reporters if one["channel"] == channel]
        shortest = min(one["cadence_days"] for one in over)
        reports = [on for on in reported(log, unit, channel) if not gone_by(shortest, on)]
        mine = [one for one in over if one in counted]
        if mine or reports:
            lost.append(not reports and all(gone_by(one["cadence_days"], one["over"]) for one in mine))
    if len(silent) == len(counted) and all(lost):
        waited_for = {place for one in awaited for place in one["first_at"]}
        return ("low", "coverage_unknown") if covered <= waited_for and not lost else BLIND
    living = 1000 * (len(counted) - len(silent)) // len(counted) if counted else 0
    if living < numbers["medium_from"]:
        return "low", "few_reporters"
    if any(lost):
        return "medium", "channel_lost"
    return ("high", "coverage_full") if living >= numbers["high_from"] else ("medium", "coverage_partial")


def watching(log: Sequence[Taken], unit: str) -> tuple[list[dict[str, Any]], set[str]]:
    """Who is assigned to a unit, and to which places of it anybody ever was."""
    known: dict[str, dict[str, Any]] = {}
    ever: set[str] = set()
    row_at = places(log)
    for number, event in enumerate(log):
        data, stream = event.data, event.stream
        if event.type == "reporter.coverage_assigned":
            on = recorded_on(log, number)
            before = known.get(stream)
            kept = before["first_at"] if before and not before["heard"] and before["last"] == on else set()
            first_at = {place for place in data["units"] if place not in ever or place in kept}
            known[stream] = {**data, "last": on, "over": on, "heard": False, "first_at": first_at}
            ever |= {*data["units"]}
        elif event.type == "reporter.stood_down":
            known.pop(stream, None)
        elif event.type == "reporter.checked_in" and stream in known:
            on = min(date.fromisoformat(data["on"]), recorded_on(log, number))
            one = known[stream]
            one["heard"] = one["heard"] or on >= one["last"]
            one["last"] = max(one["last"], on)
            if data["channel"] == one["channel"]:
                one["over"] = max(one["over"], on)
    here = [one for one in known.values() if unit in [row_at(place) for place in one["units"] if place != "unplaced"]]
    return here, {place for place in ever if place != "unplaced" and row_at(place) == unit}


def ever_assigned(log: Sequence[Taken]) -> list[str]:
    """Places that anybody was ever assigned to."""
    assigned = [event.data["units"] for event in log if event.type == "reporter.coverage_assigned"]
    return sorted({place for units in assigned for place in units if place != "unplaced"})


def reported(log: Sequence[Taken], unit: str, channel: str) -> Iterator[date]:
    """The days of reports that somebody told over a channel of a unit."""
    row_at = places(log)
    for number, event in enumerate(log):
        data = event.data
        if event.type != "report.received" or data["channel"] != channel or data["place"]["unit"] == "unplaced":
            continue
        if data["recorded_by"] in ("self", "coordinator", "operator") and row_at(data["place"]["unit"]) == unit:
            rules = _last(log[: number + 1], "reference.rules_adopted")
            yield min(local(data["received_at"], rules), recorded_on(log, number))


def rows_ever_covered(log: Sequence[Taken]) -> Iterator[tuple[str, str]]:
    """Units that somebody was ever assigned to, with their homes, where rules in force ask for it."""
    rules = _last(log, "reference.rules_adopted")
    if rules is None or "coverage" not in rules_of(rules.data["content"]):
        return
    row_at = places(log)
    for event in log:
        if event.type == "reporter.coverage_assigned":
            yield from ((row_at(place), event.home) for place in event.data["units"] if place != "unplaced")


@cache
def rules_of(content: str) -> Mapping[str, Any]:
    return tomllib.loads(content)


_GAZETTEERS: dict[str, Gazetteer] = {}


def places(log: Sequence[Taken]) -> Any:
    """In which row a place is, by the gazetteer in force; each in its own without one."""
    adopted = _last(log, "reference.gazetteer_adopted")
    if adopted is None:
        return str
    known = _GAZETTEERS.get(adopted.data["content_hash"])
    if known is None:
        known = _GAZETTEERS[adopted.data["content_hash"]] = Gazetteer.from_content(adopted.data["content"])
    return known.row_at


def recorded_on(log: Sequence[Taken], number: int) -> date:
    return local(log[number].time, _last(log[: number + 1], "reference.rules_adopted"))


def local(moment: str, rules: Taken | None) -> date:
    at = datetime.fromisoformat(moment)
    if rules is None:
        return (at - (at.utcoffset() or timedelta())).date()
    return at.astimezone(ZoneInfo(rules_of(rules.data["content"])["time_zone"])).date()


def _last(log: Sequence[Taken], type_: str) -> Taken | None:
    return next((event for event in reversed(log) if event.type == type_), None)
