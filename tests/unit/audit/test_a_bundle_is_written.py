"""A bundle holds the ledger's bytes, what was signed of them and what verifies them, or it is not there at all."""

from __future__ import annotations

import inspect
import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from services import clock
from services.audit import bundle, zipping
from services.audit.bundle import from_ledger
from services.audit.zipping import Zip
from services.ledger.memory import MemoryLedger
from services.local.problems import FolderUnusable
from services.tlog.offline import verify as verifier
from services.tlog.offline.verify import ALTERED, BEYOND, USAGE, Verdict, keys_said, verify
from tests.support.checkpoints import checkpoint, wires_of
from tests.support.disks import no_file_beyond
from tests.support.ledgers import note
from tests.support.signed_logs import ORIGIN, LogKey, leaf
from tests.support.signed_logs import note as signed

KEY = LogKey("one")


def inside(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@pytest.fixture
async def ledger() -> MemoryLedger:
    """Two times twenty events and a checkpoint of them."""
    made = MemoryLedger(witness=clock.now, own_clock=clock.now)
    for _ in range(2):
        for _ in range(20):
            await made.append(note(text="Hari umwuka mubi ku isoko."))
        await checkpoint(made, KEY)
    return made


async def test_what_is_in_the_ledger_is_in_the_bundle_and_verifies(ledger: MemoryLedger, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    packed = await from_ledger(ledger, path, [KEY.vkey])
    assert (packed.origin, packed.size, packed.checkpoints) == (ORIGIN, 42, 2)
    with zipfile.ZipFile(path) as opened:
        assert opened.read("events/000001.jsonl").splitlines() == await wires_of(ledger)
        assert json.loads(opened.read("manifest.json"))["size"] == 42
        assert {"verify.py", "README.txt"} <= set(opened.namelist())
        shipped = opened.read("verify.py")
    assert shipped == inspect.getsource(verifier).encode()
    assert "positions 1 to 41" in verify(path, keys_said([KEY.vkey]), [], None)


async def test_cosignatures_stand_behind_the_checkpoint_of_their_size(ledger: MemoryLedger, tmp_path: Path) -> None:
    path, witness = tmp_path / "bundle.zip", LogKey("witness", "witness.example/w", 4)
    line = witness.line(signed(await wires_of(ledger), 41).partition("\n\n")[0] + "\n")
    await from_ledger(ledger, path, [KEY.vkey, witness.vkey], cosigned={41: line, 17: "of none"})
    with zipfile.ZipFile(path) as opened:
        assert opened.read("checkpoints.txt").decode().endswith(line)
        assert b"of none" not in opened.read("checkpoints.txt")
    assert "witnessed by witness.example/w" in verify(path, [], [], None)


async def test_a_log_that_was_signed_for_years_has_its_checkpoints_in_several_files(
    ledger: MemoryLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "NOTES_EACH", 1)
    await checkpoint(ledger, KEY)
    path = tmp_path / "bundle.zip"
    await from_ledger(ledger, path, [KEY.vkey])
    with zipfile.ZipFile(path) as opened:
        files = [name for name in opened.namelist() if name.startswith("checkpoints")]
        assert files == ["checkpoints.txt", "checkpoints/000002.txt", "checkpoints/000003.txt"]
        opened.extractall(tmp_path / "folder")
    assert "are what was signed, at 3 checkpoints" in verify(path, keys_said([KEY.vkey]), [], None)
    (tmp_path / "folder" / "checkpoints" / "000003.txt").write_bytes(b"")
    with pytest.raises(Verdict, match=r"000003\.txt is not what the manifest says"):
        verify(tmp_path / "folder", keys_said([KEY.vkey]), [], None)


@pytest.mark.parametrize("tiles_each", [1, 2, 1_000])
async def test_the_leaves_that_were_signed_tell_which_event_was_changed_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiles_each: int
) -> None:
    monkeypatch.setattr(bundle, "TILES_EACH", tiles_each)
    ledger, path = MemoryLedger(witness=clock.now, own_clock=clock.now), tmp_path / "bundle.zip"
    for _ in range(3):
        await ledger.append(note(count=199))
        await checkpoint(ledger, KEY)
    wires = await wires_of(ledger)

    async def tile(number: int, width: int) -> bytes | None:
        return b"".join(map(leaf, wires[256 * number : 256 * number + width]))

    await from_ledger(ledger, path, [KEY.vkey], leaves=tile)
    with zipfile.ZipFile(path) as opened:
        leaves = [opened.read(name) for name in sorted(opened.namelist()) if name.startswith("leaves/")]
    assert (len(leaves), b"".join(leaves)) == (-(-3 // tiles_each), b"".join(map(leaf, wires[:599])))
    assert verify(path, keys_said([KEY.vkey]), [], None).startswith("Verified: positions 1 to 599")

    read = ledger.read

    async def altered(after: int, limit: int = 1000) -> object:
        rows = await read(after, limit)
        return [replace(row, body=row.body.replace(b"1", b"2")) if row.position == 301 else row for row in rows]

    monkeypatch.setattr(ledger, "read", altered)
    await from_ledger(ledger, path, [KEY.vkey], leaves=tile)
    with pytest.raises(Verdict, match="Position 301 is the first bad one"):
        verify(path, keys_said([KEY.vkey]), [], None)


async def test_a_tree_that_is_being_built_anew_gives_no_leaves(ledger: MemoryLedger, tmp_path: Path) -> None:
    async def tile(number: int, width: int) -> bytes | None:
        return None

    await from_ledger(ledger, tmp_path / "bundle.zip", [KEY.vkey], leaves=tile)
    assert verify(tmp_path / "bundle.zip", keys_said([KEY.vkey]), [], None).startswith("Verified")


async def test_a_bundle_up_to_a_position_holds_the_checkpoints_up_to_there(
    ledger: MemoryLedger, tmp_path: Path
) -> None:
    path = tmp_path / "bundle.zip"
    packed = await from_ledger(ledger, path, [KEY.vkey], to=30)
    assert (packed.size, packed.checkpoints) == (30, 1)
    assert "positions 21 to 30 fit, and no checkpoint covers them" in verify(path, [], [], None)
    await from_ledger(ledger, tmp_path / "next.zip", [KEY.vkey], to=21)
    assert "; position 21 fits, and no checkpoint covers it yet" in verify(tmp_path / "next.zip", [], [], None)


@pytest.mark.parametrize(("lines", "size"), [(1, 10**9), (7, 10**9), (10**9, 1), (10**9, 3_000)])
async def test_files_of_events_end_before_they_are_large(
    ledger: MemoryLedger, tmp_path: Path, lines: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipping, "LINES_EACH", lines)
    monkeypatch.setattr(zipping, "BYTES_EACH", size)
    path = tmp_path / "bundle.zip"
    await from_ledger(ledger, path)
    with zipfile.ZipFile(path) as opened:
        parts = sorted(name for name in opened.namelist() if name.startswith("events/"))
        assert len(parts) > 3
        assert b"".join(map(opened.read, parts)).splitlines() == await wires_of(ledger)
    assert verify(path, keys_said([KEY.vkey]), [], None).startswith("Verified")


@pytest.mark.parametrize("to", [0, -1, 43])
async def test_a_position_beyond_the_ledger_makes_no_bundle(ledger: MemoryLedger, tmp_path: Path, to: int) -> None:
    with pytest.raises(Verdict, match="which holds positions 1 to 42") as told:
        await from_ledger(ledger, tmp_path / "bundle.zip", to=to)
    assert told.value.status == BEYOND
    assert inside(tmp_path) == []


async def test_a_ledger_that_lacks_a_position_makes_no_bundle(
    ledger: MemoryLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = ledger.read

    async def lacking(after: int, limit: int = 1000) -> object:
        return [row for row in await read(after, limit) if row.position != 17]

    monkeypatch.setattr(ledger, "read", lacking)
    with pytest.raises(Verdict, match="Position 17 is missing in the ledger") as told:
        await from_ledger(ledger, tmp_path / "bundle.zip")
    assert told.value.status == ALTERED
    assert inside(tmp_path) == []


async def test_a_place_that_cannot_be_written_is_told(ledger: MemoryLedger, tmp_path: Path) -> None:
    with pytest.raises(FolderUnusable, match="choose another place"):
        await from_ledger(ledger, tmp_path / "absent" / "bundle.zip")


async def test_a_folder_is_not_written_over(ledger: MemoryLedger, tmp_path: Path) -> None:
    with pytest.raises(FolderUnusable, match="is a folder: name the file"):
        await from_ledger(ledger, tmp_path)
    assert inside(tmp_path) == []


async def test_a_device_is_not_put_out_of_its_place(ledger: MemoryLedger, tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    with pytest.raises(FolderUnusable, match="pipe is no file, but a device or a pipe"):
        await from_ledger(ledger, pipe)
    assert (pipe.is_fifo(), inside(tmp_path)) == (True, [pipe])


@pytest.mark.parametrize("room", [0, 100, 4_000, 9_000, 12_000])
async def test_a_disk_that_fills_leaves_the_older_bundle_and_nothing_else(
    ledger: MemoryLedger, tmp_path: Path, room: int
) -> None:
    path = tmp_path / "bundle.zip"
    await from_ledger(ledger, path)
    before = path.read_bytes()
    assert len(before) > room
    with pytest.raises(FolderUnusable, match=r"bundle\.zip cannot be written \(File too large\)"), no_file_beyond(room):
        await from_ledger(ledger, path)
    assert (inside(tmp_path), path.read_bytes()) == ([path], before)


@pytest.mark.parametrize("room", [0, 3_000, 9_000])
def test_files_beside_a_zip_and_those_without_a_name_fill_a_disk_too(tmp_path: Path, room: int) -> None:
    for path in (tmp_path / "pack.zip", None):
        with pytest.raises(FolderUnusable, match="File too large"), no_file_beyond(room):
            _write_beside(path)
    assert inside(tmp_path) == []


def _write_beside(path: Path | None) -> None:
    with Zip(path) as zipped:
        beside, unnamed = zipped.beside("chains/one.txt"), zipped.unnamed("texts/one.txt")
        for _ in range(2_000):
            beside.write(b"line\n")
            unnamed.write(os.urandom(3) + b"line\n")
        beside.close()
        unnamed.close()
        zipped.add_beside()
        zipped.finish(b"{}")


@pytest.mark.parametrize(
    ("was", "now"),
    [(b'"note":', b'"nota":'), (b'"note":"', b'"note":"\\u001b\\n\\n'), (b'"data":{', b'"data":[],"was":{')],
)
async def test_an_event_that_records_no_checkpoint_makes_no_bundle(
    ledger: MemoryLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, was: bytes, now: bytes
) -> None:
    read = ledger.read

    async def altered(after: int, limit: int = 1000) -> object:
        return [
            replace(row, body=row.body.replace(was, now)) if row.position == 21 else row
            for row in await read(after, limit)
        ]

    monkeypatch.setattr(ledger, "read", altered)
    with pytest.raises(Verdict, match="Position 21 records what is no checkpoint") as told:
        await from_ledger(ledger, tmp_path / "bundle.zip")
    assert (told.value.status, inside(tmp_path)) == (ALTERED, [])


async def test_an_older_bundle_stays_until_the_new_one_is_whole(ledger: MemoryLedger, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    await from_ledger(ledger, path)
    before = path.read_bytes()
    with pytest.raises(Verdict):
        await from_ledger(ledger, path, to=99)
    assert path.read_bytes() == before
    assert inside(tmp_path) == [path]


def test_what_is_no_key_is_told() -> None:
    with pytest.raises(Verdict) as told:
        keys_said(["nothing of the kind"])
    assert told.value.status == USAGE
