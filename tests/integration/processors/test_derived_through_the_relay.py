"""Ledger, relay and processor in a circle, killed again and again: what follows is said once, and told to strangers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle, islice
from typing import TYPE_CHECKING

import pytest

from events.alert import AlertSilenced, SilenceReason
from events.catalogue import read
from events.places.facts import UnitKind
from events.reference import EngineAdopted, GazetteerAdopted, RulesAdopted
from events.reporter import ReporterCheckedIn, ReporterCoverageAssigned
from events.vocabulary import EVERY_HOME, Channel
from projections import alert_level, coverage, referral_board, silences
from projections.live import LIVE
from projections.projection import derived_id
from projections.rule_set import hash_of
from projections.taken import DERIVED, take
from services.local.topics import ALERTS, EVENTS
from services.processors.replay import replay
from tests.support.crisis import RULES, Written, burundi, crisis
from tests.support.domain import one as one_of
from tests.support.load import steady_load
from tests.support.projected import folded
from tests.support.topics import read_topic

if TYPE_CHECKING:
    from services.local.kafka import KafkaServer
    from services.local.postgres import PostgresServer
    from tests.support.lanes import LaneTrial
    from tests.support.relays import RelayTrial
    from tests.support.working import WorkTrial

KILLS = int(os.getenv("INTABAZA_TRIAL_KILLS", "3"))  # noqa: TID251 - a test's own size
"""How often one of the two, or both, are killed; a long trial asks for more."""

PER_DAY = 240
WATCHED = tuple(unit.unit_id for unit in islice(burundi().in_force(kind=UnitKind.COMMUNE), 4))
"""Where somebody is assigned, who is silent to the end; the first then gives a sign of life."""
SPEAKERS = (alert_level.PROJECTION, coverage.PROJECTION, referral_board.PROJECTION)


@dataclass
class Circle:
    """One database and broker with a ledger whose clock the test sets, a relay, and a processor."""

    ledger: LaneTrial
    relays: RelayTrial
    workers: WorkTrial

    async def begin(self) -> None:
        """Adopt what everybody is told first: places, rules, and which engines speak."""
        content = RULES.read_text("utf-8")
        await self.ledger.write(
            "reference/gazetteer",
            EVERY_HOME,
            GazetteerAdopted(gazetteer="g", content_hash=burundi().content_hash, content=burundi().content()),
        )
        rules = RulesAdopted(rule_set="rules", content_hash=hash_of(content), content=content)
        await self.ledger.write("reference/rules", EVERY_HOME, rules)
        for one in SPEAKERS:
            adopted = EngineAdopted(projection=one.name, number=one.version)
            await self.ledger.write("reference/engines", EVERY_HOME, adopted)
        for unit in WATCHED:
            assigned = ReporterCoverageAssigned(units=(unit,), channel=Channel.SMS, cadence_days=1)
            await self.ledger.write(f"reporter/{one_of(unit)}", burundi().home_of(unit), assigned)
        clock = await self.relays.owner.fetchval("select simulated_clock from ledger.state")
        for days, unit in enumerate(WATCHED, start=1):
            silenced = AlertSilenced(
                silence_id=one_of(f"silence of {unit}"),
                unit=unit,
                unit_name=burundi().unit(unit).name,
                up_to_level=3,
                until=clock + timedelta(days=days),
                reason=SilenceReason.PLANNED_EVENT,
            )
            await self.ledger.write(f"alert/{unit}", burundi().home_of(unit), silenced)

    def under_load(self, events: Iterator[Written]) -> AbstractAsyncContextManager[None]:
        """Somebody appends, a day of the history in a second or a few."""
        return steady_load(lambda: self.ledger.append(islice(events, 20)), 0.1)

    async def goes_on(self) -> None:
        """Return when more was said, and more was brought to Kafka, since now."""
        said = await self.said()
        held = await self.relays.acknowledged()
        await self.relays.until("select count(*) > $1 from ledger.event where type like 'level.%'", said, seconds=180)
        await self.relays.until_acknowledged(held + 1, seconds=180)

    async def said(self) -> int:
        return int(await self.relays.owner.fetchval("select count(*) from ledger.event where type like 'level.%'"))

    async def at_rest(self) -> None:
        """Return when all of the ledger is on Kafka and folded, so that nothing more will be said."""
        await self.relays.until(AT_REST, [one.name for one in LIVE], seconds=240)


AT_REST = """
select (select acknowledged from relay.progress) = (select max(position) from ledger.event)
    and (
        select recorded_at from ledger.event where type = 'clock.ticked' order by position desc limit 1
    ) = (select simulated_clock from ledger.state)
    and not exists (
        select from relay.partition p cross join unnest($1::text[]) as wanted (place)
        left join projections.watermark w on w.place = wanted.place and w.partition = p.partition
        where p.topic = 'events.v1' and p.last_position > coalesce(w.last_position, 0)
    )
