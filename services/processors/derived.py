"""Derived events are appended last in their watermark's transaction, each once (design rule 9)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

from events.envelope import SPLICE_VERSION, Draft, canonical
from events.event import Event
from events.vocabulary import Actor, Role
from projections.projection import Connection, Derived, derived_id
from projections.sql import named_queries
from services import clock
from services.processors.errors import Contradiction, Refused

SQL = named_queries("services.processors", "store.sql")

BY = Actor(role=Role.SYSTEM, ref=derived_id("projections"))
"""Who says what follows: nobody."""


def draft(one: Derived, version: int, source: str) -> Draft[Event]:
    """The draft of a derived event; all of it follows from what was folded, but for its place in the stream."""
    named = derived_id(one.seed)
    return Draft(
        event_id=named,
        source=source,
        stream=one.stream,
        version=version,
        home=one.home,
        data=one.data,
        command_id=named,
        command_mac=sha256(canonical(one.data.wire_data())).digest(),
        actor=BY,
        engine=one.engine,
    )


async def append_derived(connection: Connection, derived: Sequence[Derived], source: str) -> frozenset[UUID]:
    """Append those that the ledger does not have yet, in order; returns their ids.

    Holds the ledger's lock until the caller's transaction ends, so it is the last thing before the commit. Raises
    Contradiction where the ledger has one with other content or can never take it, Refused where it takes none now.
    """
    await connection.execute(SQL["hold"])
    named = [(derived_id(one.seed), one) for one in derived]
    said = {row["event_id"]: row for row in await connection.fetch(SQL["said"], [its_id for its_id, _ in named])}
    fresh: dict[UUID, Derived] = {}
    for its_id, one in named:
        if (row := said.get(its_id)) is not None:
            same = row["stream"] == one.stream and draft(one, row["version"], source).body() == row["body"]
        else:
            earlier = fresh.setdefault(its_id, one)
            same = draft(earlier, 1, source).body() == draft(one, 1, source).body()
        if not same:
            raise Contradiction(
                f"{one.data.name} {its_id} of {one.stream} is in the ledger with other content: this program folds "
                "otherwise than the one that wrote it; run the release that wrote it, and adopt the new engine"
            )
    streams = sorted({one.stream for one in fresh.values()})
    heads = {row["stream"]: row["version"] for row in await connection.fetch(SQL["heads"], streams)}
    drafts = []
    for one in fresh.values():
        drafts.append(draft(one, heads.get(one.stream, 0) + 1, source))
        heads[one.stream] = drafts[-1].version
    if drafts:
        rows = await connection.fetch(
            SQL["append"],
            clock.now(),
            SPLICE_VERSION,
            *map(list, zip(*_waves([one.stream for one in drafts]), strict=True)),
            [one.event_id for one in drafts],
            [one.command_mac for one in drafts],
            [one.stream for one in drafts],
            [one.version - 1 for one in drafts],
            [one.home for one in drafts],
            [one.data.name for one in drafts],
            [one.body() for one in drafts],
        )
        for row in rows:
            if row["outcome"] in ("shut", "doubtful"):
                raise Refused(f"the ledger takes nothing now: {row['detail']}")
            if row["outcome"] != "accepted":
                raise Contradiction(f"a derived event can never be appended to {row['stream']}: {row['outcome']}")
    return frozenset(fresh)


def _waves(streams: Sequence[str]) -> list[tuple[int, int]]:
    """The first and last of each stretch, from 1, in which no two are of one stream.

    The ledger judges a group against the heads before it.
    """
    waves: list[tuple[int, int]] = []
    met: set[str] = set()
    for number, stream in enumerate(streams, 1):
        if not waves or stream in met:
            waves.append((number, number))
            met = set()
        waves[-1] = waves[-1][0], number
        met.add(stream)
    return waves
