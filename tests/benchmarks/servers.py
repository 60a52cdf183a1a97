"""The servers of one run: a PostgreSQL that syncs, a Kafka with its topic filled once, a new database for each turn."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import asyncpg
from kafka import KafkaConsumer, TopicPartition

from services.database.migrate import migrate
from services.local.jars import kafka_jars
from services.local.kafka import KafkaServer
from services.local.postgres import PostgresServer
from services.local.quick_start import quick_start
from services.local.topics import EVENTS, make_topics
from services.settings import Settings, child_environment
from tests.benchmarks.filling import PER_DAY, fill
from tests.conftest import server_folder

PARTITIONS = 12
SOURCE = "urn:intabaza:bench"

_NUMBERS = count(1)


@dataclass(frozen=True)
class Servers:
    """Both servers, running."""

    postgres: PostgresServer
    kafka: KafkaServer
    folder: Path

    @property
    def bootstrap(self) -> str:
        return self.kafka.bootstrap

    def records(self, topic: str = EVENTS) -> int:
        """How many records the topic holds."""
        reader = KafkaConsumer(bootstrap_servers=self.bootstrap, group_id=None)
        try:
            places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
            return sum(reader.end_offsets(places).values())
        finally:
            reader.close()

    def fill(self, events: int, per_day: int = PER_DAY) -> float:
        """Put a crisis of so many events on the topic, by two processes; returns how many a second."""
        return fill(self.bootstrap, events, PARTITIONS, per_day=per_day)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """A new database with all migrations, dropped again at the end."""
        name = f"bench_{next(_NUMBERS)}"
        owner = await asyncpg.connect(self.postgres.dsn())
        try:
            await owner.execute(f"create database {name}")
            await migrate(self.postgres.dsn(name))
            await owner.execute("checkpoint")  # what the one before has left to write is not the next one's
            yield Database(self, name)
            await owner.execute(f"drop database {name} with (force)")
        finally:
            await owner.close()


@dataclass(frozen=True)
class Database:
    """One database on the run's server."""

    servers: Servers
    name: str

    def dsn(self, role: str) -> str:
        return self.servers.postgres.dsn(self.name, user=role)

    @property
    def projector_dsn(self) -> str:
        return self.dsn("intabaza_projector")

    def environment(self, folder: Path) -> dict[str, str]:
        """What processes of ours are started with."""
        return child_environment(Settings(data_folder=folder)) | {
            "INTABAZA_POSTGRES_DSN": self.dsn("postgres"),
            "INTABAZA_APP_DSN": self.dsn("intabaza_app"),
            "INTABAZA_VAULT_DSN": self.dsn("intabaza_vault"),
            "INTABAZA_PROJECTOR_DSN": self.projector_dsn,
            "INTABAZA_NOTIFIER_DSN": self.dsn("intabaza_notifier"),
            "INTABAZA_NOTARY_DSN": self.dsn("intabaza_notary"),
            "INTABAZA_KAFKA_BOOTSTRAP": self.servers.bootstrap,
            "INTABAZA_KAFKA_REPLICATION": "1",
            "INTABAZA_PARTITIONS": str(PARTITIONS),
            "INTABAZA_PROCESSORS_GROUP": f"processors-{self.name}",
            "INTABAZA_SOURCE": SOURCE,
        }


@contextmanager
def servers() -> Iterator[Servers]:
    """Start both in a folder of their own, with the settings of the local stack, and remove them at the end."""
    folder = server_folder()
    postgres = PostgresServer(folder / "postgres")
    jars = kafka_jars(Settings().cache_folder)
    kafka = KafkaServer(folder / "kafka", jars, java_options=quick_start(jars))
    try:
        postgres.start()
        kafka.start()
        make_topics(kafka.bootstrap, PARTITIONS, 1)
        yield Servers(postgres, kafka, folder)
    finally:
        kafka.stop()
        postgres.remove()
        shutil.rmtree(folder, ignore_errors=True)
