"""Whatever the names, a place that is found bears the words, and nothing else in force could have been meant."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from events.places.facts import Facts, UnitKind
from events.places.gazetteer import Gazetteer
from events.places.lookup import Candidates, Directory, Found, NotFound
from events.places.names import fold
from tests.unit.places.countries import countries


def borne(gazetteer: Gazetteer) -> dict[str, set[str]]:
    """For each unit, its names as they are compared."""
    names = {unit.unit_id: {fold(unit.name), *map(fold, unit.codes)} for unit in gazetteer.units.values()}
    for alias in gazetteer.facts.aliases:
        names[alias.unit_id].add(fold(alias.alias))
    return names


@settings(max_examples=80, deadline=None)
@given(facts=countries(), data=st.data())
def test_what_is_found_bears_the_words_and_is_the_only_one_in_force_that_does(
    facts: Facts, data: st.DataObject
) -> None:
    gazetteer = Gazetteer(facts)
    directory, names = Directory(gazetteer), borne(gazetteer)
    order = [row.division for row in gazetteer.divisions]
    division = data.draw(st.sampled_from(order))
    kind = data.draw(st.sampled_from([None, UnitKind.COMMUNE, UnitKind.ZONE, UnitKind.PROVINCE]))

    for words in {*(unit.name for unit in facts.units), *(alias.alias for alias in facts.aliases)}:
        answer = directory.look_up(words, kind=kind, division=division)
        bearing = {unit_id for unit_id, known in names.items() if fold(words) in known}
        fitting = {unit_id for unit_id in bearing if kind in (None, gazetteer.units[unit_id].kind)}
        in_force = {unit_id for unit_id in fitting if gazetteer.is_in_force(unit_id, division)}
        match answer:
            case Found(unit):
                assert unit.unit_id in fitting
                assert in_force <= {unit.unit_id}
                assert order.index(gazetteer.divisions_of(unit.unit_id)[0]) <= order.index(division)
                assert len(gazetteer.successors(unit.unit_id, division)) <= 1, "a split commune is asked about"
                for passed_over in fitting - {unit.unit_id}:
                    if gazetteer.units[passed_over].kind is UnitKind.COMMUNE and passed_over not in in_force:
                        heirs = {share.unit_id for share in gazetteer.successors(passed_over, division)}
                        assert heirs <= {unit.unit_id}, "its ground is elsewhere"
            case Candidates(units):
                assert units
                assert in_force <= {unit.unit_id for unit in units}
                assert {unit.unit_id for unit in units} & bearing
            case NotFound():
                raise AssertionError(f"{words!r} is a name of {bearing}")


@settings(max_examples=80, deadline=None)
@given(facts=countries(), words=st.text(max_size=12))
def test_any_words_get_an_answer(facts: Facts, words: str) -> None:
    gazetteer = Gazetteer(facts)
    match Directory(gazetteer).look_up(words):
        case Found(unit):
            assert fold(words) in borne(gazetteer)[unit.unit_id] or words.strip() == unit.unit_id
        case Candidates(units):
            assert units
        case NotFound(near):
            assert len(near) <= 5
            assert len({unit.unit_id for unit in near}) == len(near)


@given(words=st.text(max_size=40))
def test_folding_twice_is_folding_once(words: str) -> None:
    assert fold(fold(words)) == fold(words)
    assert fold(words.upper()) == fold(words.upper().lower())
