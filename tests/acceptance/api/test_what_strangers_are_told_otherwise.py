"""Somebody of the committee overrides a level: strangers are told theirs, the network sees both, and it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from services import clock
from services.api.examples import GIHANGA, GISURU, MPANDA
from tests.support.doors import ADMIN, ALINE, BEDE, CONSUMER, FABIEN, ODILE, Caller, Doors
from tests.support.story_by_http import Telling, last_alert

LEVEL = f"/v1/levels/{MPANDA}"


async def until_seen(
    doors: Doors, is_so: Callable[[dict[str, Any]], bool], caller: Caller = FABIEN, unit: str = MPANDA
) -> dict[str, Any]:
    """A level as the network sees it, or another caller, once it is as expected."""
    deadline = time.monotonic() + 60
    while True:
        level: dict[str, Any] = (await doors.get(caller, f"/v1/levels/{unit}")).json()
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


async def test_a_stranger_sees_where_an_alert_stands_and_nothing_else(doors: Doors) -> None:
    """A level below all alerts, and a commune that is watched, are on no list of theirs: somebody spoke there."""
    telling = Telling(doors)
    minor: dict[str, Any] = {"reports": None, "threat_to_life": True, "provisional": True, "severity": "minor"}
    today = {"from": clock.now().date().isoformat()}
    await telling.do(FABIEN, "case.open-case", unit=GISURU, kind="tension", occurred=today, **minor)
    aline = {"person_id": telling.person(ALINE)}
    await telling.do(FABIEN, "reporter.enrol", who=aline, person_name="Umumenyeshamakuru")
    await telling.do(FABIEN, "reporter.assign-coverage", who=aline, units=[GIHANGA])
    for unit in (GISURU, GIHANGA):
        await until_seen(doors, lambda level: level["heard"], unit=unit)
    assert {GISURU, GIHANGA} <= {one["unit"] for one in await listed(doors, FABIEN)}
    assert not {GISURU, GIHANGA} & {one["unit"] for one in await listed(doors, CONSUMER)}
    one = (await doors.get(CONSUMER, f"/v1/levels/{GISURU}")).json()
    assert one == (await doors.get(CONSUMER, "/v1/levels/bi:c2015:bukeye")).json() | {
        name: one[name] for name in ("unit", "unit_name", "codes")
    }


async def test_of_a_commune_that_was_never_heard_of_people_are_told_what_others_decide(doors: Doors) -> None:
    unit = "bi:c2015:bukeye"
    until = (clock.now() + timedelta(hours=1)).isoformat()
    await Telling(doors).do(BEDE, "alert.override", unit=unit, level=3, until=until)
    seen = await until_seen(doors, lambda level: level["level"] == 3, CONSUMER, unit)
    assert unit in {one["unit"] for one in await listed(doors, CONSUMER)}
    inside = (await doors.get(FABIEN, f"/v1/levels/{unit}")).json()
    assert (inside["heard"], inside["level"], inside["told_level"]) == (False, None, 3)
    assert inside["overridden"]["level"] == 3
    assert seen["since"] is not None


async def listed(doors: Doors, caller: Caller, **params: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await doors.get(caller, "/v1/levels", limit="200", **params)).json()["levels"]
    return found


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
    for untold in ("outside:rw", "bi:c2025:bubanza"):
        in_vain = await doors.post(BEDE, "/v1/alerts/override", right | {"unit": untold})
        assert (in_vain.status_code, in_vain.json()["errors"][0]["field"]) == (422, "unit"), in_vain.text
    nowhere = await doors.post(BEDE, "/v1/alerts/override", right | {"unit": "bi:nowhere"})
    assert (nowhere.status_code, nowhere.json()["number"]) == (422, 1101)


async def test_the_last_alert_is_acknowledged_once_and_the_next_one_anew(doors: Doors) -> None:
    telling, unit = Telling(doors), "bi:c2015:mutimbuzi"
    until = (clock.now() + timedelta(hours=1)).isoformat()
    await telling.do(BEDE, "alert.override", unit=unit, level=3, until=until)
    first = await last_alert(telling, unit)
    (standing,) = (await standing_alerts(doors, unit=unit)).values()
    assert (standing["alert_id"], standing["level"], standing["acknowledged_at"]) == (first, 3, None)

    body = {"unit": unit, "alert_id": first}
    other = await doors.post(FABIEN, "/v1/alerts/acknowledge", body | {"alert_id": str(uuid4())})
    assert (other.status_code, other.json()["number"]) == (409, 3702)
    assert first in other.json()["detail"]
    unseen = {"alert_id": first, "acknowledged_at": None, "acknowledged_by": None}
    assert (await until_seen(doors, lambda level: level["told_level"] == 3, unit=unit))["alert"] == unseen
    await telling.do(FABIEN, "alert.acknowledge", **body)
    again = await doors.post(ODILE, "/v1/alerts/acknowledge", body)
    assert (again.status_code, again.json()["number"]) == (409, 3703)
    (standing,) = (await standing_alerts(doors, unit=unit, acknowledged="true")).values()
    assert (standing["acknowledged_by"], standing["acknowledged_at"] is None) == ("coordinator", False)
    assert unit not in await standing_alerts(doors, acknowledged="false")
    seen = {name: standing[name] for name in unseen}
    assert (await doors.get(ODILE, f"/v1/levels/{unit}")).json()["alert"] == seen
    assert (await listed(doors, ODILE, unit=unit))[0]["alert"] == seen
    for stranger in (CONSUMER, ADMIN):
        assert "alert" not in (await doors.get(stranger, f"/v1/levels/{unit}")).json()

    await telling.do(BEDE, "alert.override", unit=unit, level=4, until=until)
    level = await until_seen(doors, lambda level: level["told_level"] == 4, unit=unit)
    assert (level["alert"]["alert_id"] != first, level["alert"]["acknowledged_by"]) == (True, None)
    (standing,) = (await standing_alerts(doors, unit=unit, acknowledged="false")).values()
    assert (standing["level"], standing["acknowledged_at"]) == (4, None)
    assert (await doors.get(CONSUMER, "/v1/alerts/standing")).status_code == 403


async def standing_alerts(doors: Doors, **params: str) -> dict[str, dict[str, Any]]:
    answer = await doors.get(ODILE, "/v1/alerts/standing", **params)
    assert answer.status_code == 200, answer.text
    return {one["unit"]: one for one in answer.json()["alerts"]}
