"""The tree in PostgreSQL: extended from any size by anybody, all of it or nothing; asked once, at any size."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.database.pools import as_it_was
from services.ledger.ledger import LedgerUnavailable
from services.local.postgres import PostgresServer
from services.notary.tree import BeyondTree, Tree, TreeDamaged, TreeMoved
from services.tlog import merkle
from services.tlog.tiles import tiles_of
from tests.support import reference_merkle as reference
from tests.support.examples import examples
from tests.support.trees import ENTRIES, LEAVES, sizes


@pytest.fixture
async def pool(postgres: PostgresServer, fresh_database: str) -> AsyncIterator[asyncpg.Pool[asyncpg.Record]]:
    """Connections as the role that extends the tree."""
    dsn = postgres.dsn(fresh_database, "intabaza_notary")
    async with asyncpg.create_pool(dsn, min_size=1, max_size=4, reset=as_it_was) as pool:
        yield pool


async def begin_anew(postgres: PostgresServer, database: str) -> None:
    owner = await asyncpg.connect(postgres.dsn(database))
    await owner.execute("truncate notary.tile; update notary.tree set size = 0")
    await owner.close()


@given(steps=sizes(1_500), data=st.data())
@examples(15)
async def test_any_extension_gives_the_roots_and_proofs_of_the_second_implementation(
    pool: asyncpg.Pool[asyncpg.Record],
    postgres: PostgresServer,
    fresh_database: str,
    steps: list[int],
    data: st.DataObject,
) -> None:
    await begin_anew(postgres, fresh_database)
    tree = Tree(pool)
    for old, new in pairwise(steps):
        assert await tree.extend(old, LEAVES[old:new]) == new == await tree.size()
    size = data.draw(st.sampled_from(steps) | st.integers(0, steps[-1]), label="size")
    assert await tree.root(size) == reference.tree_hash(ENTRIES[:size])
    if size:
        index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
        assert await tree.inclusion(index, size) == reference.path(index, ENTRIES[:size])
        assert await tree.consistency(old, size) == reference.proof(old, ENTRIES[:size])
    for place, width in tiles_of(size):
        hashes = await tree.tile(*place, width)
        assert hashes is not None
        assert len(hashes) == 32 * width


async def test_a_proof_and_a_root_are_one_question_however_large_the_tree_is(
    pool: asyncpg.Pool[asyncpg.Record], postgres: PostgresServer, fresh_database: str
) -> None:
    size = len(LEAVES)
    await Tree(pool).extend(0, LEAVES)
    asked: list[str] = []

    async def listen(connection: asyncpg.Connection[asyncpg.Record]) -> None:
        connection.add_query_logger(lambda one: asked.append(one.query))

    dsn = postgres.dsn(fresh_database, "intabaza_app")
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1, init=listen, reset=as_it_was) as app:
        tree = Tree(app)
        await tree.root(1)  # asyncpg asks once in a connection what an array is
        for find in (
            lambda: tree.root(size),
            lambda: tree.inclusion(3, size),
            lambda: tree.inclusion(65_536, 65_600),
            lambda: tree.consistency(65_535, size),
        ):
            asked.clear()
            await find()
            assert len(asked) == 1


async def test_of_those_who_extend_it_at_once_one_does_and_the_others_look_again(
    pool: asyncpg.Pool[asyncpg.Record],
) -> None:
    tree = Tree(pool)

    async def extend_to(size: int, by: int) -> None:
        while (stands := await tree.size()) < size:
            try:
                await tree.extend(stands, LEAVES[stands : min(size, stands + by)])
            except TreeMoved:
                continue

    await asyncio.gather(*(extend_to(1_000, by) for by in (7, 100, 256, 300)))
    assert await tree.size() == 1_000
    assert await tree.root(1_000) == reference.tree_hash(ENTRIES[:1_000])


async def test_a_tree_of_another_size_is_left_as_it_is(pool: asyncpg.Pool[asyncpg.Record]) -> None:
    tree = Tree(pool)
    await tree.extend(0, LEAVES[:300])
    for other in (0, 299, 301):
        with pytest.raises(TreeMoved, match="the tree has 300 leaves by now"):
            await tree.extend(other, LEAVES[:5])
    with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError):
        await pool.execute("select notary.extend(299, 300, '{}', '{}', '{}')")
    with pytest.raises(asyncpg.DataError):  # one hash is too few for two more leaves
        await pool.execute("select notary.extend(300, 302, '{0}', '{1}', $1)", [LEAVES[300]])
    assert await tree.root(300) == reference.tree_hash(ENTRIES[:300])


async def test_what_lies_beyond_the_tree_is_refused_with_its_size(pool: asyncpg.Pool[asyncpg.Record]) -> None:
    tree = Tree(pool)
    assert await tree.root(0) == merkle.EMPTY
    await tree.extend(0, LEAVES[:300])
    for question in (tree.root(301), tree.inclusion(300, 301), tree.consistency(300, 301), tree.consistency(301, 301)):
        with pytest.raises(BeyondTree, match="the tree has 300 leaves, and 301 were asked about"):
            await question
    with pytest.raises(BeyondTree):
        await tree.root(1 << 63)
    with pytest.raises(ValueError, match="expected an index from 0 to 299"):
        await tree.inclusion(300, 300)
    with pytest.raises(ValueError, match="expected an older size from 1 to 300"):
        await tree.consistency(0, 300)
    assert await tree.tile(0, 1, 44) == b"".join(LEAVES[256:300])
    for level, index, width in ((0, 1, 45), (0, 2, 1), (1, 0, 2), (8, 0, 1), (0, 1 << 63, 1)):
        assert await tree.tile(level, index, width) is None


async def test_a_tree_with_a_cut_tile_says_that_it_is_damaged(
    pool: asyncpg.Pool[asyncpg.Record], postgres: PostgresServer, fresh_database: str
) -> None:
    tree = Tree(pool)
    await tree.extend(0, LEAVES[:600])
    owner = await asyncpg.connect(postgres.dsn(fresh_database))
    await owner.execute("update notary.tile set hashes = substring(hashes for 64) where level = 0 and index = 2")
    await owner.close()
    with pytest.raises(TreeDamaged, match="of the tree of 600 leaves tile 0/002 has no hashes"):
        await tree.root(600)
    with pytest.raises(TreeDamaged):
        await tree.extend(600, LEAVES[600:601])


async def test_who_does_not_extend_the_tree_reads_it(
    pool: asyncpg.Pool[asyncpg.Record], postgres: PostgresServer, fresh_database: str
) -> None:
    await Tree(pool).extend(0, LEAVES[:3])
    dsn = postgres.dsn(fresh_database, "intabaza_app")
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1, reset=as_it_was) as app:
        assert await Tree(app).root(3) == reference.tree_hash(ENTRIES[:3])
        with pytest.raises(LedgerUnavailable, match="permission denied"):
            await Tree(app).extend(3, LEAVES[3:5])
    for statement in ("delete from notary.tile", "update notary.tree set size = 0"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(statement)


async def test_a_database_that_went_away_is_said_to_be_away(
    pool: asyncpg.Pool[asyncpg.Record], postgres: PostgresServer, fresh_database: str
) -> None:
    await pool.close()
    tree = Tree(pool)
    for question in (tree.size(), tree.root(1), tree.tile(0, 0, 1), tree.extend(0, LEAVES[:1])):
        with pytest.raises(LedgerUnavailable):
            await question
