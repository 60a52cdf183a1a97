"""A vault that is older than its ledger, or than Kafka, is told again what was destroyed before anybody appends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from events.sealed import KeyKind
from services.ledger.ledger import DoorShut
from services.local.postgres import PostgresServer
from services.local.progress import Quiet
from services.log.partition import partition_of
from services.restoring.damage import NotRestored
from services.restoring.ledger import GiveUp, Restored, restore_ledger
from services.vault.destruction import HOME
from services.vault.keys import Need
from services.vault.master import MasterKey
from services.vault.refused import KeyGone, NotDestroyed
from tests.support.ledgers import note
from tests.support.losing import Owner, lose
from tests.support.relays import HOMES, PARTITIONS
from tests.support.vaults import PostgresVault, postgres_vault

if TYPE_CHECKING:
    from tests.support.relays import RelayTrial

MASTER = MasterKey(token_bytes(32))


@pytest.fixture
async def vault(postgres: PostgresServer, fresh_database: str) -> AsyncIterator[PostgresVault]:
    async with postgres_vault(postgres.dsn(fresh_database, "intabaza_vault"), MASTER) as each:
        yield each


async def put_back(owner: Owner, rows: dict[str, list[tuple[object, ...]]]) -> None:
    """The vault as it was in an older backup: the keys, the persons, what speaks of whom."""
    await owner.execute("truncate vault.key, vault.person cascade")
    for table in ("person", "key", "speaks_of"):
        await owner.copy_records_to_table(table, schema_name="vault", records=rows[table])


async def backed_up(owner: Owner) -> dict[str, list[tuple[object, ...]]]:
    return {
        table: [tuple(row) for row in await owner.fetch(f"select * from vault.{table}")]
        for table in ("person", "key", "speaks_of")
    }


async def three_keys(vault: PostgresVault) -> tuple[UUID, list[UUID]]:
    """A person's own key, one of a text that speaks of them, and one that has nothing to do with them."""
    person = await vault.persons.person_by_phone("+25779000001")
    needs = [
        Need(KeyKind.PERSON, f"{person}/report/1", person_id=person),
        Need(KeyKind.REPORT, str(uuid4()), speaks_of=frozenset({person})),
        Need(KeyKind.REPORT, str(uuid4())),
    ]
    keys = await vault.keys.keys_for(needs)
    return person, [keys[need].key_id for need in needs]


async def opens(vault: PostgresVault, key_id: UUID) -> bool:
    try:
        await vault.keys.open_keys([key_id])
    except KeyGone:
        return False
    return True


@pytest.mark.parametrize("ledger_too", [True, False])
async def test_the_erased_stays_erased_in_a_vault_from_an_older_backup(
    trial: RelayTrial, vault: PostgresVault, *, ledger_too: bool
) -> None:
    await trial.append(50)
    person, (own, spoken, other) = await three_keys(vault)
    old = await backed_up(trial.owner)
    assert await vault.keys.erase(person) == {own, spoken}
    assert await vault.keys.erase(person) == frozenset()
    head = (await trial.ledger.head()).position
    assert head == 51, "it was said once, and once only"
    async with trial.relaying():
        await trial.until_acknowledged(head)
    await put_back(trial.owner, old)
    assert await opens(vault, own)
    if ledger_too:
        await lose(trial.owner, 20)
        with pytest.raises(NotRestored, match="without the master key of this vault nobody knows which"):
            await restore_ledger(trial.owner_dsn, trial.bootstrap, PARTITIONS, Quiet())
        with pytest.raises(DoorShut):
            await trial.ledger.append(note())
    done = await restore_ledger(trial.owner_dsn, trial.bootstrap, PARTITIONS, Quiet(), master=MASTER)
    before = 20 if ledger_too else head
    assert done == Restored(before, head, 0, destroyed_again=1), "the person, and with them what is theirs"
    assert [await opens(vault, key) for key in (own, spoken, other)] == [False, False, True]
    assert await vault.persons.find_person("+25779000001") is None
    assert await trial.owner.fetchval("select count(*) from vault.key where wrapped is not null") == 1


async def test_a_key_that_was_destroyed_alone_is_gone_again(trial: RelayTrial, vault: PostgresVault) -> None:
    _, (own, spoken, other) = await three_keys(vault)
    old = await backed_up(trial.owner)
    assert await vault.keys.destroy([other]) == {other}
    assert await vault.keys.destroy([other]) == frozenset()
    await put_back(trial.owner, old)
    done = await restore_ledger(trial.owner_dsn, trial.bootstrap, PARTITIONS, Quiet(), master=MASTER)
    assert done == Restored(1, 1, 0, destroyed_again=1)
    assert [await opens(vault, key) for key in (own, spoken, other)] == [True, True, False]


async def test_what_is_given_up_has_destroyed_all_the_same(
    trial: RelayTrial, vault: PostgresVault, tmp_path: Path
) -> None:
    """Whoever was told that they are erased stays so, also where the event stands behind a gap that nobody fills."""
    await trial.append(20)
    person, (own, spoken, other) = await three_keys(vault)
    old = await backed_up(trial.owner)
    behind, before = partition_of(HOME, PARTITIONS), (await trial.ledger.head()).position
    home = next(one for one in HOMES if partition_of(one, PARTITIONS) != behind)
    async with trial.relaying():
        await trial.until_acknowledged(before)
        await trial.until_acknowledged(await trial.append(1, homes=[home]))
        await vault.keys.erase(person)
        await trial.until_acknowledged(before + 2)
    await asyncio.to_thread(trial.kafka.stop)
    trial.cut(partition_of(home, PARTITIONS), 1)
    await asyncio.to_thread(trial.kafka.start)
    await lose(trial.owner, 0)
    await put_back(trial.owner, old)
    into = tmp_path / "behind"
    give_up = GiveUp(before + 1, into)
    with pytest.raises(NotRestored, match="without the master key of this vault nobody knows which"):
        await restore_ledger(trial.owner_dsn, trial.bootstrap, PARTITIONS, Quiet(), give_up=give_up)
    assert not into.exists()
    done = await restore_ledger(trial.owner_dsn, trial.bootstrap, PARTITIONS, Quiet(), master=MASTER, give_up=give_up)
    assert done == Restored(before, before, 0, given_up=1, destroyed_again=1)
    assert [await opens(vault, key) for key in (own, spoken, other)] == [False, False, True]


async def test_no_id_and_no_number_of_ids_is_told(trial: RelayTrial, vault: PostgresVault) -> None:
    person, keys = await three_keys(vault)
    await vault.keys.erase(person)
    await vault.keys.destroy(keys[2:])
    wires = [row.wire() for row in await trial.rows()]
    assert not any(str(one).encode() in wire for one in (person, *keys) for wire in wires)
    assert len({len(wire) for wire in wires}) == 1
    assert len({row.stream for row in await trial.rows()}) == 2


async def test_where_the_ledger_takes_nothing_nothing_is_destroyed(trial: RelayTrial, vault: PostgresVault) -> None:
    person, (own, _, _) = await three_keys(vault)
    await trial.ledger.shut_door("an operator says so")
    with pytest.raises(NotDestroyed, match="an operator says so"):
        await vault.keys.erase(person)
    assert await opens(vault, own)
    assert await vault.persons.find_person("+25779000001") == person
