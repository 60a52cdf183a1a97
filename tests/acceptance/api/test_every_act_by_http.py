"""Every command of the domain through its route, from a network that has not begun; and each sent again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx
import pytest

from services import clock
from services.api.examples import EXAMPLES
from tests.support.doors import ADMIN, ALINE, AUDITOR, Doors, open_doors
from tests.support.story_by_http import ACT_OF, Deed, Telling, begin, tell


@pytest.fixture(scope="module")
async def doors() -> AsyncIterator[Doors]:
    async with open_doors(begun=False) as doors:
        yield doors


@pytest.fixture(scope="module")
async def deeds(doors: Doors) -> list[Deed]:
    """Everything that happened, told once."""
    early = await doors.post(ALINE, "/v1/reports", EXAMPLES["report.receive"])
    assert (early.status_code, early.json()["number"]) == (503, 4001)
    telling = Telling(doors)
    await begin(telling)
    await doors.until_ready()
    await tell(telling)
    return telling.deeds


async def test_every_command_is_accepted_at_its_address(deeds: list[Deed]) -> None:
    assert {deed.route.operation for deed in deeds} == ACT_OF.keys()


async def test_what_makes_something_says_which_and_where(doors: Doors, deeds: list[Deed]) -> None:
    for deed in deeds:
        told = deed.answer.json()
        assert deed.answer.headers["cache-control"] == "no-store"
        if deed.route.held:
            continue
        assert deed.answer.status_code == (201 if deed.route.makes else 200), deed.route.operation
        assert {f"{thing}_id" for thing in deed.route.makes} == {name for name in told if name.endswith("_id")}
        assert told["position"] == max(event["position"] for event in told["events"])
        for thing in {"report", "case"} & {*deed.route.makes}:
            assert deed.answer.headers["location"] == f"/v1/{thing}s/{told[f'{thing}_id']}"
        assert ("location" in deed.answer.headers) == bool(deed.route.makes)
        if deed.route.noun in ("report", "case"):
            assert deed.answer.headers["etag"].strip('"').isdigit()


async def test_a_check_in_says_until_when_it_is_held_and_names_no_event(deeds: list[Deed]) -> None:
    (deed,) = (deed for deed in deeds if deed.route.held)
    told = deed.answer.json()
    assert (deed.answer.status_code, told.keys()) == (202, {"repeated", "held_until"})
    until = datetime.fromisoformat(told["held_until"])
    assert (until.hour, until.minute) == (0, 0)
    assert clock.now() < until <= clock.now() + timedelta(days=8)  # of yesterday: with others of its week
    assert "location" not in deed.answer.headers


async def test_each_command_sent_again_answers_as_the_first_time(doors: Doors, deeds: list[Deed]) -> None:
    for deed in deeds:
        again = await doors.post(deed.caller, deed.path, deed.body, key=deed.key)
        first = deed.answer.json()
        assert again.status_code == (202 if deed.route.held else 200), f"{deed.route.operation}: {again.text}"
        assert again.json() == first | {"repeated": True}
        assert again.headers.get("location") == deed.answer.headers.get("location")


async def test_another_body_under_a_known_id_is_refused(doors: Doors, deeds: list[Deed]) -> None:
    for deed in deeds:
        if deed.route.operation.startswith("reference."):
            continue
        other = dict(deed.body) | {"mode": "test"}
        answer = await doors.post(deed.caller, deed.path, other, key=deed.key)
        assert (answer.status_code, answer.json()["number"]) == (422, 3004), deed.route.operation
    rules = next(deed for deed in deeds if deed.route.operation == "reference.date-election")
    answer = await doors.post(ADMIN, rules.path, dict(rules.body) | {"source": "another"}, key=rules.key)
    assert (answer.status_code, answer.json()["number"]) == (422, 3004)


async def test_where_something_was_made_leads_to_it(doors: Doors, deeds: list[Deed]) -> None:
    made = [deed for deed in deeds if deed.route.makes]
    things = {thing for deed in made for thing in deed.route.makes}
    assert things == {"report", "case", "referral", "check", "consent", "silence"}
    for deed in made:
        (thing,) = deed.route.makes
        where = httpx.URL(deed.answer.headers["location"])
        params = {name: where.params[name] for name in where.params}
        async with asyncio.timeout(60):
            while True:
                answer = await doors.get(AUDITOR, where.path, **params)
                shown = answer.json()
                if "timeline" in where.path and answer.status_code == 200:
                    shown = next(iter(shown["events"]), {"data": {}})["data"]
                if shown.get(f"{thing}_id") == deed.answer.json()[f"{thing}_id"]:
                    break
                await asyncio.sleep(0.05)  # until the projections have it
