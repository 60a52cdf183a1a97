"""The names that mislead people in Burundi: asked about with candidates, never guessed."""

from __future__ import annotations

import pytest

from events.places.facts import UnitKind
from events.places.faults import NoSuchDivision, NoSuchUnit
from events.places.gazetteer import Gazetteer
from events.places.lookup import Answer, Candidates, Directory, Found, How, NotFound, Why

COMMUNE, PROVINCE = UnitKind.COMMUNE, UnitKind.PROVINCE


@pytest.fixture(scope="module")
def directory(burundi: Gazetteer) -> Directory:
    return Directory(burundi)


def found(answer: Answer) -> str:
    assert isinstance(answer, Found), answer
    return answer.unit.unit_id


def offered(answer: Answer, why: Why = Why.SEVERAL) -> list[str]:
    assert isinstance(answer, Candidates), answer
    assert answer.why is why
    return [unit.unit_id for unit in answer.units]


def test_butaganzwa_is_two_communes_before_the_reform(directory: Directory) -> None:
    answer = directory.look_up("Butaganzwa", division="2015")

    assert offered(answer) == ["bi:c2015:butaganzwa-kayanza", "bi:c2015:butaganzwa-ruyigi"]
    assert isinstance(answer, Candidates)
    assert [unit.inside for unit in answer.units] == [("Kayanza", "Burundi"), ("Ruyigi", "Burundi")]
    assert [unit.divisions for unit in answer.units] == [("2015",), ("2015",)]


def test_butaganzwa_after_the_reform_may_still_be_the_one_that_is_elsewhere_now(directory: Directory) -> None:
    answer = directory.look_up("Butaganzwa", kind=COMMUNE)

    assert offered(answer) == ["bi:c2025:butaganzwa", "bi:c2015:butaganzwa-kayanza", "bi:c2015:butaganzwa-ruyigi"]
    assert isinstance(answer, Candidates)
    assert [[share.unit_id for share in unit.now] for unit in answer.units] == [
        [],
        ["bi:c2025:matongo"],
        ["bi:c2025:butaganzwa"],
    ]


@pytest.mark.parametrize(
    ("province", "commune"),
    [("bi:p2015:kayanza", "butaganzwa-kayanza"), ("bi:p2015:ruyigi", "butaganzwa-ruyigi")],
)
def test_a_province_tells_the_two_butaganzwa_apart(directory: Directory, province: str, commune: str) -> None:
    answer = directory.look_up("Butaganzwa", within=province, division="2015")
    assert found(answer) == f"bi:c2015:{commune}"


@pytest.mark.parametrize(("code", "commune"), [("BDI008001", "kayanza"), ("bdi016001", "ruyigi")])
def test_a_code_tells_them_apart_for_ever(directory: Directory, code: str, commune: str) -> None:
    for division in ("2015", "2025"):
        assert found(directory.look_up(code, division=division)) == f"bi:c2015:butaganzwa-{commune}"


def test_two_lists_number_butaganzwa_differently_so_the_number_is_asked_about(directory: Directory) -> None:
    assert len(offered(directory.look_up("Butaganzwa1", division="2015"))) == 2


def test_a_commune_that_bears_its_provinces_name_is_asked_about_unless_a_kind_is_said(
    burundi: Gazetteer, directory: Directory
) -> None:
    old = burundi.in_force("2015")
    provinces = {unit.name for unit in old if unit.kind is PROVINCE}
    doubles = sorted(unit.name for unit in old if unit.kind is COMMUNE and unit.name in provinces)
    assert len(doubles) == 13
    for name in doubles:
        answer = directory.look_up(name, division="2015")
        assert isinstance(answer, Candidates)
        assert {unit.kind for unit in answer.units} >= {PROVINCE, COMMUNE}
        assert found(directory.look_up(name, kind=COMMUNE, division="2015")).startswith("bi:c2015:")
        assert found(directory.look_up(name, kind=PROVINCE, division="2015")).startswith("bi:p2015:")


def test_bujumbura_is_a_city_and_another_province_before_and_after(directory: Directory) -> None:
    assert offered(directory.look_up("Bujumbura", division="2015")) == ["bi:p2015:bujumbura-rural", "bi:city:bujumbura"]
    after = offered(directory.look_up("BUJUMBURA"))
    assert after == ["bi:p2025:bujumbura", "bi:city:bujumbura", "bi:p2015:bujumbura-rural"]
    assert found(directory.look_up("Bujumbura", kind=UnitKind.CITY)) == "bi:city:bujumbura"


def test_a_province_passes_its_name_on_only_with_all_its_ground(directory: Directory) -> None:
    assert found(directory.look_up("Bujumbura", kind=PROVINCE)) == "bi:p2025:bujumbura"
    # a part of the old Gitega (Ryansoro) went to Burunga
    assert offered(directory.look_up("Gitega", kind=PROVINCE)) == ["bi:p2025:gitega", "bi:p2015:gitega"]


def test_a_split_commune_is_asked_about_with_its_parts_and_itself(directory: Directory) -> None:
    answer = directory.look_up("Isale")

    assert offered(answer, Why.SPLIT) == ["bi:c2025:isare", "bi:c2025:ntahangwa", "bi:c2015:isale"]
    assert isinstance(answer, Candidates)
    assert [unit.how for unit in answer.units] == [How.PART, How.PART, How.NAME]
    assert [(share.unit_id, share.permille) for share in answer.units[-1].now] == [
        ("bi:c2025:isare", 647),
        ("bi:c2025:ntahangwa", 353),
    ]
    assert found(directory.look_up("Isale", division="2015")) == "bi:c2015:isale"


