"""What the ledger holds is on Kafka: every event, in order, under our headers, in the partition of its home."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from events.vocabulary import EVERY_HOME
from services.ledger.ledger import Submission
from services.local.topics import ALERTS
from services.log.partition import partition_of
from tests.support.ledgers import note
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


async def test_a_notification_that_lies_holds_nothing_up_and_nothing_is_sent_for_it(trial: RelayTrial) -> None:
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(20))
        await trial.owner.execute("notify ledger, '100000'")
        for _ in range(3):
            await trial.until_acknowledged(await trial.append(20))
    assert (await trial.assert_whole()).repeats == []


async def test_alerts_also_go_to_strangers_in_a_chain_of_their_own(trial: RelayTrial) -> None:
    async with trial.relaying():
        for round_ in range(3):
            await trial.append(30)
            for home in HOMES:
                await trial.submit(an_alert(home, f"alert/{home}", round_))
            await trial.until_acknowledged((await trial.ledger.head()).position)
    # a relay that remembers nothing finds the same out from Kafka and the ledger
    await trial.owner.execute("delete from relay.partition")
    async with trial.relaying():
        await trial.until_acknowledged(await trial.submit(an_alert(HOMES[0], "alert/late", 0)))
    await trial.assert_whole()
    alerts = await asyncio.to_thread(trial.read, ALERTS)
    issued = {row.position: row.wire() for row in await trial.rows() if row.type == "alert.issued"}
    assert len(issued) == 3 * len(HOMES) + 1
    assert alerts.values == issued
    assert alerts.repeats == []
    assert {partition for partition, records in alerts.taken.items() if records} == set(range(PARTITIONS))


def an_alert(home: str, stream: str, expected: int) -> Submission:
    """The relay looks at an event's type and home, and at nothing within."""
    plain = note(stream, expected, home=home)
    [append] = plain.appends
    [entry] = append.entries
    alert = replace(
        entry, type="alert.issued", body=entry.body.replace(b'"type":"test.noted"', b'"type":"alert.issued"')
    )
    return replace(plain, appends=(replace(append, entries=(alert,)),))
