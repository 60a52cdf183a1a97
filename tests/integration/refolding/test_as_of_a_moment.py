"""Folded from Kafka as of a moment, a projection is what it was when that was the last thing recorded."""

from __future__ import annotations

import csv
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import orjson
import pytest
from arro3.core import Table
from arro3.io import read_parquet

from events.vocabulary import wire_time
from projections.live import LIVE
from projections.taken import take
from services.cli.exporting import exporting
from services.local.kafka import KafkaServer
from services.local.topics import EVENTS
from services.log.partition import partition_of
from services.log.record import Link
from services.moments import BeforeTheLog, BeyondTheLog, Named
from services.processors import refold
from services.processors.as_of import find_moment
from services.processors.errors import Halt
from services.processors.making import make_places
from services.processors.refold import Refolding, a_pool, ends, fold_partitions
from services.processors.replay import SHOWN, Replayed, replay_as_of
from tests.integration.refolding.conftest import PARTITIONS
from tests.support.crisis import crisis
from tests.support.feeding import Feeder
from tests.support.projected import projected

HISTORY = list(crisis(600, living=20, per_day=60, reference=True))
TAKEN = [take(one.wire()) for one in HISTORY]
POSITIONS = (1, 2, 7, 150, 333, 599, 600)

Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


async def as_of(dsn: str, bootstrap: str, named: Named, *, processes: int = 1) -> tuple[int, dict[str, Replayed]]:
    """The position that is spoken of, and every projection's sum."""
    found = find_moment(bootstrap, EVENTS, named)
    async with replay_as_of(dsn, bootstrap, EVENTS, LIVE, processes, found) as past:
        return past.moment.position, {one.name: await past.sum(one) for one in LIVE}


async def sums(owner: Owner, position: int) -> dict[str, str]:
    """Digests of what every projection was after so many events."""
    found = {}
    for one in LIVE:
        rows = (await projected(owner, one, TAKEN[:position], batches=(37,))).rows
        found[one.name] = sha256(b"".join(row.encode() + b"\n" for row in rows)).hexdigest()
    return found


@pytest.mark.parametrize("position", POSITIONS)
async def test_every_projection_is_what_it_was_at_a_position(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, owner: Owner, position: int
) -> None:
    feeder.feed(HISTORY)
    of, found = await as_of(projector_dsn, kafka.bootstrap, position)
    assert of == position
    assert {name: one.digest for name, one in found.items()} == await sums(owner, position)


async def test_processes_beside_each_other_stop_at_the_same_position(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refold, "SMALL", 0)
    feeder.feed(HISTORY)
    assert await as_of(projector_dsn, kafka.bootstrap, 333, processes=3) == await as_of(
        projector_dsn, kafka.bootstrap, 333
    )


async def test_an_instant_means_the_last_position_recorded_by_then(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str
) -> None:
    feeder.feed(HISTORY)
    times = [datetime.fromisoformat(one.time) for one in TAKEN]
    tick = timedelta(microseconds=1)
    for position in POSITIONS:
        at = times[position - 1]
        last_of_its_time = max(number for number, time in enumerate(times, 1) if time <= at)
        moment = find_moment(kafka.bootstrap, EVENTS, at).moment
        assert (moment.position, moment.recorded_at) == (last_of_its_time, at)
        before = [number for number, time in enumerate(times, 1) if time < at]
        if before:
            assert find_moment(kafka.bootstrap, EVENTS, at - tick).moment.position == before[-1]
    by_position = await as_of(projector_dsn, kafka.bootstrap, 333)
    assert await as_of(projector_dsn, kafka.bootstrap, times[333] - tick) == by_position


async def test_what_a_frozen_relay_repeats_changes_nothing(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, owner: Owner
) -> None:
    feeder.feed(HISTORY[:400])
    for number in range(PARTITIONS):
        mine, previous = [], 0
        for one in HISTORY[:400]:
            if one.home == "*" or partition_of(one.home, PARTITIONS) == number:
                mine.append((one, Link(one.position, previous)))
                previous = one.position
        for one, link in mine[-40:-10]:
            feeder.record(number, one.home, one.wire(), link)
    feeder.feed(HISTORY[400:])
    for position in (375, 390, 399, 400, 401):
        of, found = await as_of(projector_dsn, kafka.bootstrap, position)
        assert of == position
        assert {name: one.digest for name, one in found.items()} == await sums(owner, position)