def test_a_split_commune_whose_name_lives_on_is_asked_about(directory: Directory) -> None:
    assert offered(directory.look_up("Ruyigi", kind=COMMUNE)) == ["bi:c2025:ruyigi", "bi:c2015:ruyigi"]


def test_every_split_commune_is_asked_about(burundi: Gazetteer, directory: Directory) -> None:
    split = [u for u in burundi.in_force("2015", COMMUNE) if len(burundi.successors(u.unit_id, "2025")) > 1]
    assert len(split) == 11
    for unit in split:
        assert isinstance(directory.look_up(unit.name, kind=COMMUNE), Candidates)


def test_a_commune_that_only_grew_keeps_its_name(directory: Directory) -> None:
    assert found(directory.look_up("Bubanza", kind=COMMUNE)) == "bi:c2025:bubanza"


def test_an_old_name_nobody_took_over_is_found_under_its_own_id(directory: Directory) -> None:
    answer = directory.look_up("mpinga kayové")

    assert isinstance(answer, Found)
    assert answer.unit.unit_id == "bi:c2015:mpinga-kayove"
    assert not answer.unit.in_force
    assert [share.unit_id for share in answer.unit.now] == ["bi:c2025:musongati"]


def communes_of(burundi: Gazetteer, province: str) -> list[str]:
    old = burundi.in_force("2015", COMMUNE)
    return [unit.unit_id for unit in old if burundi.lies_in(unit.unit_id, province, "2015")]


def province_of(burundi: Gazetteer, old_commune: str) -> str:
    return burundi.ancestors(burundi.row_at(old_commune, "2025"), "2025")[0]


def test_every_name_and_code_that_ever_was_leads_to_its_unit_or_to_all_of_its_heirs(
    burundi: Gazetteer, directory: Directory
) -> None:
    said = [(unit, words) for unit in burundi.units.values() for words in (unit.name, unit.unit_id, *unit.codes)]
    said += [(burundi.unit(alias.unit_id), alias.alias) for alias in burundi.facts.aliases]
    for unit, words in said:
        answer = directory.look_up(words, kind=unit.kind)
        assert not isinstance(answer, NotFound)
        offers = {answer.unit.unit_id} if isinstance(answer, Found) else {each.unit_id for each in answer.units}
        heirs = {share.unit_id for share in burundi.successors(unit.unit_id, "2025")}
        if unit.kind is PROVINCE:
            heirs = {province_of(burundi, old) for old in communes_of(burundi, unit.unit_id)}
        assert unit.unit_id in offers or (heirs and heirs <= offers), words


def test_who_asks_for_a_commune_cibitoke_may_mean_the_province(directory: Directory) -> None:
    answer = directory.look_up("Cibitoke", kind=COMMUNE, division="2015")
    assert offered(answer) == ["bi:p2015:cibitoke", "bi:c2015:ntahangwa"]


def test_a_quarter_of_the_capital_is_found_in_its_commune(directory: Directory) -> None:
    assert found(directory.look_up("Kinindo", division="2015")) == "bi:c2015:muha"
    assert offered(directory.look_up("Kinindo")) == ["bi:z2025:mugere.kinindo", "bi:c2015:muha"]


def test_a_name_of_a_division_to_come_is_offered_not_taken(directory: Directory) -> None:
    assert offered(directory.look_up("Buhumuza", division="2015"), Why.NOT_YET) == ["bi:p2025:buhumuza"]


def test_a_name_known_elsewhere_is_offered(directory: Directory) -> None:
    answer = directory.look_up("Rumonge", within="bi:p2025:gitega", kind=COMMUNE)
    assert "bi:c2025:rumonge" in offered(answer, Why.ELSEWHERE)


@pytest.mark.parametrize(
    "words", ["NYANZA-LAC", "nyanza lac", "Nyanza’Lac", "N'yanzalac", "  nyánza—làc ", "Nyanza\N{NO-BREAK SPACE}Lac"]
)
def test_accents_case_apostrophes_hyphens_and_spaces_do_not_matter(directory: Directory, words: str) -> None:
    assert found(directory.look_up(words, division="2015")) == "bi:c2015:nyanza-lac"


@pytest.mark.parametrize(
    ("words", "meant"),
    [("Buganza", "bi:c2015:buganda"), ("Mutimbusi", "bi:c2015:mutimbuzi"), ("Rumongue", "bi:c2015:rumonge")],
)
def test_near_names_are_offered(directory: Directory, words: str, meant: str) -> None:
    answer = directory.look_up(words, kind=COMMUNE, division="2015")

    assert isinstance(answer, NotFound)
    assert meant in [unit.unit_id for unit in answer.near]
    assert all(unit.how is How.NEAR and unit.kind is COMMUNE for unit in answer.near)


@pytest.mark.parametrize("words", ["", "   ", "—'’", "qqqqqqqqqqqq", "x" * 100_000])
def test_words_that_are_like_no_name_find_nothing(directory: Directory, words: str) -> None:
    assert directory.look_up(words) == NotFound(())


def test_neighbours_and_the_unknown_have_units(directory: Directory) -> None:
    assert found(directory.look_up("RDC")) == "outside:cd"
    assert found(directory.look_up("Rwanda")) == "outside:rw"
    assert found(directory.look_up("Tanzanie")) == "outside:tz"
    assert found(directory.look_up("unplaced")) == "unplaced"


def test_a_narrowing_that_is_no_place_or_division_is_refused(directory: Directory) -> None:
    with pytest.raises(NoSuchUnit, match="look the place up"):
        directory.look_up("Isale", within="bi:p1999:gitega")
    with pytest.raises(NoSuchDivision, match="2015, 2025"):
        directory.look_up("Isale", division="1999")
