"""A severe case that nobody answers, on a real stack: told, climbing, answered by a decision, opened again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from events.catalogue import read
from services import clock
from services.api.examples import GIHANGA, GISURU
from services.ledger.postgres import PostgresLedger
from services.local.ports import free_port
from tests.support.doors import ADMIN, BEDE, CHANTAL, FABIEN, HILAIRE, ODILE, SECOND_OFFICER, Caller, Doors, open_doors
from tests.support.story_by_http import Telling

BEGIN = datetime(2026, 5, 20, 8, tzinfo=UTC)
FAR = "2027-01-01T00:00:00+00:00"
AT_ONCE: dict[str, Any] = {"reports": None, "threat_to_life": True, "provisional": True, "occurred": None}
ELSEWHERE = Caller("chantal", ODILE.role, (GISURU,))
ANSWER = {"awaited": "referral_or_decision"}


@pytest.fixture
async def doors() -> AsyncIterator[Doors]:
    """A simulated network that has begun."""
    alone = {"INTABAZA_PROCESSORS": "1", "INTABAZA_PROCESSOR_METRICS_PORT": str(free_port())}
    async with open_doors(begun=False, **alone) as doors:
        owner = await asyncpg.connect(doors.stack.addresses.owner_dsn)
        await owner.execute("select ledger.simulate($1)", BEGIN)
        await owner.close()
        began = await asyncio.to_thread(doors.stack.command, "begin", "--division", "2015")
        assert began.returncode == 0, began.stderr
        await doors.until_ready()
        yield doors


async def gaps(doors: Doors, caller: Caller = ODILE, **of: str) -> list[dict[str, Any]]:
    answer = await doors.get(caller, "/v1/gaps", **(ANSWER | of))
    assert answer.status_code == 200, answer.text
    listed: list[dict[str, Any]] = answer.json()["gaps"]
    return listed


async def until(doors: Doors, *rungs: int, case_id: str | None = None) -> list[dict[str, Any]]:
    """The gaps, once they are on these rungs, and all of one case where it is named."""
    async with asyncio.timeout(60):
        while True:
            found = await gaps(doors)
            if [one["rung"] for one in found] == [*rungs] and case_id in (None, *(one["case_id"] for one in found)):
                return found
            await asyncio.sleep(0.05)


async def until_counted(doors: Doors, sample: str) -> None:
    """Once the processor tells Prometheus so."""
    page = f"http://127.0.0.1:{doors.stack.extra['INTABAZA_PROCESSOR_METRICS_PORT']}/metrics"
    async with asyncio.timeout(60), httpx.AsyncClient() as prometheus:
        while sample not in (await prometheus.get(page)).text:  # noqa: ASYNC110 - another process counts
            await asyncio.sleep(0.2)


async def test_a_case_climbs_until_it_is_answered_and_again_after_a_contradiction(doors: Doors) -> None:
    ledger = await PostgresLedger.connect(doors.stack.addresses.app_dsn, clock.now)
    telling = Telling(doors)
    await telling.do(ADMIN, "reference.register-recipient")
    case_id = str((await telling.do(FABIEN, "case.open-case", **AT_ONCE))["case_id"])
    assert await gaps(doors) == []

    await ledger.set_clock(BEGIN + timedelta(hours=25))
    (gap,) = await until(doors, 1)
    opened = datetime.fromisoformat(gap["due"]) - timedelta(hours=24)
    assert timedelta() <= opened - BEGIN < timedelta(minutes=5)
    assert (gap["case_id"], gap["unit"], gap["step"], gap["rung"]) == (case_id, GIHANGA, 1, 1)
    assert gap["told"] == {"role": "referral_officer", "since": gap["due"]}
    assert (gap["next"]["role"], datetime.fromisoformat(gap["next"]["due"]) - opened) == (
        "coordinator",
        timedelta(hours=30),
    )

    await ledger.set_clock(BEGIN + timedelta(hours=31))
    (gap,) = await until(doors, 2)
    assert (await gaps(doors, rung="1"), await gaps(doors, rung="2")) == ([], [gap])
    assert await gaps(doors, ELSEWHERE) == []
    shown = await doors.get(ODILE, "/v1/gaps")
    again = await doors.get(ODILE, "/v1/gaps", headers={"If-None-Match": shown.headers["ETag"]})
    assert again.status_code == 304
    for wrong in ("ten", "10", "-1"):
        refused = await doors.get(ODILE, "/v1/gaps", rung=wrong)
        assert (refused.status_code, refused.json()["number"]) == (400, 1005)

    printed = await asyncio.to_thread(doors.stack.command, "gaps", "Gihanga", "--rung", "2")
    assert printed.returncode == 0, printed.stderr
    for words in (case_id, "Gihanga", "referral or decision", "coordinator, since 21 May 2026 16:0", "reviewer, on 22"):
        assert words in printed.stdout, printed.stdout
    await until_counted(doors, 'intabaza_open_gaps{awaited="referral_or_decision",rung="2"} 1.0')
    nothing = await asyncio.to_thread(doors.stack.command, "gaps", "Gisuru")
    assert nothing.stdout == "No answer is overdue.\n"

    await telling.do(ODILE, "case.decide", case_id, choice="no_action", reason="The elders went there already.")
    await until(doors)
    of_case = (await doors.get(ODILE, f"/v1/cases/{case_id}/gaps")).json()["gaps"]
    assert [(one["rung"], one["next"], one["answered_by"]) for one in of_case] == [(2, None, "case.decided")]

    await a_contradicted_referral(telling, case_id)
    await ledger.set_clock(BEGIN + timedelta(hours=31 + 25))
    (gap,) = await until(doors, 1)
    assert (gap["step"], gap["told"]["role"]) == (2, "referral_officer")

    said = [read(row.wire()).data.wire_data() for row in await ledger.read_stream(f"level/{GIHANGA}")]
    assert [(one["step"], one["rung"], one["tell"]) for one in said if "rung" in one] == [
        (1, 1, "referral_officer"),
        (1, 2, "coordinator"),
        (2, 1, "referral_officer"),
    ]

    twin_id = str((await telling.do(FABIEN, "case.open-case", **AT_ONCE))["case_id"])
    await telling.do(BEDE, "case.merge", case_id, into=twin_id)
    (as_one,) = await until(doors, 1, case_id=twin_id)
    assert (as_one["due"], as_one["step"]) == (gap["due"], 1)
    await ledger.close()


async def a_contradicted_referral(telling: Telling, case_id: str) -> None:
    unclear = await telling.do(SECOND_OFFICER, "case.check-harm", case_id, valid_until=FAR)
    released = await telling.do(CHANTAL, "case.release-check", case_id, check_id=unclear["check_id"])
    nobody = await telling.do(FABIEN, "case.record-consent", case_id)
    without = await telling.do(CHANTAL, "case.act-without-consent", case_id, consent_id=nobody["consent_id"])
    cited = {"check_id": released["check_id"], "consent_id": without["consent_id"]}
    first = await telling.do(ODILE, "case.refer", case_id, acknowledge_by=FAR, act_by=FAR, **cited)
    it = {"referral_id": first["referral_id"]}
    await telling.do(FABIEN, "case.accept", case_id, **it)
    await telling.do(HILAIRE, "case.complete", case_id, **it)
    await telling.do(BEDE, "case.check-outcome", case_id, **it)
