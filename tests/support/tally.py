"""A projection of the tests alone that notices everything: an event lost, doubled or out of order changes its rows.

It counts each key's events and mixes their positions, what was due and what broadcasts had told into one number. It can
be told to fail, at any stage, and to derive events.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from events.level import Awaited, ResponseOverdue
from events.reference import EngineAdopted, RulesAdopted
from events.vocabulary import wire_time
from projections.projection import Connection, Derived, Page, Projection
from projections.rows import Writings
from projections.sql import named_queries
from projections.taken import DERIVED, Taken

SQL = named_queries("tests.support", "tally.sql")
DUE_AFTER = timedelta(hours=2)


@dataclass(slots=True)
class Count:
    """What is known of one key."""

    key: str
    events: int = 0
    rolling: int = 7
    fired: int = 0
    heeded: int = 0
    due: str | None = None
    spoiled: bool = False

    def mix(self, number: int) -> None:
        self.rolling = (self.rolling * 1_000_003 + number) % (2**61 - 1)

    def row(self) -> tuple[Any, ...]:
        return self.key, self.events, self.rolling, self.fired, self.heeded, self.due


@dataclass
class Poison:
    """What fails: stages `apply`, `draw` and `heed` at a position, `roll` for a key."""

    apply: set[int] = field(default_factory=set)
    draw: set[int] = field(default_factory=set)
    heed: set[int] = field(default_factory=set)
    roll: set[str] = field(default_factory=set)
    broadcast: set[int] = field(default_factory=set)


class PoisonTaken(Exception):
    """The test asked for it."""


@dataclass
class TallyFold:
    """Counts by home or by stream. `whole` ones let every key heed what is adopted; others those that have a due."""

    name: str
    by: str = "stream"
    whole: bool = False
    derives: bool = False
    poison: Poison = field(default_factory=Poison)
    stateless: bool = False

    def key(self, event: Taken) -> str | None:
        if self.by == "home":
            return event.home
        return event.stream if event.stream.startswith(("case/", "report/")) else None

    def initial(self, key: str) -> Count:
        return Count(key)

    def due(self, state: Count) -> str | None:
        return state.due

    def roll(self, shared: dict[str, int], state: Count, until: str, page: Page) -> None:
        if state.key in self.poison.roll:
            raise PoisonTaken
        if state.due is not None and state.due <= until:
            due, state.due = state.due, None
            state.fired += 1
            state.mix(int(datetime.fromisoformat(due).timestamp()))
            self._derive(state, due, page)

    def apply(self, shared: dict[str, int], state: Count, event: Taken, page: Page) -> None:
        if event.position in self.poison.apply:
            raise PoisonTaken
        state.events += 1
        state.mix(event.position * 1_000 + shared["adopted"])
        state.spoiled = state.spoiled or event.position in self.poison.draw
        if event.type == "report.received" and state.due is None:
            state.due = wire_time(datetime.fromisoformat(event.time) + DUE_AFTER)
        if event.type == "case.assessed":
            self._derive(state, event.time, page)

    def _derive(self, state: Count, due: str, page: Page) -> None:
        if self.derives:
            page.derived.append(derived(self.name, state, due))

    def heed(self, shared: dict[str, int], state: Count, event: Taken, page: Page) -> None:
        if event.position in self.poison.heed:
            raise PoisonTaken
        state.heeded += 1
        state.mix(shared["adopted"])

    def draw(self, state: Count, page: Page) -> None:
        if state.spoiled:
            raise PoisonTaken
        page.add("tally", state.row())

    def shared(self, saved: Any | None) -> dict[str, int]:
        return dict(saved or {"adopted": 0})

    def save(self, shared: dict[str, int]) -> Any:
        return shared

    def broadcast(self, shared: dict[str, int], event: Taken) -> bool:
        if event.position in self.poison.broadcast:
            raise PoisonTaken
        if event.type in (RulesAdopted.name, EngineAdopted.name):
            shared["adopted"] += 1
            return True
        return False


def derived(name: str, state: Count, due: str) -> Derived:
    """What a tally says, once for each number of events and dues: a made-up case's answer is overdue."""
    unit = "bi:bujumbura"
    data = ResponseOverdue(
        unit=unit,
        case_id=UUID(int=state.events),
        awaited=Awaited.ACTION,
        due=datetime.fromisoformat(due),
        step=1 + state.fired,
    )
    seed = f"{name} {state.key} {state.events} {state.fired}"
    return Derived(f"level/{unit}", "bi:home:1", seed, due, data, 1)


class TallyTable:
    """Its rows, in a table of its name: those of no two projections have one name."""

    def __init__(self, name: str) -> None:
        self._sql = {query: re.sub(r"\btally\b", name, sql) for query, sql in SQL.items()}
        self._writings = Writings(self._sql)
        self.definition = self._sql["definition"]
        self.digests = (self._sql["digest"],)

    async def load(self, connection: Connection, keys: Iterable[str]) -> Mapping[str, Count]:
        return {row["key"]: Count(**row) for row in await connection.fetch(self._sql["load"], list(keys))}

    async def load_partition(self, connection: Connection, partition: int) -> Mapping[str, Count]:
        return {row["key"]: Count(**row) for row in await connection.fetch(self._sql["load_partition"], partition)}

    async def dues(self, connection: Connection, partition: int) -> Iterable[tuple[str, str]]:
        return [(row["due"], row["key"]) for row in await connection.fetch(self._sql["dues"], partition)]

    async def write(self, connection: Connection, pages: Mapping[int, Page]) -> None:
        await self._writings.write(connection, pages)


def tally(name: str = "tally", **how: Any) -> Projection[Count, dict[str, int]]:
    """A tally under a name of its own."""
    return Projection(name, 1, TallyFold(name, **how), TallyTable(name))


def expected(
    fold: TallyFold, history: Sequence[Taken], without: Iterable[tuple[str, int]] = ()
) -> dict[str, tuple[Any, ...]]:
    """The rows that a history makes, by key, counted in the plainest way, `without` what a key passes over."""
    counts: dict[str, Count] = {}
    adopted = 0
    passed_over = set(without)

    def fire(count: Count, until: str) -> None:
        if count.due is not None and count.due <= until:
            due, count.due = count.due, None
            count.fired += 1
            count.mix(int(datetime.fromisoformat(due).timestamp()))

    for event in history:
        if event.type in DERIVED:
            continue
        if event.is_broadcast:
            called = [one for one in counts.values() if (one.key, event.position) not in passed_over]
            for count in called:
                fire(count, event.time)
            if event.type in (RulesAdopted.name, EngineAdopted.name):
                adopted += 1
                for count in called:
                    if fold.whole or count.due is not None:
                        count.heeded += 1
                        count.mix(adopted)
        elif (key := fold.key(event)) is not None and (key, event.position) not in passed_over:
            count = counts.setdefault(key, Count(key))
            fire(count, event.time)
            count.events += 1
            count.mix(event.position * 1_000 + adopted)
            if event.type == "report.received" and count.due is None:
                count.due = wire_time(datetime.fromisoformat(event.time) + DUE_AFTER)
    return {key: count.row() for key, count in counts.items()}
