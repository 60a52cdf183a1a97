"""No log of the whole stack holds what somebody typed, whoever they are, wherever in a request it stood."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest

from services.api.examples import EXAMPLES
from tests.support.canaries import Canaries, Found
from tests.support.doors import ALINE, COMMITTEE, FABIEN, ODILE, Doors, open_doors
from tests.support.stack import wait_for


@pytest.fixture(scope="module")
async def doors() -> AsyncIterator[Doors]:
    async with open_doors(INTABAZA_API_REQUESTS_PER_SECOND="0") as doors:
        yield doors


def logs(doors: Doors) -> list[Path]:
    """Every log of every process of the stack."""
    return [
        path
        for path in doors.stack.folder.rglob("*")
        if path.is_file() and ("log" in path.suffix or path.parent.name == "logs") and "data" not in path.parts
    ]


def found_in(canaries: Canaries, doors: Doors) -> list[Found]:
    return [found for path in logs(doors) for found in canaries.in_bytes(path.read_bytes(), str(path))]


async def raw(doors: Doors, request: bytes) -> bytes:
    """Send bytes that no client would, and take whatever comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", doors.client.base_url.port)
    writer.write(request)
    if writer.can_write_eof():
        writer.write_eof()
    async with asyncio.timeout(60):
        said = await reader.read()
    writer.close()
    return said


async def test_no_log_holds_what_stood_in_a_request(doors: Doors) -> None:
    canaries = Canaries()
    word, phone = canaries.text, canaries.phone
    for caller in (ALINE, FABIEN, ODILE, *COMMITTEE):
        canaries.watch(f"person of {caller.name}", str(doors.people[caller.name]))
        token = doors.authorization(caller)["Authorization"].removeprefix("Bearer ")
        canaries.watch(f"claims of {caller.name}", token.split(".")[1][:60])
        canaries.watch(f"signature of {caller.name}", token.split(".")[2][:40])

    # what is taken, and what it says
    report: dict[str, Any] = dict(EXAMPLES["report.receive"]) | {
        "text": word("text"),
        "place_words": word("place"),
        "contact": phone("tel"),
    }
    answers = [await doors.post(ALINE, "/v1/reports", report, key=word("key"))]
    answers.append(await doors.post(FABIEN, "/v1/reporters/enrol", EXAMPLES["reporter.enrol"]))
    assert answers[0].status_code == 201, answers[0].text

    # every place of a request in which it stands wrongly
    path = f"/v1/reports/{word('path')}"
    bodies: list[bytes] = [
        orjson.dumps(report | {"kind": word("enum")}),
        orjson.dumps(report | {word("field"): word("value")}),
        orjson.dumps(report | {"text": {"nested": [word("nested")]}}),
        orjson.dumps(report | {"occurred": {"from": word("date")}}),
        orjson.dumps([word("list")]),
        b'{"text": "' + word("broken").encode(),
        b'{"text": "' + word("bytes").encode() + b'\xff"}',
        b'{"text": "' + word("nul").encode() + b'\\u0000"}',
        word("words").encode() * 40_000,
    ]
    for body in bodies:
        answers.append(await doors.post(ALINE, "/v1/reports", body))
        answers.append(await doors.post(ALINE, "/v1/reports", body, headers={"Content-Type": f"text/{word('type')}"}))
        answers.append(await doors.post(ALINE, f"{path}/grade", body))
    for address in (path, f"/v1/levels/{word('unit')}", f"/{word('page')}", f"/problems/{word('number')}"):
        answers.append(await doors.get(FABIEN, address))
        answers.append(await doors.post(FABIEN, address, report))
    for name in ("cursor", "unit", "wait", "after", word("parameter")):
        answers.append(await doors.get(FABIEN, "/v1/levels", **{name: word(f"query {name}")}))
        answers.append(await doors.get(FABIEN, "/v1/alerts/stream", **{"after": word("after"), name: phone("query")}))
    for header in ("If-Match", "If-None-Match", "Idempotency-Key", "Last-Event-ID", "User-Agent", "X-Forwarded-For"):
        sent = {header: word(f"header {header}")}
        answers.append(await doors.post(ALINE, "/v1/reports", report, headers=sent))
        answers.append(await doors.get(FABIEN, "/v1/levels", headers=sent))
    for token in (word("token"), f"{word('a')}.{word('b')}.{word('c')}", word("long") * 300):
        answers.append(await doors.get(None, "/v1/levels", headers={"Authorization": f"Bearer {token}"}))
    assert {one.status_code for one in answers} >= {200, 201, 400, 401, 404, 405, 413, 415, 422}

    # what is no HTTP at all, and what goes away half-way
    for broken in (
        word("no http").encode() + b"\r\n\r\n",
        b"GET /" + word("request line").encode() + b" HTTP/9.9\r\n\r\n",
        b"POST /v1/reports HTTP/1.1\r\nHost: " + word("host").encode() + b"\r\nContent-Length: x\r\n\r\n",
        b"POST /v1/reports HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n" + word("half").encode(),
    ):
        await raw(doors, broken)

    # what a database quotes when it fails in the middle of it
    database = await asyncpg.connect(doors.stack.addresses.owner_dsn)
    try:
        for table in ("vault.person", "ledger.event"):
            await database.execute(f"alter table {table} add constraint broken check (false) not valid")
            enrol: dict[str, Any] = dict(EXAMPLES["reporter.enrol"]) | {"who": {"phone": phone(f"new in {table}")}}
            failed = await doors.post(FABIEN, "/v1/reporters/enrol", enrol, key=str(uuid4()))
            assert failed.status_code >= 500, failed.text
            await database.execute(f"alter table {table} drop constraint broken")
    finally:
        await database.close()

    assert (await doors.get(FABIEN, "/v1/levels")).status_code == 200
    count = len(answers)
    await asyncio.to_thread(wait_for, lambda: doors.log.count('"event":"request"') >= count // 2)
    written = logs(doors)
    assert {"api.log", "relay.log", "processors.log"} <= {one.name for one in written}
    assert any("postgres" in one.parts or one.name.startswith("postgres") for one in written), written
    assert found_in(canaries, doors) == []
    # which field it was must be said, also of one that is not known here; nothing else is repeated
    refused = (one.content for one in answers if one.status_code >= 400)
    answered = b"\n".join(one.replace(word("field").encode(), b"") for one in refused)
    assert canaries.in_bytes(answered, "what the refusals said") == []


async def test_the_search_finds_what_is_logged(doors: Doors) -> None:
    canaries = Canaries()
    (doors.stack.folder / "logs" / "aside.log").write_text(f"somebody said {canaries.text('text')}")
    assert found_in(canaries, doors) != []
