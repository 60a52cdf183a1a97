"""The signed tree as files that any web server can serve: tiles and checkpoint in the layout of C2SP tlog-tiles."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.audit.offline.verify import ALTERED, ANOTHER_LOG, USAGE, Checkpoint, Verdict, read_checkpoints
from services.audit.tiles import WIDTH, edge, path_of, tiles_of, width_of
from services.notary.proving import Proving

CHECKPOINT = "checkpoint"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Written:
    """What a folder holds now, and what was written for that: sizes of the checkpoints before and now, and tiles."""

    before: int
    size: int
    tiles: int


async def write_tiles(folder: Path, proving: Proving, progress: Progress = lambda done, of: None) -> Written:
    """Bring a folder to the log's newest checkpoint, from the one that it holds.

    Whoever reads meanwhile finds every tile of the checkpoint that they see: it is replaced last. Raises NothingSigned,
    TreeBehind; Verdict where the folder holds something else, another log, or what this log does not continue.
    """
    signed = await proving.signed.newest()
    newest = signed.stated
    before = _held(folder)
    if before is not None:
        await _refuse_what_does_not_fit(before, newest, proving, folder)
    had = before.size if before else 0
    tiles = tiles_of(newest.size, had)
    for done, (place, width) in enumerate(tiles):
        tile = await proving.tile(place, width)
        assert tile is not None  # it is one of a size that was signed
        _write(folder / "tile" / path_of(place, width), tile)
        progress(done + 1, len(tiles))
    _write(folder / CHECKPOINT, signed.note.encode())
    for place in edge(had):
        if width_of(place, newest.size) == WIDTH:
            shutil.rmtree(folder / "tile" / f"{path_of(place)}.p", ignore_errors=True)
    return Written(had, newest.size, len(tiles))


def _held(folder: Path) -> Checkpoint | None:
    """The checkpoint that a folder holds; raises Verdict where it holds something else."""
    try:
        text = (folder / CHECKPOINT).read_text("utf-8")
    except FileNotFoundError:
        begun = {"tile", _new(Path(CHECKPOINT)).name}  # what a first run that was ended leaves
        if folder.exists() and any(one.name not in begun for one in folder.iterdir()):
            raise Verdict(USAGE, f"{folder} holds something else: name a folder that is empty or not there.") from None
        return None
    except (OSError, ValueError) as error:
        raise Verdict(USAGE, f"{folder / CHECKPOINT} cannot be read: {error}.") from None
    found = read_checkpoints(text, str(folder / CHECKPOINT), USAGE)
    if len(found) != 1:
        raise Verdict(USAGE, f"{folder / CHECKPOINT} holds {len(found)} checkpoints: expected one.")
    return found[0]


async def _refuse_what_does_not_fit(before: Checkpoint, newest: Checkpoint, proving: Proving, folder: Path) -> None:
    if before.origin != newest.origin:
        raise Verdict(ANOTHER_LOG, f"{folder} holds tiles of {before.origin!r}, and this log is {newest.origin!r}.")
    if before.size > newest.size:
        raise Verdict(
            ALTERED,
            f"{folder} holds a checkpoint of size {before.size}, and the last one of this log is of size "
            f"{newest.size}: what was signed is missing.",
        )
    if before.root != await proving.root(before.size):
        raise Verdict(
            ALTERED,
            f"History was altered before position {before.size + 1}: the checkpoint in {folder} is of another one.",
        )


def _write(path: Path, content: bytes) -> None:
    """In one step, so that nobody reads half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = _new(path)
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _new(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")
