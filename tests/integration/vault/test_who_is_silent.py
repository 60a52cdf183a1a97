"""Who gave no sign for too long, as days go by: a held sign, one on the log and a report are signs alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from secrets import token_bytes

import pytest

from projections.rule_set import CoverageRule
from services.ledger.postgres import simulate
from services.local.postgres import PostgresServer
from services.silence import Silence
from tests.support.signing import ZONE, Signing, at, signing

DAY = date(2026, 5, 1)
RULE = CoverageRule(missed=2, told_within_days=1, high_from=800, medium_from=500)
CADENCE = 7
WAITS = RULE.missed * CADENCE + 1


def on(days: int) -> date:
    return DAY + timedelta(days=days)


@pytest.fixture
async def there(postgres: PostgresServer, fresh_database: str) -> AsyncIterator[Signing]:
    """Two reporters who were assigned on DAY."""
    await simulate(postgres.dsn(fresh_database), at(DAY, 9))
    dsns = postgres.dsn(fresh_database, "intabaza_app"), postgres.dsn(fresh_database, "intabaza_vault")
    async with signing(*dsns, token_bytes(32)) as there:
        await there.enrol(2)
        for person in there.reporters:
            await there.cover(person, CADENCE)
        yield there


async def silent(there: Signing, day: date) -> dict[int, date]:
    """Which of the two are silent at noon of a day, with the day of their last sign as it is told."""
    desk = there.network.desk
    silence = Silence(desk.ledger, desk.persons, desk.signs.store, ZONE)
    found = await silence.silent(at(day, 12), RULE, None, lambda unit: True)
    return {there.reporters.index(one.person_id): one.last_sign for one in found}


async def test_a_sign_counts_while_it_is_held_and_when_it_is_on_the_log(there: Signing) -> None:
    assert await silent(there, on(WAITS - 1)) == {}
    assert await silent(there, on(WAITS)) == {0: DAY, 1: DAY}
    await there.set_clock(at(on(10), 9))
    await there.check_in(there.reporters[0], on(10))
    assert await silent(there, on(WAITS)) == {1: DAY}
    await there.set_clock(at(on(11), 0))
    await there.network.desk.signs.look()
    assert len(await there.recorded()) == 1
    assert await silent(there, on(WAITS)) == {1: DAY}
    assert await silent(there, on(10 + WAITS)) == {0: on(10), 1: DAY}


async def test_who_sent_a_report_is_not_silent_and_its_day_is_not_told(there: Signing) -> None:
    await there.set_clock(at(on(8), 9))
    await there.report(there.reporters[1])
    assert await silent(there, on(WAITS)) == {0: DAY}
    assert await silent(there, on(8 + WAITS)) == {0: DAY, 1: DAY}


async def test_nobody_leaves_the_list_at_the_minute_at_which_they_speak(there: Signing) -> None:
    before = await silent(there, on(WAITS))
    await there.set_clock(at(on(WAITS), 9))
    await there.report(there.reporters[1])
    await there.check_in(there.reporters[0], on(WAITS))
    assert await silent(there, on(WAITS)) == before == {0: DAY, 1: DAY}
    assert await silent(there, on(WAITS + 1)) == {}


async def test_a_report_received_again_is_of_the_day_on_which_it_came(there: Signing) -> None:
    await there.set_clock(at(on(8), 9))
    report_id = await there.report(there.reporters[1])
    await there.set_clock(at(on(20), 9))
    await there.supersede(report_id)
    assert await silent(there, on(8 + WAITS)) == {0: DAY, 1: DAY}


async def test_what_a_machine_recorded_is_nobodys_sign(there: Signing) -> None:
    await there.set_clock(at(on(8), 9))
    await there.report(there.reporters[1], recorded_by="system")
    assert await silent(there, on(WAITS)) == {0: DAY, 1: DAY}


async def test_asking_leaves_nothing_on_the_log(there: Signing) -> None:
    head = await there.network.desk.ledger.head()
    await silent(there, on(WAITS))
    assert await there.network.desk.ledger.head() == head
