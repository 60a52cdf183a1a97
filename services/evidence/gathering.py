"""Which positions of the log are about a case. Kept are numbers alone, eight bytes an event, however large it is."""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from events.case.refusals import NoSuchCase
from events.vocabulary import Mode
from projections.sql import named_queries
from services import clock
from services.ledger.ledger import Recorded
from services.moments import Moment, Named, refuse_outside
from services.trace.events import ALERT, LEVEL, Told
from services.trace.reading import Reader, TooMuch
from services.trace.told_for import told_for

SQL = named_queries("services.evidence", "evidence.sql")
MOST_EVENTS = 20_000
"""Events of one pack, unless it is told otherwise; more than that is said, never left out in silence."""

AT_ONCE = 500

TIES = {
    "case.merged": ("into", "absorbed"),
    "case.report_linked": ("report_id",),
    "report.superseded": ("received_again_as",),
    "report.received": ("carried",),
}
"""What ties a stream to others, by type, and the field that names them."""

Fetch = Callable[..., Awaitable[list[asyncpg.Record]]]
Sees = Callable[[str | None], bool]
"""Whether whoever asks may see what lies in a unit; None is what nobody knows a unit of."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a pack of a case holds: positions in order, and of what whoever asks may not see how many streams."""

    case_id: UUID
    home: str
    mode: Mode
    cases: frozenset[str]
    reports: frozenset[str]
    positions: array[int]
    up_to: int
    hidden: int


async def end_of(fetch: Fetch, named: Named | None) -> int:
    """Up to which position a pack speaks; raises BeforeTheLog, BeyondTheLog for a moment that is not on it."""
    (row,) = await fetch(SQL["end"])
    last = int(row[0] or 0)
    if named is None:
        return last
    refuse_outside(named, await _moment(fetch, 1), await _moment(fetch, last), clock.now())
    position = named if isinstance(named, int) else (await fetch(SQL["recorded_by"], named))[0][0]
    return min(position, last)


async def _moment(fetch: Fetch, position: int) -> Moment | None:
    rows = await fetch(SQL["recorded_at"], position)
    return Moment(position, rows[0][0]) if rows else None


async def gather(fetch: Fetch, case_id: UUID, up_to: int, sees: Sees, most: int = MOST_EVENTS) -> Gathered:
    """Find everything; raises NoSuchCase for one that was not there by then or is not seen, TooMuch."""
    stream = f"case/{case_id}"
    begins = await fetch(SQL["first"], stream, up_to)
    if not begins or not sees(_unit(begins[0]["body"])):
        raise NoSuchCase()
    streams, hidden = await _tied(fetch, stream, up_to, sees)
    cases = frozenset(one for one in streams if one.startswith("case/"))
    found = array("q")
    whole = [*streams, *(f"custody/{one.partition('/')[2]}" for one in streams)]
    _take(found, await fetch(SQL["streams"], sorted(whole), up_to), most)
    homes = {row["home"] for one in cases for row in await fetch(SQL["first"], one, up_to)}
    first = min(found)
    levels, unseen = await _levels(fetch, cases, homes, first, up_to, sees)
    for unit, named in levels.items():
        _take(found, named, most)
        for position in await _told(fetch, unit, {row["position"] for row in named}, first, up_to):
            found.append(position)
    return Gathered(
        case_id,
        begins[0]["home"],
        Mode.read(orjson.loads(begins[0]["body"])["mode"]),
        cases,
        frozenset(streams) - cases,
        array("q", sorted(set(found))),
        up_to,
        hidden + unseen,
    )


async def rows_of(fetch: Fetch, positions: array[int]) -> AsyncIterator[Recorded]:
    """The events at these positions, in order, some at a time."""
    for at in range(0, len(positions), AT_ONCE):
        for row in await fetch(SQL["rows"], positions[at : at + AT_ONCE].tolist()):
            yield Recorded(*row)


async def _tied(fetch: Fetch, stream: str, up_to: int, sees: Sees) -> tuple[set[str], int]:
    """The streams of cases and reports that belong together, from one of them on."""
    known, waiting, hidden = set[str](), {stream}, set[str]()
    while waiting:
        for one in waiting - {stream}:
            begins = await fetch(SQL["first"], one, up_to)
            if begins and not sees(_unit(begins[0]["body"])):
                hidden.add(one)
        known |= waiting - hidden
        tied = {
            name
            for row in await fetch(SQL["ties"], sorted(waiting - hidden), up_to, list(TIES))
            for name in _named(row["type"], orjson.loads(row["body"])["data"])
        }
        waiting = tied - known - hidden
    return known, len(hidden)


def _named(type_: str, data: dict[str, Any]) -> Iterator[str]:
    kind = "case" if type_ == "case.merged" else "report"
    for field in TIES[type_]:
        match data.get(field):
            case str(other):
                yield f"{kind}/{other}"
            case dict(carried):
                yield from (f"report/{one}" for one in (carried["supersedes"], *carried.get("received_before", ())))


async def _levels(
    fetch: Fetch, cases: Collection[str], homes: Collection[str], since: int, up_to: int, sees: Sees
) -> tuple[dict[str, list[asyncpg.Record]], int]:
    """What names one of the cases, by the unit whose level it is about."""
    words = [one.removeprefix("case/") for one in cases]
    named = await Reader(fetch, up_to).levels_naming(homes, words, since)
    seen = [one for one in named if sees(one.removeprefix("level/"))]
    found = {one.removeprefix("level/"): await fetch(SQL["naming"], [one], up_to, words, since) for one in seen}
    return found, len(named) - len(seen)


async def _told(fetch: Fetch, unit: str, changes: Collection[int], since: int, up_to: int) -> Iterable[int]:
    """The alerts that were told for these changes of a unit's level, for what else, and who acknowledged them."""
    levels: list[Told] = []
    of_unit: list[Told] = []
    after = since - 1
    while page := await fetch(SQL["of_unit"], [f"level/{unit}", f"alert/{unit}"], after, up_to):
        for row in page:
            told = Told.of(Recorded(*row))
            if told.row.type == LEVEL:  # its reasons are not needed here, and are most of it
                data = {name: told.data[name] for name in ("from", "to")}
                levels.append(Told(replace(told.row, body=b""), data))
            elif told.row.stream.startswith("alert/"):
                of_unit.append(told)
        after = page[-1]["position"]
    found = set[int]()
    alerts = set[str]()
    for alert in (one for one in of_unit if one.row.type == ALERT):
        bases = [one.row.position for one in told_for(alert, of_unit, levels)]
        if any(position in changes for position in bases):
            found |= {alert.row.position, *bases}
            alerts.add(str(alert.row.event_id))
    return found | {one.row.position for one in of_unit if one.data.get("alert_id") in alerts}


def _take(found: array[int], rows: Collection[asyncpg.Record], most: int) -> None:
    found.extend(row["position"] for row in rows)
    if len(found) > most:
        raise TooMuch(most, "events")


def _unit(body: bytes) -> str | None:
    place = orjson.loads(body)["data"].get("place")
    return str(place["unit"]) if isinstance(place, dict) else None
