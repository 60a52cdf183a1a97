"""What the files of Burundi state: counts, codes, shares, homes, and that the reform of 2025 loses nothing."""

from __future__ import annotations

from collections import Counter
from datetime import date
from fractions import Fraction

import pytest

from events.envelope import WIRE_LIMIT_BYTES, canonical
from events.places.adoption import moves
from events.places.facts import UnitKind
from events.places.gazetteer import Gazetteer
from events.places.succession import in_permille

SPLIT = {
    "bugenyuzi", "bukeye", "busiga", "isale", "kanyosha", "mbuye", "muramvya", "murwi", "rusaka", "ruyigi", "ryansoro",
}  # fmt: skip


def counts(gazetteer: Gazetteer, division: str) -> dict[str, int]:
    return dict(Counter(unit.kind.value for unit in gazetteer.in_force(division)))


def test_the_two_divisions_have_the_units_of_the_law(burundi: Gazetteer) -> None:
    beyond = {"country": 1, "city": 1, "outside": 4, "unplaced": 1}
    assert counts(burundi, "2015") == {"province": 18, "commune": 119, **beyond}
    assert counts(burundi, "2025") == {"province": 5, "commune": 42, "zone": 451, **beyond}


def test_the_division_of_2025_is_used_from_the_fifth_of_june(burundi: Gazetteer) -> None:
    assert burundi.division_on(date(2025, 6, 4)) == "2015"
    assert burundi.division_on(date(2025, 6, 5)) == "2025"
    assert burundi.division_on(date(1999, 1, 1)) == "2015"
    assert burundi.division == "2025"


def test_there_are_thirty_one_homes_of_communes(burundi: Gazetteer) -> None:
    assert len(burundi.homes) == 31
    members = [commune for communes in burundi.homes.values() for commune in communes]
    assert len(members) == len(set(members)) == 119 + 42


def test_every_old_commune_goes_somewhere_whole(burundi: Gazetteer) -> None:
    for unit in burundi.in_force("2015", UnitKind.COMMUNE):
        shares = burundi.successors(unit.unit_id, "2025")
        assert sum(share.permille for share in shares) == 1000
        assert {burundi.home_of(share.unit_id) for share in shares} == {burundi.home_of(unit.unit_id)}


def test_every_new_commune_was_made_of_old_ones(burundi: Gazetteer) -> None:
    for unit in burundi.in_force("2025", UnitKind.COMMUNE):
        old = burundi.predecessors(unit.unit_id, "2015")
        assert old
        assert all(unit.unit_id in {s.unit_id for s in burundi.successors(o, "2025")} for o in old)


def test_the_reform_moves_119_communes_and_splits_eleven(burundi: Gazetteer) -> None:
    before = burundi.with_division_in_force("2015")

    moved = moves(before, before.adopt(burundi))

    assert len(moved) == 119
    assert {move.commune_id for move in moved if move.split} == {f"bi:c2015:{name}" for name in SPLIT}
    for move in moved:
        assert burundi.home_of(move.counted_in) == move.home
        assert move.counted_in == move.shares[0].unit_id, "the largest share"
        assert move.shares[0].permille >= max(share.permille for share in move.shares)


def test_populations_carried_over_by_shares_sum_to_the_census(burundi: Gazetteer) -> None:
    counted = [unit for unit in burundi.in_force("2015", UnitKind.COMMUNE) if unit.population is not None]
    carried: Counter[str] = Counter()
    for unit in counted:
        for share in burundi.successors(unit.unit_id, "2025"):
            carried[share.unit_id] += (unit.population or 0) * share.permille

    assert len(counted) == 116
    assert sum(carried.values()) == 1000 * sum(unit.population or 0 for unit in counted)


def test_shares_are_counted_from_hills(burundi: Gazetteer) -> None:
    hills: dict[str, dict[str, int]] = {}
    for row in burundi.facts.successions:
        assert row.hills is not None
        hills.setdefault(row.from_id, {})[row.to_id] = row.hills
    for commune, parts in hills.items():
        stated = {share.unit_id: share.permille for share in burundi.successors(commune, "2025")}
        assert stated == in_permille({to: Fraction(count, sum(parts.values())) for to, count in parts.items()})


