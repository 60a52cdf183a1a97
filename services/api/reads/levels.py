"""How alarmed a commune is, why, and how that came.

Who works in the network sees what a level is made of. Everybody else who may ask sees what an alert would tell them:
the level, and since which day; cases, counts and confidence would say that one witness spoke, or where nobody watches.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import orjson

from events.level import ConfidenceReason, LevelChanged
from projections.alert_level import PROJECTION
from projections.alert_level.naming import LEVELS
from projections.alert_level.table import SQL
from services.api.reading import Asked, Parameter, Read, Reply
from services.api.reads.alerts import STANDING, standing_in
from services.api.reads.shown import UNIT, unit_in_the_address
from services.api.reads.then import AS_OF, Then, then, then_recorded, then_told
from services.bulletins.history import History
from services.bulletins.told import Told
from services.words.languages import ENGLISH, LANGUAGES, Language, language
from services.words.level import explain_calm, explain_change, explain_standing, level_named
from services.words.said import alerts_from, rules_by_hash, said_of, watched_then

SILENT = Parameter(
    "silent",
    "Also the communes in force of which nothing was ever heard, which says that of each.",
    {"type": "boolean"},
)
LANGUAGE = Parameter(
    "language",
    "In which language the sentences are, by ISO 639-1; left out, in English.",
    {"type": "string", "enum": list(LANGUAGES)},
)
REASONS = "read.level-reasons"
NOTHING_HEARD = "Nothing was ever heard of this unit: nobody knows whether it is calm."
NO_ALERT = "There is no alert here, which does not say that it is calm."
LAST_CHANGE = 2**31 - 1
_NO_ALERT = {"level": None, "level_name": None, "since": None, "note": NO_ALERT}


async def levels(asked: Asked) -> Reply:
    """Units of which something was heard, or that somebody ever watched, as they stand, in order of their ids.

    Who may not see what levels are made of is shown the units where an alert stands.
    """
    (after,) = asked.cursor(str)
    wanted, most, at = asked.units(), asked.rows + 1, await _then(asked)
    if at.moment is not None and at.place is None:
        return await _told_then(asked, at, wanted, after)
    found = await asked.rows_of(SQL["page" if asked.may(REASONS) else "told"], wanted, after, most, place=at.place)
    heard = {row["unit"]: row for row in found}
    silent = _communes(asked, wanted, after)[:most] if asked.yes("silent") else []
    page = sorted(heard.keys() | set(silent))[:most]
    shown = page[: asked.rows]
    standing = await standing_in(asked, [unit for unit in shown if _has_alert(heard.get(unit))], at)
    document = {"levels": [_level(asked, unit, heard.get(unit), standing) for unit in shown], **at.spoken_of()}
    return Reply(document, after=[shown[-1]] if len(page) > len(shown) else None)


async def level(asked: Asked) -> Reply:
    """One unit as it stands; of one that nothing was ever heard of, that is said."""
    unit = unit_in_the_address(asked)
    at = await _then(asked)
    if at.moment is None:
        row = (await asked.office.projections.levels.ask(asked.sight, unit)).get(unit)
    elif at.place is None:
        last = (await _history(asked, at).latest([unit])).get(unit)
        return Reply(asked.country.coded(unit) | _as_was_told(last) | at.spoken_of())
    else:
        row = next(iter(await asked.rows_of(SQL["now"], [unit], place=at.place)), None)
    standing = await standing_in(asked, [unit] if _has_alert(row) else [], at)
    return Reply(_level(asked, unit, row, standing) | at.spoken_of())


async def _then(asked: Asked) -> Then:
    """Who sees what levels are made of asks what was folded; to everybody else the alerts on the log say it all."""
    return await then(asked, PROJECTION) if asked.may(REASONS) else await then_told(asked)


def _history(asked: Asked, at: Then) -> History:
    assert at.position is not None
    office = asked.office
    return History(office.projections.fetch, alerts_from(office.ledger, office.rules), at.position)


async def _told_then(asked: Asked, at: Then, wanted: list[str] | None, after: str | None) -> Reply:
    """The units where an alert stood, as strangers had been told by then, with the silent ones where they are asked."""
    known = asked.country.gazetteer.units if wanted is None else wanted
    latest = await _history(asked, at).latest(unit for unit in known if after is None or unit > after)
    silent = set(_communes(asked, wanted, after)) if asked.yes("silent") else set()
    page = sorted({unit for unit, last in latest.items() if last.stands} | silent)
    shown = page[: asked.rows]
    told = [asked.country.coded(unit) | _as_was_told(latest.get(unit)) for unit in shown]
    return Reply({"levels": told, **at.spoken_of()}, after=[shown[-1]] if len(page) > len(shown) else None)


def _as_was_told(last: Told | None) -> dict[str, Any]:
    if last is None or not last.stands:
        return dict(_NO_ALERT)
    return {"level": last.alert.after, "level_name": LEVELS[last.alert.after], "since": last.alert.on}


async def level_history(asked: Asked) -> Reply:
    """Changes of one unit, the latest first, each with all that it was computed from, and in words."""
    unit, to = unit_in_the_address(asked), _language(asked)
    (before,) = asked.cursor(int)
    last, at = None if before is None else min(before, LAST_CHANGE), await then(asked, PROJECTION)
    found = await asked.rows_of(SQL["history"], unit, asked.rows + 1, last, place=at.place)
    shown = found[: asked.rows]
    changes = [await _change(asked, unit, row, to) for row in shown]
    after = [shown[-1]["number"]] if len(found) > len(shown) else None
    return Reply(asked.country.coded(unit) | {"changes": changes, **at.spoken_of()}, after=after)


async def level_explanation(asked: Asked) -> Reply:
    """Why the level of one unit is what it is, or was at a moment, in sentences to be read aloud.

    As it stands now, it is what the unit is made of today. At a moment, it is what was said last until then, with all
    that it was computed from: `said_at_position` is that event. How well the unit was watched at that moment
    is on the log where nobody did; else `confidence_reason` is what was said last, and `confidence_is_exact` is false.
    """
    unit, to = unit_in_the_address(asked), _language(asked)
    at = await then_recorded(asked)
    told = asked.country.coded(unit) | {"language": to.code, "read_by_a_native": to.read_by_a_native}
    told |= {"as_of": asked.one("as_of"), **at.spoken_of()}
    place = asked.country.name(unit) or unit
    if at.position is not None:
        said = await said_of(asked.office.ledger, unit, at.position)
        if said is None:
            then = await watched_then(asked.office.ledger, unit, at.position, None)
            return Reply(told | _calm(place, then, to) | _as_far_as_known(then))
        row, change = said
        then = await watched_then(asked.office.ledger, unit, at.position, change)
        explained = await _explained(asked, change, place, to, row.position, watched=then)
        return Reply(told | explained | _as_far_as_known(then), position=row.position)
    rows = await asked.office.projections.levels.ask(asked.sight, unit)
    standing = _standing(current := rows.get(unit))
    if standing is not None:
        return Reply(told | await _explained(asked, standing, place, to))
    known = None if current is None else current["confidence_reason"]
    return Reply(told | _calm(place, ConfidenceReason(known or ConfidenceReason.COVERAGE_UNKNOWN), to))


def _calm(place: str, watched: ConfidenceReason, to: Language) -> dict[str, Any]:
    said = {"level": 0, "level_name": level_named(0, to), "in_words": list(explain_calm(place, watched, to))}
    return said | {"confidence_reason": watched}


def _as_far_as_known(watched: ConfidenceReason) -> dict[str, Any]:
    return {"confidence_reason": watched, "confidence_is_exact": watched == ConfidenceReason.COVERAGE_LOST}


async def _explained(
    asked: Asked,
    change: LevelChanged,
    place: str,
    to: Language,
    position: int | None = None,
    watched: ConfidenceReason | None = None,
) -> dict[str, Any]:
    rules = await rules_by_hash(asked.office.ledger, change.rules_hash, asked.office.rules)
    explain = explain_standing if position is None else explain_change
    worded = change if watched is None else change.model_copy(update={"confidence_reason": watched})
    told = {
        "level": change.after,
        "level_name": level_named(change.after, to),
        "in_words": list(explain(worded, rules, place, to)) if rules is not None else [],
        "explanation": change.wire_data(),
    }
    return told if position is None else told | {"said_at_position": position}


def _standing(row: asyncpg.Record | None) -> LevelChanged | None:
    """A unit as it stands now, in the form of a change; None where its level never changed."""
    if row is None or row["level"] is None or row["cause"] is None:
        return None
    data = {
        "unit": row["unit"],
        "from": row["level"],
        "to": row["level"],
        "contributions": orjson.loads(row["contributions"]),
        "peace": orjson.loads(row["peace"]),
    }
    same = ("effective_at", "cause", "points", "peace_offset", "window_permille", "straight_to", "open_cases")
    names = (*same, "confidence", "confidence_reason", "rules_hash")
    return LevelChanged.model_validate(data | {name: row[name] for name in names if row[name] is not None})


def _language(asked: Asked) -> Language:
    return language(asked.one("language", tuple(LANGUAGES)) or ENGLISH)


def _communes(asked: Asked, wanted: list[str] | None, after: str | None) -> list[str]:
    """Communes in force after this one, of those that are wanted, in order."""
    chosen = None if wanted is None else {*wanted}
    return [
        unit
        for unit in asked.country.communes
        if (chosen is None or unit in chosen) and (after is None or unit > after)
    ]  # fmt: skip


def _has_alert(row: asyncpg.Record | None) -> bool:
    return row is not None and row["alert"] is not None


def _level(
    asked: Asked, unit: str, row: asyncpg.Record | None, standing: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    told = asked.country.coded(unit).copy()
    if not asked.may(REASONS):
        return told | _as_an_alert_would(asked, row)
    if row is None or (row["engine"] is None and row["override_until"] is None):
        return told | {"level": None, "level_name": None, "heard": False, "note": NOTHING_HEARD, "open_cases": 0}
    level = row["level"]
    if asked.may(STANDING):
        told["alert"] = standing.get(unit)
    return told | {
        "level": level,
        "level_name": None if level is None else LEVELS[level],
        "heard": row["engine"] is not None,
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
        "told_level": _told_level(row),
        "overridden": _override(row),
        "contributions": orjson.Fragment(row["contributions"]),
        "peace": orjson.Fragment(row["peace"]),
    }


def _override(row: asyncpg.Record) -> dict[str, Any] | None:
    """What people tell of it meanwhile, beside the computed level."""
    if row["override_until"] is None:
        return None
    return {"level": row["override_level"], "until": row["override_until"]}


def _told_level(row: asyncpg.Record) -> int | None:
    """The level that goes to strangers; before anything was said it is the computed one."""
    level: int | None = row["level"] if row["told_at"] is None else row["told"]
    return level


def _as_an_alert_would(asked: Asked, row: asyncpg.Record | None) -> dict[str, Any]:
    """Where no alert stands all is told alike: calm, watched, or never heard of."""
    rules = asked.office.in_force.rules
    if row is None or row["alert"] is None or rules is None:
        return dict(_NO_ALERT)
    day = datetime.fromisoformat(row["told_at"]).astimezone(ZoneInfo(rules.time_zone)).date()
    return {"level": row["told"], "level_name": LEVELS[row["told"]], "since": day}


async def _change(asked: Asked, unit: str, row: asyncpg.Record, to: Language) -> dict[str, Any]:
    told = {
        "number": row["number"],
        "from": row["before"],
        "to": row["after"],
        "cause": row["cause"],
        "effective_at": row["effective_at"],
        "explanation": orjson.Fragment(row["explanation"]),
    }
    change = LevelChanged.model_validate_json(row["explanation"])
    rules = await rules_by_hash(asked.office.ledger, change.rules_hash, asked.office.rules)
    if rules is not None:
        told["in_words"] = list(explain_change(change, rules, asked.country.name(unit) or unit, to))
    return told


READS = (
    Read("/v1/levels/{unit}", "read.levels", level, (AS_OF,)),
    Read("/v1/levels", "read.levels", levels, (UNIT, SILENT, AS_OF), paged=True),
    Read("/v1/levels/{unit}/history", "read.level-history", level_history, (LANGUAGE, AS_OF), paged=True),
    Read("/v1/levels/{unit}/explanation", "read.level-explanation", level_explanation, (AS_OF, LANGUAGE)),
)
