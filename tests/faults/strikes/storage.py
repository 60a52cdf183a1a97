"""What the disks and topics lose: the end of Kafka's segments, a topic that is deleted or made anew by a stranger."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from kafka import KafkaAdminClient

from projections.sql import named_queries
from services.local.topics import ALERTS, EVENTS, make_topics
from tests.faults.strikes import Strike
from tests.faults.strikes.processes import kill, nobody_brings_back
from tests.faults.world import SQL as WORLD
from tests.faults.world import World, until
from tests.support.relays import cut_segment

SQL = named_queries("tests.faults.strikes", "storage.sql")

NOTICED_SECONDS = 120.0
MOST_BATCHES = 6


@dataclass(frozen=True, slots=True)
class CutTails:
    """Kafka comes back without the last batches of some partitions, which it had acknowledged."""

    relays_live: bool

    @property
    def name(self) -> str:
        return f"cut_kafkas_tails_under_{'living' if self.relays_live else 'dead'}_relays"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        cut: dict[str, int] = {}
        with nobody_brings_back(world):
            await kill(world, "kafka", *(() if self.relays_live else ("relay-1", "relay-2")))
            for folder in sorted((world.folder / "kafka" / "data").glob("*.v1-*")):
                batches = dice.choice((0, dice.randint(1, MOST_BATCHES), 1_000_000))
                before = _bytes(folder)
                cut_segment(folder, batches)
                if lost := before - _bytes(folder):
                    cut[folder.name] = lost
        assert cut, "no partition lost anything, so this showed nothing"
        return {"partitions": len(cut), "bytes": sum(cut.values())}


def _bytes(folder: Path) -> int:
    [segment] = folder.glob("*.log")
    return segment.stat().st_size


@dataclass(frozen=True, slots=True)
class LoseTopics:
    """Somebody deletes a topic or both while everything runs, and may make them anew; a person has them filled again.

    What a person does is what deploy/README.md says.
    """

    made_anew: bool

    @property
    def name(self) -> str:
        return f"topics_{'made_anew' if self.made_anew else 'deleted'}_by_a_stranger"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        topics = dice.choice(((EVENTS,), (ALERTS,), (EVENTS, ALERTS)))
        partitions = await world.value(SQL["partitions"])
        await asyncio.to_thread(_delete, world.bootstrap, topics)
        if self.made_anew:
            await asyncio.to_thread(make_topics, world.bootstrap, partitions)
            because = await until("no relay halts", lambda: world.value(WORLD["halted"]), NOTICED_SECONDS)
            assert "is another topic than the one that was filled" in because, because
        else:
            await asyncio.sleep(dice.uniform(0.0, 8.0))  # it was noticed so late
            await world.restart("processor-1")
            await world.restart("processor-2")
        await world.command("relay", "republish", "--yes")
        return {"topics": topics}


def _delete(bootstrap: str, topics: tuple[str, ...]) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        admin.delete_topics(list(topics))
        while set(topics) & set(admin.list_topics()):
            pass


STRIKES: tuple[Strike, ...] = (
    CutTails(relays_live=True),
    CutTails(relays_live=False),
    LoseTopics(made_anew=True),
    LoseTopics(made_anew=False),
)
