"""What goes on in a command goes on where whoever read of it has gone away."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from services.cli.drawing import Drawn


def test_a_pipe_whose_reader_is_gone_ends_nothing_and_the_log_says_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, writes = os.pipe()
    log = tmp_path / "supervisor.log"
    stderr = os.fdopen(writes, "w", buffering=1)
    monkeypatch.setattr(sys, "stderr", stderr)
    with Drawn(log=log) as drawn:
        drawn.say("Starting postgres.")
        os.close(reads)
        drawn.say("Ending relay.")
        drawn.advance("ending kafka", 0)
        drawn.say("Ending postgres.")
    with pytest.raises(BrokenPipeError):  # what it still holds nobody takes
        stderr.close()
    assert log.read_text().splitlines() == ["Starting postgres.", "Ending relay.", "Ending kafka.", "Ending postgres."]
