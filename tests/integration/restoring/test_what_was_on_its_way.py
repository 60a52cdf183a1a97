"""Servers that were lost while the relay was sending: what partitions lack at their ends, and what is behind a gap."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest

from events.vocabulary import EVERY_HOME
from services.ledger.ledger import DoorShut
from services.local.progress import Quiet
from services.local_problem import LocalProblem
from services.log.partition import partition_of
from services.restoring.damage import Hole, NothingToGiveUp
from services.restoring.ledger import GiveUp, Restored, restore_ledger, until_the_door_opens
from tests.support.ledgers import note
from tests.support.losing import digest, lose
from tests.support.relays import HOMES, PARTITIONS

if TYPE_CHECKING:
    from tests.support.relays import RelayTrial

IN = {partition_of(home, PARTITIONS): home for home in HOMES}
"""A home of each partition."""


async def sent_one_by_one(trial: RelayTrial, homes: Sequence[str]) -> int:
    """Some events and then one in each of these homes, each a batch of its own on Kafka; the last position."""
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(60))
        for home in homes:
            await trial.until_acknowledged(await trial.append(1, homes=[home]))
    return (await trial.ledger.head()).position


async def cut(trial: RelayTrial, *partitions: int) -> None:
    """Kafka never had the last batch of these partitions."""
    await asyncio.to_thread(trial.kafka.stop)
    for number in partitions:
        trial.cut(number, 1)
    await asyncio.to_thread(trial.kafka.start)


async def read_on_to(trial: RelayTrial, **reached: Sequence[int]) -> None:
    """Projections have folded so far in their partitions."""
    for name, positions in reached.items():
        for partition, position in enumerate(positions):
            await trial.owner.execute(
                "insert into projections.watermark (place, partition, projection, version, topic_id, last_position)"
                " values ($1, $2, $1, 1, gen_random_uuid(), $3)",
                name,
                partition,
                position,
            )
        await trial.owner.execute(
            "insert into projections.past (place, projection, version, form, position) values ($1, $2, 1, 1, $3)",
            f"past_{name}_{max(positions)}",
            name,
            max(positions),
        )


async def forms(trial: RelayTrial) -> dict[str, set[int]]:
    rows = await trial.owner.fetch("select place, array_agg(form) from projections.watermark group by place")
    return {place: set(found) for place, found in rows}


async def restore(trial: RelayTrial, give_up: GiveUp | None = None) -> Restored:
    return await restore_ledger(trial.owner_dsn, trial.bootstrap, PARTITIONS, Quiet(), give_up=give_up)


async def test_what_concerns_everybody_and_reached_one_partition_alone_is_restored_and_sent_to_the_others(
    trial: RelayTrial,
) -> None:
    head = await sent_one_by_one(trial, [EVERY_HOME])
    before = await digest(trial.owner)
    await cut(trial, 0, 2)
    await lose(trial.owner, 0)
    assert await restore(trial) == Restored(0, head, 0)
    assert await digest(trial.owner) == before
    async with trial.relaying():
        assert await until_the_door_opens(trial.owner_dsn, 60) is None
        await trial.until_acknowledged(await trial.append(10))
    await trial.assert_whole()


async def test_an_end_that_no_partition_has_is_lost_with_the_ledger_and_nothing_else(trial: RelayTrial) -> None:
    head = await sent_one_by_one(trial, [IN[1]])
    await cut(trial, 1)
    await lose(trial.owner, 0)
    await read_on_to(trial, alert_level=[head, 1])
    assert await restore(trial) == Restored(0, head - 1, 0, void=("alert_level",))
    assert await trial.owner.fetchval("select count(*) from projections.past") == 0


async def test_what_stands_behind_a_gap_is_no_history_until_somebody_gives_it_up(
    trial: RelayTrial, tmp_path: Path
) -> None:
    head = await sent_one_by_one(trial, [IN[0], IN[1], IN[2], IN[1]])
    rows = await trial.rows()
    await cut(trial, 0)
    await lose(trial.owner, 0)
    gap, into = head - 3, tmp_path / "behind"
    for _ in range(2):
        with pytest.raises(Hole, match=f"--give-up-from {gap} --into FILE"):
            await restore(trial)
        assert (await trial.ledger.head()).position == gap - 1
        with pytest.raises(DoorShut):
            await trial.ledger.append(note())
    with pytest.raises(Hole):
        await restore(trial, GiveUp(gap - 1, into))
    async with trial.relaying():
        await trial.halted()
        await read_on_to(trial, alert_level=[gap - 2, gap + 2], case_board=[gap - 1, gap - 2])
        done = await restore(trial, GiveUp(gap, into))
        assert done == Restored(gap - 1, gap - 1, 0, 3, void=("alert_level",))
        assert await forms(trial) == {"alert_level": {0}, "case_board": {1}}
        assert await until_the_door_opens(trial.owner_dsn, 60) is None
        await trial.until_acknowledged(await trial.append(5))
    await trial.assert_whole()
    assert into.stat().st_mode & 0o077 == 0
    kept = [orjson.loads(line) for line in into.read_bytes().splitlines()]
    assert sorted((one["position"], one["event"]) for one in kept) == [
        (row.position, row.wire().decode()) for row in rows[gap:]
    ]


async def test_a_gap_that_the_ledger_can_fill_is_none(trial: RelayTrial) -> None:
    head = await sent_one_by_one(trial, [IN[0], IN[1]])
    before = await digest(trial.owner)
    await cut(trial, 0)
    await lose(trial.owner, head - 1)
    assert await restore(trial) == Restored(head - 1, head, 0)
    assert await digest(trial.owner) == before
    async with trial.relaying():
        assert await until_the_door_opens(trial.owner_dsn, 60) is None
        await trial.until_acknowledged(await trial.append(10))
    await trial.assert_whole()


async def test_nothing_is_given_up_where_there_is_no_gap(trial: RelayTrial, tmp_path: Path) -> None:
    head = await sent_one_by_one(trial, [])
    await lose(trial.owner, 10)
    with pytest.raises(NothingToGiveUp, match=f"goes up to {head} now"):
        await restore(trial, GiveUp(30, tmp_path / "behind"))
    assert not (tmp_path / "behind").exists()


async def test_a_file_that_is_there_already_is_not_written_over(trial: RelayTrial, tmp_path: Path) -> None:
    head = await sent_one_by_one(trial, [IN[0], IN[1]])
    await cut(trial, 0)
    await lose(trial.owner, 0)
    (tmp_path / "behind").write_text("of the last time")
    with pytest.raises(LocalProblem, match="name a file that does not exist yet"):
        await restore(trial, GiveUp(head - 1, tmp_path / "behind"))
    assert (tmp_path / "behind").read_text() == "of the last time"
    assert await trial.owner.fetchval("select count(*) from relay.republication") == 0
