"""The leader's clock, on simulated ledgers: time moves only where the scenario sets it, and ticks follow it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from events.catalogue import read
from events.reference import ClockTicked
from services import clock
from services.ledger.ledger import NotAccepted
from services.ledger.postgres import PostgresLedger
from services.local.postgres import PostgresServer
from services.relay.leader import Leadership
from services.relay.ticker import STREAM, Ticker, nothing_is_due
from tests.support.ledgers import note

ZONE = ZoneInfo("Africa/Bujumbura")
BEGINNING = datetime(2027, 3, 1, 9, 5, tzinfo=UTC)


class Scenario:
    """A ledger whose clock is set, and a ticker that looks when it is told to."""

    def __init__(self, ledger: PostgresLedger, dsn: str, lead: Leadership) -> None:
        self.ledger, self.dsn, self.lead = ledger, dsn, lead
        self.due: datetime | None = None
        self.ticker = self.another()

    def another(self) -> Ticker:
        async def due(last: datetime) -> datetime | None:
            return self.due

        return Ticker(self.ledger, ZONE, "urn:intabaza:test", due)

    async def look_at(self, moment: datetime) -> None:
        await self.ledger.set_clock(moment)
        for _ in range(3):  # looking again changes nothing
            await self.ticker.tick(self.lead)

    async def ticks(self) -> list[tuple[datetime, str]]:
        rows = await self.ledger.read_stream(STREAM)
        found = [read(row.wire()).data for row in rows]
        assert all(row.home == "*" for row in rows)
        return [(one.nominal, one.reason.value) for one in found if isinstance(one, ClockTicked)]


@asynccontextmanager
async def a_scenario(postgres: PostgresServer, database: str) -> AsyncIterator[Scenario]:
    owner = await asyncpg.connect(postgres.dsn(database))
    await owner.execute("select ledger.simulate($1)", BEGINNING)
    await owner.close()
    dsn = postgres.dsn(database, "intabaza_app")
    ledger = await PostgresLedger.connect(dsn, clock.now)
    lead = await Leadership.connect(dsn)
    assert await lead.try_to_lead()
    try:
        yield Scenario(ledger, dsn, lead)
    finally:
        lead.end()
        await ledger.close()


@pytest.fixture
async def scenario(postgres: PostgresServer, fresh_database: str) -> AsyncIterator[Scenario]:
    async with a_scenario(postgres, fresh_database) as each:
        yield each


async def test_an_empty_ledger_does_not_tick(scenario: Scenario) -> None:
    await scenario.look_at(BEGINNING + timedelta(days=2))
    assert await scenario.ticks() == []


async def test_a_ledger_that_nobody_began_is_not_begun_by_the_clock(
    postgres: PostgresServer, fresh_database: str
) -> None:
    dsn = postgres.dsn(fresh_database, "intabaza_app")
    ledger, lead = await PostgresLedger.connect(dsn, clock.now), await Leadership.connect(dsn)
    await Ticker(ledger, ZONE, "urn:intabaza:test").tick(lead)
    assert (await ledger.head()).position == 0
    lead.end()
    await ledger.close()


async def test_it_ticks_each_hour_at_midnight_and_when_something_falls_due(scenario: Scenario) -> None:
    await scenario.ledger.append(note())
    due = datetime(2027, 3, 1, 11, 17, tzinfo=UTC)
    scenario.due = due
    for minute in range(0, 14 * 60, 5):
        await scenario.look_at(BEGINNING + timedelta(minutes=minute))
    ticks = await scenario.ticks()
    hours = [datetime(2027, 3, 1, hour, tzinfo=UTC) for hour in range(10, 24)]
    assert ticks == sorted([(hour, "midnight" if hour.hour == 22 else "hour") for hour in hours] + [(due, "due")])


async def test_a_gap_is_carried_by_one_tick(scenario: Scenario) -> None:
    await scenario.ledger.append(note())
    await scenario.look_at(BEGINNING + timedelta(days=5, minutes=20))
    assert await scenario.ticks() == [(datetime(2027, 3, 6, 9, tzinfo=UTC), "hour")]


async def test_it_looks_at_once_when_the_clock_is_set(scenario: Scenario) -> None:
    await scenario.ledger.append(note())
    never_by_itself = Ticker(scenario.ledger, ZONE, "urn:intabaza:test", look_seconds=3_600)
    ticking = asyncio.ensure_future(never_by_itself(scenario.lead))
    for hours in range(1, 6):
        await scenario.ledger.set_clock(BEGINNING.replace(minute=0) + timedelta(hours=hours))
        assert await scenario.ledger.wait_for(1 + hours, 30)
    ticking.cancel()
    assert len(await scenario.ticks()) == 5


async def test_two_leaders_that_do_not_know_of_each_other_tick_once(scenario: Scenario) -> None:
    await scenario.ledger.append(note())
    other = scenario.another()
    for hours in range(1, 30):
        await scenario.ledger.set_clock(BEGINNING + timedelta(hours=hours))
        answers = await asyncio.gather(
            *(each.tick(scenario.lead) for each in (scenario.ticker, other, scenario.ticker)), return_exceptions=True
        )
        assert all(answer is None or not isinstance(answer, Exception | NotAccepted) for answer in answers), answers
    ticks = await scenario.ticks()
    assert len(ticks) == len(set(ticks)) == 29


async def test_a_tick_waits_behind_a_shut_door_and_comes_when_it_opens(scenario: Scenario) -> None:
    await scenario.ledger.append(note())
    await scenario.ledger.shut_door("somebody says so")
    await scenario.ledger.set_clock(BEGINNING + timedelta(hours=1))
    looking = asyncio.ensure_future(
        Ticker(scenario.ledger, ZONE, "urn:intabaza:test", nothing_is_due, look_seconds=0.02)(scenario.lead)
    )
    await scenario.ledger.open_door()
    assert await scenario.ledger.wait_for(2, 30)
    looking.cancel()
    assert await scenario.ticks() == [(datetime(2027, 3, 1, 10, tzinfo=UTC), "hour")]
