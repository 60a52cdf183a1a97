"""How much and how often somebody may ask, how long it may take, and what Prometheus is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

import asyncpg
import httpx
import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from events.vocabulary import Role
from services import clock
from services.api.body import MOST_BYTES
from services.api.examples import EXAMPLES
from tests.support.doors import ALINE, FABIEN, GLORIA, ODILE, Caller, Doors, open_api

SECONDS = 3


@pytest.fixture(scope="module")
async def strict(doors: Doors) -> AsyncIterator[Doors]:
    """One more API on the stack of the others, with little patience."""
    extra = {
        "INTABAZA_API_REQUESTS_PER_SECOND": "0.5",
        "INTABAZA_API_REQUEST_SECONDS": str(SECONDS),
        "INTABAZA_API_STREAMS_PER_PERSON": "1",
    }
    stack = replace(doors.stack, extra={**doors.stack.extra, **extra})
    async with open_api(stack, doors.people) as strict:
        yield strict


async def test_who_asks_too_often_is_told_when_to_come_again_and_nobody_else_is(strict: Doors) -> None:
    answers = [await strict.get(FABIEN, "/v1/levels") for _ in range(6)]
    assert answers[0].status_code == 200
    refused = answers[-1]
    assert (refused.status_code, refused.json()["number"]) == (429, 2004)
    assert int(refused.headers["retry-after"]) >= 1
    assert (await strict.get(GLORIA, "/v1/me", headers={})).status_code in (200, 404)
    async with asyncio.timeout(60):
        while (await strict.get(FABIEN, "/v1/levels")).status_code == 429:  # noqa: ASYNC110 - as it was told
            await asyncio.sleep(int(refused.headers["retry-after"]))


async def test_one_person_does_not_hold_every_stream_and_a_place_that_is_left_is_free_again(strict: Doors) -> None:
    first, second = (strict.authorization(Caller(name, Role.CONSUMER)) for name in ("bede", "chantal"))
    path = "/v1/alerts/stream"
    async with strict.client.stream("GET", path, headers=first) as held:
        assert held.status_code == 200
        refused = await strict.client.get(path, headers=first)
        assert (refused.status_code, refused.json()["number"]) == (429, 2004)
        assert "Your 1 places" in refused.json()["detail"]
        async with strict.client.stream("GET", path, headers=second) as other:
            assert other.status_code == 200
    status = 429
    async with asyncio.timeout(60):
        while status == 429:
            await asyncio.sleep(2)  # the other bucket, of requests, fills by one
            async with strict.client.stream("GET", path, headers=first) as again:
                status = again.status_code
    assert status == 200


async def test_a_command_that_is_refused_for_its_number_does_nothing_and_can_be_sent_again(strict: Doors) -> None:
    key, statuses = str(uuid4()), []
    for number in range(5):
        answer = await strict.post(ALINE, "/v1/reports", EXAMPLES["report.receive"], key=f"{key}-{number}")
        statuses.append(answer.status_code)
    assert set(statuses) == {201, 429}
    assert statuses[-1] == 429
    async with asyncio.timeout(60):
        while answer.status_code == 429:
            await asyncio.sleep(int(answer.headers["retry-after"]))
            answer = await strict.post(ALINE, "/v1/reports", EXAMPLES["report.receive"], key=f"{key}-4")
    assert answer.status_code == 201


async def test_who_guesses_tokens_is_slowed_down_and_who_has_one_is_not(strict: Doors) -> None:
    guess = {"Authorization": "Bearer a.b.c"}
    answers: list[httpx.Response] = []
    async with asyncio.timeout(60):
        while not answers or answers[-1].status_code != 429:
            answers += await asyncio.gather(*(strict.get(None, "/v1/levels", headers=guess) for _ in range(30)))
    assert {one.status_code for one in answers} == {401, 429}
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert (await strict.get(GLORIA, "/v1/alerts")).status_code != 401


async def test_a_body_without_a_declared_length_is_stopped_where_it_is_too_long(doors: Doors) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'{"text": "'
        while sent < 40 * MOST_BYTES:
            sent += 65_536
            yield b"x" * 65_536

    who = doors.authorization(ALINE) | {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
    answer = await doors.client.post("/v1/reports", content=endless(), headers=who)
    assert (answer.status_code, answer.json()["number"]) == (413, 1003)


async def test_a_body_that_never_ends_is_answered_when_its_time_is_over(strict: Doors) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", strict.client.base_url.port)
    lines = [
        "POST /v1/reports HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: {strict.authorization(GLORIA)['Authorization']}",
        "Content-Type: application/json",
        f"Idempotency-Key: {uuid4()}",
        "Content-Length: 500",
    ]
    writer.write("\r\n".join([*lines, "", '{"text": "']).encode())
    async with asyncio.timeout(60):
        assert b" 504 " in await reader.readline()
    writer.close()


async def test_a_read_that_takes_too_long_is_refused_and_the_next_ones_are_not(strict: Doors) -> None:
    database = await asyncpg.connect(strict.stack.addresses.owner_dsn)
    try:
        await database.execute("begin; lock table alert_level.alert_level_unit in access exclusive mode")
        answer = await strict.get(ODILE, "/v1/levels")
        assert (answer.status_code, answer.json()["number"]) == (503, 4008)
        assert answer.headers["retry-after"] == "1"
    finally:
        await database.close()
    async with asyncio.timeout(60):
        while (await strict.get(ODILE, "/v1/levels")).status_code != 200:  # noqa: ASYNC110 - another process
            await asyncio.sleep(1)


async def test_prometheus_is_told_what_was_asked_and_nothing_that_somebody_typed(doors: Doors) -> None:
    typed = "canary-7f3a"
    for path in (f"/v1/levels/{typed}", f"/v1/{typed}", f"/{typed}", f"/problems/{typed}", f"/v1/levels?{typed}=1"):
        await doors.get(FABIEN, path)
        await doors.post(FABIEN, path, {typed: typed})
    await doors.get(None, "/v1/levels", headers={"Authorization": f"Bearer {typed}"})
    said = (await doors.client.get("/metrics")).text
    assert typed not in said
    families = {one.name: one for one in text_string_to_metric_families(said)}
    requests = families["intabaza_api_requests"].samples
    labels = {name: {one.labels[name] for one in requests} for name in ("method", "route", "status")}
    assert labels["method"] <= {"GET", "POST"}
    assert "/v1/levels/{unit}" in labels["route"]
    assert all(status.isdigit() for status in labels["status"])
    assert all(set(one.labels) == {"method", "route", "status"} for one in requests)
    assert {"intabaza_api_seconds", "intabaza_api_listeners"} <= families.keys()
    answered = sum(one.value for one in requests if one.name.endswith("_total"))
    timed = sum(one.value for one in families["intabaza_api_seconds"].samples if one.name.endswith("_count"))
    assert answered == timed > 0


async def test_when_it_was_asked_is_in_the_log_as_in_every_other_line(doors: Doors) -> None:
    before = clock.now()
    await doors.get(FABIEN, "/v1/levels")
    line: dict[str, str] = {}
    async with asyncio.timeout(60):
        while not line or datetime.fromisoformat(line["timestamp"]) < before:
            written = [orjson.loads(one) for one in doors.log.splitlines() if one.startswith("{")]
            line = next((one for one in reversed(written) if one.get("event") == "request"), {})
            await asyncio.sleep(0.05)
    assert (line["method"], line["route"], line["level"], line["role"]) == ("GET", "/v1/levels", "info", "coordinator")
