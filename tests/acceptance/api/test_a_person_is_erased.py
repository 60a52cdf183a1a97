"""A custodian erases a person with two approvals: for ever, once, said on the log; nobody is told who is known."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx

from events.catalogue import read
from events.custody import SubjectKeyDestroyed
from events.vocabulary import Role
from services.wiring import open_desk
from tests.support.doors import AUDITOR, BEDE, CHANTAL, CUSTODIAN, ODILE, Caller
from tests.support.told import Told

CLERK = Caller("hilaire", Role.CUSTODIAN)
ERASE, APPROVE = "/v1/persons/erase", "/v1/persons/approve-erasure"


async def approval(told: Told, by: Caller, who: dict[str, str], eraser: Caller = CLERK) -> str:
    body = {"who": who, "eraser": str(told.doors.people[eraser.name])}
    answer = await told.doors.post(by, APPROVE, body, key=None)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["approval"])


async def erase(told: Told, who: dict[str, str], *approvals: str, by: Caller = CLERK, key: str = "") -> httpx.Response:
    return await told.doors.post(by, ERASE, {"who": who, "approvals": list(approvals)}, key=key)


def number(answer: httpx.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["number"]


async def a_witness(told: Told, phone: str) -> tuple[dict[str, str], str]:
    """Somebody who was never heard of before, and the report that they gave, whose text speaks of them."""
    body = {"channel": "sms", "language": "rn", "kind": "tension", "unit": "bi:c2015:gihanga"}
    answer = await told.doors.post(
        ODILE, "/v1/reports", body | {"text": "I saw it myself.", "contact": phone, "source": {"phone": phone}}
    )
    assert answer.status_code == 201, answer.text
    async with open_desk(told.doors.stack.settings) as desk:
        person = await desk.persons.find_person(phone)
    assert person is not None
    return {"person_id": str(person)}, str(answer.json()["report_id"])


async def opens(told: Told, report_id: str) -> tuple[int, Any]:
    opener = str(told.doors.people[CLERK.name])
    meant = {"version": 1, "fields": ["contact"], "purpose": "care"}
    where = f"/v1/reports/{report_id}"
    given = [
        (await told.doors.post(by, f"{where}/approve", meant | {"opener": opener}, key=None)).json()["approval"]
        for by in (BEDE, CHANTAL)
    ]
    answer = await told.doors.post(CLERK, f"{where}/open", meant | {"approvals": given}, key=None)
    return answer.status_code, answer.json().get("number")


async def test_two_approve_and_nothing_of_them_opens_any_more(told: Told) -> None:
    phone = "+25779311001"
    person, report_id = await a_witness(told, phone)
    assert await opens(told, report_id) == (200, None)
    one, two = await approval(told, BEDE, {"phone": phone}), await approval(told, AUDITOR, person)
    key = str(uuid4())
    answer = await erase(told, {"phone": phone}, one, two, key=key)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    said = answer.json()
    assert not said["repeated"]
    assert await opens(told, report_id) == (410, 3504)
    async with open_desk(told.doors.stack.settings) as desk:
        assert await desk.persons.find_person(phone) is None
        (row,) = await desk.ledger.read(said["position"] - 1, 1)
    event = read(row.wire())
    assert isinstance(event.data, SubjectKeyDestroyed)
    assert (event.actorrole, event.partitionkey, len(event.data.approved_by)) == (Role.CUSTODIAN, "vault", 2)
    assert not {event.actorref, *event.data.approved_by} & {*told.doors.people.values(), UUID(person["person_id"])}
    assert phone not in told.doors.log

    for who in ({"phone": phone}, person):
        again = await erase(told, who, one, two, key=key)
        assert again.json() == said | {"repeated": True}, "a lost answer is asked for again"
    other, _ = await a_witness(told, "+25779311002")
    assert number(await erase(told, other, key=key)) == (422, 3004)
    for known, unknown in (
        ({"phone": "+25779311002"}, {"phone": "+25779999996"}),
        (other, {"person_id": str(uuid4())}),
    ):
        answers = [await erase(told, who, key=key) for who in (known, unknown)]
        assert answers[0].content == answers[1].content, "under an id that was used nobody learns who else is known"
    fresh = [await approval(told, by, person) for by in (BEDE, CHANTAL)]
    done = await erase(told, person, *fresh)
    assert done.json() == {"repeated": True, "position": None, "recorded_at": None}


async def test_a_text_whose_key_was_lost_with_an_older_vault_says_so(told: Told) -> None:
    _, report_id = await a_witness(told, "+25779311009")
    owner = await asyncpg.connect(told.doors.stack.addresses.owner_dsn)
    await owner.execute("set session_replication_role = replica")
    lost = await owner.execute("delete from vault.key where kind = 'person' and subject like '%' || $1", report_id)
    await owner.close()
    assert lost == "DELETE 1"
    assert await opens(told, report_id) == (410, 4025)


async def test_fewer_than_two_others_erase_nobody(told: Told) -> None:
    person, report_id = await a_witness(told, "+25779311003")
    one = await approval(told, BEDE, person)
    for given in ([], [one], [one, one], [one, await approval(told, BEDE, person)]):
        assert number(await erase(told, person, *given)) == (403, 3502), given
    elsewhere = await approval(told, CHANTAL, {"person_id": str(uuid4())})
    another = await approval(told, CHANTAL, person, eraser=CUSTODIAN)
    for wrong in (one[:-2], "nothing", one + "A" * 9_000):
        assert number(await erase(told, person, one, wrong)) == (422, 1001)
    for of_another in (elsewhere, another):
        assert number(await erase(told, person, one, of_another)) == (403, 3502)
    two = await approval(told, CHANTAL, person)
    assert number(await erase(told, person, one, two, by=CUSTODIAN)) == (403, 3502)
    assert number(await erase(told, person, one, two, by=BEDE)) == (403, 2002)
    assert await opens(told, report_id) == (200, None), "nothing of it did anything"
    assert (await erase(told, person, one, two)).status_code == 200, "and what was refused used nothing up"


async def test_an_approval_of_an_opening_erases_nobody(told: Told) -> None:
    person, report_id = await a_witness(told, "+25779311004")
    meant = {"version": 1, "fields": ["contact"], "purpose": "erasure", "opener": str(told.doors.people[CLERK.name])}
    opening = (await told.doors.post(CHANTAL, f"/v1/reports/{report_id}/approve", meant, key=None)).json()["approval"]
    assert number(await erase(told, person, await approval(told, BEDE, person), opening)) == (422, 1001)


async def test_who_is_known_is_told_to_nobody_on_their_own(told: Told) -> None:
    person, _ = await a_witness(told, "+25779311005")
    nobody, known = {"phone": "+25779999999"}, {"phone": "+25779311005"}
    answers = [await erase(told, who) for who in (nobody, known, person, {"person_id": str(uuid4())})]
    assert {answer.content for answer in answers} == {answers[0].content}
    assert number(answers[0]) == (403, 3502)
    lengths = {len(await approval(told, BEDE, who)) for who in (nobody, known)}
    assert len(lengths) == 1
    of_the_phone, of_the_id = await approval(told, BEDE, known), await approval(told, BEDE, person)
    answers = [await erase(told, who, of_the_phone, of_the_id) for who in (known, person, nobody)]
    assert {answer.content for answer in answers} == {answers[0].content}, "whose phone it is, is told to no two"
    assert of_the_phone[:40] != of_the_id[:40]
    twice = [await approval(told, BEDE, nobody), await approval(told, BEDE, nobody)]
    assert number(await erase(told, nobody, *twice)) == (403, 3502), "one approver is one, also beside nobody"
    answer = await erase(told, nobody, twice[0], await approval(told, CHANTAL, nobody))
    assert number(answer) == (422, 1001)
    assert [one["field"] for one in answer.json()["errors"]] == ["who"]


async def test_nobody_erases_or_approves_themselves_and_who_is_meant_is_one(told: Told) -> None:
    oneself = {"person_id": str(told.doors.people[CLERK.name])}
    answer = await erase(told, oneself)
    assert [one["field"] for one in answer.json()["errors"]] == ["who"]
    for who in ({"phone": "+25779999998"}, {"person_id": str(uuid4())}):
        own = {"who": who, "eraser": str(told.doors.people[CLERK.name])}
        answer = await told.doors.post(CLERK, APPROVE, own, key=None)
        assert number(answer) == (422, 1001), "whoever erases is no second pair of eyes"
        assert [one["field"] for one in answer.json()["errors"]] == ["eraser"]
    for who in ({}, {"phone": "+25779311006", "person_id": str(uuid4())}, {"phone": "79"}):
        assert number(await erase(told, who)) == (422, 1001), who
    person, _ = await a_witness(told, "+25779311006")
    answer = await told.doors.post(CLERK, ERASE, {"who": person}, key=None)
    assert number(answer) == (400, 1004), "without an id a repeat could not be known"


async def test_many_who_erase_at_once_say_it_once(told: Told) -> None:
    person, _ = await a_witness(told, "+25779311007")
    given = [[await approval(told, by, person) for by in (BEDE, CHANTAL)] for _ in range(6)]
    answers = await asyncio.gather(*(erase(told, person, *each) for each in given))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert sum(not answer.json()["repeated"] for answer in answers) == 1
