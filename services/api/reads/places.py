"""Which place is meant: names looked up in the gazetteer in force, never guessed; and one unit with where it lies."""

from __future__ import annotations

from typing import Any

from events.places.facts import UnitKind
from events.places.lookup import Candidate, Candidates, Found, NotFound
from services.api.problems import BAD_PARAMETER, Refused
from services.api.reading import Asked, Parameter, Read, Reply

KINDS = [kind.value for kind in UnitKind]

NAME = Parameter(
    "name", "A name, an old name, a code or an id; accents, case and hyphens do not matter.", required=True
)
KIND = Parameter("kind", "Only units of this kind.", {"type": "string", "enum": KINDS})
WITHIN = Parameter("within", "Only units that lie in this one.")
DIVISION = Parameter("division", "As this division had it; left out, the one in force.")


async def places(asked: Asked) -> Reply:
    """The one unit that a name means; else candidates and why one must be chosen; else near names."""
    name, kind = asked.one("name"), asked.one("kind", KINDS)
    if name is None or not name.strip():
        raise Refused(BAD_PARAMETER, "name: expected a place's name, code or id; add it.")
    answer = asked.country.directory.look_up(
        name,
        kind=UnitKind(kind) if kind is not None else None,
        within=asked.one("within"),
        division=asked.one("division"),
    )
    told: dict[str, Any] = {"found": None, "candidates": [], "why": None, "near": []}
    match answer:
        case Found(unit):
            told["found"] = _candidate(unit)
        case Candidates(units, why):
            told |= {"candidates": [_candidate(one) for one in units], "why": why.value}
        case NotFound(near):
            told["near"] = [_candidate(one) for one in near]
    return Reply(told)


async def place(asked: Asked) -> Reply:
    """One unit: its names, codes, what it lies in, where it is, and what became of it."""
    gazetteer = asked.country.gazetteer
    unit = gazetteer.unit(asked.request.path_params["unit"])
    told = asked.country.coded(unit.unit_id) | {
        "kind": unit.kind.value,
        "home": gazetteer.home_of(unit.unit_id),
        "in_force": gazetteer.is_in_force(unit.unit_id),
        "divisions": gazetteer.divisions_of(unit.unit_id),
        "inside": [asked.country.named(one) for one in gazetteer.ancestors(unit.unit_id)],
        "counted_in": gazetteer.row_at(unit.unit_id),
        "successors": _successors(asked, unit.unit_id),
        "latitude_udeg": unit.latitude_udeg,
        "longitude_udeg": unit.longitude_udeg,
        "population": unit.population,
        "population_year": unit.population_year,
    }
    return Reply(told)


def _successors(asked: Asked, unit: str) -> list[dict[str, Any]]:
    gazetteer = asked.country.gazetteer
    shares = () if gazetteer.is_in_force(unit) else gazetteer.successors(unit)
    return [asked.country.named(one.unit_id) | {"permille": one.permille} for one in shares]


def _candidate(one: Candidate) -> dict[str, Any]:
    return {
        "unit": one.unit_id,
        "unit_name": one.name,
        "kind": one.kind.value,
        "matched": one.matched,
        "how": one.how.value,
        "alias_kind": one.alias_kind,
        "inside": one.inside,
        "divisions": one.divisions,
        "in_force": one.in_force,
        "now": [{"unit": share.unit_id, "permille": share.permille} for share in one.now],
    }


READS = (
    Read("/v1/places", "read.places", places, (NAME, KIND, WITHIN, DIVISION)),
    Read("/v1/places/{unit}", "read.places", place),
)
