"""The port of a projection: what it is called, how it folds, where its rows stand, how they are summed up.

A projection answers one question. Its `fold` is pure and knows no database: it is given a key's state and an event and
says which rows change and which events follow. Its `table` speaks asyncpg and knows no rule. `Part` (projections/part)
runs a fold over one partition; services/processors commit what comes out of it.

A fold rolls time by key: what falls due for a key is fired before that key's next event or the next broadcast. So the
rows do not depend on how many partitions share the homes. Ticks are broadcasts, so nothing stays unfired for long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeAlias, TypeVar
from uuid import UUID

import asyncpg

from events.envelope import named_id
from events.event import Event
from projections.taken import Taken

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)
H = TypeVar("H")

_DERIVED = UUID("6a5c3e0e-2f0b-8d5e-9a51-0a4c7c1f9d11")
"""Every derived id is named under it; it never changes."""


NEVER = "9999-12-31T23:59:59.999999Z"
"""A due that no moment on the wire reaches: it keeps a key among those that an adopted engine, or rules, call."""


@dataclass(frozen=True, slots=True)
class Derived:
    """An event that follows from what was folded (design rule 9).

    `seed` makes its id and must be the same in every replay: it names what was said and how often before, never the
    record that led to it. `due` is the moment that it speaks of, spelt as on the wire.
    """

    stream: str
    home: str
    seed: str
    due: str
    data: Event
    engine: int

    @property
    def order(self) -> tuple[str, str, str, int]:
        """In which order events that fire together are said: of one unit the ninth before the tenth."""
        said, _, number = self.seed.rpartition("/")
        return (
            (self.due, self.stream, said, int(number)) if number.isdecimal() else (self.due, self.stream, self.seed, 0)
        )


def derived_id(seed: str) -> UUID:
    """The id of a derived event, by which later ones may cite it."""
    return named_id(_DERIVED, seed)


@dataclass(slots=True)
class Page:
    """What one batch writes: rows by name of the table's writing, which says in what order (projections/rows)."""

    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    derived: list[Derived] = field(default_factory=list)

    def add(self, writing: str, row: tuple[Any, ...]) -> None:
        """One row for the table's writing of this name, its values in that writing's order."""
        rows = self.rows.get(writing)
        if rows is None:
            rows = self.rows[writing] = []
        rows.append(row)


class Fold(Protocol[S, H]):
    """Pure. `S` is the state of one key, `H` what broadcasts have told (rules, gazetteer, …): shared by all keys.

    `whole` folds have every key of their partition in memory and may let a broadcast change each of them (`heed`);
    others load a key when one of its events or dues comes, and heed only an engine or rules adopted, in the keys that
    have a due. A `stateless` fold has no state: it only writes rows.
    An exception of `apply`, `roll`, `heed` or `draw` parks that key; one of `broadcast` stops the worker.
    """

    whole: bool
    stateless: bool

    def key(self, event: Taken) -> str | None:
        """Whose state an event that is no broadcast belongs to: a home or a stream. None: not this question's.

        Rests on `stream`, `type` and `home` alone: the data of an event that cannot be read is empty.
        """
        ...

    def initial(self, key: str) -> S: ...

    def due(self, state: S) -> str | None:
        """The next moment at which something falls due for this key, spelt as on the wire; `NEVER` for a key that waits
        for an engine or rules alone."""
        ...

    def roll(self, shared: H, state: S, until: str, page: Page) -> None:
        """Fire everything due at or before `until`, each as of its own moment, in order of (due, stream, id)."""
        ...

    def apply(self, shared: H, state: S, event: Taken, page: Page) -> None:
        """Fold one event of this key; total on history that the door accepted. What it makes due at once is fired."""
        ...

    def heed(self, shared: H, state: S, event: Taken, page: Page) -> None:
        """Let a broadcast, which `broadcast` has taken into `shared`, change this key."""
        ...

    def draw(self, state: S, page: Page) -> None:
        """Write the rows that changed since the last time, and forget that they did."""
        ...

    def shared(self, saved: Any | None) -> H:
        """What broadcasts have told so far, from what `save` wrote; None at the beginning."""
        ...

    def save(self, shared: H) -> Any:
        """JSON that `shared` reads back; small, since it is written whenever a broadcast changed it."""
        ...

    def broadcast(self, shared: H, event: Taken) -> bool:
        """Take a broadcast into `shared`; True where the saved form changed or keys must heed it."""
        ...


class Untimed:
    """What a fold inherits for which nothing falls due and to which no broadcast means anything."""

    whole = False

    def due(self, state: Any) -> str | None:
        return None

    def roll(self, shared: None, state: Any, until: str, page: Page) -> None:
        return None

    def heed(self, shared: None, state: Any, event: Taken, page: Page) -> None:
        return None

    def shared(self, saved: Any | None) -> None:
        return None

    def save(self, shared: None) -> Any:
        return None

    def broadcast(self, shared: None, event: Taken) -> bool:
        return False


class Table(Protocol[S_co]):
    """Rows in Postgres. Every query names its tables without a schema: the connection's search_path says which.

    So the same table stands live in the schema of its name and, while it is rebuilt, in a shadow of it. Whoever folds
    several projections has the schemas of all in its search_path: no two of them have a table of one name.
    """

    definition: str
    """DDL that makes the tables in the first schema of the search_path."""

    @property
    def digests(self) -> tuple[str, ...]:
        """Queries for every row that a full replay must reproduce, as the text of one JSON value, in canonical order;
        nothing of partitions or shared state."""
        ...

    async def load(self, connection: Connection, keys: Iterable[str]) -> Mapping[str, S_co]:
        """The states of those keys that have any."""
        ...

    async def load_partition(self, connection: Connection, partition: int) -> Mapping[str, S_co]:
        """The states of every key of a partition; for whole folds."""
        ...

    async def dues(self, connection: Connection, partition: int) -> Iterable[tuple[str, str]]:
        """(due, key) of every key of the partition for which something falls due."""
        ...

    async def write(self, connection: Connection, pages: Mapping[int, Page]) -> None:
        """Write each partition's page in the caller's transaction; no key stands in two of them."""
        ...


@dataclass(frozen=True, slots=True)
class Projection(Generic[S, H]):
    """One question. `version` is its fold's, and the engine's number where it derives events; `form` is that of its
    rows, one more with every release whose tables or bodies are others.

    `seen` says on which condition a reader sees the rows of a table, where not by its column `unit`
    (projections/seeing); `copied` names the tables that are written by COPY.
    """

    name: str
    version: int
    fold: Fold[S, H]
    table: Table[S]
    seen: Mapping[str, str] = field(default_factory=dict, hash=False)
    copied: frozenset[str] = frozenset()
    form: int = 1
