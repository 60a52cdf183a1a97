"""A Parquet file holds the rows with their types, is whole or not there, and is written group by group."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from arro3.io import read_parquet

from services.cli import parquet
from services.cli.exporting import ExportRefused, exporting, refuse_export
from services.local_problem import LocalProblem
from services.moments import Moment
from services.processors.errors import Halt
from services.processors.replay import Column

AT = datetime(2015, 5, 13, 12, 0, 0, 7, tzinfo=UTC)
MOMENT = Moment(512, AT)
COLUMNS = [
    Column("unit", "text"), Column("level", "int2"), Column("position", "int8"), Column("told", "bool"),
    Column("since", "timestamptz"), Column("day", "date"), Column("referral_id", "uuid"),
]  # fmt: skip
ROWS: list[tuple[Any, ...]] = [
    ("bi:c2015:gihanga", 3, 2**62, True, AT, date(2015, 5, 13), UUID(int=7)),
    (
        "Umwuka mubi, 'é' \u2028",
        0,
        1,
        False,
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        date(1969, 1, 1),
        None,
    ),
    (None, None, None, None, None, None, None),
]


async def given(rows: Sequence[tuple[Any, ...]]) -> AsyncIterator[Sequence[Any]]:
    for row in rows:
        yield row


def left(folder: Path) -> list[str]:
    """What a folder holds."""
    return [one.name for one in folder.iterdir()]


async def written(file: Path, rows: Sequence[tuple[Any, ...]]) -> int:
    with exporting(file, MOMENT) as export:
        return await export.add("alert_level", COLUMNS, given(rows))


@pytest.mark.parametrize("rows", [ROWS, ROWS * 3, []], ids=["some", "several times as many", "none"])
async def test_rows_come_back_with_their_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: Sequence[tuple[Any, ...]]
) -> None:
    monkeypatch.setattr(parquet, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(parquet, "ROWS_OF_A_GROUP", 3)
    file = tmp_path / "rows.parquet"
    assert await written(file, rows) == len(rows)
    kept = read_parquet(file).read_all()
    assert kept.column_names == ["as_of_position", *(one.name for one in COLUMNS)]
    columns = [kept.column(name).to_pylist() for name in kept.column_names]
    due = [(512, *row[:-1], row[-1] and str(row[-1])) for row in rows]
    assert [*zip(*columns, strict=True)] == due
    assert kept.schema.metadata == {
        b"projection": b"alert_level",
        b"as_of_position": b"512",
        b"as_of_recorded_at": b"2015-05-13T12:00:00.000007Z",
    }


async def test_rows_are_read_as_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else all of a projection would be in memory before the first group of it is in the file."""
    monkeypatch.setattr(parquet, "ROWS_AT_ONCE", 10)
    monkeypatch.setattr(parquet, "ROWS_OF_A_GROUP", 50)
    file, sizes = tmp_path / "rows.parquet", []

    async def many() -> AsyncIterator[Sequence[Any]]:
        for number in range(1_000):
            sizes.append((tmp_path / "rows.parquet.part").stat().st_size)
            yield (f"unit {number}", 1, number, True, AT + timedelta(seconds=number), None, UUID(int=number))

    with exporting(file, MOMENT) as export:
        assert await export.add("alert_level", COLUMNS, many()) == 1_000
    assert sizes[100] < sizes[500] < sizes[-1] <= file.stat().st_size


async def test_a_disk_that_is_full_is_a_sentence_and_no_file(tmp_path: Path) -> None:
    (tmp_path / "rows.parquet.part").symlink_to("/dev/full")
    with pytest.raises(LocalProblem, match=r"rows\.parquet cannot be written \(No space left on device\)"):
        await written(tmp_path / "rows.parquet", ROWS)
    assert left(tmp_path) == []


@pytest.mark.parametrize("name", ["rows.parquet", "rows.csv", "rows.json"])
@pytest.mark.parametrize("why", [Halt("it went away"), ConnectionResetError(104, "it went away")], ids=["halt", "lost"])
async def test_what_reading_the_rows_raises_is_raised(tmp_path: Path, name: str, why: Exception) -> None:
    async def lost() -> AsyncIterator[Sequence[Any]]:
        yield ROWS[0]
        raise why

    with pytest.raises(type(why), match="went away"), exporting(tmp_path / name, MOMENT) as export:
        await export.add("alert_level", COLUMNS, lost())
    assert left(tmp_path) == []


async def test_whoever_stops_waiting_leaves_no_file(tmp_path: Path) -> None:
    reading = asyncio.Event()

    async def endless() -> AsyncIterator[Sequence[Any]]:
        while True:
            reading.set()
            await asyncio.sleep(0)
            yield ROWS[0]

    async def write() -> None:
        with exporting(tmp_path / "rows.parquet", MOMENT) as export:
            await export.add("alert_level", COLUMNS, endless())

    task = asyncio.create_task(write())
    await reading.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left(tmp_path) == []


def test_a_file_holds_one_projection(tmp_path: Path) -> None:
    refuse_export(tmp_path / "one.parquet", 1)
    with pytest.raises(ExportRefused, match="a PARQUET file holds one projection"):
        refuse_export(tmp_path / "two.parquet", 2)
    with pytest.raises(ExportRefused, match=r"ends with \.csv, \.json or \.parquet"):
        refuse_export(tmp_path / "rows.xlsx", 1)
