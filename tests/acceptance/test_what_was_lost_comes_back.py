"""The drill: a network's ledger is lost, then its Kafka, then half of its ledger; nothing differs afterwards.

Vault, reports, cases, referrals, alerts, a subscriber and everything else that can happen stand on a real stack; only
commands that a person would type mend it.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import TypeVar

import asyncpg
import pytest

from projections.live import LIVE
from services.local.folder import DataFolder
from services.local.ports import free_port
from services.local.progress import Quiet
from services.local.servers import postgres_of
from services.processors.replay import replay
from tests.support.history import Story
from tests.support.losing import Owner, digest, lose
from tests.support.stack import Stack, a_stack, wait_for
from tests.support.told_on_a_stack import a_history_on
from tests.support.topics import read_topic

NAMES = [projection.name for projection in LIVE]
TOPICS = ("events.v1", "alerts.v1")

T = TypeVar("T")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    # the ports stay over restarts, so that whoever is connected comes back
    ports = {"INTABAZA_POSTGRES_PORT": str(free_port()), "INTABAZA_KAFKA_PORT": str(free_port())}
    with a_stack(**ports) as running:
        running.up()
        yield running


@pytest.fixture(scope="module")
async def story(stack: Stack) -> AsyncIterator[Story]:
    async with a_history_on(stack) as told:
        added = stack.command("subscriber", "add", "https://receiver.example/alerts", "--from", "1")
        assert added.returncode == 0, added.stderr
        yield told


async def asked(stack: Stack, question: Callable[[Owner], Awaitable[T]]) -> T:
    owner = await asyncpg.connect(stack.addresses.owner_dsn)
    try:
        return await question(owner)
    finally:
        await owner.close()


SETTLED = """
select case when head = relay.acknowledged() and not exists (
    select from relay.partition p cross join unnest($1::text[]) as live (name)
    left join projections.watermark w on w.partition = p.partition and w.place = live.name
    where p.topic = 'events.v1' and p.last_position > coalesce(w.last_position, 0)
) then head end
from (select max(position) as head from ledger.event) as e
"""


async def settled(stack: Stack) -> int:
    """The head, once everything is on Kafka and folded: what follows from it is recorded with what was folded."""
    async with asyncio.timeout(90):
        while (head := await asked(stack, lambda owner: owner.fetchval(SETTLED, NAMES))) is None:  # noqa: ASYNC110 - a test's
            await asyncio.sleep(0.1)
    return int(head)


async def what_stands(stack: Stack, head: int) -> tuple[str, Mapping[str, Mapping[int, list[tuple[int, bytes]]]]]:
    """The ledger's digest and, of each topic's partitions, positions and bytes in order: up to a position, since the
    clock ticks on."""
    return await asked(stack, lambda owner: digest(owner, head)), {
        topic: {
            number: [(record.position, record.value) for record in records if record.position <= head]
            for number, records in read_topic(stack.addresses.bootstrap, topic).taken.items()
        }
        for topic in TOPICS
    }


async def with_the_servers_down(stack: Stack, question: Callable[[Owner], Awaitable[None]]) -> None:
    """Do something to the database of a stack that is down."""
    data = DataFolder(stack.folder)
    server = postgres_of(data, stack.settings, data.made(), Quiet())
    server.wanted_port = free_port()
    await asyncio.to_thread(server.start)
    try:
        owner = await asyncpg.connect(server.dsn("intabaza"))
        await question(owner)
        await owner.close()
    finally:
        await asyncio.to_thread(server.stop)


def restored(said: str) -> tuple[int, int]:
    """From which position to which; the last may be a tick's that was appended before the stack was down."""
    (span,) = re.findall(r"Restored positions (\d+) to (\d+) from Kafka\.", said)
    return int(span[0]), int(span[1])


def down(stack: Stack) -> None:
    done = stack.command("down")
    assert done.returncode == 0, done.stderr
    stack.wait_for_the_end()


async def every_command_answers_as_the_first_time(story: Story) -> None:
    for (_, first), send_again in zip(story.answers, story.again, strict=True):
        again = await send_again()
        assert (again.placed, again.repeated) == (first.placed, True)


async def every_projection_equals_its_replay(stack: Stack) -> None:
    at = stack.addresses
    for projection in LIVE:
        found = await replay(at.projector_dsn, at.bootstrap, "events.v1", projection, 1, True)
        assert (found.missing, found.surplus) == ([], [])


def the_door(stack: Stack) -> str:
    """What an operator is told of it; the table breaks its lines."""
    return " ".join(stack.command("relay", "status").stdout.split())


async def test_a_ledger_of_which_nothing_is_left_is_restored_from_kafka(story: Story, stack: Stack) -> None:
    head = await settled(stack)
    before = await what_stands(stack, head)
    down(stack)
    await with_the_servers_down(stack, lambda owner: lose(owner, 0))
    stack.up()
    assert "intabaza ledger restore" in the_door(stack)
    done = stack.command("ledger", "restore")
    assert done.returncode == 0, done.stdout + done.stderr
    first, last = restored(done.stdout)
    assert first == 1
    assert last >= head
    assert await what_stands(stack, head) == before
    await every_projection_equals_its_replay(stack)
    await every_command_answers_as_the_first_time(story)
    await story.receive("deo", text=story.text("after the ledger came back"))
    assert await settled(stack) > head
    again = stack.command("ledger", "restore")
    assert "Nothing is missing" in again.stdout, again.stdout + again.stderr


async def test_a_kafka_of_which_nothing_is_left_is_made_anew_from_the_ledger(story: Story, stack: Stack) -> None:
    head = await settled(stack)
    before = await what_stands(stack, head)
    down(stack)
    shutil.rmtree(stack.folder / "kafka")
    refused = stack.command("up")
    assert refused.returncode == 1
    assert "intabaza up --anew kafka" in refused.stderr
    stack.up("--anew", "kafka")
    wait_for(lambda: "is another topic than the one that was filled" in stack.command("relay", "status").stderr, 60)
    done = stack.command("relay", "republish", "--yes")
    assert done.returncode == 0, done.stderr
    assert await what_stands(stack, head) == before
    await story.receive("deo", text=story.text("after Kafka came back"))
    assert await settled(stack) > head
    await every_projection_equals_its_replay(stack)
    await every_command_answers_as_the_first_time(story)


async def test_a_ledger_from_an_older_backup_finds_out_and_one_command_completes_it(story: Story, stack: Stack) -> None:
    head = await settled(stack)
    before = await what_stands(stack, head)
    down(stack)
    await with_the_servers_down(stack, lambda owner: lose(owner, head // 2))
    stack.up()
    assert "intabaza ledger restore" in the_door(stack)
    done = stack.command("ledger", "restore")
    assert done.returncode == 0, done.stdout + done.stderr
    first, last = restored(done.stdout)
    assert first == head // 2 + 1
    assert last >= head
    assert await what_stands(stack, head) == before
    await every_projection_equals_its_replay(stack)
    await every_command_answers_as_the_first_time(story)


def test_data_that_is_there_is_not_made_anew(stack: Stack) -> None:
    down(stack)
    refused = stack.command("up", "--anew", "postgres")
    assert refused.returncode == 1
    assert "it is not made anew" in refused.stderr
