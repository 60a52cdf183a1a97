"""alerts.v1 as strangers meet it: a test writes its records, the consumer of schemas/consume reads them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import IO, Any
from uuid import UUID

from kafka import KafkaProducer

from services.contracts.publish import FOLDER
from services.local.kafka import KafkaServer
from services.local.topics import ALERTS
from services.log.clients import connected
from services.log.record import Headers, Link
from tests.support.node import installed, node
from tests.support.relays import empty_topics
from tests.support.stack import wait_for

PARTITIONS = 3
RAISED = FOLDER / "events" / "alert.issued" / "1.raised.json"


class Consumer:
    """The consumer in JavaScript, running; what it prints is read line by line."""

    def __init__(self, *arguments: str | Path) -> None:
        self._process = subprocess.Popen(
            [node(), installed(FOLDER / "consume") / "alerts.mjs", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._out: IO[str] = self._process.stdout
        self._errors: IO[str] = self._process.stderr
        self._said: list[str] = []
        self._listening = Thread(target=self._said.extend, args=(self._errors,))
        self._listening.start()

    def lines(self, count: int) -> list[str]:
        """The next lines; waits for them, or for its end."""
        return [line.rstrip("\n") for line in islice(self._out, count)]

    def ends(self) -> tuple[int, list[str], str]:
        """How it ended by itself: status, the lines that nobody had read, what it said on standard error."""
        rest = [line.rstrip("\n") for line in self._out]
        status = self._process.wait(60)
        self._listening.join()
        self._out.close()
        self._errors.close()
        return status, rest, "".join(self._said)

    def kill(self) -> str:
        """End it, where it still runs, as a power cut does; returns what it said on standard error."""
        if not self._out.closed:
            self._process.kill()
            self.ends()
        return "".join(self._said)


@dataclass
class Alerts:
    """The topic, new and empty, and the consumers of one stranger."""

    bootstrap: str
    positions: Path
    producer: KafkaProducer
    running: list[Consumer] = field(default_factory=list)

    @classmethod
    @contextmanager
    def on(cls, bootstrap: str, folder: Path) -> Iterator[Alerts]:
        """Topics made for one test; its consumers are ended with it."""
        empty_topics(bootstrap, PARTITIONS)
        alerts = cls(bootstrap, folder / "positions.json", connected(KafkaProducer, bootstrap))
        try:
            yield alerts
        finally:
            for consumer in alerts.running:
                consumer.kill()
            alerts.producer.close()

    def make_anew(self) -> None:
        """What a mend of the log does: the topic goes, and comes again empty under its name."""
        self.producer.close()
        empty_topics(self.bootstrap, PARTITIONS)
        self.producer = connected(KafkaProducer, self.bootstrap)

    @contextmanager
    def while_away(self, kafka: KafkaServer) -> Iterator[None]:
        """Kafka is stopped for the block; our own producer does not look on, it would leave sockets open."""
        self.producer.close()
        kafka.stop()
        try:
            yield
        finally:
            kafka.start()
            self.producer = connected(KafkaProducer, self.bootstrap)

    def send(self, position: int, previous: int, *, partition: int = 0, **other: Any) -> None:
        """One alert of ours; `other` replaces attributes of the published example."""
        event = json.loads(RAISED.read_bytes()) | {"sequence": f"{position:019}", "id": str(UUID(int=position))} | other
        self.send_raw(json.dumps(event).encode(), Link(position, previous).headers(), partition)

    def send_raw(self, value: bytes | None, headers: Headers, partition: int = 0) -> None:
        """Any record."""
        self.producer.send(ALERTS, value, key=b"bi:c2015:bubanza", headers=headers, partition=partition).get(30)

    def wait_until_kept(self, positions: Mapping[int, int]) -> None:
        """Return when the file of positions says this."""

        def kept() -> dict[int, int]:
            whole = json.loads(self.positions.read_bytes()) if self.positions.exists() else {"partitions": {}}
            return {int(partition): int(each["position"]) for partition, each in whole["partitions"].items()}

        wait_for(lambda: kept() == positions)

    def consumer(self) -> Consumer:
        """The stranger's consumer, started where it stopped."""
        self.running.append(Consumer(self.bootstrap, self.positions))
        return self.running[-1]


def told(lines: Sequence[str]) -> list[int]:
    """Which alerts some lines tell of, by position."""
    return [UUID(line.split("alert ")[-1].split(";")[0]).int for line in lines]
