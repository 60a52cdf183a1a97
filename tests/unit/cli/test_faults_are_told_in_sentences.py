"""What a person typed wrong, or a database that is away, is told in sentences and never with a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from services.settings import Settings, child_environment
from tests.support.levels import FIRST_RULES

NOBODY = "postgresql://somebody@127.0.0.1:1/nowhere"


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = child_environment(Settings(data_folder=folder)) | {
        f"INTABAZA_{role}_DSN": NOBODY for role in ("POSTGRES", "APP", "VAULT", "PROJECTOR", "NOTIFIER")
    }
    environment["INTABAZA_KAFKA_BOOTSTRAP"] = "127.0.0.1:1"
    return subprocess.run(
        [sys.executable, "-m", "services.cli", *words], env=environment, capture_output=True, text=True, timeout=300
    )


def test_a_rule_set_with_faults_is_refused_by_line_before_anything_is_done(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(FIRST_RULES.replace("points = 40000", "points = -1"))
    answer = command(tmp_path, "begin", "--rules", str(rules), "--simulated-from", "2015-04-26")
    assert answer.returncode == 1
    assert "line 27, key kinds.violence.points: expected a whole number of at least 0" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("words", [("list",), ("resume", "case_board", "case/1")])
def test_parked_keys_of_a_database_that_is_away(tmp_path: Path, words: tuple[str, ...]) -> None:
    answer = command(tmp_path, "parked", *words)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("The database did not answer (ConnectionRefusedError): see `intabaza status`.")
