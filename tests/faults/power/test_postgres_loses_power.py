"""PostgreSQL's disk loses power under load: whatever was acknowledged is there afterwards, with all it rests on."""

from __future__ import annotations

import random

from tests.faults.power.disk import Disk
from tests.faults.power.reports import lost, powered, work_until_the_power_goes
from tests.support.taken_in import TakenIn

FEWEST = 50


async def test_no_acknowledged_report_is_lost_nor_anything_that_it_rests_on(disk: Disk, cuts: int) -> None:
    dice, acknowledged = random.Random(6), list[TakenIn]()
    async with powered(disk) as server:
        for number in range(cuts):
            new = await work_until_the_power_goes(server, disk, FEWEST + dice.randrange(250))
            acknowledged += new
            assert not await lost(server, acknowledged), f"cut {number + 1} of {cuts}"
            print(f"cut {number + 1}: {len(new)} acknowledged before it, none lost")


async def test_a_server_that_does_not_sync_loses_some_so_the_cut_is_one(disk: Disk, cuts: int) -> None:
    dice = random.Random(7)
    async with powered(disk, {"fsync": "off"}) as server:
        for number in range(cuts):
            new = await work_until_the_power_goes(server, disk, FEWEST + dice.randrange(250))
            gone = await lost(server, new)
            print(f"cut {number + 1}: {len(new)} acknowledged before it, {len(gone)} lost without fsync")
            assert gone, "a server without fsync lost nothing: these cuts prove nothing about one that syncs"
            if server.pid is None:
                return  # it does not even start again
