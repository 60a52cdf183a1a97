"""A witness that is killed between any two steps to its disk has cosigned nothing that it does not know afterwards."""

from __future__ import annotations

from pathlib import Path

from services.tlog.offline.verify import USAGE, read_checkpoints
from services.witness.refused import Refused
from services.witness.witness import Witness
from tests.support.witnessing import NOON, TrialLog, cosign_elsewhere, entries, is_cosigned, new_folder

DISK_STEPS = 8
"""Write, sync, replace, sync the folder: of the state, then of the mark."""

HONEST, FORK = TrialLog(entries(16)), TrialLog(entries(7) + entries(9, "another end"))


def test_killed_at_any_step_it_has_cosigned_nothing_that_it_does_not_know(tmp_path: Path) -> None:
    for step in range(1, DISK_STEPS + 2):
        folder = new_folder(tmp_path / str(step))
        with Witness.opened(folder) as witness:
            witness.add(HONEST.request(0, 8), NOON)
        stopped, cosigned = cosign_elsewhere(folder, HONEST.request(8, 12), step)
        assert (stopped == "") == (step > DISK_STEPS), "every step to the disk is tried, and the end"
        text = HONEST.note(12).split("\n\n")[0] + "\n"
        assert not cosigned or is_cosigned(folder, text, cosigned)
        known = folder.state().logs[HONEST.key.name].head.size
        assert known == 12 if cosigned else known in (8, 12)
        with Witness.opened(folder) as witness:
            for size in (8, 12, 13):
                for old in {8, 12} & set(range(size + 1)):
                    try:
                        witness.add(FORK.request(old, size), NOON)
                    except Refused:
                        continue
                    raise AssertionError(f"killed at {stopped or 'the end'} it cosigned the other history")
            assert witness.add(HONEST.request(known, 13), NOON)
        assert [one.size for one in read_checkpoints(folder.state().logs[HONEST.key.name].note, "", USAGE)] == [13]
