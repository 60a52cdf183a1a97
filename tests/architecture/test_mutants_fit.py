"""A seeded bug whose patch no longer fits proves nothing: said with the fast tests, by whoever changed its lines."""

from __future__ import annotations

from pathlib import Path

from tests.faults.mutants.trial import copy_with, every

FEWEST = 16


def test_every_patch_fits_what_the_project_has_become(tmp_path: Path) -> None:
    assert len(every()) >= FEWEST
    for mutant in every():
        folder = tmp_path / mutant.name
        folder.mkdir()
        copy_with(mutant.patch, folder)
