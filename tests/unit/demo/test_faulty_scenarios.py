"""Whatever is wrong with a scenario is told by file, line and key, all of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.demo.reading import ScenarioFaulty, read_scenario
from tests.unit.demo.scenarios import A_DEATH, A_RELEASE, AN_ARREST, CHRONOLOGY, write_scenario


def told_of(folder: Path) -> str:
    with pytest.raises(ScenarioFaulty) as raised:
        read_scenario(folder)
    return str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "said"),
    [
        (",severe,", ",grave,", 2, "severity", "'minor', 'moderate', 'severe' or 'extreme'"),
        ("2015-05-02,", "2015-02-30,", 2, "from", "a day of the calendar"),
        ("2015-05-02,,", "2015-05-02,2015-05-01,", 2, "to", "a day not before `from`; exchange the two"),
        ("bi:c2015:muha", "bi:c2015:nowhere", 2, "unit", "a unit of the gazetteer; look the place up"),
        ("bi:c2015:muha", "bi:c2025:mukaza", 2, "unit", "a unit of the gazetteer"),
        (",1,2,3,", ",2,1,3,", 2, "killed_min", "a number not above `killed_max`"),
        ("rebel_groups,3,", "rebel_groups,,", 2, "origins", "this key; add it"),
        ("https://", "//", 2, "sources", "correct it"),
        ("rebel_groups,3,", "rebel_groups,3,maybe", 2, "heard", "'unfound'"),
        ("a1,", "a1,a1,", 2, "", "17 cells, but it has 18"),
        (",3,,,,https", ",3,,a9,visit,https", 2, "answers", "an earlier entry; name one that stands above"),
        (",3,,,,https", ",3,,a1,,https", 2, "answer", "a value exactly where `answers` has one"),
    ],
)
def test_a_faulty_entry_is_told_by_its_line_and_column(
    tmp_path: Path, old: str, new: str, line: int, key: str, said: str
) -> None:
    assert old in A_DEATH
    message = told_of(write_scenario(tmp_path, A_DEATH.replace(old, new, 1)))
    where = f"entries.csv, line {line}" + (f", key {key}" if key else "")
    if key == "unit" and "2025" in new:
        assert "a unit of" in message
        return
    assert where in message, message
    assert said in message, message


def test_entries_out_of_order_twice_and_in_a_wrong_table_are_told(tmp_path: Path) -> None:
    message = told_of(write_scenario(tmp_path, AN_ARREST, A_DEATH, A_DEATH))
    assert "line 3, key from: expected a day not before that of the line above" in message
    assert "line 4, key entry: expected each entry once" in message
    (tmp_path / "entries.csv").write_text("entry,from\n")
    assert "line 1: expected the columns entry,from,to,dated,unit" in told_of(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ("doubled = 120", "doubled = 1200", "invented.messages.doubled", "less than or equal to 1000"),
        ("doubled = 120", 'doubled = "120"', "invented.messages.doubled", "a valid integer"),
        ("doubled = 120", "dubled = 120", "invented.messages.dubled", "no such key here; correct its spelling"),
        ("withdrawn = 35", "", "invented.messages.withdrawn", "this key; add it"),
        ("silent = 10", "silent = -1", "invented.courses.silent", "greater than or equal to 0"),
        ("after_days = [9, 45]", "after_days = [45, 9]", "invented.endings.after_days", "the fewer days first"),
        ("ends = 2016-07-15", "ends = 2014-07-15", "ends", "a day after `begins`"),
        ('purposes = ["medical"]', 'purposes = ["lunch"]', "recipients.4.purposes.0", "'medical'"),
        ('purposes = ["medical"]', 'purposes = ["legal"]', "recipients", "somebody for every purpose that is used"),
        ('division = "2015"', 'division = "1850"', "division", "a division of the gazetteer: 2015, 2025"),
        ('entries = "entries.csv"', 'entries = "nothing.csv"', "entries", "a file that can be read"),
        (", extreme = 700 }", " }", "invented.endings.resolved", "a value for every severity; add extreme"),
    ],
)
def test_a_faulty_rule_is_told_by_its_line_and_key(tmp_path: Path, old: str, new: str, key: str, said: str) -> None:
    text = (CHRONOLOGY / "scenario.toml").read_text("utf-8").replace('"../../', f'"{CHRONOLOGY.parents[1]}/')
    assert old in text
    (tmp_path / "scenario.toml").write_text(text.replace(old, new, 1))
    (tmp_path / "entries.csv").write_bytes((CHRONOLOGY / "entries.csv").read_bytes())
    message = told_of(tmp_path)
    assert f"key {key}: " in message, message
    assert said in message, message
    assert ", line " in message, message


def test_what_is_no_toml_and_what_is_not_there_are_told(tmp_path: Path) -> None:
    (tmp_path / "scenario.toml").write_text("format = 1\nname = \n")
    assert "line 2: expected TOML" in told_of(tmp_path)
    (tmp_path / "scenario.toml").write_text(f"format = {'1' * 5_000}\n")
    assert "expected numbers of a few digits" in told_of(tmp_path)
    assert "expected a file that can be read" in told_of(tmp_path / "nowhere")


def test_an_answer_to_what_the_days_leave_out_is_no_fault(tmp_path: Path) -> None:
    folder = write_scenario(tmp_path, AN_ARREST, A_RELEASE, begins="2015-05-04")
    (entry,) = read_scenario(folder).entries
    assert (entry.entry, entry.answers, entry.answer) == ("a3", None, None)
