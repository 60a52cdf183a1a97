"""Which reporters have given no sign of life for too long, for who looks after them: a coordinator in their area.

The log cannot say it, since a report there is nobody's. Here, and here only, the vault is asked whose the reports are:
who sent one is not silent. Nothing is opened for it and nothing is written, neither of who is silent nor of who asked.
Of a report no more is told than that: its day stays out of the answer.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from uuid import UUID

from events.catalogue import read
from events.report.events import ReportReceived
from events.reporter import Reporter, ReporterCoverageAssigned, evolve
from events.vocabulary import RecordedBy
from projections.rule_set import CoverageRule
from services.ledger.ledger import Ledger
from services.vault.persons import Persons
from services.vault.signs import SignStore

SPOKEN = frozenset({RecordedBy.SELF, RecordedBy.COORDINATOR, RecordedBy.OPERATOR})
"""By whom a report is recorded that somebody has told."""

AT_ONCE = 16
"""How many streams are read at a time."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A reporter to be asked after. `last_sign` is of their own signs, or the day on which they were assigned."""

    person_id: UUID = field(repr=False)
    units: tuple[str, ...]
    channel: str
    cadence_days: int
    last_sign: date
    silent_since: date


@dataclass(frozen=True, slots=True)
class _Watching:
    person_id: UUID = field(repr=False)
    reporter_id: UUID
    reporter: Reporter
    since: date


class Silence:
    """Asks ledger and vault; `zone` says which day an event is of."""

    def __init__(self, ledger: Ledger, persons: Persons, signs: SignStore, zone: tzinfo) -> None:
        self._ledger = ledger
        self._persons = persons
        self._signs = signs
        self._zone = zone

    async def silent(
        self, now: datetime, rule: CoverageRule, homes: Collection[str] | None, sees: Callable[[str], bool]
    ) -> Sequence[Silent]:
        """Who covers a place that may be seen and had missed `rule.missed` cadences at the last local midnight.

        Who is so the longest stands first. What came today counts from the next midnight on: whoever left this list at
        the minute of a report would be known to have sent it. A sign is held here until it is on the log, so nobody is
        given the days that the rule gives the log.
        """
        today = now.astimezone(self._zone).date()
        watching = [
            one
            for some in _some(await self._persons.reporters_in(homes))
            for one in await asyncio.gather(*(self._watching(*ids) for ids in some))
            if one is not None and any(map(sees, one.reporter.units))
        ]
        held = await self._signs.last_held([one.reporter_id for one in watching], today)
        quiet: list[tuple[UUID, Silent]] = []
        for one in watching:
            last = max(one.since, held.get(one.reporter_id, one.since))
            since = last + timedelta(days=rule.missed * one.reporter.cadence_days + 1)
            if since <= today and one.reporter.channel is not None:
                units = tuple(filter(sees, one.reporter.units))
                channel, cadence = one.reporter.channel.shown, one.reporter.cadence_days
                quiet.append((one.person_id, Silent(one.person_id, units, channel, cadence, last, since)))
        reported = await self._reported(quiet, today)
        return sorted(
            (
                one
                for person, one in quiet
                if (on := reported.get(person)) is None
                or on + timedelta(days=rule.missed * one.cadence_days + 1) <= today
            ),
            key=lambda one: (one.silent_since, one.person_id),
        )

    async def _watching(self, person_id: UUID, reporter_id: UUID) -> _Watching | None:
        reporter, since = Reporter(reporter_id), date.min
        for row in await self._ledger.read_stream(f"reporter/{reporter_id}"):
            event = read(row.wire()).data
            reporter = evolve(reporter, event)  # type: ignore[arg-type] # a stream holds its noun's
            if isinstance(event, ReporterCoverageAssigned):
                since = self._day(row.recorded_at)
        if not reporter.units:
            return None
        return _Watching(person_id, reporter_id, reporter, max(since, reporter.last_sign or since))

    async def _reported(self, quiet: Sequence[tuple[UUID, Silent]], today: date) -> Mapping[UUID, date]:
        """The day of the last report of each of these that came to the door after their last own sign, before today."""
        if not quiet:
            return {}
        earliest = datetime.combine(min(one.last_sign for _, one in quiet), time(), self._zone)
        reports = await self._persons.reports_of({person for person, _ in quiet})
        by_stream = {f"report/{report_id}": person for person, ids in reports.items() for report_id in ids}
        days: dict[UUID, date] = defaultdict(lambda: date.min)
        for row in await self._ledger.first_of(by_stream, earliest):
            if self._day(row.recorded_at) >= today:
                continue
            event = read(row.wire()).data
            # A machine's message says nothing of who lives; received again elsewhere, one is of its own day.
            if isinstance(event, ReportReceived) and event.recorded_by in SPOKEN:
                person = by_stream[row.stream]
                days[person] = max(days[person], min(self._day(event.received_at), self._day(row.recorded_at)))
        return days

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self._zone).date()


def _some(streams: Sequence[tuple[UUID, UUID]]) -> Sequence[Sequence[tuple[UUID, UUID]]]:
    return [streams[first : first + AT_ONCE] for first in range(0, len(streams), AT_ONCE)]
