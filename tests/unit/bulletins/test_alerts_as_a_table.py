"""The table is what its datapackage.json says, judged by the library of that standard."""

from __future__ import annotations

import csv
import io
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import frictionless
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.alert import AlertIssued, Code
from services.bulletins.table import COLUMNS, VERSION, data_package, head, lines
from tests.support.bulletins import ISSUER, an_alert, chain, told_of

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)


def judged(folder: Path, content: bytes) -> Any:
    (folder / "alerts.csv").write_bytes(content)
    (folder / "datapackage.json").write_text(json.dumps(data_package(ISSUER)), "utf-8")
    return frictionless.Package(str(folder / "datapackage.json")).validate()


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_a_chain_of_alerts_is_what_the_package_says(tmp_path: Path) -> None:
    alerts = [link.told for link in chain([3, 4, 2, 4, 1, 3])]
    content = head() + lines(alerts)
    report = judged(tmp_path, content)
    assert report.valid, report.flatten(["rowNumber", "fieldNumber", "message"])
    assert report.stats["warnings"] == 0
    found = rows(content)
    assert [row["alert_id"] for row in found] == [str(one.alert_id) for one in alerts]
    assert [(row["from"], row["to"]) for row in found] == [(str(o.alert.before), str(o.alert.after)) for o in alerts]
    assert found[1]["updates"] == found[0]["alert_id"]


def test_a_table_that_is_not_what_the_package_says_is_refused(tmp_path: Path) -> None:
    content = head() + lines([told_of(an_alert())])
    assert not judged(tmp_path, content.replace(b"2026-05-20", b"20.5.2026")).valid
    assert not judged(tmp_path, content + lines([told_of(an_alert())])).valid


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(NAMES, st.lists(st.tuples(st.sampled_from(["pcode", "national", "x"]), NAMES), max_size=3))
def test_whatever_a_place_is_called_its_line_is_read_again(
    tmp_path: Path, name: str, codes: list[tuple[str, str]]
) -> None:
    told = told_of(an_alert(unit_name=name, codes=tuple(Code(scheme=scheme, code=code) for scheme, code in codes)))
    content = head() + lines([told])
    (row,) = rows(content)
    assert list(row) == list(COLUMNS)
    assert row["unit_name"].removeprefix("'") == name.removeprefix("'") or row["unit_name"] == name
    assert row["unit_name"][0] not in "=+-@"


def test_codes_stand_in_columns_and_those_of_other_schemes_beside_them() -> None:
    codes = (Code(scheme="pcode", code="BDI001002"), Code(scheme="x", code="1"), Code(scheme="y", code="2"))
    (row,) = rows(head() + lines([told_of(an_alert(codes=codes))]))
    assert (row["pcode"], row["national_code"], row["other_codes"]) == ("BDI001002", "", "x=1;y=2")


def test_each_version_of_the_table_is_known_by_what_it_writes() -> None:
    """Where this fails, raise VERSION: whoever asks again under an ETag of before must be sent the new form."""
    codes = tuple(Code(scheme=scheme, code=f"'{scheme}") for scheme in ("pcode", "iso_3166", "x", "y"))
    alerts = [link.told for link in chain([3, 4, 1], unit_name="=1+1", codes=codes)]
    cancelled = told_of(an_alert(change="cancelled", cancels=alerts[0].alert_id), 9, mode="exercise")
    written = sha256(head() + lines([*alerts, cancelled])).hexdigest()[:16]
    assert (VERSION, written) == (2, "0a60c70eace06e03")


def test_every_field_of_an_alert_is_in_a_column() -> None:
    shown = {"codes": "other_codes"}
    fields = {one.alias or name for name, one in AlertIssued.model_fields.items()}
    assert {shown.get(name, name) for name in fields} <= COLUMNS.keys()
