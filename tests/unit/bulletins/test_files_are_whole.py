"""A file that could not be written to its end is not there, and the one before it still is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from services.bulletins.export import export_csv, export_geojson
from services.bulletins.history import History, Row
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
        await export_geojson(History(away, from_level, 9), lambda *_: None, tmp_path)
    assert kept(tmp_path) == [("alerts.csv", "yesterday's")]


async def test_no_alerts_are_a_table_without_lines(tmp_path: Path) -> None:
    assert await export_csv(History(none, from_level, 9), ISSUER, tmp_path) == 0
    assert (tmp_path / "alerts.csv").read_bytes().count(b"\r\n") == 1
