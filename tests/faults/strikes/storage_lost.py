"""Disks that are full, and a ledger put back from a backup that is too old: what needs minutes and a person.

A full disk needs the right to mount; `make faults` has these in turn with the others, `make test` does not.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import asyncpg

from projections.sql import named_queries
from services import clock
from tests.faults.power.disk import Disk
from tests.faults.strikes import Strike
from tests.faults.world import LOOK_SECONDS, NotCalm, World, until

SQL = named_queries("tests.faults.strikes", "storage.sql")

ROOM_MEGABYTES = 160
HURTS_SECONDS = 90.0
SHUT_SECONDS = 120.0
LOST_AT_LEAST = 60


def _copy(there: Path, here: Path) -> None:
    """All of a folder with its owners and holes."""
    here.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", "--sparse=always", f"{there}/.", str(here)], check=True, capture_output=True)


def _remove(folder: Path) -> None:
    subprocess.run(["rm", "-rf", str(folder)], check=True)


@dataclass(frozen=True, slots=True)
class FillDisk:
    """The disk under PostgreSQL or Kafka has no room for anything for some time, and then it has again."""

    under: Literal["postgres", "kafka"]

    @property
    def name(self) -> str:
        return f"fill_disk_under_{self.under}"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        folder = world.folder / self.under
        await world.end()
        disk = await asyncio.to_thread(self._put_on_a_small_disk, folder)
        try:
            await world.up()
            await asyncio.to_thread(_fill, disk.folder / "filler")
            began = time.monotonic()
            how = await self._until_it_hurts(world)
            hurt_after = time.monotonic() - began
            more = dice.choice((dice.uniform(3.0, 12.0), 40.0))  # the longer outlives all starts by the supervisor
            await asyncio.sleep(more)
            ended = not world.runs("supervisor")
            (disk.folder / "filler").unlink()
            done = await world.stand_up()
            await world.calm()
            await world.end()
            await asyncio.to_thread(self._put_back, folder, disk)
            await world.up()
        finally:
            disk.remove()
        return {"how": how, "after": round(hurt_after, 1), "for": round(more, 1), "stack_ended": ended, "did": done}

    def _put_on_a_small_disk(self, folder: Path) -> Disk:
        used = subprocess.run(["du", "-sm", str(folder)], check=True, capture_output=True, text=True).stdout.split()[0]
        disk = Disk(int(used) + ROOM_MEGABYTES)
        _copy(folder, disk.folder)
        _remove(folder)
        folder.symlink_to(disk.folder)
        return disk

    def _put_back(self, folder: Path, disk: Disk) -> None:
        folder.unlink()
        _copy(disk.folder, folder)

    async def _until_it_hurts(self, world: World) -> str:
        """Until somebody was told that there is no room, or died of it."""
        process = world.pid(self.under)
        deadline = time.monotonic() + HURTS_SECONDS
        while time.monotonic() < deadline:
            if not world.runs("supervisor") or not world.runs(self.under) or world.pid(self.under) != process:
                return f"{self.under} ended"
            if self.under == "postgres":
                try:
                    await world.rows(SQL["needs_room"])
                except asyncpg.DiskFullError:
                    return "it said that the disk is full"
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                    return type(error).__name__
            await asyncio.sleep(LOOK_SECONDS)
        raise NotCalm(f"{self.under} went on for {HURTS_SECONDS:g} s on a full disk, so this showed nothing")


def _fill(file: Path) -> None:
    """Take all the room that there is, down to the last block."""
    with file.open("wb") as filler:
        size, at = 64 * 2**20, 0
        while size >= 4_096:
            try:
                os.posix_fallocate(filler.fileno(), at, size)
                at += size
            except OSError:
                size //= 2


@dataclass(frozen=True, slots=True)
class OlderLedger:
    """Somebody puts PostgreSQL's data back from a backup older than what Kafka has; the newest is put back then.

    Until then nothing is appended, since Kafka knows more, and Kafka is not emptied, though somebody tries.
    """

    name: str = "ledger_from_an_older_backup"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        data = world.folder / "postgres" / "data"
        older, newest = (data.with_name(f"data.{which}") for which in ("older", "newest"))
        await world.end()
        await asyncio.to_thread(_copy, data, older)
        await world.up()
        wanted = await world.head() + LOST_AT_LEAST
        async with asyncio.timeout(SHUT_SECONDS):
            while (kafka_has := await world.acknowledged()) < wanted:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(LOOK_SECONDS)
        await world.end()
        began = clock.now()
        data.rename(newest)
        older.rename(data)
        await world.up()
        because = await until("the door is not shut", lambda: world.value(SQL["door"]), SHUT_SECONDS)
        assert "knows more than the ledger" in because, because
        head = await world.head()
        appended = await world.rows(SQL["appended_since"], began)
        refused = await asyncio.to_thread(world.stack.command, "relay", "republish", "--yes")
        assert refused.returncode, refused
        assert "restore the ledger first" in refused.stdout + refused.stderr, refused
        assert await world.head() == head, "something was appended although the door is shut"
        await world.end()
        await asyncio.to_thread(_remove, data)
        newest.rename(data)
        await world.up()
        # What was told in between is in no ledger any more: the checker would find it.
        return {"older_by": kafka_has - head + len(appended), "appended_before_the_door_was_shut": len(appended)}


STRIKES: tuple[Strike, ...] = (FillDisk("postgres"), FillDisk("kafka"), OlderLedger())