"""


@pytest.fixture
async def circle(kafka: KafkaServer, postgres: PostgresServer, fresh_database: str) -> AsyncIterator[Circle]:
    from tests.support.lanes import lane_trial
    from tests.support.relays import PARTITIONS, relay_trial
    from tests.support.working import work_trial

    owner, app, projector = (
        postgres.dsn(fresh_database, role) for role in ("postgres", "intabaza_app", "intabaza_projector")
    )
    async with AsyncExitStack() as stack:
        workers = await stack.enter_async_context(work_trial(kafka, owner, projector))
        relays = await stack.enter_async_context(relay_trial(kafka, owner, app))  # it makes the topics anew
        ledger = await stack.enter_async_context(lane_trial(owner, app, projector, PARTITIONS))
        yield Circle(ledger, relays, workers)


async def test_a_level_and_a_gap_are_said_once_however_often_relay_and_processor_are_killed(circle: Circle) -> None:
    await circle.begin()
    history = crisis(1_000_000, living=60, per_day=PER_DAY)
    with circle.relays.process() as relay, circle.workers.live_worker() as worker:
        async with circle.under_load(history):
            await circle.goes_on()
            for killed in islice(cycle(((worker, relay), (worker,), (relay,))), KILLS):
                for process in killed:
                    process.kill()
                    process.start()
                await circle.goes_on()
        clock = await circle.relays.owner.fetchval("select simulated_clock from ledger.state")
        await circle.ledger.at(clock + timedelta(days=4))  # whatever is awaited by now is overdue then
        await circle.at_rest()
        sign = ReporterCheckedIn(on=clock.date() + timedelta(days=4), channel=Channel.SMS)
        await circle.ledger.write(f"reporter/{one_of(WATCHED[0])}", burundi().home_of(WATCHED[0]), sign)
        await circle.at_rest()

    rows = await circle.ledger.rows()
    said = [read(row.wire()) for row in rows if row.type in DERIVED]
    primary = [take(row.wire()) for row in rows]
    wanted = [one for speaker in (*SPEAKERS, silences.PROJECTION) for one in folded(speaker, primary)[1]]
    assert {one.id: one.data for one in said} == {derived_id(one.seed): one.data for one in wanted}
    assert len(said) == len(wanted)
    assert {one.type for one in said} == DERIVED, "not everything that can be said was said, so this showed little"

    alerts = await asyncio.to_thread(read_topic, circle.relays.bootstrap, ALERTS)
    assert alerts.values == {row.position: row.wire() for row in rows if row.type == "alert.issued"}
    whole = await asyncio.to_thread(read_topic, circle.relays.bootstrap, EVENTS)
    assert whole.values == {row.position: row.wire() for row in rows}
    for one in LIVE:
        found = await replay(circle.workers.dsn, circle.relays.bootstrap, EVENTS, one, 1, diff=True)
        assert (found.differing, found.rows > 0) == (0, True), (one.name, found.missing, found.surplus)
    assert len(await circle.ledger.rows()) == len(rows), "a replay says nothing"
