"""A made-up log as a trace reads it: events with ids that follow from their positions, and a reader of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from events.vocabulary import EVERY_HOME
from projections.alert_level import PROJECTION
from projections.projection import derived_id
from projections.taken import Taken
from services.ledger.ledger import Recorded
from services.trace.events import ALERT, LEVEL, Told
from services.trace.reading import Reader
from services.trace.sources import Marks
from services.trace.tracing import Lists, Trace, Tracing
from tests.support.levels import Log
from tests.support.projected import folded

NO_BYTES = b""
TIES = {"case.report_linked": "report_id"}


def told(event: Taken) -> Told:
    """An event of a made-up log, with an id that follows from its position."""
    id_ = UUID(int=event.position)
    at = datetime.fromisoformat(event.time)
    row = Recorded(
        event.position, event.stream, event.version, id_, event.type, event.home, at, id_, NO_BYTES, NO_BYTES
    )
    return Told(row, event.data)


def derived(log: Sequence[Taken], streams: Collection[str] = ("level",)) -> list[Told]:
    """What the fold says of levels, or of alerts too, behind everything that it says it of."""
    after: list[Told] = []
    _, said = folded(PROJECTION, log)
    for number, one in enumerate(
        (one for one in said if one.stream.partition("/")[0] in streams), log[-1].position + 1
    ):
        id_, at = derived_id(one.seed), datetime.fromisoformat(log[-1].time)
        type_ = LEVEL if one.stream.startswith("level/") else ALERT
        row = Recorded(number, one.stream, number, id_, type_, one.home, at, id_, NO_BYTES, NO_BYTES)
        after.append(Told(row, one.data.wire_data()))
    return after


class ReaderOfALog(Reader):
    """Reads events from a list."""

    def __init__(self, events: Sequence[Told]) -> None:
        super().__init__(self._nothing, events[-1].row.position)
        self._log = events

    async def _nothing(self, *_: Any) -> list[asyncpg.Record]:
        raise AssertionError

    async def event(self, event: UUID | int) -> Told | None:
        return next((one for one in self._log if event in (one.row.position, one.row.event_id)), None)

    async def version(self, stream: str, version: int) -> Told | None:
        return next((one for one in self._log if (one.row.stream, one.row.version) == (stream, version)), None)

    async def together_with(self, command_id: UUID) -> list[Told]:
        return [one for one in self._log if one.row.command_id == command_id]

    async def streams(self, names: Collection[str]) -> list[Told]:
        return [one for one in self._log if one.row.stream in names]

    async def at(self, moments: Collection[tuple[datetime, str]]) -> list[Told]:
        wanted = {(moment, home) for moment, each in moments for home in (each, EVERY_HOME)}
        return [one for one in self._log if (one.row.recorded_at, one.row.home) in wanted]

    async def tied_to(self, reports: Collection[str]) -> list[str]:
        return sorted({one.row.stream for one in self._log if set(reports) & set(_tied(one.data))})

    async def levels_naming(self, homes: Collection[str], words: Collection[str], since: int) -> list[str]:
        return sorted(
            {
                one.row.stream
                for one in self._log
                if one.row.type == LEVEL
                and one.row.position >= since
                and (one.row.home in homes or EVERY_HOME in homes)
                and any(word in orjson.dumps(one.data).decode() for word in words)
            }
        )

    async def marks(self, partitions: int) -> Marks:
        return Marks(partitions, self.up_to, acknowledged=self.up_to)

    async def waits(self, after: int, categories: Collection[str], homes: Collection[str]) -> int | None:
        return None

    async def untold(self, alerts: Mapping[UUID, int]) -> tuple[int, int | None]:
        return 0, None

    async def messages(self, alerts: Collection[UUID]) -> list[asyncpg.Record]:
        return []


def _tied(data: Mapping[str, Any]) -> list[str]:
    reports = [data["report_id"]] if "report_id" in data else []
    return [f"report/{one}" for one in (*reports, *([data["carried"]["supersedes"]] if "carried" in data else []))]


async def traced(log: Log, position: int) -> Trace:
    """The trace of one event of a log, with all that the fold says of it."""
    events = [*map(told, log.events), *derived(log.events, ("level", "alert"))]
    return await Tracing(ReaderOfALog(events), partitions=12).trace(position)


def listed(lists: Lists, name: str) -> list[Mapping[str, Any]]:
    """What the events of one list say."""
    return [one.told.data for one in lists.events[name]]
