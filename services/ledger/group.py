"""Commands that are committed together: which may share a group, how they travel, and what the answers mean."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

import asyncpg

from events.envelope import BODY_LIMIT_BYTES, WIRE_LIMIT_BYTES
from services.ledger.ledger import (
    Accepted,
    ClockDoubtful,
    CommandBurned,
    CommandReused,
    Conflict,
    DoorShut,
    HomeChanged,
    KeyDestroyed,
    NotAccepted,
    Placed,
    Submission,
    TooLarge,
)

GROUP_EVENTS = 1_000
GROUP_BYTES = 4_000_000
"""A group ends at either: large enough to share one sync among many, small enough to be one quick statement."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A submission and the caller that waits for its answer."""

    submission: Submission
    answer: asyncio.Future[Accepted]

    def accept(self, accepted: Accepted) -> None:
        if not self.answer.done():
            self.answer.set_result(accepted)

    def refuse(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


def check(submission: Submission) -> None:
    """Refuse what no ledger could take: TooLarge, or ValueError where the caller built it wrongly."""
    if not any(append.entries for append in submission.appends):
        raise ValueError("a command appends at least one event: an assertion alone is a question, read instead")
    if len({append.stream for append in submission.appends}) != len(submission.appends):
        raise ValueError("a command names a stream twice: put all its events for one stream in one Append")
    for append in submission.appends:
        for entry in append.entries:
            if len(entry.body) > BODY_LIMIT_BYTES:
                raise TooLarge(len(entry.body) + WIRE_LIMIT_BYTES - BODY_LIMIT_BYTES, WIRE_LIMIT_BYTES)


def take_group(queue: deque[Waiting]) -> list[Waiting]:
    """Take from the queue, oldest first, what may be committed together; the others stay, in order.

    Members of a group never share a command, nor a stream that one of them writes: each is decided against the head
    before the group, so two that touch one stream would not see each other. Cancelled callers are dropped unsent.
    """
    group: list[Waiting] = []
    left: list[Waiting] = []
    commands: set[UUID] = set()
    named: set[str] = set()
    written: set[str] = set()
    events = size = 0
    while queue and events < GROUP_EVENTS and size < GROUP_BYTES:
        waiting = queue.popleft()
        if waiting.answer.done():
            continue
        submission = waiting.submission
        if submission.command_id in commands or any(
            append.stream in written or (append.entries and append.stream in named) for append in submission.appends
        ):
            left.append(waiting)
            continue
        commands.add(submission.command_id)
        for append in submission.appends:
            named.add(append.stream)
            if append.entries:
                written.add(append.stream)
                events += len(append.entries)
                size += sum(len(entry.body) for entry in append.entries)
        group.append(waiting)
    queue.extendleft(reversed(left))
    return group


def arguments(submissions: Iterable[Submission]) -> tuple[list[Any], ...]:
    """Flatten submissions into the arrays of `ledger.append`, numbered from 1 in their order."""
    columns: tuple[list[Any], ...] = tuple([] for _ in range(12))
    commands, macs, key_members, keys, append_members, streams, versions, homes, event_appends, ids, types, bodies = (
        columns
    )
    append_number = 0
    for member, submission in enumerate(submissions, 1):
        commands.append(submission.command_id)
        macs.append(submission.command_mac)
        for key_id in submission.key_ids:
            key_members.append(member)
            keys.append(key_id)
        for append in submission.appends:
            append_number += 1
            append_members.append(member)
            streams.append(append.stream)
            versions.append(append.expected_version)
            homes.append(append.home)
            for entry in append.entries:
                event_appends.append(append_number)
                ids.append(entry.event_id)
                types.append(entry.type)
                bodies.append(entry.body)
    return columns


def placed(submission: Submission, first_position: int, recorded_at: datetime) -> tuple[Placed, ...]:
    """Where the events of an accepted submission stand, given its first position."""
    positions = count(first_position)
    return tuple(
        Placed(next(positions), append.stream, version, entry.event_id, recorded_at)
        for append in submission.appends
        for version, entry in enumerate(append.entries, append.expected_version + 1)
    )


def refusal(row: asyncpg.Record) -> NotAccepted:
    """The error that a refused member's row stands for."""
    match row["outcome"]:
        case "conflict":
            return Conflict(row["stream"], row["expected"], row["actual"])
        case "home_changed":
            return HomeChanged(row["stream"], row["home"])
        case "reused":
            return CommandReused()
        case "burned":
            return CommandBurned()
        case "key_destroyed":
            return KeyDestroyed()
        case "doubtful":
            return ClockDoubtful(row["detail"])
        case "shut":
            return DoorShut(row["detail"])
        case outcome:
            return NotAccepted(f"the ledger answered {outcome!r}, which this program does not know: start a newer one")


def answer(
    group: Sequence[Waiting], rows: Sequence[asyncpg.Record], repeated: Mapping[UUID, tuple[Placed, ...]]
) -> None:
    """Give each member of a group its answer."""
    for waiting, row in zip(group, rows, strict=True):
        submission = waiting.submission
        if row["outcome"] == "accepted":
            waiting.accept(Accepted(placed(submission, row["first_position"], row["stamp"])))
        elif row["outcome"] == "repeated":
            waiting.accept(Accepted(repeated[submission.command_id], repeated=True))
        else:
            waiting.refuse(refusal(row))
