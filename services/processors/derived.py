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
from services.ledger.group import arguments
from services.ledger.ledger import Append, Entry, Submission
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


async def append_derived(connection: Connection, derived: Sequence[Derived], source: str) -> int:
    """Append those that the ledger does not have yet, in order; returns how many.

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
    for wave in _waves(list(fresh.values())):
        submissions = []
        for one in wave:
            version = heads.get(one.stream, 0)
            drafted = draft(one, version + 1, source)
            entry = Entry(drafted.event_id, one.data.name, drafted.body())
            append = Append(one.stream, version, one.home, (entry,))
            submissions.append(Submission(drafted.command_id, drafted.command_mac, (append,)))
            heads[one.stream] = version + 1
        rows = await connection.fetch(SQL["append"], clock.now(), SPLICE_VERSION, *arguments(submissions))
        for row in rows:
            if row["outcome"] in ("shut", "doubtful"):
                raise Refused(f"the ledger takes nothing now: {row['detail']}")
            if row["outcome"] != "accepted":
                raise Contradiction(f"a derived event can never be appended to {row['stream']}: {row['outcome']}")
    return len(fresh)


def _waves(derived: Sequence[Derived]) -> list[list[Derived]]:
    """Cut so that no two of one call write to one stream, in order: the ledger judges a call against one head."""
    waves: list[list[Derived]] = []
    streams: set[str] = set()
    for one in derived:
        if not waves or one.stream in streams:
            waves.append([])
            streams = set()
        streams.add(one.stream)
        waves[-1].append(one)
    return waves
