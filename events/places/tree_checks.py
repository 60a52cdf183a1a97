"""The second pass over a gazetteer: who lies in whom, and which commune became which. Rows are known to be sound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from events.places.facts import ALWAYS_IN_FORCE, LADDER, WHOLE, Facts, UnitKind
from events.places.faults import Fault
from events.places.homes import Parents, parents_of

_RUNG = {kind: rung for rung, kind in enumerate(LADDER)}


def check(facts: Facts) -> Iterator[Fault]:
    """Yield what is wrong with parents and successions."""
    kinds = {unit.unit_id: unit.kind for unit in facts.units}
    parents = parents_of(facts)
    yield from _tree(facts, kinds, parents)
    yield from _out_of_force(facts, kinds, parents)
    yield from _successions(facts, kinds, parents)
    yield from _shares(facts)
    yield from _left_behind(facts, kinds, parents)
    yield from _earlier(facts, kinds, parents)


def _tree(facts: Facts, kinds: Mapping[str, UnitKind], parents: Parents) -> Iterator[Fault]:
    for row, parent in enumerate(facts.parents):
        up = parents[parent.division]
        if (circle := _circle(parent.unit_id, up)) is not None:
            chain = " in ".join(circle)
            mend = "one of these rows names the wrong parent"
            yield Fault("cycle", "parents", row, "parent_id", f"no circle, but {chain}", mend)
            continue
        kind, over = kinds[parent.unit_id], kinds[parent.parent_id]
        if over not in _allowed(kind):
            allowed = " or ".join(_allowed(kind))
            mend = f"{parent.parent_id} is of kind {over}; name another parent or correct a kind"
            yield Fault("wrong_kind", "parents", row, "parent_id", f"a {allowed} over a {kind}", mend)
        elif over not in ALWAYS_IN_FORCE and parent.parent_id not in up:
            expected = f"a parent that is in force in division {parent.division}"
            mend = f"give {parent.parent_id} a parent in that division, or name another"
            yield Fault("parent_not_in_force", "parents", row, "parent_id", expected, mend)


def _circle(unit_id: str, up: Mapping[str, str]) -> list[str] | None:
    way = [unit_id]
    while way[-1] in up:
        above = up[way[-1]]
        if above == unit_id:
            return [*way, above]
        if above in way:
            return None  # a circle further up, told at its own rows
        way.append(above)
    return None


def _allowed(kind: UnitKind) -> tuple[UnitKind, ...]:
    if kind is UnitKind.ZONE:
        return (UnitKind.COMMUNE,)
    if kind is UnitKind.HILL:
        return (UnitKind.COMMUNE, UnitKind.ZONE)
    return LADDER[: _RUNG[kind]]


def _out_of_force(facts: Facts, kinds: Mapping[str, UnitKind], parents: Parents) -> Iterator[Fault]:
    for row, unit in enumerate(facts.units):
        if kinds[unit.unit_id] in ALWAYS_IN_FORCE:
            continue
        if not any(unit.unit_id in up for up in parents.values()):
            mend = "add a row to the table of parents, or remove the unit"
            yield Fault("no_division", "units", row, "unit_id", "a parent in at least one division", mend)


def _successions(facts: Facts, kinds: Mapping[str, UnitKind], parents: Parents) -> Iterator[Fault]:
    before = _before(facts)
    for row, step in enumerate(facts.successions):
        if before[step.division] is None:
            expected = "a division that follows another"
            yield Fault("no_division_before", "successions", row, "division", expected, "the first follows none")
            continue
        for column, unit_id, division in (
            ("from_id", step.from_id, before[step.division]),
            ("to_id", step.to_id, step.division),
        ):
            if kinds[unit_id] is not UnitKind.COMMUNE:
                mend = f"{unit_id} is of kind {kinds[unit_id]}"
                yield Fault("wrong_kind", "successions", row, column, "a commune", mend)
            elif unit_id not in parents[str(division)]:
                expected = f"a commune in force in division {division}"
                mend = f"{unit_id} is not; correct the id, or give it a parent there"
                yield Fault("not_in_force", "successions", row, column, expected, mend)


def _shares(facts: Facts) -> Iterator[Fault]:
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for row, step in enumerate(facts.successions):
        total, _ = sums.get((step.division, step.from_id), (0, row))
        sums[step.division, step.from_id] = (total + step.share_permille, row)
    for (_, from_id), (total, row) in sums.items():
        if total != WHOLE:
            expected = f"shares of {from_id} that sum to {WHOLE}, but they sum to {total}"
            mend = "correct them; cut each share to whole permille and give the largest remainders what is missing"
            yield Fault("share_sum", "successions", row, "share_permille", expected, mend)


def _left_behind(facts: Facts, kinds: Mapping[str, UnitKind], parents: Parents) -> Iterator[Fault]:
    rows = {unit.unit_id: row for row, unit in enumerate(facts.units)}
    for division, older in _before(facts).items():
        if older is None:
            continue
        left = {step.from_id for step in facts.successions if step.division == division}
        come = {step.to_id for step in facts.successions if step.division == division}
        for unit_id in sorted(_communes(parents[older], kinds) - _communes(parents[division], kinds) - left):
            expected = f"a successor in division {division} for {unit_id}"
            mend = "add where it went to the table of successions"
            yield Fault("missing_successor", "units", rows[unit_id], "unit_id", expected, mend)
        for unit_id in sorted(_communes(parents[division], kinds) - _communes(parents[older], kinds) - come):
            expected = f"a predecessor in division {older} for {unit_id}"
            mend = "add what it was made of to the table of successions"
            yield Fault("missing_predecessor", "units", rows[unit_id], "unit_id", expected, mend)


def _earlier(facts: Facts, kinds: Mapping[str, UnitKind], parents: Parents) -> Iterator[Fault]:
    for row, fact in enumerate(facts.earlier):
        up = parents[fact.division]
        if kinds[fact.unit_id] not in (UnitKind.ZONE, UnitKind.HILL):
            mend = f"{fact.unit_id} is of kind {kinds[fact.unit_id]}"
            yield Fault("wrong_kind", "earlier", row, "unit_id", "a zone or a hill", mend)
        elif fact.unit_id in up or not _later(facts, fact.division, fact.unit_id):
            expected = f"a unit that came into force after division {fact.division}"
            mend = "remove the row, or name the older division that it speaks of"
            yield Fault("not_in_force", "earlier", row, "unit_id", expected, mend)
        if kinds[fact.commune_id] is not UnitKind.COMMUNE or fact.commune_id not in up:
            expected = f"a commune in force in division {fact.division}"
            yield Fault("not_in_force", "earlier", row, "commune_id", expected, "correct the id or the division")


def _later(facts: Facts, division: str, unit_id: str) -> bool:
    order = [known.division for known in facts.divisions]
    since = (order.index(parent.division) for parent in facts.parents if parent.unit_id == unit_id)
    return min(since) > order.index(division)


def _before(facts: Facts) -> dict[str, str | None]:
    order = [division.division for division in facts.divisions]
    return dict(zip(order, [None, *order], strict=False))


def _communes(up: Mapping[str, str], kinds: Mapping[str, UnitKind]) -> set[str]:
    return {unit_id for unit_id in up if kinds[unit_id] is UnitKind.COMMUNE}
