"""The third pass over a gazetteer: homes that must not change, units that must not vanish, and room in one event."""

from __future__ import annotations

from collections.abc import Iterator

from events.envelope import WIRE_LIMIT_BYTES, canonical
from events.places.content import pack
from events.places.facts import Facts, UnitKind
from events.places.faults import Fault, Keeping
from events.places.homes import Homes, commune_over, compute_homes, parents_of
from events.places.succession import Steps

CONTENT_LIMIT_BYTES = WIRE_LIMIT_BYTES - 16_000
"""What a gazetteer may weigh, so that the event that carries it, with its envelope, stays under the wire's limit."""


def check(facts: Facts, keeping: Keeping) -> Iterator[Fault]:
    """Yield what would move, join or lose a home, and whether the gazetteer is too large for an event."""
    homes = compute_homes(facts)
    yield from _kept_names(facts)
    yield from _joins(facts, homes)
    if not homes.joins:
        yield from _in_two_homes(facts, homes)
        yield from _earlier_elsewhere(facts)
        yield from _kept_units(facts, homes, keeping)
    size = len(canonical(pack(facts)))
    if size > CONTENT_LIMIT_BYTES:
        expected = f"at most {CONTENT_LIMIT_BYTES} bytes in all, but it has {size}"
        mend = "leave out hills, or shorten ids and sources: one event carries the whole gazetteer"
        yield Fault("too_large", "units", None, "", expected, mend)


def _kept_names(facts: Facts) -> Iterator[Fault]:
    communes = {unit.unit_id for unit in facts.units if unit.kind is UnitKind.COMMUNE}
    for row, home in enumerate(facts.homes):
        if home not in communes:
            expected = f"the commune {home}, after which a home of recorded events is named"
            yield Fault("home_lost", "homes", row, "", expected, "put it back: an id is permanent")


def _joins(facts: Facts, homes: Homes) -> Iterator[Fault]:
    for join in homes.joins:
        step = facts.successions[join.row]
        expected = f"no joining of the homes {join.one} and {join.other}, which recorded events keep apart"
        mend = (
            f"{step.from_id} lies in one and {step.to_id} in the other: correct the row; if it is right, this log "
            f"cannot hold it and a new topic is needed"
        )
        yield Fault("joined_homes", "successions", join.row, "to_id", expected, mend)


def _in_two_homes(facts: Facts, homes: Homes) -> Iterator[Fault]:
    rows = {unit.unit_id: row for row, unit in enumerate(facts.units)}
    for unit_id, of in homes.in_two.items():
        expected = f"one home for {unit_id}, but its communes lie in {' and '.join(of)}"
        mend = "correct its parents, or add the succession that joins their communes"
        yield Fault("two_homes", "units", rows[unit_id], "unit_id", expected, mend)


def _earlier_elsewhere(facts: Facts) -> Iterator[Fault]:
    """An area's older commune must be among those that its newer commune was made of."""
    kinds = {unit.unit_id: unit.kind for unit in facts.units}
    parents = parents_of(facts)
    order = [division.division for division in facts.divisions]
    steps = steps_of(facts)
    for row, fact in enumerate(facts.earlier):
        since = min(index for index, division in enumerate(order) if fact.unit_id in parents[division])
        commune = commune_over(fact.unit_id, kinds, parents[order[since]])
        made_of = steps.back(commune or "", since, order.index(fact.division))
        if fact.commune_id not in made_of:
            expected = f"one of the communes that {commune} was made of"
            mend = f"correct it, or add {fact.commune_id} to the table of successions"
            yield Fault("earlier_elsewhere", "earlier", row, "commune_id", expected, mend)


def _kept_units(facts: Facts, homes: Homes, keeping: Keeping) -> Iterator[Fault]:
    rows = {unit.unit_id: row for row, unit in enumerate(facts.units)}
    for unit_id, kept in sorted(keeping.items()):
        if unit_id not in rows:
            expected = f"the unit {unit_id}, which the gazetteer in force has"
            yield Fault("unit_lost", "units", None, "unit_id", expected, "put it back: an id is permanent")
            continue
        if facts.units[rows[unit_id]].kind != kept.kind:
            expected = f"the kind {kept.kind}, as in the gazetteer in force"
            yield Fault(
                "kind_changed", "units", rows[unit_id], "kind", expected, "give the other place an id of its own"
            )
        elif homes.of[unit_id] != kept.home:
            expected = f"the home {kept.home} for {unit_id}, but it would move to {homes.of[unit_id]}"
            mend = "put back the successions that led there: a stream never leaves its home"
            yield Fault("home_changed", "units", rows[unit_id], "unit_id", expected, mend)


def steps_of(facts: Facts) -> Steps:
    """Return the steps between the divisions of sound facts."""
    kinds = {unit.unit_id: unit.kind for unit in facts.units}
    parents = parents_of(facts)
    communes = [
        frozenset(unit_id for unit_id in parents[division.division] if kinds[unit_id] is UnitKind.COMMUNE)
        for division in facts.divisions
    ]
    return Steps([division.division for division in facts.divisions], communes, facts.successions)
