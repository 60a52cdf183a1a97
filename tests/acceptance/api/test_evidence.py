"""A case is taken away over the API: on the log before its first byte, in clear with two approvals."""

from __future__ import annotations

import io
import json
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx

from events.catalogue import read
from events.custody import ExportMade, RecordViewed
from events.vocabulary import Role
from services.api.examples import EXAMPLES, GISURU
from services.evidence.gathering import gather
from services.wiring import open_desk
from tests.support.doors import ADMIN, AUDITOR, BEDE, CHANTAL, CONSUMER, CUSTODIAN, DEO, PHONES, Caller
from tests.support.packs import by_script
from tests.support.told import Told

CLERK = Caller("hilaire", Role.CUSTODIAN)
SUMMARY, TEXT = str(EXAMPLES["case.open-case"]["summary"]), str(EXAMPLES["report.receive"]["text"])


async def take(told: Told, by: Caller, case_id: str = "", **body: Any) -> httpx.Response:
    path = f"/v1/cases/{case_id or told.case_id}/evidence"
    return await told.doors.post(by, path, {"purpose": "audit"} | body, key=None)


async def approval(told: Told, by: Caller, case_id: str = "", **body: Any) -> httpx.Response:
    path = f"/v1/cases/{case_id or told.case_id}/approve-evidence"
    meant = {"purpose": "audit", "taker": str(told.doors.people[CLERK.name])} | body
    return await told.doors.post(by, path, meant, key=None)


