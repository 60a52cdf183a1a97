"""Proofs, tiles and entries of a real ledger, up to its last checkpoint and no further; a stranger takes them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from services.audit.tile_folder import write_tiles
from services.local.postgres import PostgresServer
from services.notary.proving import BeyondSigned, NoBundle, TreeBehind
from services.notary.signed import NothingSigned, NotSigned
from services.notary.tree import TreeDamaged
from services.tlog.merkle import continues, includes
from services.tlog.offline.verify import ALTERED, ANOTHER_LOG, USAGE, Verdict, keys_said, read_checkpoints
from services.tlog.proofs import check_continued, consistency_text, inclusion_text, read_proof
from services.tlog.tiles import Place, read_path
from tests.support import reference_merkle as reference
from tests.support.checkpoints import wires_of
from tests.support.foreign_reader import ForeignReader, from_folder
from tests.support.signed_ledgers import KEY, SignedLedger, a_signed_ledger
from tests.support.signed_logs import LogKey


@pytest.fixture
async def log(postgres: PostgresServer, fresh_database: str) -> AsyncIterator[SignedLedger]:
    async with a_signed_ledger(postgres, fresh_database) as log:
        yield log


async def test_a_stranger_reads_a_folder_of_tiles_that_grew_in_steps(log: SignedLedger, tmp_path: Path) -> None:
    folder = tmp_path / "tiles"
    stranger = ForeignReader(from_folder(folder), KEY.vkey)
    before = 0
    for events in (1, 254, 1, 700):
        await log.grow(events)
        await log.sign()
        await log.grow(3)  # of what was not signed nothing is written
        written = await write_tiles(folder, log.proving)
        size, root = await stranger.checkpoint()
        assert (written.before, written.size) == (before, size)
        leaves = await stranger.leaves(size)
        wires = await wires_of(log.ledger)
        assert root == reference.tree_hash(wires[:size])
        assert leaves == [reference.tree_hash([wire]) for wire in wires[:size]]
        assert (await write_tiles(folder, log.proving)).tiles == 0
        before = size
    left = {path.parent.name for path in folder.rglob("*.p/*")}
    assert left == {"003.p", "000.p"}, "a partial tile stays once it is full"


async def test_a_folder_goes_on_after_it_was_ended_anywhere(log: SignedLedger, tmp_path: Path) -> None:
    folder = tmp_path / "tiles"
    await log.grow(600)
    await log.sign()

    class Ended(Exception):
        pass

    for step in range(1, 5):

        def end(done: int, of: int, step: int = step) -> None:
            if done == step:
                raise Ended

        with pytest.raises(Ended):
            await write_tiles(folder, log.proving, end)
        assert not (folder / "checkpoint").exists()
    (folder / ".checkpoint.7.new").write_text("half")
    await write_tiles(folder, log.proving)
    stranger = ForeignReader(from_folder(folder), KEY.vkey)
    await stranger.leaves((await stranger.checkpoint())[0])


async def test_a_folder_of_something_else_is_left_as_it_is(
    log: SignedLedger, postgres: PostgresServer, fresh_database: str, tmp_path: Path
) -> None:
    with pytest.raises(NothingSigned):
        await write_tiles(tmp_path / "new", log.proving)
    await log.grow(300)
    first = await log.sign()
    await write_tiles(tmp_path / "tiles", log.proving)
    held = tmp_path / "tiles" / "checkpoint"

    async def refused(status: int, said: str, checkpoint: str) -> None:
        held.write_text(checkpoint)
        with pytest.raises(Verdict, match=said) as verdict:
            await write_tiles(tmp_path / "tiles", log.proving)
        assert (verdict.value.status, held.read_text()) == (status, checkpoint)

    await refused(USAGE, "no signed checkpoint", first[:40])
    await refused(USAGE, "holds 0 checkpoints", "")
    await refused(ANOTHER_LOG, "holds tiles of 'another.log'", first.replace("intabaza.invalid/test", "another.log"))
    await refused(ALTERED, "what was signed is missing", first.replace("\n300\n", "\n301\n"))
    await refused(ALTERED, "History was altered before position 300", first.replace("\n300\n", "\n299\n"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine")
    with pytest.raises(Verdict, match="holds something else"):
        await write_tiles(tmp_path / "mine", log.proving)


async def test_a_stranger_takes_the_proof_of_every_position(log: SignedLedger) -> None:
    for events in (3, 255, 40):
        await log.grow(events)
        await log.sign()
    wires = await wires_of(log.ledger)
    stranger = ForeignReader(from_folder(Path()), KEY.vkey)
    newest = await log.proving.signed.newest()
    for position in range(1, newest.size + 1):
        found = await log.proving.inclusion(position)
        assert found.signed == newest
        entry = await log.proving.entry(position)
        assert entry == wires[position - 1]
        text = inclusion_text(position - 1, found.hashes, newest.note)
        assert stranger.prove(text, entry) == position - 1
    for size in (3, 100, newest.size):  # signed, never signed, the last one
        found = await log.proving.inclusion(2, size)
        assert found.root == reference.tree_hash(wires[:size])
        assert includes(found.leaf, 1, size, found.hashes, found.root)
        assert (found.signed is None) == (size == 100)


async def test_what_was_signed_goes_on_from_what_was_signed_before(log: SignedLedger) -> None:
    notes = []
    for events in (1, 200, 300):
        await log.grow(events)
        notes.append(await log.sign())
    checkpoints = [read_checkpoints(one, "", USAGE)[0] for one in notes]
    keys = keys_said([KEY.vkey])
    for older in checkpoints:
        found = await log.proving.consistency(older.size)
        assert continues(found.old, found.new, found.hashes, found.old_root, found.new_root)
        proof = read_proof(consistency_text(older.size, found.hashes, notes[-1]), "the proof")
        assert "begins with what was signed" in check_continued(proof, older, keys)
    found = await log.proving.consistency(100, 150)
    wires = await wires_of(log.ledger)
    assert found.hashes == reference.proof(100, wires[:150])
    assert found.signed is None


async def test_the_checkpoint_of_any_size_is_found_among_many(log: SignedLedger) -> None:
    with pytest.raises(NothingSigned):
        await log.proving.signed.newest()
    notes = {}
    for _ in range(21):
        await log.grow(2)
        note = await log.sign()
        notes[int(note.split("\n")[1])] = note
    for size, note in notes.items():
        assert (await log.proving.signed.of(size)).note == note
    for size, said in ((1, "of size 2$"), (3, "of size 2 and 5$"), (63, "the last one is of size 62")):
        with pytest.raises(NotSigned, match=said):
            await log.proving.signed.of(size)


async def test_nothing_is_shown_beyond_the_last_checkpoint(log: SignedLedger) -> None:
    await log.grow(300)
    await log.extend()
    for question in (
        log.proving.inclusion(1),
        log.proving.inclusion(1, 1),
        log.proving.consistency(1),
        log.proving.entry(1),
        log.proving.tile(Place(0, 0), 1),
        log.proving.entries(0, 1),
    ):
        with pytest.raises(NothingSigned):
            await question
    await log.sign()
    await log.grow(300)
    await log.extend()
    for question in (
        log.proving.inclusion(301),
        log.proving.inclusion(0),
        log.proving.inclusion(1, 301),
        log.proving.inclusion(5, 4),
        log.proving.consistency(0),
        log.proving.consistency(1, 301),
        log.proving.consistency(2, 1),
        log.proving.entry(301),
        log.proving.entry(0),
    ):
        with pytest.raises(BeyondSigned):
            await question
    for path, there in (
        ("0/000", True), ("0/001", False), ("0/001.p/44", True), ("0/001.p/45", False), ("0/002.p/1", False),
        ("1/000.p/1", True), ("1/000.p/2", False), ("2/000.p/1", False), ("63/000.p/1", False),
        ("0/x999/x999/x999/x999/x999/999", False),
    ):  # fmt: skip
        found = read_path(path)
        assert found is not None
        assert (await log.proving.tile(*found) is not None) is there, path
        if path.startswith("0/"):
            assert (await log.proving.entries(found[0].number, found[1]) is not None) is there, path


async def test_entries_come_in_bundles_and_one_that_is_too_long_for_these_is_named(log: SignedLedger) -> None:
    await log.grow(270)
    await log.grow(1, text="long" * 20_000)
    await log.sign()

    async def fetch(path: str) -> bytes | None:
        found = read_path(path.replace("tile/entries/", "0/"))
        assert found is not None
        return await log.proving.entries(found[0].number, found[1])

    stranger = ForeignReader(fetch, KEY.vkey)
    assert await stranger.entries(270) == (await wires_of(log.ledger))[:270]
    with pytest.raises(NoBundle, match=r"position 271 has \d+ bytes, and an entry of a bundle at most 65535"):
        await stranger.entries(271)
    assert len(await log.proving.entry(271)) > 65_535


async def test_a_tree_that_was_lost_or_touched_proves_nothing(
    log: SignedLedger, postgres: PostgresServer, fresh_database: str
) -> None:
    await log.grow(300)
    await log.sign()
    owner = await asyncpg.connect(postgres.dsn(fresh_database))
    await owner.execute(
        "update notary.tile set hashes = overlay(hashes placing decode(repeat('00', 32), 'hex') from 1) where level = 0"
    )
    for touched in (log.proving.inclusion(3), log.proving.inclusion(1), log.proving.consistency(2)):
        with pytest.raises(TreeDamaged):
            await touched
    await owner.execute("truncate notary.tile; update notary.tree set size = 0")
    await owner.close()
    for question in (log.proving.inclusion(3), log.proving.consistency(2), log.proving.tile(Place(0, 0), 256)):
        with pytest.raises(TreeBehind):
            await question


async def test_a_key_that_is_not_the_logs_is_not_taken(log: SignedLedger) -> None:
    await log.grow(3)
    note = await log.sign(LogKey("two"))
    found = await log.proving.inclusion(1)
    with pytest.raises(Exception, match="not signed"):
        ForeignReader(from_folder(Path()), KEY.vkey).prove(inclusion_text(0, found.hashes, note), b"")
