"""`make bench GROW=1` measures everything it says, at sizes at which a figure means nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.benchmarks.growth.growing import Column, Plan, Remembered, grow
from tests.benchmarks.growth.table import sentences, show
from tests.conftest import server_folder

FIRST = Plan(sizes=(200,), seconds=60, read_seconds=0.1, replayed=("case_board",), started_at=())
LONGER = replace(FIRST, sizes=(200, 400), started_at=(400,))
MEASURED = (
    "append: writer, µs",
    "relay: its process, µs",
    "Kafka, µs",
    "live projections: their process, µs",
    "resident, processors, MB",
    "disk, postgres, ledger, bytes/event",
    "disk, kafka, events.v1, bytes/event",
    "replay of case_board: its processes, µs",
    "the board, first page: p50, ms",
    "a report sent: API, µs",
)
MEASURED_AT_A_START = ("start: relay ready, s", "start after kills: an event folded everywhere, s")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    made = server_folder()
    yield made
    shutil.rmtree(made)


async def test_a_history_grows_and_every_figure_is_taken(folder: Path) -> None:
    (column,) = await grow(folder, FIRST, print)
    assert column.events >= column.wanted == 200
    assert_measured(column)


async def test_a_longer_run_goes_on_from_there_and_starts_the_stack_again(folder: Path) -> None:
    earlier = Remembered.of(folder).columns
    columns = await grow(folder, LONGER, print)
    show(columns)
    assert columns[:-1] == earlier
    assert columns[-1].events >= columns[-1].wanted == 400
    assert_measured(columns[-1])
    assert all(columns[-1].figures[name] > 0 for name in MEASURED_AT_A_START)
    assert Remembered.of(folder).columns == columns


def assert_measured(column: Column) -> None:
    assert {name for name in MEASURED if not column.figures.get(name)} == set()


def test_what_costs_a_quarter_more_than_before_is_said() -> None:
    before = Column(10, 10, {"append: writer, µs": 10.0, "all the way, events/s": 100.0, "Kafka, µs": 8.0})
    after = Column(20, 20, {"append: writer, µs": 12.6, "all the way, events/s": 70.0, "Kafka, µs": 9.9})
    said = list(sentences([before, after]))
    assert len(said) == 2
    assert "append: writer" in said[0]
    assert "1.26 times" in said[0]
    assert "all the way" in said[1]
