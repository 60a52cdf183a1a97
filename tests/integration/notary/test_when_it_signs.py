"""When the leading notary signs, what it signs, and why it halts: on a real ledger and tree, with no clock in it."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from events.custody import LogCheckpointed
from services import clock
from services.database.lead import LeadLost
from services.database.pools import as_it_was
from services.ledger.postgres import PostgresLedger
from services.local.postgres import PostgresServer
from services.notary.checkpoint import HOME, STREAM, Checkpoint
from services.notary.halts import Differs, NoCheckpoint, Shortened
from services.notary.keys import LogKeys, LogKeysRefused
from services.notary.lead import Lead
from services.notary.notary import Means, Rhythm, Signing
from services.notary.tree import Tree, TreeDamaged
from services.tlog.merkle import hash_leaf
from tests.support.checkpoints import wires_of
from tests.support.ledgers import by_nobody, note
from tests.support.notaries import Kafka, meanwhile
from tests.support.signed_logs import root

ORIGIN = "intabaza.invalid/when"
NEVER = 1e9
"""Seconds: the first is signed at once, and no other one because of the time."""

ENDS_SECONDS = 60.0


@dataclass
class There:
    """A ledger, what is on Kafka of it, and whoever signs it."""

    ledger: PostgresLedger
    tree: Tree
    lead: Lead
    keys: Path
    kafka: Kafka = field(default_factory=Kafka)

    def signing(self, rhythm: Rhythm, origin: str = ORIGIN) -> Signing:
        return Signing(
            Means(self.ledger, self.kafka, self.tree, self.keys, origin, "urn:intabaza:test", rhythm), self.lead
        )

    async def run(self, rhythm: Rhythm, origin: str = ORIGIN) -> None:
        """Sign until that ends by itself, which it never does where nothing is wrong."""
        async with asyncio.timeout(ENDS_SECONDS):
            await self.signing(rhythm, origin).run()

    async def grow(self, events: int) -> int:
        """Append so many events; how long the ledger is then."""
        await self.ledger.append(note(count=events))
        return (await self.ledger.head()).position

    async def sizes(self) -> list[int]:
        """Of every checkpoint, each of which states the root that its size has."""
        leaves = [hash_leaf(one) for one in await wires_of(self.ledger)]
        found = [Checkpoint.recorded(row.body, row.position) for row in await self.ledger.read_stream(STREAM)]
        assert [one.root for one in found] == [root(leaves[: one.size]) for one in found]
        return [one.size for one in found]

    @asynccontextmanager
    async def signs(self, rhythm: Rhythm) -> AsyncIterator[None]:
        """Meanwhile it signs."""
        self.kafka.beyond_what = 0
        async with meanwhile(self.signing(rhythm).run()):
            yield

    async def rests(self, position: int) -> list[int]:
        """Let Kafka hold everything up to a position, wait until it is dealt with, and say which sizes are signed."""
        self.kafka.holds(position)
        while self.kafka.beyond_what < position:
            self.kafka.asked.clear()
            await asyncio.wait_for(self.kafka.asked.wait(), ENDS_SECONDS)
        return await self.sizes()


@pytest.fixture
async def there(postgres: PostgresServer, fresh_database: str, tmp_path: Path) -> AsyncIterator[There]:
    dsn = postgres.dsn(fresh_database, "intabaza_notary")
    ledger = await PostgresLedger.connect(postgres.dsn(fresh_database, "intabaza_app"), clock.now, readers=2)
    lead = await Lead.connect(dsn)
    assert await lead.try_to_lead()
    keys = tmp_path / "log-keys.json"
    LogKeys.find_or_make(keys)
    beating = asyncio.ensure_future(lead.beat())
    try:
        async with asyncpg.create_pool(dsn, min_size=1, max_size=2, reset=as_it_was) as pool:
            yield There(ledger, Tree(pool), lead, keys)
    finally:
        beating.cancel()
        lead.end()
        await ledger.close()


async def as_superuser(postgres: PostgresServer, database: str, statement: str, *arguments: object) -> None:
    owner = await asyncpg.connect(postgres.dsn(database))
    try:
        await owner.execute("set session_replication_role = replica")
        await owner.execute(statement, *arguments)
    finally:
        await owner.close()


async def test_it_signs_where_as_many_events_are_new_as_the_rhythm_says_and_not_before(there: There) -> None:
    async with there.signs(Rhythm(NEVER, 10)):
        assert await there.rests(await there.grow(3)) == [3]  # whoever begins signs at once
        assert await there.rests(await there.grow(9)) == [3]
        assert await there.rests(await there.grow(1)) == [3, 14]  # with the first checkpoint's own event
        assert await there.rests(await there.grow(25)) == [3, 14, 40]


async def test_it_signs_whatever_is_new_when_the_time_has_come_and_nothing_where_nothing_is(there: There) -> None:
    async with there.signs(Rhythm(0, 1_000)):
        assert await there.rests(await there.grow(1)) == [1]
        assert await there.rests(2) == [1]  # its own checkpoint is nothing new
        assert await there.rests(await there.grow(1)) == [1, 3]
        assert await there.rests(4) == [1, 3]


async def test_nothing_beyond_what_is_on_kafka_is_signed(there: There) -> None:
    await there.grow(30)
    async with there.signs(Rhythm(0, 1_000)):
        assert await there.rests(7) == [7]
        assert await there.rests(20) == [7, 20]
    assert await there.tree.size() == 20


async def test_who_leads_next_counts_what_was_new_before(there: There) -> None:
    async with there.signs(Rhythm(NEVER, 10)):
        assert await there.rests(await there.grow(3)) == [3]
        assert await there.rests(await there.grow(5)) == [3]
    async with there.signs(Rhythm(NEVER, 10)):
        assert await there.rests(9) == [3, 9]
    async with there.signs(Rhythm(NEVER, 10)):
        assert await there.rests(10) == [3, 9]


async def test_a_tree_that_was_damaged_behind_the_last_checkpoint_is_not_signed(
    there: There, postgres: PostgresServer, fresh_database: str
) -> None:
    async with there.signs(Rhythm(NEVER, 10)):
        assert await there.rests(await there.grow(300)) == [300]
        assert await there.rests(await there.grow(5)) == [300]
    damage = "update notary.tile set hashes = set_byte(hashes, 32 * 47, get_byte(hashes, 32 * 47) # 1) where index = 1"
    await as_superuser(postgres, fresh_database, damage)
    there.kafka.holds(await there.grow(10))
    with pytest.raises(TreeDamaged, match="does not lead to what the ledger's first 316 events lead to"):
        await there.run(Rhythm(0, 10))
    assert await there.sizes() == [300]
    await there.lead.begin_anew()
    async with there.signs(Rhythm(0, 10)):
        assert await there.rests(316) == [300, 316]


async def test_a_ledger_that_was_altered_before_the_last_checkpoint_halts_it(
    there: There, postgres: PostgresServer, fresh_database: str
) -> None:
    async with there.signs(Rhythm(0, 10)):
        assert await there.rests(await there.grow(5)) == [5]
        await there.rests(6)
    later = "update ledger.event set recorded_at = recorded_at + interval '1 microsecond' where position = 2"
    await as_superuser(postgres, fresh_database, later)
    await there.lead.begin_anew()
    there.kafka.holds(await there.grow(1))
    with pytest.raises(Differs, match="the checkpoint of size 5 at position 6 has another root"):
        await there.run(Rhythm(0, 10))


@pytest.mark.parametrize("cut", [6, 8])
async def test_a_ledger_that_was_cut_halts_it(
    there: There, postgres: PostgresServer, fresh_database: str, cut: int
) -> None:
    async with there.signs(Rhythm(NEVER, 100)):
        assert await there.rests(await there.grow(5)) == [5]
        await there.rests(await there.grow(5))
    await as_superuser(postgres, fresh_database, "delete from ledger.event where position > $1", cut)
    with pytest.raises(Shortened, match=f"the ledger lacks position {cut + 1}"):
        await there.run(Rhythm(0, 10))


@pytest.mark.parametrize("stands_in", ["data", "note", "neither"])
async def test_a_checkpoint_that_was_altered_halts_it(
    there: There, postgres: PostgresServer, fresh_database: str, stands_in: str
) -> None:
    async with there.signs(Rhythm(0, 10)):
        assert await there.rests(await there.grow(5)) == [5]
        await there.rests(6)
    altered = {
        "data": """replace(convert_from(body, 'UTF8'), '"size":5', '"size":4')""",
        "note": r"""replace(convert_from(body, 'UTF8'), '\n5\n', '\n4\n')""",
        "neither": """replace(convert_from(body, 'UTF8'), '"note":', '"nota":')""",
    }[stands_in]
    statement = f"update ledger.event set body = convert_to({altered}, 'UTF8') where position = 6"
    await as_superuser(postgres, fresh_database, statement)
    with pytest.raises(NoCheckpoint, match="position 6 records as a checkpoint what is none"):
        await there.run(Rhythm(0, 10))


@pytest.mark.parametrize("its_root_is", ["right", "wrong"])
async def test_a_checkpoint_that_nobody_of_ours_signed_halts_it(there: There, its_root_is: str) -> None:
    async with there.signs(Rhythm(0, 10)):
        assert await there.rests(await there.grow(5)) == [5]
    leaves = [hash_leaf(one) for one in await wires_of(there.ledger)]
    stated = b64encode(root(leaves) if its_root_is == "right" else bytes(32)).decode()
    said = LogCheckpointed(size=6, root=stated, note=f"{ORIGIN}\n6\n{stated}\n\n— {ORIGIN} AAAAAAAA\n")
    await there.ledger.append(by_nobody(STREAM, 2, said, home=HOME))
    there.kafka.holds(await there.grow(1))
    halt, why = (
        (LogKeysRefused, "is signed by no key of")
        if its_root_is == "right"
        else (Differs, "the checkpoint of size 6 at position 7 has another root")
    )
    with pytest.raises(halt, match=why):
        await there.run(Rhythm(0, 10))
    assert len(await there.ledger.read_stream(STREAM)) == 2


async def test_a_log_that_is_called_otherwise_is_not_signed(there: There) -> None:
    async with there.signs(Rhythm(0, 10)):
        assert await there.rests(await there.grow(5)) == [5]
    there.kafka.holds(await there.grow(1))
    with pytest.raises(LogKeysRefused, match=f"the last checkpoint is of '{ORIGIN}', and this log is called 'other"):
        await there.run(Rhythm(0, 10), "other.invalid")


async def test_who_has_lost_the_lead_records_nothing(
    there: There, postgres: PostgresServer, fresh_database: str
) -> None:
    """Of two that sign the same size, the one that leads no more has its checkpoint refused."""
    async with there.signs(Rhythm(NEVER, 10)):
        assert await there.rests(await there.grow(3)) == [3]
    other = await Lead.connect(postgres.dsn(fresh_database, "intabaza_notary"))
    try:
        assert not await other.try_to_lead()
        signed = Checkpoint.sign(ORIGIN, 3, bytes(32), LogKeys.read(there.keys).signers(ORIGIN, None))
        with pytest.raises(LeadLost, match="only the leading notary signs"):
            await other.record(signed.draft("urn:intabaza:test", 2))
    finally:
        other.end()
    assert await there.sizes() == [3]
