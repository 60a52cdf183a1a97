"""Every fault of a gazetteer's files is one sentence with file, line, column, what was expected and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.gazetteer import GazetteerUnreadable, LocatedFault, read_following, read_gazetteer
from tests.contract.gazetteer.invented import FILES, changed, write

ROWS = {file: text.splitlines() for file, text in FILES.items()}


def line_of(file: str, beginning: str) -> int:
    return next(number for number, line in enumerate(ROWS[file], 1) if line.startswith(beginning))


def faults_of(folder: Path) -> tuple[LocatedFault, ...]:
    with pytest.raises(GazetteerUnreadable) as refusal:
        read_gazetteer(folder)
    return refusal.value.faults


CASES = [
    # rule, file, passage, what is written instead, the line that begins so, column, words of the sentence
    ("duplicate_id", "units.csv", "ve:c:bel,commune,Bél", "ve:c:aro,commune,Bél", "ve:c:bel", "unit_id", "used once"),
    ("bad_value", "units.csv", "ve:h:elm,hill", "VE/elm,hill", "ve:h:elm", "unit_id", "an id of at most 64"),
    ("bad_value", "units.csv", "-1500000", "-1.5", "ve:c:aro", "latitude_udeg", "whole micro-degrees"),
    ("bad_value", "units.csv", "1200,2020", "many,2020", "ve:c:aro", "population", "whole number of people"),
    ("bad_value", "units.csv", "ve:h:oak,hill,Oak", "ve:h:oak,hill,", "ve:h:oak", "name", "fill this in"),
    ("half_a_point", "units.csv", "-1500000,30250000", "-1500000,", "ve:c:aro", "longitude_udeg", "both coordinates"),
    ("half_a_count", "units.csv", "1200,2020", "1200,", "ve:c:aro", "population_year", "with its year"),
    ("wrong_kind", "units.csv", "ve:h:oak,hill", "ve:h:oak,mountain", "ve:h:oak", "kind", "one of country, province"),
    ("no_name", "units.csv", ",Oak,", ",---,", "ve:h:oak", "name", "letters or digits"),
    ("no_name", "units.csv", ",Oak,", ",O\u200bak,", "ve:h:oak", "name", "a hidden character"),
    ("duplicate_code", "units.csv", "VE102", "ve-101", "ve:c:bel", "pcode", "also ve:c:aro's"),
    (
        "two_countries",
        "units.csv",
        "ve:p:south,province",
        "ve:p:south,country",
        "ve:p:south",
        "kind",
        "one unit of kind",
    ),
    ("outside", "units.csv", "outside:xx,outside", "xx,outside", "outside:xx", "unit_id", "begins with outside:"),
    ("unplaced", "units.csv", "unplaced,unplaced", "nowhere,unplaced", "unplaced", "unit_id", "the id unplaced"),
    ("unknown_source", "units.csv", ",Oak,,,,,,,,made-up", ",Oak,,,,,,,,hearsay", "ve:h:oak", "sources", "[sources]"),
    ("no_division", "parents.csv", "d2,ve:z:mill,ve:c2:corin,made-up\n", "", "", "unit_id", "at least one division"),
    (
        "unknown_parent",
        "parents.csv",
        "ve:c:aro,ve:p:north",
        "ve:c:aro,ve:p:west",
        "d1,ve:c:aro",
        "parent_id",
        "ve:p:west",
    ),
    ("unknown_unit", "parents.csv", "d2,ve:z:mill", "d2,ve:z:mint", "d2,ve:z:mill", "unit_id", "there is no ve:z:mint"),
    ("unknown_division", "parents.csv", "d2,ve:z:mill", "d3,ve:z:mill", "d2,ve:z:mill", "division", "d1, d2"),
    (
        "duplicate_row",
        "parents.csv",
        "d2,ve:z:mill,ve:c2:corin",
        "d2,ve:z:quay,ve:c2:dun",
        "d2,ve:z:quay",
        "unit_id",
        "",
    ),
    ("cycle", "parents.csv", "d1,ve:p:north,ve,", "d1,ve:p:north,ve:c:aro,", "d1,ve:p:north", "parent_id", "no circle"),
    (
        "wrong_kind",
        "parents.csv",
        "ve:c:aro,ve:p:north",
        "ve:c:aro,ve:c:bel",
        "d1,ve:c:aro",
        "parent_id",
        "over a commune",
    ),
    (
        "wrong_kind",
        "parents.csv",
        "ve:z:mill,ve:c2:corin",
        "ve:z:mill,ve:p:north",
        "d2,ve:z:mill",
        "parent_id",
        "a zone",
    ),
    ("wrong_kind", "parents.csv", "d2,ve:z:mill,", "d2,outside:xx,", "d2,ve:z:mill", "unit_id", "no parent for"),
    (
        "parent_not_in_force",
        "parents.csv",
        "ve:z:mill,ve:c2:corin",
        "ve:z:mill,ve:c:cor",
        "d2,ve:z:mill",
        "parent_id",
        "",
    ),
    ("unknown_unit", "aliases.csv", "ve:c:bel,Belle", "ve:c:bee,Belle", "ve:c:bel", "unit_id", "no ve:c:bee"),
    ("wrong_kind", "aliases.csv", "spelling", "whisper", "ve:c:bel", "kind", "misspelling"),
    (
        "share_sum",
        "successions.csv",
        "ve:c2:dun,300",
        "ve:c2:dun,299",
        "d2,ve:c:cor,ve:c2:dun",
        "share_permille",
        "to 999",
    ),
    (
        "bad_value",
        "successions.csv",
        "ve:c2:dun,300",
        "ve:c2:dun,0",
        "d2,ve:c:cor,ve:c2:dun",
        "share_permille",
        "1 to 1000",
    ),
    ("wrong_kind", "successions.csv", "ve:c:aro,ve:c2:abel", "ve:c:aro,ve:z:mill", "d2,ve:c:aro", "to_id", "a commune"),
    (
        "not_in_force",
        "successions.csv",
        "ve:c:aro,ve:c2:abel",
        "ve:c:aro,ve:c:bel",
        "d2,ve:c:aro",
        "to_id",
        "division d2",
    ),
    (
        "no_division_before",
        "successions.csv",
        "d2,ve:c:aro",
        "d1,ve:c:aro",
        "d2,ve:c:aro",
        "division",
        "follows another",
    ),
    (
        "duplicate_row",
        "successions.csv",
        "ve:c:bel,ve:c2:abel",
        "ve:c:aro,ve:c2:abel",
        "d2,ve:c:bel",
        "to_id",
        "one row",
    ),
    (
        "missing_successor",
        "successions.csv",
        "d2,ve:c:bel,ve:c2:abel,1000,,,high,made-up\n",
        "",
        "",
        "unit_id",
        "ve:c:bel",
    ),
    ("wrong_kind", "earlier.csv", "ve:z:quay", "ve:c2:dun", "d1,ve:z:quay", "unit_id", "a zone or a hill"),
    ("not_in_force", "earlier.csv", "d1,ve:z:quay", "d2,ve:z:quay", "d1,ve:z:quay", "unit_id", "after division d2"),
    ("not_in_force", "earlier.csv", "quay,ve:c:cor", "quay,ve:c2:corin", "d1,ve:z:quay", "commune_id", "in force"),
    (
        "earlier_elsewhere",
        "earlier.csv",
        "quay,ve:c:cor",
        "quay,ve:c:aro",
        "d1,ve:z:quay",
        "commune_id",
        "ve:c2:dun was",
    ),
    (
        "two_homes",
        "parents.csv",
        "d1,ve:h:oak,ve:c:cor",
        "d1,ve:h:oak,ve:c:aro",
        "",
        "unit_id",
        "one home for ve:h:oak",
    ),
]


@pytest.mark.parametrize(
    ("rule", "file", "old", "new", "beginning", "column", "words"), CASES, ids=[f"{c[0]}: {c[1]} {c[3]}" for c in CASES]
)
def test_a_fault_names_its_file_line_and_column(
    tmp_path: Path, rule: str, file: str, old: str, new: str, beginning: str, column: str, words: str
) -> None:
    (tmp_path / "x").mkdir()
    folder = write(tmp_path / "x", **{file.replace(".", "_"): changed(file, old, new)})

    met = [fault for fault in faults_of(folder) if (fault.fault.rule, fault.fault.column) == (rule, column)]

    assert met, [str(fault) for fault in faults_of(folder)]
    sentence = str(met[0])
    if beginning:
        assert sentence.startswith(f"{file}, line {line_of(file, beginning)}, column {column}: expected ")
    else:  # the fault is met at the unit that the change left alone
        assert sentence.startswith("units.csv, line ")
    assert words in sentence
    assert "; " in sentence, "a fault says what to do"


def test_a_missing_predecessor_is_told_at_the_new_commune(tmp_path: Path) -> None:
    text = changed("successions.csv", "ve:c:fen,ve:c2:newfen", "ve:c:fen,ve:c2:dun")

    (fault,) = faults_of(write(tmp_path, successions_csv=text))

    assert fault.fault.rule == "missing_predecessor"
    assert (fault.file, fault.line) == ("units.csv", line_of("units.csv", "ve:c2:newfen"))


def test_divisions_stand_oldest_first_each_with_its_day(tmp_path: Path) -> None:
    early = FILES["gazetteer.toml"].replace('name = "six communes"', 'name = "six"\nvalid_from = 2031-01-01')
    undated = FILES["gazetteer.toml"].replace("valid_from = 2030-01-01\n", "")

    for text in (early, undated):
        (fault,) = faults_of(write(tmp_path, gazetteer_toml=text))
        assert fault.fault.rule == "dates_out_of_order"
        assert fault.file == "gazetteer.toml"
        assert fault.line == [n for n, line in enumerate(text.splitlines(), 1) if line == "[[divisions]]"][1]


@pytest.mark.parametrize(
    ("file", "text", "line", "words"),
    [
        ("units.csv", FILES["units.csv"].replace("kind", "sort", 1), 1, "columns are unit_id"),
        ("units.csv", FILES["units.csv"].replace("Aro,", "Aro,,"), 5, "11 cells, but it has 12"),
        ("units.csv", FILES["units.csv"].replace("Aro", '"A"ro'), 5, "CSV with commas"),
        ("units.csv", "", 1, "this column"),
        ("aliases.csv", "unit_id,alias,alias,kind,sources\n", 1, "each column once"),
        ("gazetteer.toml", FILES["gazetteer.toml"].replace("edition = 1", "edition 1"), 3, "TOML"),
        ("gazetteer.toml", f"edition = {'[' * 3_000}", None, "tables and lists a few deep"),
        ("gazetteer.toml", FILES["gazetteer.toml"].replace("edition", "printing"), None, "remove it or correct"),
        ("gazetteer.toml", FILES["gazetteer.toml"].replace("edition = 1\n", ""), None, "key edition"),
        (
            "gazetteer.toml",
            FILES["gazetteer.toml"].replace("edition = 1", 'edition = 1\ndivision_in_force = "d9"'),
            None,
            "",
        ),
        ("gazetteer.toml", FILES["gazetteer.toml"].replace("valid_from", "from"), 10, "only"),
        ("gazetteer.toml", "divisions = 3\n", None, "key divisions"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_it_should_be(
    tmp_path: Path, file: str, text: str, line: int | None, words: str
) -> None:
    faults = faults_of(write(tmp_path, **{file.replace(".", "_"): text}))

    assert any((fault.file, fault.line) == (file, line) and words in str(fault) for fault in faults), list(
        map(str, faults)
    )


def test_a_file_in_another_encoding_is_told_by_its_line(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "units.csv").write_bytes(FILES["units.csv"].encode("latin-1"))

    (fault,) = (fault for fault in faults_of(folder) if fault.file == "units.csv")

    assert fault.line == line_of("units.csv", "ve:c:bel")
    assert "UTF-8" in str(fault)


def test_a_missing_file_is_told_by_its_name(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "parents.csv").unlink()

    assert any(fault.file == "parents.csv" and "add the file" in str(fault) for fault in faults_of(folder))


def test_several_faults_are_told_at_once(tmp_path: Path) -> None:
    text = FILES["units.csv"].replace(",Oak,", ",---,").replace("VE102", "VE101").replace("1200,2020", "1200,")

    assert {fault.fault.rule for fault in faults_of(write(tmp_path, units_csv=text))} == {
        "no_name",
        "duplicate_code",
        "half_a_count",
    }


def test_a_successor_that_joins_two_homes_is_refused_naming_both_and_the_row(tmp_path: Path) -> None:
    in_force = read_gazetteer(write(tmp_path))
    joining = FILES["successions.csv"].replace(
        "d2,ve:c:fen,ve:c2:newfen,1000", "d2,ve:c:fen,ve:c2:newfen,900,,,high,made-up\nd2,ve:c:fen,ve:c2:dun,100"
    )
    folder = write(tmp_path, successions_csv=joining)

    assert len(read_gazetteer(folder).homes) == 3, "for a new log nothing is wrong with it"
    with pytest.raises(GazetteerUnreadable) as refusal:
        read_following(folder, in_force)

    (fault,) = refusal.value.faults
    assert fault.fault.rule == "joined_homes"
    assert (fault.file, fault.line) == ("successions.csv", 8)
    assert "ve:c:cor" in str(fault)
    assert "ve:c:fen" in str(fault)
    assert "a new topic is needed" in str(fault)
