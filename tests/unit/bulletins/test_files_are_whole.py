"""A file that could not be written to its end is not there, and the one before it still is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from services.bulletins.export import export_cap, export_csv, export_geojson
from services.bulletins.history import SQL, History, Row
from services.bulletins.shapes import Boundaries
from tests.support.bulletins import ISSUER


async def away(*_: object) -> Sequence[Row]:
    raise ConnectionError("the database went away")


async def none(*_: object) -> Sequence[Row]:
    return []


async def from_level(_: str) -> int:
    return 3


def kept(folder: Path) -> list[tuple[str, str]]:
    return [(one.name, one.read_text()) for one in folder.iterdir()]


async def test_what_fails_in_the_middle_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "alerts.csv").write_text("yesterday's")
    with pytest.raises(ConnectionError):
        await export_csv(History(away, from_level, 9), ISSUER, tmp_path)
    with pytest.raises(ConnectionError):
        await export_geojson(History(away, from_level, 9), ISSUER, lambda *_: None, tmp_path)
    assert kept(tmp_path) == [("alerts.csv", "yesterday's")]


async def test_no_alerts_are_a_table_without_lines(tmp_path: Path) -> None:
    history = History(none, from_level, 9)
    assert await export_csv(history, ISSUER, tmp_path) == (0, None)
    assert (tmp_path / "alerts.csv").read_bytes().count(b"\r\n") == 1
    assert orjson.loads((tmp_path / "datapackage.json").read_bytes())["up_to"] is None
    assert await export_geojson(history, ISSUER, lambda *_: None, tmp_path) == (0, None)
    assert orjson.loads((tmp_path / "alerts.geojson").read_bytes())["up_to"] is None


async def test_files_say_the_hour_before_which_everything_is_in_them_and_no_minute(tmp_path: Path) -> None:
    async def quiet(query: str, *arguments: object) -> Sequence[Row]:
        if query != SQL["up_to"]:
            return []
        assert arguments == (9,)
        return [{"recorded_at": datetime(2026, 5, 20, 21, 59, 59, tzinfo=UTC)}]

    history, hour = History(quiet, from_level, 9), "2026-05-20T23:00:00+02:00"
    assert await export_cap(history, ISSUER, Boundaries(), tmp_path) == (0, hour)
    assert orjson.loads((tmp_path / "export.json").read_bytes()) == {"alerts": 0, "up_to": hour}
    assert await export_csv(history, ISSUER, tmp_path) == (0, hour)
    assert orjson.loads((tmp_path / "datapackage.json").read_bytes())["up_to"] == hour
    assert await export_geojson(history, ISSUER, lambda *_: None, tmp_path) == (0, hour)
    assert orjson.loads((tmp_path / "alerts.geojson").read_bytes())["up_to"] == hour
