"""Somebody of the committee overrides a level: strangers are told theirs, the network sees both, and it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from services import clock
from services.api.examples import MPANDA
from tests.support.doors import BEDE, CONSUMER, FABIEN, ODILE, Doors
from tests.support.story_by_http import Telling

LEVEL = f"/v1/levels/{MPANDA}"


async def until_seen(doors: Doors, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The level as the network sees it, once it is as expected."""
    deadline = time.monotonic() + 60
    while True:
        level: dict[str, Any] = (await doors.get(FABIEN, LEVEL)).json()
        if is_so(level):
            return level
        assert time.monotonic() < deadline, level
        await asyncio.sleep(0.05)


async def test_an_override_is_told_and_ends(doors: Doors) -> None:
    telling = Telling(doors)
    at_once: dict[str, Any] = {"reports": None, "threat_to_life": True, "provisional": True, "severity": "extreme"}
    today = {"from": clock.now().date().isoformat()}
    await telling.do(FABIEN, "case.open-case", unit=MPANDA, kind="violence", occurred=today, **at_once)
    computed = await until_seen(doors, lambda level: (level["level"] or 0) >= 2)
    assert (computed["told_level"], computed["overridden"]) == (computed["level"], None)

    until = (clock.now() + timedelta(days=2)).isoformat()
    await telling.do(BEDE, "alert.override", unit=MPANDA, level=4, until=until)
    told = await until_seen(doors, lambda level: level["overridden"] is not None)
    assert (told["level"], told["told_level"], told["overridden"]["level"]) == (computed["level"], 4, 4)
    assert (await doors.get(CONSUMER, LEVEL)).json()["level"] == 4
    assert await last_change(doors) == ("raised", 4)

    await telling.do(ODILE, "alert.end-override", unit=MPANDA)
    told = await until_seen(doors, lambda level: level["overridden"] is None)
    assert told["told_level"] == computed["level"]
    assert (await doors.get(CONSUMER, LEVEL)).json()["level"] == computed["level"]
    assert await last_change(doors) == ("corrected", computed["level"])

    again = await doors.post(ODILE, "/v1/alerts/end-override", {"unit": MPANDA})
    assert (again.status_code, again.json()["number"]) == (409, 3701)


async def last_change(doors: Doors) -> tuple[str, int]:
    """What the last alert of the unit says, as a consumer reads it, once it is on Kafka."""
    deadline = time.monotonic() + 60
    while True:
        alerts = (await doors.get(CONSUMER, "/v1/alerts", unit=MPANDA, limit="200")).json()["alerts"]
        told = (await doors.get(FABIEN, LEVEL)).json()["told_level"]
        if alerts and alerts[-1]["data"]["to"] == told:
            return alerts[-1]["data"]["change"], alerts[-1]["data"]["to"]
        assert time.monotonic() < deadline, alerts[-1:]
        await asyncio.sleep(0.05)


async def test_what_cannot_be_overridden_is_refused_by_field(doors: Doors) -> None:
    soon = (clock.now() + timedelta(days=1)).isoformat()
    right = {"unit": MPANDA, "level": 2, "until": soon, "reason": "protection"}
    for field, wrong in (
        ("until", (clock.now() - timedelta(minutes=1)).isoformat()),
        ("until", (clock.now() + timedelta(days=31)).isoformat()),
        ("level", 5),
        ("reason", "because"),
    ):
        answer = await doors.post(BEDE, "/v1/alerts/override", right | {field: wrong})
        assert answer.status_code == 422, answer.text
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    nowhere = await doors.post(BEDE, "/v1/alerts/override", right | {"unit": "bi:nowhere"})
    assert (nowhere.status_code, nowhere.json()["number"]) == (422, 1101)
