"""The signed tree as files that any web server can serve: tiles and checkpoint in the layout of C2SP tlog-tiles."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from services.local.folder import alone_in, unwritten, write_whole
from services.notary.proving import Proving
from services.tlog.offline.verify import ALTERED, ANOTHER_LOG, USAGE, Checkpoint, Verdict, read_checkpoints
from services.tlog.tiles import WIDTH, edge, path_of, tiles_of, width_of

CHECKPOINT = "checkpoint"
DRAFT = re.compile(r"\.checkpoint\..*new")

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
    TreeBehind; Verdict where the folder holds something else, another log, or what this log does not continue;
    FolderUnusable where it cannot be written: it holds the checkpoint that it held.
    """
    await proving.signed.newest()
    with ExitStack() as alone:
        await asyncio.to_thread(_enter, folder, alone)
        return await _bring_up(folder, proving, progress)


def _enter(folder: Path, alone: ExitStack) -> None:
    """Make the folder, and wait until nobody else writes there: an older run would take back what a newer one wrote."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        alone.enter_context(alone_in(folder))
    except (FileExistsError, NotADirectoryError):
        raise Verdict(USAGE, f"{folder} is no folder: name one that is empty or not there.") from None
    except OSError as error:
        raise unwritten(folder, error) from error


async def _bring_up(folder: Path, proving: Proving, progress: Progress) -> Written:
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
        _refuse_something_else(folder)
        return None
    except (OSError, ValueError) as error:
        raise Verdict(USAGE, f"{folder / CHECKPOINT} cannot be read: {error}.") from None
    found = read_checkpoints(text, str(folder / CHECKPOINT), USAGE)
    if len(found) != 1:
        raise Verdict(USAGE, f"{folder / CHECKPOINT} holds {len(found)} checkpoints: expected one.")
    return found[0]


def _refuse_something_else(folder: Path) -> None:
    """Raises Verdict for a folder without a checkpoint that holds more than a first run that was ended leaves."""
    try:
        if folder.exists() and any(one.name != "tile" and not DRAFT.fullmatch(one.name) for one in folder.iterdir()):
            raise Verdict(USAGE, f"{folder} holds something else: name a folder that is empty or not there.")
    except OSError as error:
        raise Verdict(USAGE, f"{folder} cannot be read: {error}.") from None


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
    """In one step, so that nobody reads half; raises FolderUnusable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritten(path, error) from error
    write_whole(path, content)
