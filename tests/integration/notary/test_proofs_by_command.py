"""`intabaza audit prove`, `prove-consistency`, `check-proof` and `tiles`: what they write, and each exit status."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from services.audit.tile_folder import write_tiles
from services.local.folder import alone_in
from services.local.postgres import PostgresServer
from services.notary.signed import NothingCosigned
from services.tlog.offline.verify import (
    ALTERED,
    ANOTHER_LOG,
    BEYOND,
    KEY_UNKNOWN,
    UNPROVEN,
    UNREAD,
    USAGE,
    VERIFIED,
    Verdict,
    keys_said,
    verify,
)
from tests.support.checkpoints import cosign, wires_of
from tests.support.commands import Commands, on_database
from tests.support.disks import no_file_beyond
from tests.support.foreign_reader import ForeignReader, from_folder
from tests.support.signed_ledgers import KEY, SignedLedger, a_signed_ledger
from tests.support.signed_logs import LogKey

W1, W2 = LogKey("w1", "witness.example/w1", 4), LogKey("w2", "witness.example/w2", 4)
STRANGER, ANOTHER = LogKey("stranger"), LogKey("one", "another.log")


@pytest.fixture
async def log(postgres: PostgresServer, fresh_database: str) -> AsyncIterator[SignedLedger]:
    async with a_signed_ledger(postgres, fresh_database) as log:
        yield log


@pytest.fixture
def commands(
    postgres: PostgresServer, fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Commands:
    monkeypatch.chdir(tmp_path)
    return Commands(tmp_path, on_database(postgres, fresh_database), ("audit",))


def of_key(key: LogKey) -> tuple[str, str]:
    return "--key", key.vkey


async def test_what_witnesses_cosigned_goes_along_with_every_checkpoint(
    log: SignedLedger, commands: Commands, postgres: PostgresServer, fresh_database: str
) -> None:
    owner, folder = postgres.dsn(fresh_database), commands.folder
    await log.grow(4)
    first = await cosign(owner, await log.sign(), W1)
    await log.grow(5)
    newest = await cosign(owner, await log.sign(), W1, W2)
    assert (await log.proving.signed.newest()).note == newest
    assert (await log.proving.signed.newest()).witnesses == (W1.vkey, W2.vkey)
    assert (await log.proving.signed.cosigned_by(W1.name)).note == newest
    later = await log.sign()
    assert (await log.proving.signed.newest()).note == later
    assert (await log.proving.signed.cosigned_by(W2.name)).note == newest
    with pytest.raises(NothingCosigned, match="'nobody' has cosigned no checkpoint"):
        await log.proving.signed.cosigned_by("nobody")

    for size, note in ((4, first), (10, newest)):
        status, said = await commands.run("prove", "3", "--size", str(size))
        assert (status, said.endswith(note)) == (0, True)
        (folder / f"{size}.tlog-proof").write_text(said)
    (folder / "three.json").write_bytes((await wires_of(log.ledger))[2])
    status, said = await commands.run("check-proof", "10.tlog-proof", "three.json", *of_key(KEY), "--witness", W2.vkey)
    assert (status, f"witnessed by {W2.name} up to position 10." in said) == (VERIFIED, True), said
    how = ("check-proof", "4.tlog-proof", "three.json", *of_key(KEY), "--witness")
    await commands.refused(UNPROVEN, "bears a cosignature of witness.example/w2", *how, W2.vkey)
    await commands.refused(USAGE, "is no key of a witness but one of a log", *how, KEY.vkey)
    assert (await commands.run("tiles", "tiles"))[0] == 0
    await cosign(owner, later, W2)
    status, said = await commands.run("tiles", "tiles")
    assert (status, "nothing was to be written" in said) == (0, True)
    assert (folder / "tiles" / "checkpoint").read_text() == (await log.proving.signed.newest()).note != later
    assert (await commands.run("bundle", "bundle.zip", *of_key(KEY)))[0] == 0
    assert (await commands.run("bundle", "early.zip", "--to", "6", *of_key(KEY)))[0] == 0
    for name, notes, keys in (("bundle", [first, newest], [KEY, W1, W2]), ("early", [first], [KEY, W1])):
        with zipfile.ZipFile(folder / f"{name}.zip") as bundle:
            assert bundle.read("checkpoints.txt").decode().startswith("\n".join(notes))
            assert bundle.read("keys.txt").decode().split() == [one.vkey for one in keys]


async def nowhere(path: str) -> bytes | None:
    raise AssertionError(path)


async def test_a_proof_is_written_and_checked_and_each_thing_that_is_wrong_is_told(
    log: SignedLedger, commands: Commands
) -> None:
    folder = commands.folder
    await commands.refused(BEYOND, "Position 1 lies outside of the log, which is empty", "prove", "1")
    await log.grow(4)
    await commands.refused(UNPROVEN, "The log has no checkpoint yet", "prove", "1")
    first = await log.sign()
    await log.grow(5)
    newest = await log.sign()
    await log.grow(1)  # positions 11 and 12 are covered by no checkpoint
    (folder / "first").write_text(first)

    assert await commands.run("prove", "3", "--out", "three.tlog-proof", "--event", "three.json") == (0, "")
    text, event = (folder / "three.tlog-proof").read_text(), (folder / "three.json").read_bytes()
    assert event == (await wires_of(log.ledger))[2]
    assert ForeignReader(nowhere, KEY.vkey).prove(text, event) == 2
    assert text.endswith(newest)
    status, said = await commands.run("check-proof", "three.tlog-proof", "three.json", *of_key(KEY))
    assert (status, "Proven: this event, byte for byte, stands at position 3" in said) == (VERIFIED, True), said
    status, said = await commands.run("prove", "3", "--size", "4")
    assert (status, said.endswith(first)) == (0, True)

    (folder / "cut.tlog-proof").write_text(text[:100])
    (folder / "other.json").write_bytes(event.replace(b"3", b"4", 1))
    for status, said, *arguments in (
        (BEYOND, "Position 0 lies outside of the log, which has positions 1 to 12", "prove", "0"),
        (BEYOND, "Position 13 lies outside", "prove", "13"),
        (BEYOND, "Size 13 lies outside", "prove", "1", "--size", "13"),
        (UNPROVEN, "The checkpoint of size 10 does not cover position 11", "prove", "11"),
        (UNPROVEN, "The checkpoint of size 4 does not cover position 5", "prove", "5", "--size", "4"),
        (UNPROVEN, "No checkpoint is of size 7: those next to it are of size 4 and 10", "prove", "1", "--size", "7"),
        (UNPROVEN, "the last one is of size 10", "prove", "1", "--size", "11"),
        (USAGE, "cut.tlog-proof is no whole proof", "check-proof", "cut.tlog-proof", "three.json", *of_key(KEY)),
        (USAGE, "cannot be read", "check-proof", "nothing", "three.json", *of_key(KEY)),
        (USAGE, "cannot be read", "check-proof", "three.tlog-proof", "nothing", *of_key(KEY)),
        (USAGE, "cannot be read", "check-proof", "three.tlog-proof", "three.json", "--key", "no key"),
        (ALTERED, "This event is not at", "check-proof", "three.tlog-proof", "other.json", *of_key(KEY)),
        (KEY_UNKNOWN, "by no key that is known", "check-proof", "three.tlog-proof", "three.json", *of_key(STRANGER)),
        (ANOTHER_LOG, "of another.log", "check-proof", "three.tlog-proof", "three.json", *of_key(ANOTHER)),
    ):
        await commands.refused(status, said, *arguments)

    assert await commands.run("prove-consistency", "4", "10", "--out", "goes-on") == (0, "")
    status, said = await commands.run("check-proof", "goes-on", "first", *of_key(KEY))
    assert (status, "begins with what was signed for 4" in said) == (VERIFIED, True), said
    (folder / "forked").write_text(first.replace("\n4\n", "\n5\n"))
    for status, said, *arguments in (
        (BEYOND, "Size 13 lies outside", "prove-consistency", "4", "13"),
        (BEYOND, "Size 0 lies outside", "prove-consistency", "0", "10"),
        (USAGE, "name the older one first", "prove-consistency", "10", "4"),
        (UNPROVEN, "No checkpoint is of size 9", "prove-consistency", "4", "9"),
        (ALTERED, "its signature does not fit", "check-proof", "goes-on", "forked", *of_key(KEY)),
        (USAGE, "no signed checkpoint", "check-proof", "goes-on", "three.json", *of_key(KEY)),
    ):
        await commands.refused(status, said, *arguments)


async def test_tiles_are_written_and_gone_on_with(
    log: SignedLedger, commands: Commands, postgres: PostgresServer, fresh_database: str
) -> None:
    await log.grow(300)
    await log.sign()
    status, said = await commands.run("tiles", "tiles")
    assert (status, "goes from size 0 to 300 now: 3 tiles" in " ".join(said.split())) == (0, True), said
    await log.grow(300)
    await log.sign()
    status, said = await commands.run("tiles", "tiles")
    assert (status, "goes from size 300 to 601 now: 3 tiles" in " ".join(said.split())) == (0, True), said
    await commands.refused(0, "nothing was to be written", "tiles", "tiles")
    (commands.folder / "mine").mkdir()
    (commands.folder / "mine" / "letter.txt").write_text("mine")
    await commands.refused(USAGE, "holds something else", "tiles", "mine")
    await log.grow(1)
    await log.sign()
    owner = await asyncpg.connect(postgres.dsn(fresh_database))
    await owner.execute("truncate notary.tile; update notary.tree set size = 0")  # as after a restore
    await owner.close()
    await commands.refused(UNREAD, "The tree has fewer leaves than were signed", "tiles", "tiles")
    await commands.refused(UNREAD, "The tree has fewer leaves than were signed", "prove", "1")


async def test_a_checkpoint_that_was_altered_in_the_ledger_is_named_by_its_position(
    log: SignedLedger, commands: Commands, postgres: PostgresServer, fresh_database: str
) -> None:
    await log.grow(4)
    await log.sign()
    owner = await asyncpg.connect(postgres.dsn(fresh_database))
    await owner.execute("set session_replication_role = replica")
    await owner.execute(
        "update ledger.event set body = convert_to(replace(convert_from(body, 'UTF8'), '\"size\":4', '\"size\":3'),"
        " 'UTF8') where position = 5"
    )
    await owner.close()
    for arguments in (("prove", "1"), ("prove", "1", "--size", "4"), ("prove-consistency", "1", "4"), ("tiles", "t")):
        await commands.refused(ALTERED, "Position 5 records as a checkpoint what is none", *arguments)


async def test_what_cannot_be_written_is_told_and_what_was_there_stays(log: SignedLedger, commands: Commands) -> None:
    folder = commands.folder
    await log.grow(300)
    await log.sign()
    assert (await commands.run("tiles", "tiles"))[0] == 0
    held = {path: path.read_bytes() for path in (folder / "tiles").rglob("*") if path.is_file()}
    await log.grow(300)
    await log.sign()
    for room in (0, 1_000, 8_000):  # the first tile is of 8,192 bytes
        with no_file_beyond(room):
            await commands.refused(1, "cannot be written (File too large)", "tiles", "tiles")
        now = {path: path.read_bytes() for path in (folder / "tiles").rglob("*") if path.is_file()}
        assert now.items() >= held.items()
        assert not [path for path in now if path.name.endswith(".new")]
    assert (await commands.run("tiles", "tiles"))[0] == 0
    await ForeignReader(from_folder(folder / "tiles"), KEY.vkey).leaves(601)
    (folder / "taken" / "tile").mkdir(parents=True)
    (folder / "taken" / "tile" / "0").touch()
    await commands.refused(1, "tile/0/000 cannot be written", "tiles", "taken")
    (folder / "file").write_text("mine")
    await commands.refused(USAGE, "file is no folder", "tiles", "file")
    await commands.refused(USAGE, "is no folder", "tiles", "file/below")

    (folder / "out").write_text("before")
    with no_file_beyond(100):
        await commands.refused(1, "out cannot be written (File too large)", "prove", "1", "--out", "out")
        await commands.refused(1, "out cannot be written", "prove", "1", "--event", "out")
        await commands.refused(1, "out cannot be written", "prove-consistency", "300", "601", "--out", "out")
    assert (folder / "out").read_text() == "before"
    await commands.refused(1, "none/out cannot be written", "prove", "1", "--out", "none/out")
    await commands.refused(1, "tiles cannot be written (Is a directory)", "prove", "1", "--out", "tiles")
    await commands.refused(0, "", "prove", "1", "--out", "/dev/null")
    assert not [path for path in folder.iterdir() if path.name.endswith(".new")]


async def test_who_waits_for_another_to_write_tiles_writes_what_was_signed_meanwhile(
    log: SignedLedger, tmp_path: Path
) -> None:
    await log.grow(400)
    await log.sign()
    with alone_in(tmp_path):
        waiting = asyncio.create_task(write_tiles(tmp_path, log.proving))
        await log.grow(400)
        await log.sign()
        assert not (tmp_path / "checkpoint").exists()
    assert (await waiting).size == 801
    await ForeignReader(from_folder(tmp_path), KEY.vkey).leaves(801)


async def test_a_bundle_tells_which_event_was_changed_in_the_ledger_by_the_leaves_of_the_tree(
    log: SignedLedger, commands: Commands, postgres: PostgresServer, fresh_database: str
) -> None:
    await log.grow(300)
    await log.sign()
    owner = await asyncpg.connect(postgres.dsn(fresh_database))
    await owner.execute("set session_replication_role = replica")
    later = "update ledger.event set recorded_at = recorded_at + interval '1 microsecond' where position = 201"
    await owner.execute(later)
    assert (await commands.run("bundle", "bundle.zip", *of_key(KEY)))[0] == 0
    with pytest.raises(Verdict, match="Position 201 is the first bad one"):
        verify(commands.folder / "bundle.zip", keys_said([KEY.vkey]), [], None)
    await owner.execute("truncate notary.tile; update notary.tree set size = 0")  # as after a restore
    await owner.close()
    assert (await commands.run("bundle", "bundle.zip", *of_key(KEY)))[0] == 0
    with pytest.raises(Verdict, match="Position 202 is the first where it shows"):
        verify(commands.folder / "bundle.zip", keys_said([KEY.vkey]), [], None)
