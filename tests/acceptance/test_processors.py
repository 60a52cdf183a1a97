"""What an operator does about a parked key on the real stack, and a processor that dies is brought back."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from subprocess import CompletedProcess
from uuid import UUID

import asyncpg
import pytest

from events.envelope import canonical, named_id
from services import clock
from services.ledger.ledger import Append, Entry, Submission
from services.ledger.postgres import PostgresLedger
from services.vault.connection import connect_vault
from services.vault.master import MasterKey
from services.vault.register import PersonRegister
from tests.support.stack import Stack, a_stack, wait_for

PHONE = "+25779000009"
CASE = "case/11111111-1111-8111-8111-111111111111"
LATER = "case.tomorrow_invented"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with a_stack(INTABAZA_PARTITIONS="3", INTABAZA_PROCESSORS="2") as running:
        running.up()
        yield running


@pytest.fixture(scope="module")
async def ledger(stack: Stack) -> AsyncIterator[PostgresLedger]:
    ledger = await PostgresLedger.connect(stack.addresses.app_dsn, clock.now)
    yield ledger
    await ledger.close()


async def what_no_program_knows(ledger: PostgresLedger, version: int) -> int:
    """Append an event of a later program to a case; returns its position."""
    its_id = named_id(UUID(int=5), f"{CASE} {version}")
    body = canonical(
        {
            "id": str(its_id), "source": "urn:intabaza:local", "subject": CASE, "streamversion": version, "type": LATER,
            "partitionkey": "bi:home:1", "commandid": str(its_id), "correlationid": str(its_id), "mode": "actual",
            "dataschema": f"urn:intabaza:schema:{LATER}:1", "specversion": "1.0", "actorrole": "admin",
            "actorref": str(UUID(int=1)), "data": {},
        }
    )  # fmt: skip
    append = Append(CASE, version - 1, "bi:home:1", (Entry(its_id, LATER, body),))
    return (await ledger.append(Submission(its_id, b"\x01" * 32, (append,)))).placed[-1].position


async def test_a_parked_key_is_listed_tried_again_and_waived(stack: Stack, ledger: PostgresLedger) -> None:
    pool = await connect_vault(stack.addresses.vault_dsn)
    await PersonRegister(pool, MasterKey.read(stack.settings.master_key_file)).person_by_phone(PHONE)
    await pool.close()
    first = await what_no_program_knows(ledger, 1)
    projector = await asyncpg.connect(stack.addresses.projector_dsn)
    try:
        await asyncio.to_thread(wait_for, lambda: "case_timeline" in stack.command("parked", "list").stdout, 120)
        listed = stack.command("parked", "list")
        assert listed.returncode == 1
        assert f"position {first}: " in listed.stdout
        assert CASE in listed.stdout
        assert "intabaza parked waive" in listed.stderr

        tried = await asyncio.to_thread(stack.command, "parked", "resume", "case_timeline", CASE)
        assert tried.returncode == 1
        assert f"{CASE} still cannot take position {first}" in tried.stderr
        nothing = stack.command("parked", "resume", "case_timeline", "case/none")
        assert "case/none is not parked in case_timeline" in nothing.stderr

        parked = await projector.fetch("select place, key from projections.parked order by place")
        refused = waive(stack, "case_timeline", "case/other", first)
        assert "is not what case/other cannot take in case_timeline" in refused.stderr
        # a slip of the pen would be missing in every replay, for ever, also where that position is still to come
        refused = waive(stack, "case_timeline", CASE, first + 1)
        assert f"position {first + 1} is not what {CASE} cannot take in case_timeline" in refused.stderr
        for place, key in parked:
            done = await asyncio.to_thread(waive, stack, place, key, first)
            assert done.returncode == 0, done.stderr
        await asyncio.to_thread(
            wait_for, lambda: stack.command("parked", "list").stdout.startswith("Nothing is parked"), 120
        )
        again = waive(stack, "case_timeline", CASE, first)
        assert "cannot take in case_timeline" in again.stderr
    finally:
        await projector.close()
    answer = await asyncio.to_thread(stack.command, "replay", "case_timeline", "--diff")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def waive(stack: Stack, place: str, key: str, position: int) -> CompletedProcess[str]:
    return stack.command("parked", "waive", place, key, str(position), "--why", "unreadable", "--phone", PHONE)


def test_both_processors_are_shown_and_one_that_dies_is_brought_back(stack: Stack) -> None:
    shown = stack.command("status").stdout
    assert "processors " in shown
    assert "processors-2 " in shown
    before = stack.pid("processors-2")
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: stack.pid("processors-2") != before, 60)
    wait_for(lambda: stack.command("status").returncode == 0, 60)
