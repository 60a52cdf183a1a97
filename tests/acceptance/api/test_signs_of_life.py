"""A check-in at the API: what is refused, what is held, and what becomes of it when the ledger's midnight comes."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from events.catalogue import read
from services import clock
from services.api.examples import EXAMPLES, GIHANGA
from services.ledger.ledger import Recorded
from services.ledger.postgres import PostgresLedger
from tests.support.doors import (
    ADMIN,
    ALINE,
    ANALYST,
    AUDITOR,
    BEDE,
    CUSTODIAN,
    FABIEN,
    GLORIA,
    Caller,
    Doors,
    open_api,
    open_doors,
)
from tests.support.story_by_http import Telling

BEGIN = datetime(2026, 5, 20, 8, tzinfo=UTC)
TODAY = BEGIN.date()
CHECK_IN = "/v1/reporters/check-in"
SIGN = {**EXAMPLES["reporter.check-in"], "on": str(TODAY)}
LONGEST_WAIT_SECONDS = 60


@pytest.fixture(scope="module")
async def doors() -> AsyncIterator[Doors]:
    """A simulated network in the morning of a day, in which aline and gloria are reporters."""
    async with open_doors(begun=False) as doors:
        owner = await asyncpg.connect(doors.stack.addresses.owner_dsn)
        await owner.execute("select ledger.simulate($1)", BEGIN)
        await owner.close()
        began = await asyncio.to_thread(doors.stack.command, "begin", "--division", "2015")
        assert began.returncode == 0, began.stderr
        await doors.until_ready()
        for caller in (ALINE, GLORIA):
            who = {"person_id": str(doors.people[caller.name])}
            await Telling(doors).do(FABIEN, "reporter.enrol", who=who)
            await Telling(doors).do(FABIEN, "reporter.assign-coverage", who=who)
        yield doors


@pytest.fixture
async def ledger(doors: Doors) -> AsyncIterator[PostgresLedger]:
    ledger = await PostgresLedger.connect(doors.stack.addresses.app_dsn, clock.now)
    yield ledger
    await ledger.close()


async def signs(ledger: PostgresLedger) -> list[Recorded]:
    return [row for row in await ledger.read(0, 100_000) if row.type == "reporter.checked_in"]


async def until_there_are(ledger: PostgresLedger, count: int) -> list[Recorded]:
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        while len(found := await signs(ledger)) < count:  # noqa: ASYNC110 - another process writes them
            await asyncio.sleep(0.05)
    return found


async def held(doors: Doors) -> int:
    """How many are held."""
    vault = await asyncpg.connect(doors.stack.addresses.vault_dsn)
    try:
        count: int = await vault.fetchval("select count(*) from vault.held_sign")
        return count
    finally:
        await vault.close()


async def counted(doors: Doors) -> tuple[float, dict[str, float]]:
    """What the API tells Prometheus: how many signs are overdue, and what came to the address of check-ins."""
    text = (await doors.client.get("/metrics")).text
    found = re.search(r"^intabaza_api_signs_overdue ([0-9.]+)$", text, re.MULTILINE)
    assert found, text
    requests = re.findall(r'^intabaza_api_requests_total{.*check-in",status="(\d+)"} ([0-9.]+)$', text, re.MULTILINE)
    return float(found[1]), {status: float(count) for status, count in requests}


async def until_none_is_held(doors: Doors) -> None:
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        while await held(doors):  # noqa: ASYNC110 - another process lets them go
            await asyncio.sleep(0.05)


async def set_clock(ledger: PostgresLedger, **later: int) -> None:
    await ledger.set_clock(BEGIN + timedelta(**later))


@pytest.mark.parametrize(
    ("caller", "change", "field"),
    [
        (ALINE, {"on": str(TODAY + timedelta(days=1))}, "on"),
        (ALINE, {"on": str(TODAY - timedelta(days=32))}, "on"),
        (ALINE, {"on": "yesterday"}, "on"),
        (ALINE, {"on": None}, "on"),
        (ALINE, {"channel": "pigeon"}, "channel"),
        (ALINE, {"nothing_to_report": "yes"}, "nothing_to_report"),
        (ALINE, {"nothing_to_report": None}, "nothing_to_report"),
        (ALINE, {"felt_safety": 11}, "felt_safety"),
        (ALINE, {"felt_safe": 3}, "felt_safe"),
        (ALINE, {"unit": None}, "unit"),
        (ALINE, {"who": {"phone": "+257 79 000 001"}}, "who"),
        (FABIEN, {}, "who"),
        (FABIEN, {"who": {"phone": "79 00"}}, "phone"),
    ],
)
async def test_what_is_wrong_is_refused_by_its_field_and_nothing_is_held(
    doors: Doors, caller: Caller, change: dict[str, Any], field: str
) -> None:
    body = {name: value for name, value in (SIGN | change).items() if value is not None}
    answer = await doors.post(caller, CHECK_IN, body)
    told = answer.json()
    assert (answer.status_code, told["number"]) == (422, 1001), told
    assert [error["field"] for error in told["errors"]] == [field]
    assert all(error["expected"] and error["mend"] for error in told["errors"])
    assert await held(doors) == 0


async def test_who_is_no_reporter_or_outside_an_area_holds_nothing(doors: Doors) -> None:
    stranger = await doors.post(FABIEN, CHECK_IN, SIGN | {"who": {"phone": "+257 79 111 222"}})
    assert (stranger.status_code, stranger.json()["number"]) == (409, 3302)
    elsewhere = Caller("fabien", FABIEN.role, ("bi:c2015:gisuru",))
    aline = {"who": {"person_id": str(doors.people["aline"])}}
    outside = await doors.post(elsewhere, CHECK_IN, SIGN | aline)
    assert (outside.status_code, outside.json()["number"]) == (403, 2003)
    reviewer = await doors.post(BEDE, CHECK_IN, SIGN | aline)
    assert (reviewer.status_code, reviewer.json()["number"]) == (403, 2002)
    assert await held(doors) == 0


async def test_a_sign_is_held_through_the_end_of_the_api_and_recorded_by_the_next_at_midnight(
    doors: Doors, ledger: PostgresLedger
) -> None:
    typed = SIGN | {"on": str(TODAY - timedelta(days=6)), "who": {"person_id": str(doors.people["gloria"])}}
    first = await doors.post(ALINE, CHECK_IN, SIGN, key="my-check-in")
    letter = await doors.post(FABIEN, CHECK_IN, typed, wait="published")
    assert (first.status_code, letter.status_code) == (202, 202)
    assert first.json() == {"repeated": False, "held_until": "2026-05-21T00:00:00+02:00"}
    assert letter.json()["published"] is False
    assert await held(doors) == 2
    overdue, requests = await counted(doors)
    assert overdue == 0
    assert "202" not in requests
    assert requests["422"] > 0
    logged = [line for line in doors.log.splitlines() if CHECK_IN in line]
    assert logged
    assert not any('"status":202' in line for line in logged)
    doors.process.terminate()
    assert await asyncio.to_thread(doors.process.wait, 30) in (0, -signal.SIGTERM)
    assert "Traceback" not in doors.log
    await set_clock(ledger, hours=13, minutes=59)
    assert await signs(ledger) == []
    async with open_api(doors.stack, doors.people) as next_one:
        await set_clock(ledger, hours=14)
        rows = await until_there_are(ledger, 1)
        again = await next_one.post(ALINE, CHECK_IN, SIGN, key="my-check-in")
        assert again.json() == first.json() | {"repeated": True}
        another = await next_one.post(ALINE, CHECK_IN, SIGN)
        assert (another.status_code, another.json()["number"]) == (409, 3304)
        # A clock that jumps over days: each command is done after what was held before its day.
        for day in (1, 2, 3):
            await set_clock(ledger, days=day)
            said = await next_one.post(ALINE, CHECK_IN, SIGN | {"on": str(TODAY + timedelta(days=day))})
            assert said.status_code == 202, said.text
            assert len(await signs(ledger)) == day
        # The letter came on a Wednesday, and the week is over.
        assert letter.json()["held_until"] == "2026-05-25T00:00:00+02:00"
        assert await held(next_one) == 2
        await set_clock(ledger, days=5)
        rows = (await until_there_are(ledger, 5))[:1] + (await signs(ledger))[-2:]
        await until_none_is_held(next_one)
    envelopes = [read(row.wire()) for row in rows]
    assert sorted(str(one.data.wire_data()["on"]) for one in envelopes) == [
        "2026-05-11",
        str(TODAY),
        str(TODAY + timedelta(days=3)),
    ]
    assert len({(one.commandid, one.time, one.actorref) for one in envelopes[1:]}) == 1
    assert {one.actorrole for one in envelopes} == {"system"}


async def test_who_is_silent_is_told_to_the_coordinator_of_that_area_alone(
    doors: Doors, ledger: PostgresLedger
) -> None:
    """Gloria's letter is of days ago and her assignment of the first day; aline checked in on the fourth."""
    page = "/v1/reporters/silent"
    await set_clock(ledger, days=16)
    async with open_api(doors.stack, doors.people) as now:
        answer = await now.get(FABIEN, page)
        told = answer.json()
        assert (answer.status_code, told["missed_cadences"]) == (200, 2), told
        assert [(one["person_id"], one["last_sign"], one["silent_since"]) for one in told["silent"]] == [
            (str(doors.people["gloria"]), str(TODAY), str(TODAY + timedelta(days=15)))
        ]
        assert [unit["unit"] for unit in told["silent"][0]["units"]] == [GIHANGA]
        here, elsewhere = (Caller("fabien", FABIEN.role, (unit,)) for unit in (GIHANGA, "bi:c2015:gisuru"))
        assert (await now.get(here, page)).json() == told
        assert (await now.get(elsewhere, page)).json()["silent"] == []
        for caller in (ALINE, BEDE, AUDITOR, ANALYST, CUSTODIAN, ADMIN):
            refused = await now.get(caller, page)
            assert (refused.status_code, refused.json()["number"]) == (403, 2002), caller
        sent = await now.post(GLORIA, "/v1/reports", EXAMPLES["report.receive"])
        assert sent.status_code == 201
        assert (await now.get(FABIEN, page)).json() == told  # a list that she leaves at this minute would name her
    await set_clock(ledger, days=17)
    async with open_api(doors.stack, doors.people) as now:
        assert (await now.get(FABIEN, page)).json()["silent"] == []


def test_the_examples_place_is_where_they_are_enrolled() -> None:
    assert EXAMPLES["reporter.check-in"]["unit"] == EXAMPLES["reporter.enrol"]["unit"] == GIHANGA
