"""Board and level tell the same of what a case stands on: its own reports and those of the cases it absorbed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections import alert_level, case_board
from projections.alert_level.case import Case
from projections.alert_level.rows import case_of
from projections.case_board.table import SQL
from projections.part import Part
from projections.projection import Connection
from projections.taken import Taken
from services.local.postgres import PostgresServer
from tests.support.examples import examples
from tests.support.level_histories import history
from tests.support.projected import in_a_place
from tests.support.reform_histories import reform_history

FALLS = ("report.withdrawn", "report.superseded")
EVERYWHERE = (None,) * 7


@pytest.fixture
async def connection(postgres: PostgresServer, empty_database: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(postgres.dsn(empty_database))
    yield connection
    await connection.close()


@examples(25)
@given(
    seed=st.integers(0, 2**32),
    length=st.integers(1, 60),
    make=st.sampled_from([history, reform_history]),
    looks=st.integers(1, 40),
)
async def test_what_stands_below_a_case_is_the_same_on_both(
    connection: Connection, seed: int, length: int, make: Callable[[int, int], Sequence[Taken]], looks: int
) -> None:
    log = let_in(make(seed, length))
    levels = Levels()
    board: Part[Any, Any] = Part(case_board.PROJECTION.fold)
    async with in_a_place(connection, case_board.PROJECTION):
        for at in range(0, len(log), looks):
            events = log[at : at + looks]
            levels.take(events)
            board.hold(board.wants(events), {})
            page, _ = board.take(events)
            await case_board.PROJECTION.table.write(connection, {0: page})
            for row in await connection.fetch(SQL["board"], *EVERYWHERE, 1_000):
                assert row["reports_standing"] == len(levels.below(row["stream"]))
                assert not (row["reports_standing"] and levels.is_unfounded(row["stream"]))


def let_in(log: Sequence[Taken]) -> list[Taken]:
    """What a door lets in of a history: nothing of a case before it was opened, no link to what has fallen."""
    opened: set[str] = set()
    fallen: set[str] = set()
    kept = []
    for event in log:
        if event.type in FALLS:
            fallen.add(event.stream.removeprefix("report/"))
        if event.type == "case.opened":
            opened.add(event.stream)
        early = event.stream.startswith("case/") and event.stream not in opened
        if not early and not (event.type == "case.report_linked" and event.data["report_id"] in fallen):
            kept.append(event)
    return kept


class Levels:
    """What the level's rows say of every case; the families are put together here, not by its fold."""

    def __init__(self) -> None:
        self.part: Part[Any, Any] = Part(alert_level.PROJECTION.fold)
        self.cases: dict[str, Case] = {}

    def take(self, events: Sequence[Taken]) -> None:
        page, _ = self.part.take(events)
        for _, case_id, _, unit, _, body in page.rows.get("case", ()):
            self.cases[f"case/{case_id}"] = case_of(case_id, unit, body)

    def below(self, stream: str) -> set[str]:
        return {report for one in self.family(stream) for report in self.cases[one].links}

    def is_unfounded(self, stream: str) -> bool:
        """As it is weighed; of a case laid by, as it would be."""
        case_id = stream.removeprefix("case/")
        for home in self.part.states.values():
            if (case := home.engines[1].cases.get(case_id)) is not None:
                return bool(case.unfounded)
        return all(self.cases[one].lost for one in self.family(stream))

    def family(self, stream: str) -> list[str]:
        family = [stream]
        for one in family:
            into = one.removeprefix("case/")
            family += [other for other, case in self.cases.items() if case.into == into and other not in family]
        return family
