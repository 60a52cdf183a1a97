"""Another country is another folder: Vela is read, adopted, reformed and looked up by the same code."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from events.places.adoption import moves
from events.places.facts import UnitKind
from events.places.faults import GazetteerFaulty
from events.places.gazetteer import Gazetteer, Share
from events.places.lookup import Candidates, Directory, Found
from services.gazetteer import GazetteerUnreadable, read_following, read_gazetteer
from tests.contract.gazetteer.invented import FILES, changed, write


def test_its_homes_are_computed_over_both_divisions(vela: Gazetteer) -> None:
    assert dict(vela.homes) == {
        "ve:c:aro": ("ve:c2:abel", "ve:c:aro", "ve:c:bel"),
        "ve:c:cor": ("ve:c2:corin", "ve:c2:dun", "ve:c:cor", "ve:c:dun"),
        "ve:c:eri": ("ve:c:eri",),
        "ve:c:fen": ("ve:c2:newfen", "ve:c:fen"),
    }
    assert vela.home_of("ve:h:elm") == vela.home_of("ve:z:mill") == "ve:c:cor"


def test_its_reform_moves_communes_inside_their_homes(vela: Gazetteer) -> None:
    before = vela.with_division_in_force("d1")
    after = before.adopt(vela)

    moved = {move.commune_id: move for move in moves(before, after)}

    assert set(moved) == {"ve:c:aro", "ve:c:bel", "ve:c:cor", "ve:c:dun", "ve:c:fen"}, "Eri is as it was"
    assert moved["ve:c:cor"].split
    assert moved["ve:c:cor"].shares == (Share("ve:c2:corin", 700), Share("ve:c2:dun", 300))
    assert moved["ve:c:cor"].counted_in == "ve:c2:corin"
    assert {commune: move.home for commune, move in moved.items()} == {c: before.home_of(c) for c in moved}


def test_a_hill_may_know_better_than_its_split_commune(vela: Gazetteer) -> None:
    assert vela.commune_at("ve:h:oak", "d1") == "ve:c:cor"
    assert vela.commune_at("ve:h:oak", "d2") == "ve:c2:dun"


def test_ground_of_a_newer_zone_lay_where_the_table_says_or_in_the_only_commune_it_can_have(vela: Gazetteer) -> None:
    assert vela.commune_at("ve:z:quay", "d1") == "ve:c:cor"
    assert vela.commune_at("ve:z:mill", "d1") == "ve:c:cor", "Corin was made of Cor alone"
    assert vela.commune_at("ve:c2:abel", "d1") is None, "of Aro or of Bel, nobody can say"
    assert vela.row_at("ve:c2:abel", "d1") == "ve:c2:abel"


def test_its_places_are_looked_up(vela: Gazetteer) -> None:
    directory = Directory(vela)
    bel = directory.look_up("bel", division="d1")
    assert isinstance(bel, Found)
    assert bel.unit.unit_id == "ve:c:bel"
    dun = directory.look_up("DUN", kind=UnitKind.COMMUNE)
    assert isinstance(dun, Found), "all of the old Dun lies in the new one"
    assert dun.unit.unit_id == "ve:c2:dun"
    assert isinstance(directory.look_up("Cor"), Candidates)


def test_before_its_first_date_the_first_division_counts(vela: Gazetteer) -> None:
    assert vela.division_on(date(2029, 12, 31)) == "d1"
    assert vela.division_on(date(2030, 1, 1)) == "d2"


def test_the_order_of_rows_and_columns_changes_nothing(vela: Gazetteer, tmp_path: Path) -> None:
    shuffled = {}
    for name, text in FILES.items():
        if name.endswith(".csv"):
            head, *rows = text.splitlines()
            turned = [",".join(reversed(line.split(","))) for line in (head, *reversed(rows))]
            shuffled[name.replace(".", "_")] = "\n".join(turned) + "\n"
    (tmp_path / "turned").mkdir()

    again = read_gazetteer(write(tmp_path / "turned", **shuffled))

    assert again.content_hash == vela.content_hash


def test_its_content_has_the_hash_it_always_had(vela: Gazetteer) -> None:
    """Events carry this form for ever: where this fails, give the new form a new schema version."""
    assert vela.content_hash == "99f03aa1cc3ec90dd2d55d3749c8ebcd5d33c5a1b14dc263b83a68da107d6f20"
    for table in ("units", "parents", "aliases", "successions", "earlier", "divisions"):
        columns = vela.content()[table]["columns"]
        assert columns == sorted(columns), "no set may decide the order"


def test_a_corrected_edition_keeps_homes_and_their_names(vela: Gazetteer, tmp_path: Path) -> None:
    corrected = FILES["units.csv"].replace(",Aro,", ",Arro,").replace("VE103", "VE109") + (
        "ve:c:aaa,commune,Aaa,,,,,,,,made-up\n"
    )
    parents = FILES["parents.csv"] + "d1,ve:c:aaa,ve:p:north,made-up\n"
    successions = FILES["successions.csv"] + "d2,ve:c:aaa,ve:c2:abel,1000,,,low,made-up\n"
    folder = write(tmp_path, units_csv=corrected, parents_csv=parents, successions_csv=successions)

    following = read_following(folder, vela)

    assert read_gazetteer(folder).home_of("ve:c:aro") == "ve:c:aaa", "a new log would name it so"
    assert following.home_of("ve:c:aaa") == following.home_of("ve:c:aro") == "ve:c:aro"
    assert vela.adopt(read_gazetteer(folder)) == following
    assert following.unit("ve:c:cor").pcode == "VE109"
    assert Gazetteer.from_content(following.content()).home_of("ve:c:aaa") == "ve:c:aro", "names survive the event"


MILL = "ve:z:mill,zone,Mill,,,,,,,,made-up\n"
MILL_IN_CORIN = "d2,ve:z:mill,ve:c2:corin,made-up\n"


@pytest.mark.parametrize(
    ("rule", "passages"),
    [
        ("unit_lost", {"units.csv": (MILL, ""), "parents.csv": (MILL_IN_CORIN, "")}),
        (
            "kind_changed",
            {
                "units.csv": ("ve:h:elm,hill", "ve:h:elm,zone"),
                "parents.csv": ("ve:h:elm,ve:z:quay", "ve:h:elm,ve:c2:dun"),
            },
        ),
        ("home_changed", {"parents.csv": (MILL_IN_CORIN, "d2,ve:z:mill,ve:c2:abel,made-up\n")}),
    ],
)
def test_a_gazetteer_that_loses_or_moves_a_unit_cannot_follow(
    vela: Gazetteer, tmp_path: Path, rule: str, passages: dict[str, tuple[str, str]]
) -> None:
    texts = {file.replace(".", "_"): changed(file, old, new) for file, (old, new) in passages.items()}
    folder = write(tmp_path, **texts)
    read_gazetteer(folder)

    with pytest.raises(GazetteerUnreadable) as refusal:
        read_following(folder, vela)

    assert [fault.fault.rule for fault in refusal.value.faults] == [rule]
    with pytest.raises(GazetteerFaulty) as refused:
        vela.adopt(read_gazetteer(folder))
    assert [fault.rule for fault in refused.value.faults] == [rule]


def test_a_home_that_would_fall_apart_cannot_follow(vela: Gazetteer, tmp_path: Path) -> None:
    text = changed("successions.csv", "d2,ve:c:bel,ve:c2:abel,1000", "d2,ve:c:bel,ve:c2:newfen,1000")

    with pytest.raises(GazetteerUnreadable, match="the home ve:c:aro for ve:c:bel, but it would move to ve:c:fen"):
        read_following(write(tmp_path, successions_csv=text), vela)


def test_vela_cannot_follow_burundi(burundi: Gazetteer, vela: Gazetteer) -> None:
    with pytest.raises(GazetteerFaulty, match="put it back: an id is permanent"):
        burundi.adopt(vela)
