"""How alarmed a commune is, why, and how that came."""

from __future__ import annotations

from typing import Any

import orjson

from projections.alert_level.table import SQL
from services.api.reading import Asked, Parameter, Read, Reply

UNIT = Parameter("unit", "Only this unit and all that lies in it; may be repeated.", repeated=True)


async def levels(asked: Asked) -> Reply:
    """Units as they stand, in order of their ids."""
    (after,) = asked.cursor(str)
    rows = await asked.office.projections.fetch(SQL["now"], await asked.units())
    page = [row for row in rows if after is None or row["unit"] > after]
    shown = page[: asked.rows]
    document = {"levels": [_level(row) for row in shown]}
    return Reply(document, after=[shown[-1]["unit"]] if len(page) > len(shown) else None)


async def level(asked: Asked) -> Reply:
    """One unit as it stands; a unit of which nothing was ever heard is calm, and nobody knows better."""
    unit = asked.request.path_params["unit"]
    await asked.refuse_outside(unit)
    (await asked.office.network()).gazetteer.unit(unit)
    rows = await asked.office.projections.fetch(SQL["now"], [unit])
    return Reply(_level(rows[0]) if rows else {"unit": unit, "level": None, "points": 0, "open_cases": 0})


async def history(asked: Asked) -> Reply:
    """Changes of one unit, the latest first, each with all that it was computed from."""
    unit = asked.request.path_params["unit"]
    await asked.refuse_outside(unit)
    (before,) = asked.cursor(int)
    rows = await asked.office.projections.fetch(SQL["history"], unit, asked.rows, before)
    changes = [
        {
            "number": row["number"],
            "from": row["before"],
            "to": row["after"],
            "cause": row["cause"],
            "effective_at": row["effective_at"],
            "explanation": orjson.Fragment(row["explanation"]),
        }
        for row in rows
    ]
    return Reply({"unit": unit, "changes": changes}, after=[rows[-1]["number"]] if len(rows) == asked.rows else None)


def _level(row: Any) -> dict[str, Any]:
    told = {name: row[name] for name in row.keys() if name not in ("contributions", "peace")}  # noqa: SIM118 - a record
    return told | {name: orjson.Fragment(row[name]) for name in ("contributions", "peace")}


READS = (
    Read("/v1/levels", "read.levels", levels, (UNIT,), paged=True),
    Read("/v1/levels/{unit}", "read.levels", level),
    Read("/v1/levels/{unit}/history", "read.level-history", history, paged=True),
)
