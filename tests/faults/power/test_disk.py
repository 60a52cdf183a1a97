"""The method itself: without it holding, the other trials here would prove nothing."""

from __future__ import annotations

import os

from tests.faults.power.disk import Disk


def test_after_a_cut_what_was_synced_is_there_and_what_was_only_written_is_not(disk: Disk) -> None:
    (disk.folder / "before").write_text("before")
    disk.sync()
    with (disk.folder / "synced").open("w") as synced:
        synced.write("synced")
        synced.flush()
        os.fsync(synced.fileno())
    (disk.folder / "written").write_text("written")
    with (disk.folder / "before").open("a") as before:
        before.write(" and after")
    disk.cut()
    assert (disk.folder / "synced").read_text() == "synced"
    assert (disk.folder / "before").read_text() == "before"
    assert not (disk.folder / "written").exists() or (disk.folder / "written").read_text() != "written"
