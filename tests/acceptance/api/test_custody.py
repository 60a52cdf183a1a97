"""Opening what is sealed through the API: recorded first, by role and area, and who somebody is with two approvers."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from events.catalogue import read
from events.custody import RecordViewed
from events.vocabulary import Role
from services.api.examples import EXAMPLES
from services.wiring import open_desk
from tests.support.doors import AUDITOR, BEDE, CHANTAL, CUSTODIAN, DEO, HILAIRE, ODILE, Caller
from tests.support.told import Told

CLERK = Caller("hilaire", Role.CUSTODIAN)
TEXT = str(EXAMPLES["report.receive"]["text"])


async def post(told: Told, caller: Caller, path: str, **body: Any) -> httpx.Response:
    return await told.doors.post(caller, path, {"version": 1} | body, key=None)


def number(answer: httpx.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["number"]


async def views(told: Told, record_id: str) -> list[RecordViewed]:
    async with open_desk(told.doors.stack.settings) as desk:
        rows = await desk.ledger.read_stream(f"custody/{record_id}")
    return [event for row in rows if isinstance(event := read(row.wire()).data, RecordViewed)]


async def test_a_reviewer_opens_a_text_and_the_ledger_says_so(told: Told) -> None:
    before = len(await views(told, told.report_id))
    answer = await post(told, BEDE, f"/v1/reports/{told.report_id}/open", fields=["text"], purpose="review")
    assert answer.json() == {"version": 1, "texts": {"text": TEXT}}
    assert answer.headers["cache-control"] == "no-store"
    viewed = (await views(told, told.report_id))[before:]
    assert [(one.viewed, one.viewed_version, one.fields, one.purpose) for one in viewed] == [
        (f"report/{told.report_id}", 1, ("text",), "review")
    ]
    assert TEXT not in told.doors.log


async def test_a_case_opens_for_who_works_on_it(told: Told) -> None:
    path = f"/v1/cases/{told.case_id}/open"
    answer = await post(told, ODILE, path, fields=["summary", "actor_class"], purpose="referral")
    assert answer.json()["texts"] == {"summary": EXAMPLES["case.open-case"]["summary"], "actor_class": "unknown"}
    assert number(await post(told, ODILE, path, fields=["summary"], purpose="review")) == (403, 3501)
    assert number(await post(told, AUDITOR, path, fields=["summary"], purpose="audit")) == (403, 2002)


async def test_what_is_not_sealed_there_is_told_without_quoting_it(told: Told) -> None:
    path = f"/v1/reports/{told.report_id}/open"
    wrong: list[dict[str, Any]] = [
        {"fields": ["kind"]},
        {"fields": ["canary"]},
        {"version": 10_000, "fields": ["text"]},
        {"fields": []},
    ]
    for body in wrong:
        answer = await post(told, BEDE, path, purpose="review", **body)
        assert number(answer) == (422, 1001), body
        assert "canary" not in answer.text
    assert number(await post(told, BEDE, f"/v1/reports/{uuid4()}/open", fields=["text"], purpose="review")) == (
        404,
        3101,
    )


async def test_outside_its_area_nobody_opens_anything(told: Told) -> None:
    far = Caller("bede", Role.REVIEWER, ("bi:c2015:gisuru",))
    for path in (f"/v1/reports/{told.report_id}", f"/v1/cases/{told.case_id}"):
        for act in ({"purpose": "review"}, {"purpose": "disclosure", "opener": str(uuid4())}):
            where = f"{path}/{'approve' if 'opener' in act else 'open'}"
            absent = 3101 if "/reports/" in where else 3201
            assert number(await post(told, far, where, fields=["text"], **act)) == (404, absent), where


async def test_a_recipient_opens_the_note_of_its_own_referral_and_nothing_else(told: Told) -> None:
    soon = await _a_referral(told)
    path = f"/v1/cases/{soon['case_id']}/open"
    answer = await post(told, HILAIRE, path, version=soon["version"], fields=["note"], purpose="referral")
    assert answer.json()["texts"] == {"note": soon["note"]}
    assert number(await post(told, HILAIRE, path, fields=["summary"], purpose="referral")) == (404, 3235)
    other = Caller("hilaire", Role.RECIPIENT, recipient="another")
    there = {"version": soon["version"], "fields": ["note"], "purpose": "referral"}
    assert number(await post(told, other, path, **there)) == (404, 3235)
    assert number(await post(told, HILAIRE, f"/v1/reports/{told.report_id}/open", **there)) == (404, 3101)
    taken_back = {"referral_id": soon["referral_id"], "reason": "harm_feared"}
    revoked = await told.doors.post(ODILE, f"/v1/cases/{soon['case_id']}/revoke", taken_back)
    assert revoked.status_code == 200, revoked.text
    assert number(await post(told, HILAIRE, path, **there)) == (404, 3235)


async def _a_referral(told: Told) -> dict[str, Any]:
    """One to the community police, on the case that stands in Gihanga; where its note stands, and what it says."""
    refer = next(deed for deed in told.telling.deeds if deed.route.operation == "case.refer")
    case_id = refer.path.split("/")[3]
    body = dict(refer.body)
    answer = await told.doors.post(ODILE, f"/v1/cases/{case_id}/refer", body)
    assert answer.status_code == 201, answer.text
    (event,) = answer.json()["events"]
    return {
        "case_id": case_id,
        "referral_id": answer.json()["referral_id"],
        "version": event["version"],
        "note": body["note"],
    }


async def test_who_somebody_is_opens_with_two_approvers_who_are_not_the_one_who_opens(told: Told) -> None:
    path = f"/v1/reports/{told.report_id}"
    meant = {"fields": ["source"], "purpose": "disclosure"}
    opener = str(told.doors.people[CLERK.name])

    async def approved(by: Caller, **changes: Any) -> str:
        answer = await post(told, by, f"{path}/approve", **(meant | {"opener": opener} | changes))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["approval"])

    async def opened(*approvals: str, by: Caller = CLERK, **changes: Any) -> httpx.Response:
        return await post(told, by, f"{path}/open", **(meant | changes), approvals=list(approvals))

    own = await post(told, CLERK, f"{path}/approve", **meant, opener=opener)
    assert (number(own), [each["field"] for each in own.json()["errors"]]) == ((422, 1001), ["opener"])
    one, two = await approved(BEDE), await approved(CHANTAL)
    assert number(await opened()) == (403, 3502)
    assert number(await opened(one)) == (403, 3502)
    assert number(await opened(one, one)) == (403, 3502)
    assert number(await opened(one, await approved(CHANTAL, purpose="erasure"))) == (422, 1001)
    assert number(await opened(one, await approved(CHANTAL, opener=str(uuid4())))) == (422, 1001)
    assert number(await opened(one, two, by=CUSTODIAN)) == (422, 1001)
    assert number(await opened(one, two[:-4])) == (422, 1001)
    assert number(await opened(one, two, by=BEDE)) == (422, 1001)
    before = len(await views(told, told.report_id))
    answer = await opened(one, two)
    assert answer.json()["texts"] == {"source": str(told.doors.people["aline"])}
    (viewed,) = (await views(told, told.report_id))[before:]
    assert len(set(viewed.approved_by)) == 2
    assert not {*viewed.approved_by} & {*told.doors.people.values()}
    third = await approved(DEO)
    for used in ((one, two), (one, third), (third, two)):
        assert number(await opened(*used)) == (409, 3506), "each is good for one opening"
    assert len(await views(told, told.report_id)) == before + 1
    assert (await opened(third, await approved(BEDE))).status_code == 200


async def test_one_approval_opens_once_also_where_it_is_sent_many_times_at_once(told: Told) -> None:
    path = f"/v1/reports/{told.report_id}"
    meant = {"fields": ["source"], "purpose": "disclosure"}
    opener = str(told.doors.people[CLERK.name])
    approvals = [
        (await post(told, by, f"{path}/approve", **meant, opener=opener)).json()["approval"] for by in (BEDE, CHANTAL)
    ]
    before = len(await views(told, told.report_id))
    sent = (post(told, CLERK, f"{path}/open", **meant, approvals=approvals) for _ in range(8))
    answers = await asyncio.gather(*sent)
    assert sorted(one.status_code for one in answers) == [200] + [409] * 7
    assert len(await views(told, told.report_id)) == before + 1


@pytest.mark.parametrize("purpose", ["review", "correction"])
async def test_a_report_received_again_is_opened_under_the_pseudonym_of_the_first_time(
    told: Told, purpose: str
) -> None:
    again = told.made("report.supersede", "report_id")
    before = (await told.see(BEDE, f"/v1/reports/{again}"))["received_before_as"][0]
    for report_id in (before, again):
        answer = await post(told, BEDE, f"/v1/reports/{report_id}/open", fields=["text"], purpose=purpose)
        assert answer.json()["texts"] == {"text": TEXT}
    async with open_desk(told.doors.stack.settings) as desk:
        seen = [(await desk.ledger.read_stream(f"custody/{one}"))[-1] for one in (before, again)]
    assert len({read(row.wire()).actorref for row in seen}) == 1
