"""Everything stands on one disk, and that loses power: servers recover apart from each other and agree."""

from __future__ import annotations

import asyncio
import random

from tests.faults.power.disk import Disk
from tests.faults.power.reports import lost, powered, taking_in
from tests.support.brokers import a_broker
from tests.support.taken_in import TakenIn

FEWEST = 100


async def test_ledger_vault_and_broker_agree_after_it(disk: Disk, cuts: int) -> None:
    """Every acknowledged command is in the ledger, opens, and is on Kafka once, after both recovered."""
    from tests.support.relays import relay_trial

    dice = random.Random(10)
    acknowledged: list[TakenIn] = []
    with a_broker(disk.folder / "kafka") as kafka:
        async with powered(disk) as server:
            for number in range(cuts):
                app = server.dsn(user="intabaza_app")
                async with relay_trial(kafka, server.dsn(), app, empty=number == 0) as trial:
                    if number == 0:
                        disk.sync()
                    relayed = len(acknowledged) + FEWEST + dice.randrange(200)
                    async with trial.relaying(), taking_in(server) as new:
                        await trial.until_acknowledged(relayed, seconds=120)
                        server.kill()
                        kafka.kill()
                        disk.cut()
                acknowledged += new
                await asyncio.to_thread(kafka.start)
                assert not await lost(server, acknowledged), f"cut {number + 1} of {cuts}"
                async with relay_trial(kafka, server.dsn(), app, empty=False) as trial:
                    async with trial.relaying():
                        await trial.until_acknowledged((await trial.ledger.head()).position)
                    read = await trial.assert_whole()
                    assert {one.position for one in acknowledged} <= read.all_positions()
                print(f"cut {number + 1}: {len(new)} acknowledged before it, none lost in ledger, vault or on Kafka")
