"""What a run is judged by at its end: its history against the ledger, the ledger against Kafka, the projections against
their replay. A repeat on Kafka is no fault where a relay ended with a batch on its way; how many there were is told."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from events.catalogue import EVENTS as TYPES
from projections.live import LIVE
from services import clock
from services.ledger.ledger import Recorded
from services.ledger.postgres import PostgresLedger
from services.local.topics import ALERTS, EVENTS
from tests.faults.world import World
from tests.support.topics import read_topic

OURS = frozenset({"clock.ticked"}) | {name for name, event in TYPES.items() if event.derived}
"""What the stack appends by itself."""

Told = Mapping[str, Any]


def told_in(history: Path) -> tuple[int, dict[str, Told]]:
    """The head when the run began, and each acknowledged event by its id; every answer tells it alike."""
    began, told = 0, dict[str, Told]()
    for line in map(orjson.loads, history.read_bytes().splitlines()):
        if line["what"] == "begins":
            began = line["ledger_head"]
        if line["what"] in ("answered", "operator"):
            for event in line["events"]:
                assert told.setdefault(event["id"], event) == event, f"told otherwise again: {event}"
    return began, told


def judge_ledger(rows: list[Recorded], began: int, told: Mapping[str, Told]) -> None:
    """What was acknowledged is there, where it was told, once; and nothing that nobody sent."""
    assert [row.position for row in rows] == list(range(1, len(rows) + 1)), "positions have gaps"
    versions = Counter[str]()
    before: Recorded | None = None
    for row in rows:
        versions[row.stream] += 1
        assert row.version == versions[row.stream], f"{row.stream} has version {row.version} at {row.position}"
        assert before is None or before.recorded_at <= row.recorded_at, f"time goes back at {row.position}"
        before = row
    found = {str(row.event_id): row for row in rows}
    assert len(found) == len(rows), "an event id stands there twice"
    for event_id, event in told.items():
        there = found.get(event_id)
        assert there is not None, f"acknowledged and lost: {event}"
        assert (there.stream, there.version, there.position) == (
            event["stream"],
            event["version"],
            event["position"],
        ), event
    unsent = [
        row.position for row in rows if row.position > began and row.type not in OURS and str(row.event_id) not in told
    ]
    assert not unsent, f"nobody was told of what stands at {unsent[:10]}"


async def judge(world: World, history: Path) -> str:
    """Fail for whatever was lost, doubled or made up; returns what was counted."""
    began, told = told_in(history)
    ledger = await PostgresLedger.connect(world.dsn("app"), clock.now)
    try:
        rows = list[Recorded]()
        while more := await ledger.read(len(rows), 5_000):
            rows += more
    finally:
        await ledger.close()
    judge_ledger(rows, began, told)
    repeats = 0
    for topic, wanted in ((EVENTS, rows), (ALERTS, [row for row in rows if row.type == "alert.issued"])):
        read = await asyncio.to_thread(read_topic, world.bootstrap, topic)
        # what is appended meanwhile, a tick or a level, may be there already
        values = {position: value for position, value in read.values.items() if position <= len(rows)}
        assert values == {row.position: row.wire() for row in wanted}, f"{topic} is not what the ledger says"
        repeats += len(read.repeats)
    for projection in LIVE:
        said = await world.command("replay", projection.name, "--diff")
        assert "The live rows are the same." in said, f"{projection.name} is not what its replay gives: {said}"
    types = Counter(row.type for row in rows)
    assert types["level.level_changed"], "no level ever changed: the load proves too little"
    return (
        f"{len(rows)} events, {len(told)} of them acknowledged; {types['level.level_changed']} changes of level, "
        f"{types['alert.issued']} alerts, {types['clock.ticked']} ticks; {repeats} repeats on Kafka"
    )
