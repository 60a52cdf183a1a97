"""A backup of a real stack is put back, completed from Kafka, and brings back nothing that was destroyed since."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from events.sealed import KeyKind
from services import clock
from services.backups.making import end_keys
from services.backups.manifest import KEYS, LEDGER, MANIFEST, VAULT, BackupRefused
from services.backups.putting_back import choose, put_back
from services.ledger.postgres import PostgresLedger
from services.ledger.published import Published
from services.local.progress import Quiet
from services.restoring.ledger import until_the_door_opens
from services.vault.keys import Need
from services.vault.master import MasterKey
from services.vault.refused import KeyGone
from tests.support.ledgers import note
from tests.support.losing import digest
from tests.support.stack import Stack, a_stack
from tests.support.vaults import PostgresVault, postgres_vault

PHONE = "+25779000001"


@pytest.fixture
def stack() -> Iterator[Stack]:
    with a_stack() as running:
        running.up()
        yield running


@asynccontextmanager
async def the_vault(stack: Stack) -> AsyncIterator[PostgresVault]:
    master = MasterKey.read(stack.settings.master_key_file)
    async with postgres_vault(stack.addresses.vault_dsn, master) as vault:
        yield vault


async def append(stack: Stack, count: int) -> int:
    """Append, and wait until it is on Kafka with everything before it; the head."""
    ledger = await PostgresLedger.connect(stack.addresses.app_dsn, clock.now)
    published = Published(stack.addresses.app_dsn)
    try:
        for number in range(count):
            await ledger.append(note(home=f"bi:home:{number % 20}"))
        head = (await ledger.head()).position
        assert await published.wait_for(head, 60)
        return head
    finally:
        await published.close()
        await ledger.close()


async def summed_up(stack: Stack, up_to: int) -> str:
    """What the ledger sums up to as far as a position: behind it an hour may end at any moment."""
    owner = await asyncpg.connect(stack.addresses.owner_dsn)
    try:
        return await digest(owner, up_to)
    finally:
        await owner.close()


async def opens(vault: PostgresVault, key_id: UUID) -> bool:
    try:
        await vault.keys.open_keys([key_id])
    except KeyGone:
        return False
    return True


def erase_by_command(stack: Stack, person: UUID) -> None:
    """As a custodian of this machine does it, with two who agree."""
    who = (str(person), "--custodian", "clerk")
    agreed = [stack.command("person", "approve-erasure", *who, "--approver", one) for one in ("bede", "chantal")]
    assert not any(one.returncode for one in agreed), agreed
    approvals = [part for one in agreed for part in ("--approval", one.stdout.strip())]
    few = stack.command("person", "erase", *who, *approvals[:2], "--yes")
    assert few.returncode == 1
    assert "have two others approve that you erase" in " ".join(few.stderr.split())
    done = stack.command("person", "erase", *who, *approvals, "--yes")
    assert done.returncode == 0, done.stderr
    again = stack.command("person", "erase", *who, *approvals, "--yes")
    assert again.returncode == 0, again.stderr
    assert "They were erased before" in again.stdout


def position_in(said: str, pattern: str) -> int:
    """The position that stands in the brackets of a pattern."""
    found = re.search(pattern, " ".join(said.split()))
    assert found is not None, said
    return int(found[1])


COSIGNED = """
with one as (insert into notary.witness (key, url, asked) values ('w1', 'https://w1.example', false) returning number)
insert into notary.cosignature (witness, size, line)
select number, size, 'line ' || size from one, unnest(array[7, 9]) as size
"""
COSIGNATURES = "select w.*, c.* from notary.cosignature c join notary.witness w on w.number = c.witness order by c.size"
ONE_MORE = "insert into notary.witness (key, url, asked) values ('w2', 'https://w2.example', false)"
"""Under the number after the last one: the sequence stands where it stood."""


async def on_the_database(stack: Stack, query: str) -> list[asyncpg.Record]:
    """What a query says, by whoever may write everything."""
    connection = await asyncpg.connect(stack.addresses.owner_dsn)
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()


def refused(stack: Stack, folder: Path, why: str, *how: str) -> None:
    done = stack.command("restore", str(folder), *how)
    assert done.returncode == 1, done.stdout
    assert why in " ".join(done.stderr.split()), done.stderr
    assert not (stack.folder / "postgres" / "data").exists()
    assert not (stack.folder / "postgres.putting-back").exists()


async def test_a_backup_is_completed_from_kafka_and_the_erased_stays_erased(stack: Stack, tmp_path: Path) -> None:
    into = tmp_path / "backups"
    await append(stack, 30)
    await on_the_database(stack, COSIGNED)
    async with the_vault(stack) as vault:
        person = await vault.persons.person_by_phone(PHONE)
        needs = [
            Need(KeyKind.PERSON, f"{person}/report/1", person_id=person),
            Need(KeyKind.REPORT, str(uuid4()), speaks_of=frozenset({person})),
            Need(KeyKind.REPORT, str(uuid4())),
        ]
        own, spoken, other = [(await vault.keys.keys_for(needs))[need].key_id for need in needs]
        done = stack.command("backup", str(into))
        assert done.returncode == 0, done.stderr
    erase_by_command(stack, person)
    head = await append(stack, 10)
    before = await summed_up(stack, head)
    cosigned = await on_the_database(stack, COSIGNATURES)
    assert len(cosigned) == 2
    assert stack.command("down").returncode == 0
    stack.wait_for_the_end()

    [folder] = list(into.iterdir())
    assert [one.stat().st_mode & 0o077 for one in (into, folder, *folder.iterdir())] == [0] * 7
    there = stack.command("restore", str(into))
    assert "a backup is not put over it" in " ".join(there.stderr.split())
    shutil.move(stack.folder / "postgres", tmp_path / "postgres")
    for name in (LEDGER, VAULT, KEYS, MANIFEST):
        whole = (folder / name).read_bytes()
        for broken in (whole[:-10], whole[:40] + bytes([whole[40] ^ 1]) + whole[41:]):
            (folder / name).write_bytes(broken)
            refused(stack, folder, str(folder / name))
        (folder / name).write_bytes(whole)
    (folder / LEDGER).rename(folder / "elsewhere")
    refused(stack, into, "it belongs to this backup")
    (folder / "elsewhere").rename(folder / LEDGER)
    refused(stack, tmp_path / "nowhere", "There is no folder")
    half = into / ".making-1"
    half.mkdir()
    shutil.copy(folder / LEDGER, half)

    done = stack.command("restore", str(into))
    assert done.returncode == 0, done.stderr
    completed = position_in(done.stdout, r"completed up to position (\d+); 1 keys and persons")
    assert completed >= head
    opens_no_more = r"to (\d+) under a key that was made for it opens no more"
    assert position_in(done.stdout, opens_no_more) == completed
    stack.up()
    assert await until_the_door_opens(stack.addresses.owner_dsn, 60) is None
    assert await summed_up(stack, head) == before
    assert await on_the_database(stack, COSIGNATURES) == cosigned
    await on_the_database(stack, ONE_MORE)
    async with the_vault(stack) as vault:
        assert [await opens(vault, key) for key in (own, spoken, other)] == [False, False, True]
        assert await vault.persons.find_person(PHONE) is None
    assert await append(stack, 5) >= completed + 5


async def test_keys_end_before_the_rest(stack: Stack, tmp_path: Path) -> None:
    into = tmp_path / "backups"
    async with the_vault(stack) as vault:
        need = Need(KeyKind.REPORT, str(uuid4()))
        key_id = (await vault.keys.keys_for([need]))[need].key_id
    head = await append(stack, 5)
    assert stack.command("backup", str(into)).returncode == 0
    assert stack.command("down").returncode == 0
    stack.wait_for_the_end()
    shutil.move(stack.folder / "postgres", tmp_path / "postgres")
    master, late = MasterKey.read(stack.settings.master_key_file), clock.now() + timedelta(days=31)
    with pytest.raises(BackupRefused, match="keys of backups end after 30 days"):
        put_back(into, stack.settings, master, late, Quiet())
    assert end_keys(into, master, clock.now() - timedelta(days=30)) == []
    assert end_keys(into, master, clock.now()) == [choose(into, master).folder]
    refused(stack, into, "`--without-keys`, which leaves every text that was sealed by then shut for ever")
    done = stack.command("restore", str(into), "--without-keys")
    assert done.returncode == 0, done.stderr
    stack.up()
    async with the_vault(stack) as vault:
        assert not await opens(vault, key_id)
    assert await until_the_door_opens(stack.addresses.owner_dsn, 60) is None
    assert await append(stack, 1) >= head + 1


async def test_where_kafka_is_gone_too_that_is_said_and_the_rest_goes_on(stack: Stack, tmp_path: Path) -> None:
    into = tmp_path / "backups"
    head = await append(stack, 5)
    assert stack.command("backup", str(into)).returncode == 0
    lost = await append(stack, 5)
    assert stack.command("down").returncode == 0
    stack.wait_for_the_end()
    for gone in ("postgres", "kafka"):
        shutil.move(stack.folder / gone, tmp_path / gone)
    refused(stack, into, "If it is gone for good, `--without-kafka`, and `intabaza up --anew kafka` after it.")
    done = stack.command("restore", str(into), "--without-kafka")
    assert done.returncode == 0, done.stderr
    saved = position_in(done.stdout, r"readers who saw positions above (\d+) forget them")
    assert head <= saved < lost
    assert "has to be erased again" in done.stdout
    stack.up("--anew", "kafka")
    assert await until_the_door_opens(stack.addresses.owner_dsn, 60) is None
    assert await append(stack, 1) in (saved + 1, saved + 2), "nothing of what was lost, or an hour's end besides"
