"""From a command to the projections on the real stack: ledger, relay, Kafka, processors; killed on the way."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TypeAlias

import asyncpg
import orjson
import psutil
import pytest

from events.alert import AlertIssued
from events.catalogue import read
from events.level import LevelChanged
from projections.live import LIVE
from services.local.topics import ALERTS, EVENTS
from tests.support.history import CANARY, GIHANGA, RULES, Story
from tests.support.stack import Stack, a_stack
from tests.support.told_on_a_stack import SOURCE, a_history_on
from tests.support.topics import read_topic

Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with a_stack(INTABAZA_SOURCE=SOURCE) as running:
        running.up()
        yield running


@pytest.fixture(scope="module")
async def owner(stack: Stack) -> AsyncIterator[Owner]:
    connection = await asyncpg.connect(stack.addresses.owner_dsn)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def story(stack: Stack, owner: Owner) -> AsyncIterator[Story]:
    """The rich history, told while relay and processors follow."""
    async with a_history_on(stack) as told:
        await everything_folded(owner)
        yield told


async def everything_folded(owner: Owner, seconds: float = 90) -> None:
    """Wait until all that is in the ledger is on Kafka and every projection has committed it."""
    async with asyncio.timeout(seconds):
        while not await owner.fetchval(FOLDED, [one.name for one in LIVE]):  # noqa: ASYNC110 - a test's own question
            await asyncio.sleep(0.1)


FOLDED = """
select (select acknowledged from relay.progress) = (select max(position) from ledger.event)
    and (select count(*) from relay.partition where topic = 'events.v1') > 0
    and not exists (
        select from relay.partition p cross join unnest($1::text[]) as wanted (place)
        left join projections.watermark w on w.place = wanted.place and w.partition = p.partition
        where p.topic = 'events.v1' and p.last_position > coalesce(w.last_position, 0)
    )
"""


async def test_every_projection_is_what_a_replay_from_kafka_gives(story: Story, stack: Stack) -> None:
    for projection in LIVE:
        answer = await asyncio.to_thread(stack.command, "replay", projection.name, "--diff")
        assert answer.returncode == 0, answer.stdout + answer.stderr
        assert "The live rows are the same." in answer.stdout


async def test_the_events_on_kafka_are_the_ledgers_byte_for_byte(story: Story, stack: Stack, owner: Owner) -> None:
    rows = await story.network.desk.ledger.read(0, 10_000)
    await everything_folded(owner)
    told = {EVENTS: rows, ALERTS: [row for row in rows if row.type == "alert.issued"]}
    for topic, wanted in told.items():
        values = (await asyncio.to_thread(read_topic, stack.addresses.bootstrap, topic)).values
        values = {at: value for at, value in values.items() if at <= rows[-1].position}  # an hour may end meanwhile
        assert values == {row.position: row.wire() for row in wanted}


async def test_a_commune_with_a_case_has_a_level_and_the_log_says_why(story: Story, owner: Owner) -> None:
    row = await owner.fetchrow(
        "select * from alert_level.alert_level_unit where level > 0 order by points desc limit 1"
    )
    assert row is not None
    said = [
        envelope.data
        for envelope in map(read, [one.wire() for one in await story.network.desk.ledger.read(0, 10_000)])
        if isinstance(envelope.data, LevelChanged) and envelope.data.unit == row["unit"]
    ]
    assert said, "an engine was adopted, so what changed is on the log"
    assert said[-1].after == row["level"]
    assert said[-1].contributions
    assert await owner.fetchval("select count(*) from projections.parked") == 0


async def test_another_rule_set_stands_beside_what_the_log_says(story: Story, stack: Stack, tmp_path: Path) -> None:
    page, known, lower = tmp_path / "page.html", tmp_path / "known.json", tmp_path / "lower.toml"
    lower.write_text(RULES.read_text("utf-8").replace("up = [4000, 15000", "up = [3000, 12000"), "utf-8")
    answer = await asyncio.to_thread(
        stack.command, "what-if", str(lower), "--html", str(page), "--json", str(known), "--warned-from", "2"
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    told = orjson.loads(known.read_bytes())
    assert f"as far as position {told['as_of_position']:,} of the log" in " ".join(answer.stdout.split())
    rows = await story.network.desk.ledger.read(0, told["as_of_position"])
    said = [envelope.data for envelope in map(read, [one.wire() for one in rows])]
    assert set(told["units"]) >= {one.unit for one in said if isinstance(one, LevelChanged)}
    changes = Counter(str(one.change) for one in said if isinstance(one, AlertIssued))
    assert changes
    assert +Counter(told["alerts_told"]["adopted"]) == changes
    for text in (page.read_text("utf-8"), known.read_text("utf-8"), answer.stdout):
        assert CANARY not in text


async def test_who_is_killed_comes_back_and_nothing_is_lost(story: Story, stack: Stack, owner: Owner) -> None:
    for name in ("relay", "processors"):
        before = stack.pid(name)
        psutil.Process(before).kill()
        await story.receive("aline", unit=GIHANGA, place_precision="commune", text=story.text(f"text after {name}"))
    report = await story.receive("bede", unit=GIHANGA, place_precision="commune", text=story.text("a last text"))
    await everything_folded(owner)
    assert await owner.fetchval(
        "select count(*) from case_timeline.case_timeline_event where stream = $1", f"report/{report}"
    )
    assert await owner.fetchval("select count(*) from case_timeline.case_timeline_event") == await owner.fetchval(
        "select count(*) from ledger.event where stream like 'case/%' or stream like 'report/%'"
    )
    answer = await asyncio.to_thread(stack.command, "replay", "review_queue", "--diff")
    assert answer.returncode == 0, answer.stdout + answer.stderr


async def test_a_case_reads_as_it_happened(story: Story, owner: Owner) -> None:
    from projections.case_timeline.table import SQL

    case = await owner.fetchval("select stream from ledger.event where type = 'case.opened' order by position limit 1")
    async with owner.transaction():
        await owner.execute("select set_config('search_path', 'case_timeline', true)")
        rows = await owner.fetch(SQL["timeline"], case, 0, 1_000, None)
    recorded = await owner.fetch("select position, type from ledger.event where stream = $1 order by position", case)
    assert [(row["position"], row["type"]) for row in rows if row["stream"] == case] == [tuple(one) for one in recorded]
    assert any(row["stream"].startswith("report/") for row in rows)
    assert [row["position"] for row in rows] == sorted(row["position"] for row in rows)
    assert all(orjson.loads(row["data"]) is not None for row in rows)
