"""What everything takes: memory by process, bytes on the disk by what they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import asyncpg
import psutil

from services.local.topics import ALERTS, EVENTS
from tests.benchmarks.growth.costs import ALL_OF_POSTGRES
from tests.benchmarks.growth.standing import SQL


def resident_mb(names: Mapping[int, str]) -> dict[str, float]:
    """What is resident; of PostgreSQL's processes, which share most of it, each page once."""
    found = {}
    for pid, name in names.items():
        process = psutil.Process(pid)
        if name == ALL_OF_POSTGRES:
            size = sum(_shared_fairly(one) for one in (process, *process.children(recursive=True)))
        else:
            size = process.memory_info().rss
        found[name] = size / 2**20
    return found


def _shared_fairly(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0


async def on_disk(owner: asyncpg.Connection[asyncpg.Record], folder: Path) -> dict[str, int]:
    """Bytes by what they are: each schema with its indices, write-ahead log, topics."""
    await owner.execute("checkpoint")
    found = {f"postgres, {row['place']}": int(row["bytes"]) for row in await owner.fetch(SQL["bytes"])}
    data = folder / "postgres" / "data"
    found["postgres, write-ahead log"] = _used(data / "pg_wal")
    found["postgres, all of it"] = _used(data)
    topics = folder / "kafka" / "data"
    for topic in (EVENTS, ALERTS):
        found[f"kafka, {topic}"] = sum(_used(each) for each in topics.glob(f"{topic}-*"))
    found["kafka, all of it"] = _used(topics)
    return found


def _used(folder: Path) -> int:
    total = 0
    for each in folder.rglob("*"):
        try:
            total += each.lstat().st_blocks * 512
        except FileNotFoundError:  # a segment of the log that was put away
            continue
    return total
