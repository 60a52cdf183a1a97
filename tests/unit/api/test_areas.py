"""An area is units with all that lies in them, as the gazetteer in force has it: under either division, and beyond."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.places.facts import UnitKind
from events.places.gazetteer import Gazetteer
from services.api.country import ALL, Country
from services.area import EVERYWHERE, Area, OutsideArea
from services.gazetteer import read_gazetteer

GAZETTEER = read_gazetteer(Path(__file__).parents[3] / "deploy" / "gazetteer" / "burundi")
OLD, NEW = GAZETTEER.with_division_in_force("2015"), GAZETTEER.with_division_in_force("2025")
GIHANGA, BUBANZA = "bi:c2015:gihanga", "bi:p2015:bubanza"


def area(*units: str) -> Area:
    return Area(frozenset(units))


@pytest.mark.parametrize("gazetteer", [OLD, NEW])
def test_everywhere_is_also_what_nobody_could_place_and_what_lies_outside(gazetteer: Gazetteer) -> None:
    for unit in (*gazetteer.units, "never heard of"):
        assert EVERYWHERE.covers(gazetteer, unit)
    assert Country(gazetteer).reach(EVERYWHERE) is ALL


@pytest.mark.parametrize("gazetteer", [OLD, NEW])
def test_no_unit_is_nowhere(gazetteer: Gazetteer) -> None:
    assert not any(area().covers(gazetteer, unit) for unit in gazetteer.units)
    assert Country(gazetteer).reach(area()).units == frozenset()


def test_a_province_holds_its_communes_and_zones_while_it_is_in_force() -> None:
    assert area(BUBANZA).covers(OLD, GIHANGA)
    assert not area(BUBANZA).covers(OLD, "bi:c2015:gisuru")
    zones = [unit.unit_id for unit in OLD.in_force(kind=UnitKind.ZONE) if GIHANGA in OLD.ancestors(unit.unit_id)]
    assert all(area(BUBANZA).covers(OLD, zone) for zone in zones)
    assert not area(BUBANZA).covers(NEW, GIHANGA), "the province is no more: a token for it reaches nothing in it"


def test_an_old_commune_lies_where_its_ground_lies_now() -> None:
    row = NEW.row_at(GIHANGA)
    province = NEW.ancestors(row)[0]
    assert area(province).covers(NEW, GIHANGA)
    assert area(row).covers(NEW, GIHANGA)
    assert area(GIHANGA).covers(NEW, GIHANGA), "what was written under the old name is still theirs to read"
    assert not area(GIHANGA).covers(NEW, row)


@pytest.mark.parametrize("gazetteer", [OLD, NEW])
@pytest.mark.parametrize("apart", ["unplaced", "outside:rwanda"])
def test_what_lies_nowhere_or_outside_is_only_its_own(gazetteer: Gazetteer, apart: str) -> None:
    apart = apart if apart in gazetteer.units else next(unit for unit in gazetteer.units if unit.startswith("outside"))
    assert area(apart).covers(gazetteer, apart)
    assert not area("bi").covers(gazetteer, apart)
    assert not area(apart).covers(gazetteer, "bi")


@pytest.mark.parametrize("gazetteer", [OLD, NEW])
def test_the_country_holds_every_unit_that_lies_in_it(gazetteer: Gazetteer) -> None:
    beyond = {unit.unit_id for unit in gazetteer.units.values() if unit.kind in (UnitKind.OUTSIDE, UnitKind.UNPLACED)}
    reached = Country(gazetteer).reach(area("bi")).units
    communes = {unit.unit_id for unit in gazetteer.units.values() if unit.kind is UnitKind.COMMUNE}
    assert reached is not None
    assert communes <= reached
    assert not reached & beyond


@pytest.mark.parametrize("gazetteer", [OLD, NEW])
def test_what_a_token_reaches_is_what_its_area_covers(gazetteer: Gazetteer) -> None:
    country = Country(gazetteer)
    for one in (area("bi"), area(GIHANGA), area(BUBANZA, "unplaced"), area("bi:gone", GIHANGA)):
        assert one.units is not None
        units = country.reach(one).units
        assert units is not None
        assert units == one.units | {unit for unit in gazetteer.units if one.covers(gazetteer, unit)}
        assert country.reach(one) is country.reach(one)
        assert country.reach(one).homes == {gazetteer.home_of(unit) for unit in units if unit in gazetteer.units}


def test_who_acts_outside_is_told_so_and_what_is_nowhere_yet_is_left_to_the_decision() -> None:
    area(BUBANZA).refuse_outside(OLD, GIHANGA)
    area(BUBANZA).refuse_outside(OLD, None)
    with pytest.raises(OutsideArea):
        area(BUBANZA).refuse_outside(OLD, "unplaced")
    with pytest.raises(OutsideArea):
        area(BUBANZA).refuse_outside(OLD, "never heard of")
