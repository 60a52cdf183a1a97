"""What an operator asks the relay: how it stands, and to make a topic anew."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.database.lost import ANSWER_SECONDS, LOST
from services.local.progress import Progress
from services.local.topics import TOPICS
from services.local_problem import LocalProblem
from services.relay.brokers import BrokerAway
from services.relay.ends import newest
from services.relay.halts import Halt
from services.relay.leader import SQL
from services.relay.tail import topics_there

LOOK_SECONDS = 0.2
GONE = UUID(int=0)
"""The id of a topic that does not exist: there is nothing to delete before it is made."""


@dataclass(frozen=True, slots=True)
class RelayStanding:
    """How the relay stands, as the database knows it."""

    head: int
    acknowledged: int
    lag_seconds: float
    halted_because: str | None
    door_shut_because: str | None
    door_is_the_relays: bool
    foreign_records: int
    leader: str | None


async def standing(dsn: str) -> RelayStanding:
    """How the relay stands; raises LocalProblem where the database is not there."""
    return RelayStanding(**dict((await _rows(dsn, "standing"))[0]))


async def ask_to_republish(dsn: str, bootstrap: str, partitions: int, topics: Sequence[str]) -> RelayStanding:
    """Ask for topics to be made anew; refused while Kafka knows more than the ledger, since it would be lost.

    That is asked of Kafka itself: a relay that halts for another reason has not come to compare anything.
    """
    before = await standing(dsn)
    # where it halts for another reason, such as a Kafka that is gone for good, what it shut the door for is gone too
    if before.door_is_the_relays and before.halted_because in (None, before.door_shut_because):
        raise LocalProblem(
            f"Nothing is appended and nothing sent because {before.door_shut_because}. Making a topic "
            "anew now would delete what the ledger lost: restore the ledger first (`intabaza ledger restore`)."
        )
    try:
        there = await asyncio.to_thread(topics_there, bootstrap, partitions)
        names = [name for name in TOPICS if name in there]
        last = await asyncio.to_thread(newest, bootstrap, partitions, names, by_its_own_word=True)
    except (BrokerAway, Halt) as error:
        raise LocalProblem(f"Nothing was asked for: {str(error).removesuffix('.')}.") from error
    if last is not None and last.position > (head := (await standing(dsn)).head):
        raise LocalProblem(
            f"Kafka goes up to position {last.position} at least, and the ledger to {head}. Making a topic anew "
            "now would delete what the ledger lost: restore the ledger first (`intabaza ledger restore`), whatever the "
            "relay halts for."
        )
    for topic in topics:
        await _rows(dsn, "ask_to_republish", topic, there.get(topic, GONE))
    return before


async def watch_it_being_sent(dsn: str, progress: Progress) -> int:
    """Show how everything is sent again; returns when the ledger of this moment is on Kafka, with its last position."""
    asked = await standing(dsn)
    while await _rows(dsn, "republications"):
        progress.advance("making the topics anew", 0)
        await asyncio.sleep(LOOK_SECONDS)
    progress.advance("making the topics anew", 1, 1)
    while (now := await standing(dsn)).acknowledged < asked.head:
        if now.halted_because is not None:
            raise LocalProblem(f"The relay halts: {now.halted_because}.")
        progress.advance("sending everything again", now.acknowledged, asked.head)
        await asyncio.sleep(LOOK_SECONDS)
    progress.advance("sending everything again", max(asked.head, 1), max(asked.head, 1))
    return asked.head


async def _rows(dsn: str, query: str, *arguments: object) -> list[asyncpg.Record]:
    try:
        connection = await asyncpg.connect(dsn, timeout=ANSWER_SECONDS)
        try:
            return await connection.fetch(SQL[query], *arguments, timeout=ANSWER_SECONDS)
        finally:
            connection.terminate()
    except LOST as error:
        raise LocalProblem(
            f"The database did not answer ({str(error) or type(error).__name__}): see `intabaza status`."
        ) from error
