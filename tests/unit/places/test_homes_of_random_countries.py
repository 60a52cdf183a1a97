"""Whatever divisions come, homes part the communes, and no adoption moves a unit from one to another."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.places.facts import Facts, UnitKind
from events.places.faults import GazetteerFaulty
from events.places.gazetteer import Gazetteer
from events.places.succession import in_permille
from tests.unit.places.countries import countries, groups, histories


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_homes_are_the_connected_groups_of_communes(data: st.DataObject) -> None:
    history = data.draw(histories())
    gazetteer = Gazetteer(data.draw(countries(history)))

    assert {frozenset(communes) for communes in gazetteer.homes.values()} == groups(history)
    for home, communes in gazetteer.homes.items():
        assert home in communes
        oldest = min(int(commune[4]) for commune in communes)
        assert home == min(commune for commune in communes if int(commune[4]) == oldest)


@settings(max_examples=60, deadline=None)
@given(facts=countries())
def test_every_unit_is_counted_in_its_own_home_under_every_division(facts: Facts) -> None:
    gazetteer = Gazetteer(facts)
    for unit in gazetteer.units.values():
        for division in gazetteer.divisions:
            row = gazetteer.row_at(unit.unit_id, division.division)
            assert gazetteer.home_of(row) == gazetteer.home_of(unit.unit_id)
            if row != unit.unit_id and unit.kind is UnitKind.COMMUNE:
                assert gazetteer.is_in_force(row, division.division)


@settings(max_examples=60, deadline=None)
@given(facts=countries())
def test_nothing_of_a_commune_is_lost_on_the_way(facts: Facts) -> None:
    gazetteer = Gazetteer(facts)
    keys = [row.division for row in gazetteer.divisions]
    for since, division in enumerate(keys):
        for unit in gazetteer.in_force(division, UnitKind.COMMUNE):
            for later in keys[since:]:
                shares = gazetteer.successors(unit.unit_id, later)
                assert sum(share.permille for share in shares) == 1000
                for share in shares:
                    assert gazetteer.is_in_force(share.unit_id, later)
                    assert gazetteer.home_of(share.unit_id) == gazetteer.home_of(unit.unit_id)


@settings(max_examples=60, deadline=None)
@given(facts=countries())
def test_a_unit_ends_in_the_same_commune_whether_divisions_are_adopted_one_by_one_or_at_once(facts: Facts) -> None:
    gazetteer = Gazetteer(facts)
    keys = [row.division for row in gazetteer.divisions]
    for unit in gazetteer.in_force(keys[0], UnitKind.COMMUNE):
        here = unit.unit_id
        for division in keys:
            here = gazetteer.row_at(here, division)
        assert here == gazetteer.row_at(unit.unit_id, keys[-1])


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_a_gazetteer_with_one_division_more_follows_unless_it_joins_homes(data: st.DataObject) -> None:
    history = data.draw(histories().filter(lambda drawn: len(drawn) > 1))
    whole = data.draw(countries(history))
    last = whole.divisions[-1].division
    came = {row.unit_id for row in whole.parents if row.division == last}
    before = {row.unit_id for row in whole.parents if row.division != last}
    younger = came - before
    part = Gazetteer(
        whole.model_copy(
            update={
                "divisions": whole.divisions[:-1],
                "units": tuple(unit for unit in whole.units if unit.unit_id not in younger),
                "parents": tuple(row for row in whole.parents if row.division != last),
                "aliases": tuple(row for row in whole.aliases if row.unit_id not in younger),
                "successions": tuple(row for row in whole.successions if row.division != last),
            }
        )
    )
    old_communes = {unit.unit_id for unit in part.units.values() if unit.kind is UnitKind.COMMUNE}
    joined = {group & old_communes for group in groups(history)} != groups(history[:-1])

    if joined:
        with pytest.raises(GazetteerFaulty) as refusal:
            part.adopt(Gazetteer(whole))
        assert {fault.rule for fault in refusal.value.faults} == {"joined_homes"}
    else:
        after = part.adopt(Gazetteer(whole))
        assert all(after.home_of(unit_id) == part.home_of(unit_id) for unit_id in part.units)


@settings(max_examples=40, deadline=None)
@given(facts=countries(), seed=st.integers(0, 2**16))
def test_one_content_has_one_hash_whatever_the_order_of_rows(facts: Facts, seed: int) -> None:
    tables = ("units", "parents", "aliases", "successions")
    shuffled = {name: tuple(random.Random(seed).sample(rows := getattr(facts, name), len(rows))) for name in tables}

    gazetteer = Gazetteer(facts)
    again = Gazetteer(facts.model_copy(update=shuffled))

    assert again.content_hash == gazetteer.content_hash
    assert Gazetteer.from_content(gazetteer.content()) == gazetteer
    assert gazetteer.adopt(gazetteer) == gazetteer


@given(counts=st.lists(st.integers(1, 10_000), min_size=1, max_size=40))
def test_shares_in_permille_sum_to_a_thousand_and_none_is_off_by_one(counts: list[int]) -> None:
    exact = {f"u{n:02}": Fraction(count, sum(counts)) for n, count in enumerate(counts)}

    rounded = in_permille(exact)

    assert sum(rounded.values()) == 1000
    assert all(abs(rounded[unit] - share * 1000) < 1 for unit, share in exact.items())
