"""The first pass over a gazetteer: single rows, ids that exist, codes that name one unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from events.places.facts import (
    ALWAYS_IN_FORCE,
    UNPLACED_ID,
    Facts,
    Row,
    UnitKind,
)
from events.places.faults import Fault
from events.places.names import fold


def check(facts: Facts) -> Iterator[Fault]:
    """Yield what is wrong with rows looked at one by one."""
    for part in (_sources, _words, _divisions, _ids, _codes, _places, _names, _special_units, _references, _repeats):
        yield from part(facts)


def tables(facts: Facts) -> Iterator[tuple[str, int, Row]]:
    for rows in (facts.divisions, facts.units, facts.parents, facts.aliases, facts.successions, facts.earlier):
        for row, fact in enumerate(rows):
            yield fact.table, row, fact


def _sources(facts: Facts) -> Iterator[Fault]:
    known = ", ".join(sorted(facts.sources))
    for table, row, fact in tables(facts):
        for key in fact.sources:
            if key not in facts.sources:
                mend = f"add {key} to [sources], or name one of {known or 'those you add there'}"
                yield Fault("unknown_source", table, row, "sources", "a key of [sources]", mend)


def _words(facts: Facts) -> Iterator[Fault]:
    for table, rows in (
        ("units", facts.units),
        ("aliases", facts.aliases),
        ("successions", facts.successions),
        ("earlier", facts.earlier),
    ):
        column = "kind" if table in ("units", "aliases") else "confidence"
        for row, fact in enumerate(rows):
            word = getattr(fact, column)
            if not word.known:
                known = ", ".join(member.value for member in type(word))
                yield Fault("wrong_kind", table, row, column, f"one of {known}", "choose one of these words")


def _divisions(facts: Facts) -> Iterator[Fault]:
    if not facts.divisions:
        yield Fault("no_division", "divisions", None, "", "at least one division", "add [[divisions]]")
    seen: set[str] = set()
    before = None
    for row, division in enumerate(facts.divisions):
        if division.division in seen:
            yield Fault("duplicate_id", "divisions", row, "division", "a key used once", "give it another key")
        seen.add(division.division)
        if row == 0:
            before = division.valid_from
            continue
        if division.valid_from is None:
            mend = "write valid_from; only the first division may leave it out"
            yield Fault("dates_out_of_order", "divisions", row, "valid_from", "the day it came into force", mend)
        elif before is not None and division.valid_from <= before:
            expected = f"a day after {before.isoformat()}, when the division before it came into force"
            yield Fault("dates_out_of_order", "divisions", row, "valid_from", expected, "put them oldest first")
        before = division.valid_from or before
    if facts.division_in_force is not None and facts.division_in_force not in seen:
        expected = f"one of {', '.join(sorted(seen))}"
        yield Fault("unknown_division", "division_in_force", None, "", expected, "correct the key")


def _ids(facts: Facts) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for row, unit in enumerate(facts.units):
        if unit.unit_id in first:
            expected = f"an id used once, but {unit.unit_id} is already a {facts.units[first[unit.unit_id]].kind.shown}"
            yield Fault("duplicate_id", "units", row, "unit_id", expected, "give one of the two another id")
        first.setdefault(unit.unit_id, row)


def _codes(facts: Facts) -> Iterator[Fault]:
    holder: dict[str, str] = {}
    for row, unit in enumerate(facts.units):
        for column in ("pcode", "national_code", "iso_3166"):
            code = getattr(unit, column)
            if code is None:
                continue
            other = holder.setdefault(fold(code), unit.unit_id)
            if other != unit.unit_id:
                expected = f"a code of one unit, but {code} is also {other}'s"
                yield Fault("duplicate_code", "units", row, column, expected, "correct the one that is wrong")


def _places(facts: Facts) -> Iterator[Fault]:
    for row, unit in enumerate(facts.units):
        if (unit.latitude_udeg is None) != (unit.longitude_udeg is None):
            column = "latitude_udeg" if unit.latitude_udeg is None else "longitude_udeg"
            yield Fault("half_a_point", "units", row, column, "both coordinates or none", "fill the other one")
        if (unit.population is None) != (unit.population_year is None):
            column = "population" if unit.population is None else "population_year"
            yield Fault(
                "half_a_count", "units", row, column, "a population with its year, or none", "fill the other one"
            )


def _names(facts: Facts) -> Iterator[Fault]:
    named = [("units", row, "name", unit.name) for row, unit in enumerate(facts.units)]
    named += [("aliases", row, "alias", alias.alias) for row, alias in enumerate(facts.aliases)]
    for table, row, column, name in named:
        if not fold(name):
            yield Fault("no_name", table, row, column, "a name with letters or digits", "write the name")
        elif not name.isprintable():
            expected = "a name of visible characters and plain spaces"
            yield Fault("no_name", table, row, column, expected, "type it anew: it holds a hidden character")


def _special_units(facts: Facts) -> Iterator[Fault]:
    countries = [row for row, unit in enumerate(facts.units) if unit.kind is UnitKind.COUNTRY]
    if not countries:
        yield Fault("no_country", "units", None, "kind", "one unit of kind country", "add a row for the country")
    for row in countries[1:]:
        mend = "neighbours are of kind outside"
        yield Fault("two_countries", "units", row, "kind", "one unit of kind country", mend)
    for row, unit in enumerate(facts.units):
        if (unit.kind is UnitKind.UNPLACED) != (unit.unit_id == UNPLACED_ID):
            expected = f"the id {UNPLACED_ID} for the one unit of kind unplaced"
            yield Fault("unplaced", "units", row, "unit_id", expected, "correct the id or the kind")
        if (unit.kind is UnitKind.OUTSIDE) != unit.unit_id.startswith("outside:"):
            expected = "an id that begins with outside: for the kind outside, and for no other"
            yield Fault("outside", "units", row, "unit_id", expected, "correct the id or the kind")
    if not any(unit.unit_id == UNPLACED_ID for unit in facts.units):
        expected = f"a unit {UNPLACED_ID}, for reports whose place nobody knows yet"
        yield Fault("unplaced", "units", None, "unit_id", expected, "add a row of kind unplaced")


def _references(facts: Facts) -> Iterator[Fault]:
    units = {unit.unit_id for unit in facts.units}
    divisions = {division.division for division in facts.divisions}
    for table, row, fact in tables(facts):
        if table in ("divisions", "units"):
            continue
        for column in ("unit_id", "parent_id", "from_id", "to_id", "commune_id"):
            unit_id = getattr(fact, column, None)
            if unit_id is not None and unit_id not in units:
                rule = "unknown_parent" if column == "parent_id" else "unknown_unit"
                expected = f"a unit of the units table, but there is no {unit_id}"
                yield Fault(rule, table, row, column, expected, "correct the id or add the unit")
        division = getattr(fact, "division", None)
        if division is not None and division not in divisions:
            expected = f"one of the divisions {', '.join(sorted(divisions))}"
            yield Fault("unknown_division", table, row, "division", expected, "correct the key or add the division")
    kinds = {unit.unit_id: unit.kind for unit in facts.units}
    for row, parent in enumerate(facts.parents):
        if kinds.get(parent.unit_id) in ALWAYS_IN_FORCE:
            expected = f"no parent for a unit of kind {kinds[parent.unit_id]}"
            yield Fault("wrong_kind", "parents", row, "unit_id", expected, "remove the row")


def _repeats(facts: Facts) -> Iterator[Fault]:
    yield from _repeated(
        "parents", "unit_id", ((p.division, p.unit_id) for p in facts.parents), "one parent a division"
    )
    routes = ((s.division, s.from_id, s.to_id) for s in facts.successions)
    yield from _repeated("successions", "to_id", routes, "one row for the same two communes")
    yield from _repeated("earlier", "unit_id", ((e.division, e.unit_id) for e in facts.earlier), "one earlier commune")
    names = ((a.unit_id, a.alias) for a in facts.aliases)
    yield from _repeated("aliases", "alias", names, "each alias of a unit once")


def _repeated(table: str, column: str, keys: Iterable[tuple[str, ...]], expected: str) -> Iterator[Fault]:
    seen: set[tuple[str, ...]] = set()
    for row, key in enumerate(keys):
        if key in seen:
            yield Fault("duplicate_row", table, row, column, expected, "remove one of the two rows")
        seen.add(key)
