"""On a stack as `intabaza up` runs it: history is verified, packed, and verified again by the file in the bundle."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.support.stack import Stack, a_stack

NOT_SIGNED_YET = 8
ALTERED, BEYOND = 3, 7


@pytest.fixture(scope="module")
def empty() -> Iterator[Stack]:
    with a_stack(INTABAZA_PARTITIONS="3") as running:
        running.up()
        yield running


@pytest.fixture(scope="module")
def stack(empty: Stack) -> Stack:
    """One with a log."""
    begun = empty.command("begin")
    assert begun.returncode == 0, begun.stderr
    return empty


def test_a_log_that_is_empty_is_called_so_and_not_verified(empty: Stack, tmp_path: Path) -> None:
    answer = empty.command("audit", "verify")
    assert (answer.returncode, answer.stdout) == (NOT_SIGNED_YET, "")
    assert "The log is empty, so nothing was verified" in answer.stderr
    for source in ("ledger", "kafka"):
        packed = empty.command("audit", "bundle", str(tmp_path / "bundle.zip"), "--from", source)
        assert (packed.returncode, packed.stdout) == (NOT_SIGNED_YET, "")
        assert "No bundle was made." in packed.stderr
    assert not (tmp_path / "bundle.zip").exists()


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


async def test_a_ledger_that_was_emptied_is_altered_and_no_log_that_is_still_to_be_begun(stack: Stack) -> None:
    """Its name and so its keys went with its first event; what is on Kafka says what is missing. The last test here."""
    owner = await asyncpg.connect(stack.addresses.owner_dsn)
    await owner.execute("set session_replication_role = replica; truncate ledger.event cascade")
    await owner.close()
    answer = await asyncio.to_thread(stack.command, "audit", "verify")
    assert (answer.returncode, answer.stdout) == (ALTERED, "")
    assert "Position 1 is the first bad one: " in answer.stderr
    assert "and the ledger ends at 0" in answer.stderr
