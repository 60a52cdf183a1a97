"""`intabaza alerts export` writes what the API answers, byte by byte, and says in a sentence what it cannot do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import orjson

from tests.support.doors import CONSUMER
from tests.support.told import Told


async def exported(told: Told, form: str, folder: Path, **extra: str) -> tuple[int, str]:
    stack = replace(told.doors.stack, extra=dict(told.doors.stack.extra) | extra)
    done = await asyncio.to_thread(stack.command, "alerts", "export", str(folder), "--format", form)
    return done.returncode, done.stdout + done.stderr


async def test_files_have_what_the_api_answers(told: Told, tmp_path: Path) -> None:
    listed = await told.pages(CONSUMER, "/v1/alerts", "alerts")
    for form in ("cap", "csv", "geojson"):
        assert await exported(told, form, tmp_path / form) == (0, f"{len(listed)} alerts in {tmp_path / form}.\n")
    documents = sorted((tmp_path / "cap").iterdir())
    assert [one.stem for one in documents] == [f"{alert['sequence']}-{alert['id']}" for alert in listed]
    for alert, one in zip(listed, documents, strict=True):
        assert one.read_bytes() == (await told.doors.get(CONSUMER, f"/v1/alerts/{alert['id']}/cap")).content
    assert {one.name for one in (tmp_path / "csv").iterdir()} == {"alerts.csv", "datapackage.json"}
    assert (tmp_path / "csv" / "alerts.csv").read_bytes() == (await told.doors.get(CONSUMER, "/v1/alerts.csv")).content
    package = orjson.loads((tmp_path / "csv" / "datapackage.json").read_bytes())
    assert package == await told.see(CONSUMER, "/v1/datapackage.json")
    features = orjson.loads((tmp_path / "geojson" / "alerts.geojson").read_bytes())["features"]
    assert features == (await told.see(CONSUMER, "/v1/collections/alerts/items", limit=1000))["features"]


async def test_what_cannot_be_written_or_read_is_told(told: Told, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    code, said = await exported(told, "csv", file)
    assert (code, "cannot be written" in said) == (1, True), said
    assert file.read_text() == "mine"
    absent = str(tmp_path / "none.geojson")
    code, said = await exported(told, "cap", tmp_path / "cap", INTABAZA_BOUNDARIES_FILE=absent)
    assert (code, f"{absent} cannot be read" in said) == (1, True), said
    code, said = await exported(told, "cap", tmp_path / "cap", INTABAZA_CAP_SENDER="a, b")
    assert (code, "INTABAZA_CAP_SENDER: " in said) == (1, True), said
    assert list((tmp_path / "cap").iterdir()) == []
