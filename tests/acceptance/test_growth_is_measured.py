"""`make bench GROW=1` measures everything it says, at sizes at which a figure means nothing."""

from __future__ import annotations

import shutil

from tests.benchmarks.growth.growing import Column, Plan, Remembered, grow
from tests.benchmarks.growth.table import sentences, show
from tests.conftest import server_folder

PLAN = Plan(sizes=(200, 400), seconds=60, read_seconds=0.1, replayed=("case_board",), started_at=(400,))
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
MEASURED_AT_THE_END = ("start: relay ready, s", "start after kills: an event folded everywhere, s")


async def test_a_history_grows_step_by_step_and_every_figure_is_taken() -> None:
    folder = server_folder()
    try:
        told: list[str] = []
        columns = await grow(folder, PLAN, told.append)
        show(columns)
        assert [one.wanted for one in columns] == [200, 400]
        for column in columns:
            assert column.events >= column.wanted
            assert {name for name in MEASURED if not column.figures.get(name)} == set()
        assert all(columns[-1].figures[name] > 0 for name in MEASURED_AT_THE_END)
        assert Remembered.of(folder).columns == columns, "a later run goes on from here"
    finally:
        shutil.rmtree(folder)


def test_what_costs_a_quarter_more_than_before_is_said() -> None:
    before = Column(10, 10, {"append: writer, µs": 10.0, "all the way, events/s": 100.0, "Kafka, µs": 8.0})
    after = Column(20, 20, {"append: writer, µs": 12.6, "all the way, events/s": 70.0, "Kafka, µs": 9.9})
    said = list(sentences([before, after]))
    assert len(said) == 2
    assert "append: writer" in said[0]
    assert "1.26 times" in said[0]
    assert "all the way" in said[1]
