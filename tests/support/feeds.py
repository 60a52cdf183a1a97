"""A long history that is put on the topic while something else happens to its readers."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from events.envelope import canonical, named_id
from events.vocabulary import EVERY_HOME
from projections.taken import Taken, take
from services.local.topics import EVENTS
from tests.support.crisis import ROOT, Written, crisis, example
from tests.support.feeding import Feeder


def with_broadcasts(events: Iterable[Written], every: int = 150) -> Iterator[Written]:
    """The same history with a tick or other rules now and then, at positions without a gap."""
    position = 0
    counted = {"clock": 0, "rules": 0}
    for number, one in enumerate(events, 1):
        position += 1
        yield replace(one, position=position)
        if number % every == 0:
            position += 1
            name = "rules" if number // every % 4 == 0 else "clock"
            counted[name] += 1
            yield _broadcast(name, counted[name], position, one)


def _broadcast(register: str, version: int, position: int, beside: Written) -> Written:
    name = {"clock": "clock.ticked", "rules": "reference.rules_adopted"}[register]
    stream = f"reference/{register}"
    its_id = named_id(ROOT, f"{stream} {version}")
    attributes = {
        key: value for key, value in example(name).items()
        if key not in ("sequence", "time", "causationid", "onbehalfof", "engine")
    } | {
        "id": str(its_id), "subject": stream, "streamversion": version, "partitionkey": EVERY_HOME,
        "commandid": str(its_id), "correlationid": str(its_id), "mode": "actual",
    }  # fmt: skip
    return Written(
        position, stream, version, name, EVERY_HOME, beside.recorded_at, its_id, its_id, canonical(attributes)
    )


def history(seed: int = 1, events: int = 1_000_000) -> Iterator[Written]:
    """A long history with everything in it."""
    return with_broadcasts(crisis(events, seed, living=60, per_day=2_000))


class Feed(Feeder):
    """A topic and what was put on it."""

    def __init__(self, bootstrap: str, partitions: int, topic: str = EVENTS) -> None:
        super().__init__(bootstrap, partitions, topic)
        self._bootstrap = bootstrap
        self.partitions = partitions
        self.sent: list[Written] = []

    @property
    def history(self) -> list[Taken]:
        return [take(one.wire()) for one in self.sent]

    def send(self, events: Iterable[Written], *, twice: bool = False) -> None:
        """Send events in order; `twice` sends all of them again, as a relay that was frozen does."""
        events, before = list(events), dict(self.last)
        self.sent.extend(events)
        self.feed(events)
        if twice:
            self.last = before
            self.feed(events)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Nothing of ours holds on to the broker: kafka-python leaves its sockets open when one goes away."""
        self.close()
        try:
            yield
        finally:
            again = Feeder(self._bootstrap, self.partitions, self._topic)
            self._producer = again._producer


class Feeding:
    """A thread that goes on feeding, some events at a time, until it is told to stop."""

    def __init__(self, feed: Feed, events: Iterator[Written], chunk: int = 25) -> None:
        self._feed, self._events, self._chunk = feed, events, chunk
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Feeding:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(0.03):  # so that there is always something, and not too much
            number += 1
            self._feed.send([next(self._events) for _ in range(self._chunk)], twice=number % 20 == 0)
