"""Which commands may share a group, and how they travel."""

from __future__ import annotations

import asyncio
from collections import deque
from uuid import uuid4

from services.ledger.group import GROUP_EVENTS, Waiting, arguments, take_group
from services.ledger.ledger import Submission
from tests.support.ledgers import a_stream, events_for, note, unmoved


async def queue_of(*submissions: Submission) -> deque[Waiting]:
    loop = asyncio.get_running_loop()
    return deque(Waiting(submission, loop.create_future()) for submission in submissions)


async def groups_of(*submissions: Submission) -> list[list[int]]:
    """The groups that a queue is taken in, each member by its place in the queue."""
    queue = await queue_of(*submissions)
    groups = []
    while group := take_group(queue):
        groups.append([submissions.index(waiting.submission) for waiting in group])
    return groups


async def test_commands_on_streams_of_their_own_go_together() -> None:
    assert await groups_of(note(), note(), note()) == [[0, 1, 2]]


async def test_two_that_write_one_stream_go_one_after_the_other_and_others_do_not_wait() -> None:
    stream = a_stream()
    assert await groups_of(note(stream), note(stream, 1), note(), note(stream, 2)) == [[0, 2], [1], [3]]


async def test_one_that_reads_what_another_writes_goes_apart_whoever_came_first() -> None:
    stream = a_stream()
    reads = note(also=(unmoved(stream, 0),))
    assert await groups_of(reads, note(stream)) == [[0], [1]]
    assert await groups_of(note(stream), reads) == [[0], [1]]


async def test_many_that_read_one_stream_go_together() -> None:
    stream = a_stream()
    assert await groups_of(*(note(also=(unmoved(stream, 0),)) for _ in range(4))) == [[0, 1, 2, 3]]


async def test_one_command_twice_goes_apart() -> None:
    command = uuid4()
    assert await groups_of(note(command_id=command), note(command_id=command), note()) == [[0, 2], [1]]


async def test_a_cancelled_caller_is_not_sent() -> None:
    queue = await queue_of(note(), note(), note())
    queue[1].answer.cancel()
    kept = [queue[0], queue[2]]
    assert take_group(queue) == kept
    assert not queue


async def test_a_group_ends_when_it_is_large_enough() -> None:
    assert await groups_of(note(count=GROUP_EVENTS), note(), note()) == [[0], [1, 2]]
    large = [note(text="x" * 800_000) for _ in range(12)]
    assert await groups_of(*large) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11]]


def test_arrays_number_commands_and_streams_from_one() -> None:
    command, key = uuid4(), uuid4()
    first = note("test/a", expected=3, count=2, command_id=command, also=(events_for(command, "test/b", 0),))
    second = note("test/c", also=(unmoved("test/d", 7),), keys=frozenset([key]))

    commands, macs, key_members, keys, members, streams, versions, homes, appends, ids, types, bodies = arguments(
        [first, second]
    )

    assert commands == [command, second.command_id]
    assert (key_members, keys) == ([2], [key])
    assert (members, streams, versions) == ([1, 1, 2, 2], ["test/a", "test/b", "test/c", "test/d"], [3, 0, 0, 7])
    assert appends == [1, 1, 2, 3]
    assert len(macs) == 2
    assert len(homes) == 4
    assert {len(ids), len(types), len(bodies)} == {4}
