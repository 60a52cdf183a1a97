"""The notary of a real stack: however often it is killed, what it signs verifies; altered history halts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import asyncpg
import orjson
import pytest

from services import clock
from services.ledger.ledger import Recorded
from services.ledger.postgres import PostgresLedger
from services.notary.checkpoint import STREAM, Checkpoint
from services.notary.keys import LogKeys
from services.tlog.notes import Note, NoteRefused
from services.tlog.offline.verify import verify
from services.witness.folder import Folder
from tests.support.ledgers import an_alert
from tests.support.stack import Stack, a_stack, wait_for

KILLS = 3
"""With the one of another test fewer than whoever is given up has deaths."""
SIGNED = re.compile(r"signed +up to position (\d+)")


@pytest.fixture(scope="module")
def witnesses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that names those who are asked; nobody yet."""
    file = tmp_path_factory.mktemp("asked") / "witnesses.txt"
    file.touch()
    return file


@pytest.fixture(scope="module")
def stack(witnesses: Path) -> Iterator[Stack]:
    rhythm = {"INTABAZA_NOTARIES": "1", "INTABAZA_NOTARY_SECONDS": "0.2", "INTABAZA_PROCESSORS": "0"}
    with a_stack(INTABAZA_NOTARY_WITNESSES_FILE=str(witnesses), **rhythm) as running:
        running.up()
        yield running


async def append(stack: Stack, name: str, count: int) -> int:
    """Append alerts; the position of the last, behind which there may be a checkpoint or a tick already."""
    ledger = await PostgresLedger.connect(stack.addresses.app_dsn, clock.now)
    try:
        told = [await ledger.append(an_alert(f"{name}-{number}")) for number in range(count)]
        return told[-1].placed[-1].position
    finally:
        await ledger.close()


async def recorded(stack: Stack) -> list[Recorded]:
    """The checkpoints as they stand in the ledger."""
    ledger = await PostgresLedger.connect(stack.addresses.app_dsn, clock.now)
    try:
        return list(await ledger.read_stream(STREAM))
    finally:
        await ledger.close()


async def checkpoints(stack: Stack) -> list[Checkpoint]:
    return [Checkpoint.recorded(row.body, row.position) for row in await recorded(stack)]