def test_the_zones_that_went_are_counted_as_the_successions_say(burundi: Gazetteer) -> None:
    met = Counter((row.commune_id, burundi.commune_at(row.unit_id, "2025")) for row in burundi.facts.earlier)
    assert met == {(row.from_id, row.to_id): row.zones for row in burundi.facts.successions}


def test_a_zone_is_counted_in_its_old_commune_before_and_its_new_one_after(burundi: Gazetteer) -> None:
    zone = "bi:z2025:ntahangwa.benga"
    assert burundi.commune_at(zone, "2015") == "bi:c2015:isale"
    assert burundi.commune_at(zone, "2025") == "bi:c2025:ntahangwa"
    assert burundi.commune_at("bi:c2015:isale", "2025") == "bi:c2025:isare"


def test_the_one_zone_that_could_not_be_followed_is_not_guessed(burundi: Gazetteer) -> None:
    zone = "bi:z2025:karusi.nyamugari"
    assert burundi.commune_at(zone, "2015") is None
    assert burundi.row_at(zone, "2015") == "bi:c2025:karusi"


def test_no_unit_is_counted_outside_its_home(burundi: Gazetteer) -> None:
    for division in ("2015", "2025"):
        for unit_id in burundi.units:
            assert burundi.home_of(burundi.row_at(unit_id, division)) == burundi.home_of(unit_id)


def test_codes_are_where_they_were_found(burundi: Gazetteer) -> None:
    old, new = burundi.in_force("2015", UnitKind.COMMUNE), burundi.in_force("2025", UnitKind.COMMUNE)
    assert all(unit.pcode and unit.latitude_udeg and not unit.national_code for unit in old)
    assert all(unit.national_code and unit.latitude_udeg and not unit.pcode for unit in new)
    assert all(unit.iso_3166 for unit in burundi.in_force("2015", UnitKind.PROVINCE))
    no_census = {unit.name for unit in old if unit.population is None}
    assert no_census == {"Muha", "Mukaza", "Ntahangwa"}


def test_every_centroid_lies_in_burundi(burundi: Gazetteer) -> None:
    for unit in burundi.units.values():
        if unit.latitude_udeg is not None and unit.longitude_udeg is not None:
            assert -4_500_000 < unit.latitude_udeg < -2_300_000
            assert 28_900_000 < unit.longitude_udeg < 30_900_000


def test_the_urban_communes_lie_in_the_city_until_the_reform(burundi: Gazetteer) -> None:
    above = burundi.ancestors("bi:c2015:muha", "2015")
    assert above == ("bi:city:bujumbura", "bi:p2015:bujumbura-mairie", "bi")
    assert burundi.lies_in("bi:c2015:muha", "bi:p2025:bujumbura", "2025"), "an old unit is judged by its row"


@pytest.mark.parametrize(
    "unit_id", ["bi", "bi:p2015:kayanza", "bi:p2025:gitega", "bi:city:bujumbura", "outside:rw", "unplaced"]
)
def test_a_unit_above_communes_is_a_home_and_a_row_by_itself(burundi: Gazetteer, unit_id: str) -> None:
    assert burundi.home_of(unit_id) == unit_id
    assert burundi.row_at(unit_id, "2015") == burundi.row_at(unit_id, "2025") == unit_id
    assert burundi.commune_at(unit_id, "2025") is None


def test_the_whole_gazetteer_fits_in_one_event_five_times(burundi: Gazetteer) -> None:
    assert len(canonical(burundi.content())) * 5 < WIRE_LIMIT_BYTES


def test_what_an_event_carries_is_the_same_gazetteer(burundi: Gazetteer) -> None:
    again = Gazetteer.from_content(burundi.content())
    assert canonical(again.content()) == canonical(burundi.content())
    assert again == burundi
    assert again.content_hash == burundi.content_hash
