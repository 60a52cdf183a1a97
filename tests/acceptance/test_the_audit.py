"""On a stack as `intabaza up` runs it: history is verified, packed, and verified again by the file in the bundle."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stack import Stack, a_stack

NOT_SIGNED_YET = 8
BEYOND, USAGE = 7, 2


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with a_stack(INTABAZA_PARTITIONS="3") as running:
        running.up()
        begun = running.command("begin")
        assert begun.returncode == 0, begun.stderr
        yield running


def test_history_is_verified_on_the_stack(stack: Stack) -> None:
    answer = stack.command("audit", "verify")
    assert answer.returncode == 0, answer.stderr
    assert "are the same bytes in the ledger and on Kafka" in answer.stdout
    assert "positions a second" in answer.stderr
    alone = stack.command("audit", "verify", "--kafka-only")
    assert alone.returncode in (0, NOT_SIGNED_YET), alone.stderr


@pytest.mark.parametrize("source", ["ledger", "kafka"])
def test_a_bundle_verifies_itself_where_nothing_of_ours_is(stack: Stack, tmp_path: Path, source: str) -> None:
    packed = stack.command("audit", "bundle", str(tmp_path / "bundle.zip"), "--from", source)
    assert packed.returncode == 0, packed.stderr
    assert "holds positions 1 to " in packed.stdout
    with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
        bundle.extractall(tmp_path / "unpacked")
    run = [sys.executable, "-I", str(tmp_path / "unpacked" / "verify.py"), str(tmp_path / "unpacked")]
    verified = subprocess.run(run, capture_output=True, text=True, check=False)
    assert verified.returncode in (0, NOT_SIGNED_YET), verified.stdout
    beyond = stack.command("audit", "bundle", str(tmp_path / "beyond.zip"), "--from", source, "--to", "1000000")
    assert (beyond.returncode, "lies beyond" in beyond.stderr) == (BEYOND, True)
    assert not (tmp_path / "beyond.zip").exists()
