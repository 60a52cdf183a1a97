"""What is in force for everybody: the gazetteer, the rules, the elections, how many of the committee must agree."""

from __future__ import annotations

from typing import Any

from events.catalogue import read
from events.reference import ElectionDated, GazetteerAdopted, RulesAdopted
from services.acts.in_force import NotBegun
from services.api.reading import Asked, Read, Reply
from services.ledger.ledger import Recorded


async def elections(asked: Asked) -> Reply:
    """Every election with the date it has now, in order of their days."""
    rows = await asked.office.ledger.read_stream("reference/elections")
    dated: dict[str, dict[str, Any]] = {}
    for row in rows:
        event = read(row.wire()).data
        if isinstance(event, ElectionDated):
            dated[event.election] = event.wire_data() | {"recorded_at": row.recorded_at}
    in_order = sorted(dated.values(), key=lambda one: (one["on"], one["election"]))
    return Reply({"elections": in_order}, position=rows[-1].position if rows else 0)


async def rules(asked: Asked) -> Reply:
    """The rule set by which levels are computed now, whole."""
    row, event = await _last(asked, "rules")
    assert isinstance(event, RulesAdopted)
    return Reply(event.wire_data() | {"adopted_at": row.recorded_at, "position": row.position}, position=row.position)


async def gazetteer(asked: Asked) -> Reply:
    """The gazetteer in force, without its units."""
    row, event = await _last(asked, "gazetteer")
    assert isinstance(event, GazetteerAdopted)
    facts = asked.country.gazetteer.facts
    told = {
        "gazetteer": event.gazetteer,
        "edition": facts.edition,
        "content_hash": event.content_hash,
        "division_in_force": facts.division_in_force,
        "divisions": [
            {"division": one.division, "name": one.name, "valid_from": one.valid_from} for one in facts.divisions
        ],
        "units": len(facts.units),
        "homes": facts.homes,
        "adopted_at": row.recorded_at,
        "position": row.position,
    }
    return Reply(told, position=row.position)


async def committee(asked: Asked) -> Reply:
    """How many have a seat, how many must agree, and how soon a provisional case is ratified; not who they are."""
    now = asked.office.network().committee
    hours = now.ratify_within.total_seconds() / 3600
    return Reply({"members": len(now.members), "required": now.required, "ratify_within_hours": hours})


async def _last(asked: Asked, register: str) -> tuple[Recorded, Any]:
    rows = await asked.office.ledger.read_stream(f"reference/{register}")
    if not rows:
        raise NotBegun(f"no {register} is adopted yet: an admin adopts one, or `intabaza begin`")
    return rows[-1], read(rows[-1].wire()).data


READS = (
    Read("/v1/elections", "read.elections", elections),
    Read("/v1/rules", "read.rules", rules),
    Read("/v1/gazetteer", "read.gazetteer", gazetteer),
    Read("/v1/committee", "read.committee", committee),
)