@contextmanager
def a_witness(folder: Path) -> Iterator[str]:
    """A process that cosigns, as its organisation runs it; its address."""
    command = [
        sys.executable, "-m", "services.cli", "witness", "serve", "--folder", str(folder), "--listen", "127.0.0.1:0"
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().removeprefix("The witness answers at ").strip()
        finally:
            process.terminate()


@contextmanager
def frozen(process: int) -> Iterator[None]:
    """A process does nothing meanwhile."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def name_in(file: Path, text: str) -> None:
    file.write_text(text)


def said_by_the_notary(stack: Stack) -> str:
    return (stack.folder / "logs" / "notary.log").read_text()


def wait_until_signed(stack: Stack, size: int) -> None:
    def is_signed() -> bool:
        found = SIGNED.search(stack.command("notary", "status").stdout)
        return found is not None and int(found[1]) >= size

    wait_for(is_signed, 60)


async def test_what_it_signs_leads_from_one_to_the_next_however_often_it_is_killed(stack: Stack) -> None:
    chance = Random(20261127)
    for turn in range(KILLS):
        size = await append(stack, f"killed-{turn}", chance.randrange(1, 60))
        with suppress(ProcessLookupError, KeyError):
            os.kill(stack.pid("notary"), signal.SIGKILL)
        wait_until_signed(stack, size)
    signed = await checkpoints(stack)
    sizes = [one.size for one in signed]
    assert sizes == sorted(set(sizes))
    assert len(signed) >= KILLS
    verified = stack.command("audit", "verify")
    assert verified.returncode == 0, verified.stderr
    led_to = re.search(r"the roots of (\d+) checkpoints", verified.stdout)
    assert led_to is not None, verified.stdout
    assert len(signed) <= int(led_to[1]) <= len(await checkpoints(stack))  # an hour may end, and is signed
    assert "not checked" not in verified.stdout


async def test_its_own_checkpoints_are_nothing_new_to_whoever_leads_next(stack: Stack) -> None:
    wait_until_signed(stack, await append(stack, "before", 1))
    before = len(await recorded(stack))
    leads = said_by_the_notary(stack).count("notary_leads")
    os.kill(stack.pid("notary"), signal.SIGKILL)
    # whoever leads signs at once what is new, and here the last checkpoint alone is not signed
    wait_for(lambda: said_by_the_notary(stack).count("notary_leads") > leads)
    wait_until_signed(stack, await append(stack, "after", 1))
    rows = await recorded(stack)
    assert len(rows) > before
    assert not {row.position for row in rows} & {one.size for one in await checkpoints(stack)}


async def test_a_witness_of_another_organisation_cosigns_and_that_is_shown(
    stack: Stack, witnesses: Path, tmp_path: Path
) -> None:
    size = await append(stack, "witnessed", 1)
    wait_until_signed(stack, size)
    folder, origin = Folder(tmp_path / "w"), (await checkpoints(stack))[-1].note.partition("\n")[0]
    folder.make("witness.example.org/w1")
    for one in LogKeys.read(stack.settings.log_keys).verifiers(origin):
        folder.trust(one)
    with a_witness(folder.path) as address:
        name_in(witnesses, f"{address} {folder.verifier()}\n")
        assert stack.command("restart", "notary").returncode == 0
        wait_for(lambda: "checkpoint_cosigned" in said_by_the_notary(stack), 60)

        def is_shown() -> bool:  # of the newest: where an hour ended just now, that one is cosigned soon
            status = stack.command("notary", "status").stdout
            assert re.search(r"witness\.example\.org/w1 +up to position \d+, ", status)
            note = status.partition("\n\n")[2].partition("\n\n witness")[0]
            with suppress(NoteRefused):
                return bool(Note.parse(f"{note}\n").signed_by([folder.verifier()]))
            return False

        wait_for(is_shown)
    verified = stack.command("audit", "verify", "--witness", str(folder.verifier()))
    assert (verified.returncode, "witnessed by witness.example.org/w1 up to position" in verified.stdout) == (0, True)
    bundle = tmp_path / "bundle.zip"
    assert stack.command("audit", "bundle", str(bundle)).returncode == 0
    assert "witnessed by witness.example.org/w1" in verify(bundle, [], [], None)


async def test_two_keys_sign_once_and_then_the_new_one_alone(stack: Stack) -> None:
    wait_until_signed(stack, await append(stack, "old-key", 1))
    (old,) = stack.command("log-keys", "list").stdout.split()
    with frozen(stack.pid("notary")):  # or an hour that ends just now is signed by both
        new = stack.command("log-keys", "add").stdout.strip()
        assert stack.command("audit", "verify").returncode == 0  # before the new key has signed, too
        refused = stack.command("log-keys", "retire", old)
    assert refused.returncode == 1
    assert "signed nothing yet" in refused.stderr
    for name in ("both", "new-key"):
        wait_until_signed(stack, await append(stack, name, 1))
    origin = old.split("+")[0]
    verifiers = LogKeys.read(stack.settings.log_keys).verifiers(origin)
    assert [str(one) for one in verifiers] == [old, new]
    by = [Note.parse(one.note).signed_by(verifiers) for one in await checkpoints(stack)]
    numbers = [[verifiers.index(one) for one in signed] for signed in by]
    introduced = numbers.index([0, 1])
    assert numbers == [[0]] * introduced + [[0, 1]] + [[1]] * (len(numbers) - introduced - 1)
    assert stack.command("log-keys", "retire", old).returncode == 0
    held = orjson.loads(stack.settings.log_keys.read_bytes())["keys"]
    assert ["private" in one for one in held] == [False, True]
    wait_until_signed(stack, await append(stack, "after-it-was-retired", 1))
    assert stack.command("audit", "verify").returncode == 0


async def test_what_a_superuser_changes_is_named_and_a_tree_made_anew_is_signed_no_more(stack: Stack) -> None:
    size = await append(stack, "altered", 3)
    wait_until_signed(stack, size)
    signed = await checkpoints(stack)
    owner = await asyncpg.connect(stack.addresses.owner_dsn)
    try:
        await owner.execute("alter table ledger.event disable trigger user")
        body = await owner.fetchval("select body from ledger.event where position = $1", size)
        other = body.replace(b"altered-2", b"altered-3")
        assert other != body
        await owner.execute("update ledger.event set body = $2 where position = $1", size, other)
        await owner.execute("delete from notary.tile")
    finally:
        await owner.close()
    assert stack.command("restart", "notary").returncode == 0

    def halts() -> bool:
        said = stack.command("notary", "status")
        return said.returncode == 1 and "has another root than the ledger's first" in said.stderr

    wait_for(halts, 60)
    await append(stack, "after-that", 1)
    assert [one.size for one in await checkpoints(stack)] == [one.size for one in signed]
    verified = stack.command("audit", "verify")
    assert verified.returncode == 3
    assert f"osition {size}" in verified.stderr
