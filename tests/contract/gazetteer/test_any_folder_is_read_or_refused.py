"""Whatever stands in the files, they are read or refused with sentences; and the format is the one documented."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.places.facts import Alias, AliasKind, Confidence, Earlier, Parent, Row, Succession, Unit, UnitKind
from services.gazetteer import GazetteerUnreadable, read_gazetteer
from tests.contract.gazetteer.conftest import BURUNDI
from tests.contract.gazetteer.invented import FILES, write

README = (BURUNDI.parent / "README.md").read_text(encoding="utf-8")


@settings(max_examples=100, deadline=None)
@given(data=st.data(), junk=st.one_of(st.text(max_size=8), st.sampled_from([",", '"', "\n", "\0", "\x85", "[["])))
def test_a_damaged_file_is_read_or_refused(data: st.DataObject, junk: str) -> None:
    file = data.draw(st.sampled_from(sorted(FILES)))
    start = data.draw(st.integers(0, len(FILES[file])))
    text = FILES[file][:start] + junk + FILES[file][start + data.draw(st.integers(0, 12)) :]

    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder)).joinpath(file).write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            homes = read_gazetteer(Path(folder)).homes
        except GazetteerUnreadable as refusal:
            told = str(refusal).splitlines()[1:51]
        else:
            told = []
            assert homes
    assert all(": expected " in line and "; " in line for line in told)


def test_a_folder_that_is_not_there_is_refused_with_the_files_it_should_have(tmp_path: Path) -> None:
    with pytest.raises(GazetteerUnreadable, match=r"gazetteer\.toml.*\n.*units\.csv.*\n.*parents\.csv"):
        read_gazetteer(tmp_path / "nowhere")


@pytest.mark.parametrize("row_type", [Unit, Parent, Alias, Succession, Earlier])
def test_the_documentation_names_every_column_and_which_are_needed(row_type: type[Row]) -> None:
    documented = re.search(rf"^\| `{row_type.table}\.csv` \|[^|]*\| ([^|]*) \|$", README, re.MULTILINE)
    assert documented
    columns = documented[1].split(", ")

    assert {column.strip("*") for column in columns} == set(row_type.model_fields)
    needed = {name for name, about in row_type.model_fields.items() if about.is_required()}
    assert {column.strip("*") for column in columns if column.startswith("*")} == needed


def test_the_documentation_names_every_word() -> None:
    for words in (UnitKind, AliasKind, Confidence):
        for word in words:
            assert f"`{word.value}`" in README
