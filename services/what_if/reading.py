"""The history that two rule sets are compared over, read from Kafka: one process for each set of partitions.

Nothing is written anywhere, and no database is asked: whoever may read the topic may ask.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

from kafka.errors import KafkaError

from events.vocabulary import wire_time
from projections.alert_level.rules import Rules
from projections.part import Unfoldable
from projections.rule_set import hash_of
from projections.taken import Taken
from services.local_problem import LocalProblem
from services.log.walk import Silence
from services.moments import Moment, Named
from services.processors.abreast import abreast
from services.processors.as_of import Found, find_end, find_moment
from services.processors.chain import read_chain
from services.processors.collecting import collect_rarely
from services.processors.errors import Halt, Unreadable
from services.processors.lane import decode
from services.processors.places import Places
from services.processors.refold import SMALL, Line, share_out, up_to
from services.what_if.comparing import Comparison, compare
from services.what_if.folding import Adopted, Kept, LeftOut, fold_twice

Progress = Callable[[int, int], None]


class KafkaAway(LocalProblem):
    """The log did not answer."""


class NothingToCompare(LocalProblem):
    """No rule set was in force, so there is no level to compare with."""

    status = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """What a process needs to know to fold some partitions twice; `telling` is where it says what it kept."""

    bootstrap: str
    topic: str
    text: str
    lines: Mapping[int, Line]
    position: int
    until: str
    telling: Connection | None = None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The answer: what was compared with what, up to which moment, and what was left out."""

    moment: Moment
    until: str
    name: str
    rules_hash: str
    time_zone: str
    adopted: Sequence[Adopted]
    left_out: Sequence[LeftOut]
    compared: Comparison


async def what_if(
    bootstrap: str,
    topic: str,
    text: str,
    named: Named | None,
    warned_from: int,
    processes: int,
    progress: Progress = lambda done, of: None,
) -> WhatIf:
    """Compare a rule set that `read_rule_set` has taken with the adopted ones, up to a moment or to the log's end.

    Raises BeforeTheLog, BeyondTheLog, NothingToCompare or KafkaAway, and Halt where the log cannot be read.
    """
    try:
        return await _compared(bootstrap, topic, text, named, warned_from, processes, progress)
    except (KafkaError, OSError) as error:
        raise KafkaAway(f"Kafka did not answer ({error}): see `intabaza status`.") from error


async def _compared(
    bootstrap: str, topic: str, text: str, named: Named | None, warned_from: int, processes: int, progress: Progress
) -> WhatIf:
    found = _found(bootstrap, topic, named)
    until = wire_time(found.moment.recorded_at if named is None or isinstance(named, int) else named)
    lines = {one: line for one, line in found.lines.items() if line.offset}
    reading = Reading(bootstrap, topic, text, lines, found.moment.position, until)
    kept = await _fold(reading, processes, progress)
    if not kept.rules:
        raise NothingToCompare(
            f"No rule set was adopted up to {found.moment}, so no level was ever computed: name a later moment, or "
            "adopt one with `intabaza begin`."
        )
    rules = Rules(text)
    compared = compare(kept, rules.day(kept.rules[0].recorded_at), rules.day(until), warned_from)
    left_out = sorted(kept.left_out, key=lambda one: one.position)
    return WhatIf(
        found.moment, until, rules.set.name, hash_of(text), rules.set.time_zone, kept.rules, left_out, compared
    )


def _found(bootstrap: str, topic: str, named: Named | None) -> Found:
    if named is not None:
        return find_moment(bootstrap, topic, named)
    found = find_end(bootstrap, topic)
    if found is None:
        raise NothingToCompare("The log is empty, so no level was ever computed: begin with `intabaza begin`.")
    return found


async def _fold(reading: Reading, processes: int, progress: Progress) -> Kept:
    total = sum(line.offset for line in reading.lines.values())
    gathered = _Gathered(total, progress)
    if processes < 2 or total < SMALL:
        fold_share(reading, gathered.take)
    else:
        shares, ends = {}, []
        for name, lines in share_out(reading.lines, processes).items():
            listening, telling = multiprocessing.Pipe(duplex=False)
            ends.append((listening, telling))
            shares[name] = Reading(
                reading.bootstrap, reading.topic, reading.text, lines, reading.position, reading.until, telling
            )

        async def look() -> None:
            for listening, _ in ends:
                while listening.poll():
                    gathered.take(listening.recv())

        try:
            await abreast(fold_and_tell, shares, look)
            await look()
        finally:
            for listening, telling in ends:
                listening.close()
                telling.close()
    progress(total, total)
    return gathered.kept


class _Gathered:
    """What the processes said: how many records each has read more, and what it kept."""

    def __init__(self, total: int, progress: Progress) -> None:
        self.kept = Kept()
        self._total, self._progress = total, progress
        self._done = 0

    def take(self, said: int | Kept) -> None:
        if isinstance(said, Kept):
            self.kept.add(said)
        else:
            self._done += said
            self._progress(min(self._done, self._total - 1), self._total)


def fold_and_tell(reading: Reading) -> None:
    """Fold some partitions in a process of its own."""
    assert reading.telling is not None
    collect_rarely()
    fold_share(reading, reading.telling.send)


def fold_share(reading: Reading, tell: Callable[[int | Kept], None]) -> None:
    """Fold some partitions, one after the other, and tell what comes of it. Raises Halt."""
    with Places(reading.bootstrap, reading.topic) as places:
        for partition, line in sorted(reading.lines.items()):
            try:
                tell(
                    fold_twice(
                        lambda one=partition, to=line: _batches(places, one, to.offset, reading.position, tell),  # type: ignore[misc]
                        reading.text,
                        reading.until,
                    )
                )
            except Unfoldable as error:
                raise Unreadable(f"partition {partition}: {error}") from error
            except Silence as error:
                raise Halt(f"the broker sends nothing more of {error}: see `intabaza logs kafka`") from error


def _batches(
    places: Places, partition: int, end: int, position: int, tell: Callable[[int | Kept], None]
) -> Iterator[Sequence[Taken]]:
    """What a partition holds up to a position, in order and without repeats; raises Halt where its chain breaks, and
    Silence."""
    walk, last = places.walk({partition: 0}, {partition: end}), 0
    while walk.under_way:
        for records in walk.next().values():
            wanted = up_to(records, position)
            following = read_chain(partition, wanted, last).following
            if following:
                last = following[-1].position
                yield [decode(partition, one) for one in following]
            tell(len(records))
            if len(wanted) < len(records):
                return
