"""What the ledger holds is on Kafka: every event, in order, under our headers, in the partition of its home."""

from __future__ import annotations

import asyncio

from events.vocabulary import EVERY_HOME
from services.relay.partition import partition_of
from tests.support.relays import HOMES, PARTITIONS, RelayTrial


async def test_every_event_arrives_with_the_ledgers_bytes_in_an_unbroken_chain(trial: RelayTrial) -> None:
    await trial.append(300)
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(50))
    read = await trial.assert_whole()
    assert read.repeats == []
    homes = {row.position: row.home for row in await trial.rows()}
    assert {partition_of(home, PARTITIONS) for home in HOMES} == set(range(PARTITIONS))
    for number, records in read.taken.items():
        for record in records:
            assert record.key.decode() == homes[record.position]
            assert homes[record.position] == EVERY_HOME or partition_of(homes[record.position], PARTITIONS) == number


async def test_a_second_start_goes_on_where_the_first_ended(trial: RelayTrial) -> None:
    for _ in range(3):
        async with trial.relaying():
            await trial.until_acknowledged(await trial.append(40))
    assert (await trial.assert_whole()).repeats == []


async def test_a_burst_larger_than_a_batch_arrives_whole(trial: RelayTrial) -> None:
    await trial.append(9_000, text="x" * 400)
    async with trial.relaying():
        await trial.until_acknowledged(9_000)
    assert (await trial.assert_whole()).repeats == []


async def test_two_relays_at_once_send_nothing_twice(trial: RelayTrial) -> None:
    async with trial.relaying(), trial.relaying():
        for _ in range(5):
            await trial.until_acknowledged(await trial.append(100))
            await asyncio.sleep(0)
    assert (await trial.assert_whole()).repeats == []