async def test_a_moment_outside_of_the_log_is_told_with_its_ends(feeder: Feeder, kafka: KafkaServer) -> None:
    with pytest.raises(BeyondTheLog, match="Position 1 is beyond the log: it is empty"):
        find_moment(kafka.bootstrap, EVENTS, 1)
    feeder.feed(HISTORY)
    first, last = (datetime.fromisoformat(one.time) for one in (TAKEN[0], TAKEN[-1]))
    begins, ends_with = f"position 1, recorded {TAKEN[0].time}", f"position 600, recorded {TAKEN[-1].time}"
    with pytest.raises(BeforeTheLog, match=f"Position 0 is before the log: it begins with {begins}"):
        find_moment(kafka.bootstrap, EVENTS, 0)
    with pytest.raises(BeyondTheLog, match=f"Position 601 is beyond the log: it ends with {ends_with}"):
        find_moment(kafka.bootstrap, EVENTS, 601)
    early, late = first - timedelta(microseconds=1), last + timedelta(microseconds=1)
    with pytest.raises(BeforeTheLog, match=f"{wire_time(early)} is before the log"):
        find_moment(kafka.bootstrap, EVENTS, early)
    with pytest.raises(BeyondTheLog, match=f"{wire_time(late)} is beyond the log"):
        find_moment(kafka.bootstrap, EVENTS, late)


async def test_what_stood_then_is_compared_with_what_is_live(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, owner: Owner
) -> None:
    feeder.feed(HISTORY)
    board = next(one for one in LIVE if one.name == "case_board")
    found = find_moment(kafka.bootstrap, EVENTS, 600)
    async with replay_as_of(projector_dsn, kafka.bootstrap, EVENTS, [board], 1, found) as past:
        with pytest.raises(Halt, match="no live case_board to compare with"):
            await past.compare(board)
    async with a_pool(projector_dsn) as pool:
        await make_places(pool, [board])
    await fold_partitions(
        Refolding(projector_dsn, kafka.bootstrap, EVENTS, (board,), {}, ends(kafka.bootstrap, EVENTS))
    )
    async with replay_as_of(projector_dsn, kafka.bootstrap, EVENTS, [board], 1, found) as past:
        result, live = await past.compare(board)
        assert (result.differing, live) == (0, 600)
    found = find_moment(kafka.bootstrap, EVENTS, 333)
    async with replay_as_of(projector_dsn, kafka.bootstrap, EVENTS, [board], 1, found) as past:
        result, live = await past.compare(board)
        assert live == 600
        assert result.differing > 0
    assert await owner.fetchval("select to_regnamespace('case_board_replay') is null")
    assert await owner.fetchval("select count(*) from projections.watermark where place <> 'case_board'") == 0


def rows_of(kept: Table) -> list[dict[str, Any]]:
    """The rows of a Parquet file as JSON has them."""
    columns = {name: map(_spelt, kept.column(name).to_pylist()) for name in kept.column_names}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _spelt(value: Any) -> Any:
    if isinstance(value, datetime):
        return wire_time(value)
    return str(value) if isinstance(value, date) else value


async def test_all_that_is_shown_can_be_exported(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, tmp_path: Path
) -> None:
    assert set(SHOWN) == {one.name for one in LIVE}
    feeder.feed(HISTORY)
    found = find_moment(kafka.bootstrap, EVENTS, 500)
    counts = {}
    async with replay_as_of(projector_dsn, kafka.bootstrap, EVENTS, LIVE, 1, found) as past:
        with exporting(tmp_path / "all.json", past.moment) as file:
            for one in LIVE:
                async with past.rows(one) as (columns, rows):
                    counts[one.name] = await file.add(one.name, columns, rows)
        timeline = next(one for one in LIVE if one.name == "case_timeline")
        with exporting(tmp_path / "timeline.csv", past.moment) as file:
            async with past.rows(timeline) as (columns, rows):
                await file.add(timeline.name, columns, rows)
        for one in LIVE:
            with exporting(tmp_path / f"{one.name}.parquet", past.moment) as file:
                async with past.rows(one) as (columns, rows):
                    assert await file.add(one.name, columns, rows) == counts[one.name]
    told = orjson.loads((tmp_path / "all.json").read_bytes())
    for name, rows in told["projections"].items():
        kept = read_parquet(tmp_path / f"{name}.parquet").read_all()
        assert kept.schema.metadata[b"as_of_position"] == b"500"
        assert rows_of(kept) == [{"as_of_position": 500, **row} for row in rows]
    board = read_parquet(tmp_path / "case_board.parquet").schema
    for name, kind in (("stream", "Utf8"), ("provisional", "Boolean"), ("next_deadline", 'Timestamp(µs, "UTC")')):
        assert kind in str(board.field(name).type)
    assert told["as_of_position"] == 500
    assert told["as_of_recorded_at"] == TAKEN[499].time
    assert {name: len(rows) for name, rows in told["projections"].items()} == counts
    assert all(counts[name] for name in ("alert_level", "case_board", "case_timeline", "review_queue"))
    with (tmp_path / "timeline.csv").open(newline="") as file_of_rows:
        lines = list(csv.DictReader(file_of_rows))
    assert len(lines) == counts["case_timeline"]
    assert {line["as_of_position"] for line in lines} == {"500"}
    assert [int(line["position"]) for line in lines] == [
        row["position"] for row in told["projections"]["case_timeline"]
    ]
    assert max(int(line["position"]) for line in lines) <= 500
