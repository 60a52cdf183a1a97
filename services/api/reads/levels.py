"""How alarmed a commune is, why, and how that came.

Who works in the network sees what a level is made of. Everybody else who may ask sees what an alert would tell them:
the level, and since which day; cases, counts and confidence would say that one witness spoke, or where nobody watches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import orjson

from events.catalogue import read
from events.level import LevelChanged
from events.reference import RulesAdopted
from projections.alert_level.explain import LEVELS, explain
from projections.alert_level.rules import Rules
from projections.alert_level.table import SQL
from services.api.office import Office
from services.api.reading import Asked, Parameter, Read, Reply
from services.api.reads.shown import UNIT, unit_in_the_address

SILENT = Parameter(
    "silent",
    "Also the communes in force of which nothing was ever heard, which says that of each.",
    {"type": "boolean"},
)
REASONS = "read.level-reasons"
NOTHING_HEARD = "Nothing was ever heard of this unit: nobody knows whether it is calm."
NO_ALERT = "There is no alert here, which does not say that it is calm."
LAST_CHANGE = 2**31 - 1


async def levels(asked: Asked) -> Reply:
    """Units of which something was heard, as they stand, in order of their ids."""
    (after,) = asked.cursor(str)
    wanted, most = asked.units(), asked.rows + 1
    found = await asked.rows_of(SQL["page"], wanted, after, most)
    heard = {row["unit"]: row for row in found}
    silent = _communes(asked, wanted, after)[:most] if asked.yes("silent") else []
    page = sorted(heard.keys() | set(silent))[:most]
    shown = page[: asked.rows]
    document = {"levels": [_level(asked, unit, heard.get(unit)) for unit in shown]}
    return Reply(document, after=[shown[-1]] if len(page) > len(shown) else None)


async def level(asked: Asked) -> Reply:
    """One unit as it stands; of one that nothing was ever heard of, that is said."""
    unit = unit_in_the_address(asked)
    rows = await asked.office.projections.levels.ask(asked.sight, unit)
    return Reply(_level(asked, unit, rows.get(unit)))


async def level_history(asked: Asked) -> Reply:
    """Changes of one unit, the latest first, each with all that it was computed from, and in words."""
    unit = unit_in_the_address(asked)
    (before,) = asked.cursor(int)
    last = None if before is None else min(before, LAST_CHANGE)
    found = await asked.rows_of(SQL["history"], unit, asked.rows + 1, last)
    shown = found[: asked.rows]
    rules = await _rules_of(asked.office, shown)
    changes = [_change(asked, unit, row, rules) for row in shown]
    after = [shown[-1]["number"]] if len(found) > len(shown) else None
    return Reply(asked.country.coded(unit) | {"changes": changes}, after=after)


def _communes(asked: Asked, wanted: list[str] | None, after: str | None) -> list[str]:
    """Communes in force after this one, of those that are wanted, in order."""
    chosen = None if wanted is None else {*wanted}
    return [
        unit
        for unit in asked.country.communes
        if (chosen is None or unit in chosen) and (after is None or unit > after)
    ]  # fmt: skip


def _level(asked: Asked, unit: str, row: asyncpg.Record | None) -> dict[str, Any]:
    told = asked.country.coded(unit).copy()
    if not asked.may(REASONS):
        return told | _as_an_alert_would(asked, row)
    if row is None:
        return told | {"level": None, "level_name": None, "heard": False, "note": NOTHING_HEARD, "open_cases": 0}
    level = row["level"]
    return told | {
        "level": level,
        "level_name": None if level is None else LEVELS[level],
        "heard": True,
        "home": row["home"],
        "points": row["points"],
        "peace_offset": row["peace_offset"],
        "window_permille": row["window_permille"],
        "straight_to": row["straight_to"],
        "open_cases": row["open_cases"],
        "outcomes_asked": row["outcomes_asked"],
        "confidence": row["confidence"],
        "confidence_reason": row["confidence_reason"],
        "last_known": row["last_known"],
        "cause": row["cause"],
        "since": row["effective_at"],
        "rules_hash": row["rules_hash"],
        "engine": row["engine"],
        "contributions": orjson.Fragment(row["contributions"]),
        "peace": orjson.Fragment(row["peace"]),
    }


def _as_an_alert_would(asked: Asked, row: asyncpg.Record | None) -> dict[str, Any]:
    """Below the level from which there are alerts all is told alike: calm, watched, or never heard of."""
    rules = asked.office.in_force.rules
    level, since = (row["level"], row["effective_at"]) if row is not None else (None, None)
    if level is None or since is None or rules is None or level < rules.alerts.from_level:
        return {"level": None, "level_name": None, "since": None, "note": NO_ALERT}
    day = datetime.fromisoformat(since).astimezone(ZoneInfo(rules.time_zone)).date()
    return {"level": level, "level_name": LEVELS[level], "since": day}


def _change(asked: Asked, unit: str, row: asyncpg.Record, rules: Mapping[str, Rules]) -> dict[str, Any]:
    told = {
        "number": row["number"],
        "from": row["before"],
        "to": row["after"],
        "cause": row["cause"],
        "effective_at": row["effective_at"],
        "explanation": orjson.Fragment(row["explanation"]),
    }
    change = LevelChanged.model_validate_json(row["explanation"])
    if (by := rules.get(change.rules_hash)) is not None:
        day = change.effective_at.astimezone(ZoneInfo(by.set.time_zone)).strftime("%d.%m.%Y")
        told["in_words"] = list(explain(change, by, asked.country.name(unit) or unit, day))
    return told


async def _rules_of(office: Office, changes: Sequence[asyncpg.Record]) -> Mapping[str, Rules]:
    """The rule sets that these changes were computed by: their texts are on the log."""
    wanted = {orjson.loads(row["explanation"])["rules_hash"] for row in changes}
    if not wanted <= office.rules.keys():
        for row in await office.ledger.read_stream("reference/rules"):
            adopted = read(row.wire()).data
            if isinstance(adopted, RulesAdopted) and adopted.content_hash not in office.rules:
                office.rules[adopted.content_hash] = Rules(adopted.content)
    return office.rules


READS = (
    Read("/v1/levels/{unit}", "read.levels", level),
    Read("/v1/levels", "read.levels", levels, (UNIT, SILENT), paged=True),
    Read("/v1/levels/{unit}/history", "read.level-history", level_history, paged=True),
)