async def approved(told: Told, by: Caller, case_id: str = "", **body: Any) -> str:
    answer = await approval(told, by, case_id, **body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return str(answer.json()["approval"])


def number(answer: httpx.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["number"]


def files_of(answer: httpx.Response) -> dict[str, bytes]:
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


async def custody(told: Told, case_id: str = "") -> list[Any]:
    async with open_desk(told.doors.stack.settings) as desk:
        rows = await desk.ledger.read_stream(f"custody/{case_id or told.case_id}")
    return [read(row.wire()) for row in rows]


async def test_an_auditor_takes_a_case_away_and_the_log_says_so(told: Told, tmp_path: Path) -> None:
    answer = await take(told, AUDITOR)
    files = files_of(answer)
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    assert int(answer.headers["content-length"]) == len(answer.content)
    made = (await custody(told))[-1]
    assert isinstance(made.data, ExportMade)
    assert made.data.manifest_hash == sha256(files["manifest.json"]).hexdigest()
    assert made.actorrole == Role.AUDITOR
    assert made.actorref not in told.doors.people.values()
    held = b"".join(files.values())
    for text in (SUMMARY, TEXT, *PHONES.values(), *map(str, told.doors.people.values())):
        assert text.encode() not in held
    pack = tmp_path / "pack.zip"
    pack.write_bytes(answer.content)
    status, said = by_script(files["verify.py"], pack)
    assert (status, said[:10]) == (8, "Not signed"), "no notary runs on this stack"


async def test_an_earlier_moment_is_a_smaller_pack(told: Told) -> None:
    files = files_of(await take(told, CUSTODIAN))
    now = json.loads(files["manifest.json"])
    events = [json.loads(line) for line in files["events/000001.jsonl"].splitlines()]
    opened = next(int(one["sequence"]) for one in events if one["subject"] == f"case/{told.case_id}")
    then = json.loads(files_of(await take(told, CUSTODIAN, as_of=str(opened)))["manifest.json"])
    assert then["up_to"] == max(then["positions"]) == opened < max(now["positions"])
    assert opened in set(then["positions"]) < set(now["positions"])
    assert number(await take(told, CUSTODIAN, as_of=str(opened - 1))) == (404, 3201)
    for wrong in ("0", "yesterday", str(10**12)):
        assert number(await take(told, CUSTODIAN, as_of=wrong)) == (400, 1005), wrong
    assert "it begins with position 1, recorded" in (await take(told, CUSTODIAN, as_of="0")).json()["detail"]
    assert "it ends with position" in (await take(told, CUSTODIAN, as_of=str(10**12))).json()["detail"]
    assert number(await take(told, CUSTODIAN, str(uuid4()))) == (404, 3201)
    assert number(await take(told, CUSTODIAN, "none")) == (400, 1005)
    assert number(await take(told, CUSTODIAN, purpose="review")) == (422, 1001)


async def test_in_whatever_order_the_ledger_answers_the_same_is_taken(told: Told) -> None:
    """A query without `order by` is answered in any order, and in another one as a table grows."""
    async with asyncpg.create_pool(told.doors.stack.addresses.owner_dsn, min_size=1, max_size=1) as pool:

        async def backwards(query: str, *arguments: object) -> list[asyncpg.Record]:
            rows = await pool.fetch(query, *arguments)
            return rows if "order by" in query else rows[::-1]

        ((up_to,),) = await pool.fetch("select max(position) from ledger.event")
        taken = await gather(pool.fetch, UUID(told.case_id), up_to, lambda _: True)
        levels = await pool.fetch("select position from ledger.event where stream like 'level/%'")
        assert {row["position"] for row in levels} & set(taken.positions), "what names the case is in it"
        assert await gather(backwards, UUID(told.case_id), up_to, lambda _: True) == taken


async def test_two_approve_and_the_texts_are_in_it(told: Told) -> None:
    before = len(await custody(told))
    one, two = await approved(told, BEDE), await approved(told, AUDITOR)
    files = files_of(await take(told, CLERK, in_clear=True, approvals=[one, two]))
    shown = [json.loads(line) for line in files["texts/000001.jsonl"].splitlines()]
    assert SUMMARY in {line["text"] for line in shown}
    assert SUMMARY in files["index.html"].decode()
    held = b"".join(files.values())
    for text in (*PHONES.values(), *map(str, told.doors.people.values())):
        assert text.encode() not in held
    *views, made = (await custody(told))[before:]
    assert all(isinstance(one.data, RecordViewed) and len(set(one.data.approved_by)) == 2 for one in views)
    assert {one.data.viewed for one in views} == {f"case/{told.case_id}"}
    assert len(made.data.in_clear) >= len(views) > 0
    assert made.data.manifest_hash == sha256(files["manifest.json"]).hexdigest()
    assert SUMMARY not in told.doors.log
    assert number(await take(told, CLERK, in_clear=True, approvals=[one, two])) == (409, 3506)
    third = await approved(told, DEO)
    assert number(await take(told, CLERK, in_clear=True, approvals=[one, third])) == (409, 3506)

    later = files_of(await take(told, AUDITOR))["index.html"].decode()
    assert str(made.actorref) in later
    of_each = {f"{one.viewed} {one.viewed_version}: {' '.join(one.fields)}" for one in made.data.in_clear}
    assert {one for one in of_each if one not in later} == set(), "which texts it showed is said in words"
    table = later.partition("<h2>Who looked at it</h2>")[2].partition("<h2>")[0]
    assert ("{" in table, "[" in table) == (False, False), "nobody reads JSON"


async def test_without_two_others_no_text_leaves(told: Told) -> None:
    before = len(await custody(told))
    one = await approved(told, BEDE)
    for given in ([], [one], [one, one], [one, await approved(told, BEDE)]):
        assert number(await take(told, CLERK, in_clear=True, approvals=given)) == (403, 3502), given
    other = next(
        deed.answer.json()["case_id"]
        for deed in told.telling.deeds
        if deed.route.operation == "case.open-case" and deed.answer.json()["case_id"] != told.case_id
    )
    said = []
    for wrong in (
        await approved(told, CHANTAL, other),
        await approved(told, CHANTAL, purpose="disclosure"),
        await approved(told, CHANTAL, taker=str(uuid4())),
        one[:-2],
    ):
        answer = await take(told, CLERK, in_clear=True, approvals=[one, wrong])
        assert number(answer) == (422, 1001)
        said.append(answer.json()["errors"][0]["expected"])
    assert len(set(said)) == 4
    opening = {"version": 1, "fields": ["summary"], "purpose": "audit", "opener": str(told.doors.people[CLERK.name])}
    of_an_opening = await told.doors.post(CHANTAL, f"/v1/cases/{told.case_id}/approve", opening, key=None)
    given = [one, of_an_opening.json()["approval"]]
    assert number(await take(told, CLERK, in_clear=True, approvals=given)) == (422, 1001)
    two = await approved(told, CHANTAL)
    taker = {"taker": str(told.doors.people[AUDITOR.name])}
    of_the_auditor = [await approved(told, by, **taker) for by in (BEDE, CHANTAL)]
    assert number(await take(told, AUDITOR, in_clear=True, approvals=of_the_auditor)) == (403, 3501)
    assert number(await take(told, CLERK, approvals=[one, two])) == (422, 1001)
    assert number(await approval(told, CLERK)) == (422, 1001), "nobody approves what they take themselves"
    assert len(await custody(told)) == before
    assert (await take(told, CLERK, in_clear=True, approvals=[one, two])).status_code == 200, "nothing was used up"


async def test_a_case_outside_the_area_is_approved_by_nobody_there(told: Told) -> None:
    far = Caller("bede", Role.REVIEWER, (GISURU,))
    assert number(await approval(told, far)) == (404, 3201)
    assert number(await approval(told, ADMIN)) == (403, 2002)
    for role in (BEDE, ADMIN, CONSUMER):
        assert number(await take(told, role)) == (403, 2002)


async def test_the_keys_of_the_log_are_for_every_token(told: Told) -> None:
    for caller in (AUDITOR, CONSUMER, BEDE):
        assert number(await told.doors.get(caller, "/v1/log/keys")) == (404, 4010), "nothing is signed here yet"
    assert number(await told.doors.get(None, "/v1/log/keys")) == (401, 2001)
