"""What every command promises: said twice is done once, nobody is overwritten, who waits is told how far it came."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any
from uuid import uuid4

import httpx

from events.catalogue import read
from events.vocabulary import Role
from services import clock
from services.api.examples import EXAMPLES, GIHANGA, MPANDA
from services.ledger.postgres import PostgresLedger
from tests.support.doors import ALINE, BEDE, CHANTAL, DEO, ESTHER, FABIEN, GLORIA, ODILE, Caller, Doors
from tests.support.stack import wait_for
from tests.support.story_by_http import Telling

REPORT = EXAMPLES["report.receive"]


async def a_report(doors: Doors, **changes: Any) -> str:
    return str((await Telling(doors).do(ALINE, "report.receive", **changes))["report_id"])


async def a_case(doors: Doors) -> str:
    at_once: dict[str, Any] = {"reports": None, "threat_to_life": True, "provisional": True}
    return str((await Telling(doors).do(FABIEN, "case.open-case", **at_once))["case_id"])


async def written(doors: Doors, stream: str) -> list[Any]:
    """The events of a stream as they stand on the wire."""
    ledger = await PostgresLedger.connect(doors.stack.addresses.app_dsn, clock.now)
    try:
        return [read(row.wire()) for row in await ledger.read_stream(stream)]
    finally:
        await ledger.close()


async def test_an_id_in_the_body_is_the_id_in_the_header(doors: Doors) -> None:
    key = str(uuid4())
    first = await doors.post(ALINE, "/v1/reports", REPORT, key=key)
    again = await doors.post(ALINE, "/v1/reports", {**REPORT, "client_id": key}, key=None)
    both = await doors.post(ALINE, "/v1/reports", {**REPORT, "client_id": key}, key=key)
    assert [one.status_code for one in (first, again, both)] == [201, 200, 200]
    assert first.json()["report_id"] == again.json()["report_id"] == both.json()["report_id"]


async def test_one_persons_id_is_no_others(doors: Doors) -> None:
    key = str(uuid4())
    answers = [await doors.post(caller, "/v1/reports", REPORT, key=key) for caller in (ALINE, GLORIA)]
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json()["report_id"] != answers[1].json()["report_id"]


async def test_the_same_command_sent_twice_at_once_is_done_once(doors: Doors) -> None:
    key = str(uuid4())
    answers = await asyncio.gather(*(doors.post(ALINE, "/v1/reports", REPORT, key=key) for _ in range(8)))
    assert sorted(one.status_code for one in answers) == [200] * 7 + [201]
    assert len({one.json()["report_id"] for one in answers}) == 1


async def test_two_who_act_on_one_case_at_once_both_land(doors: Doors) -> None:
    case_id = await a_case(doors)
    callers = (BEDE, CHANTAL, DEO, ESTHER, ODILE)
    path = f"/v1/cases/{case_id}/decide"
    body = {"choice": "monitor", "reason": "Seen at once."}
    answers = await asyncio.gather(*(doors.post(caller, path, body) for caller in callers))
    assert [one.status_code for one in answers] == [200] * len(callers)
    assert sorted(one.json()["events"][0]["version"] for one in answers) == [2, 3, 4, 5, 6]


async def test_who_decides_on_what_is_no_longer_there_is_told_to_read_it_again(doors: Doors) -> None:
    report_id = await a_report(doors)
    path, grade = f"/v1/reports/{report_id}/grade", EXAMPLES["report.grade"]
    first = await doors.post(BEDE, path, grade)
    etag = first.headers["etag"]
    on_it = await doors.post(CHANTAL, path, grade, headers={"If-Match": etag})
    assert on_it.status_code == 200
    stale = await doors.post(DEO, path, grade, headers={"If-Match": etag})
    assert (stale.status_code, stale.json()["number"]) == (412, 3002)
    assert on_it.headers["etag"].strip('"') in stale.json()["detail"]
    anything = await doors.post(DEO, path, grade, headers={"If-Match": "*"})
    assert anything.status_code == 200


async def test_a_registers_entry_is_not_overwritten_by_who_read_an_older_one(doors: Doors) -> None:
    path = "/v1/reference/register-recipient"
    entry = {**EXAMPLES["reference.register-recipient"], "recipient": f"post-{uuid4().hex[:8]}"}
    assert (await doors.post(ODILE, path, entry, headers={"If-Match": '"1"'})).status_code == 412
    first = await doors.post(ODILE, path, entry, headers={"If-Match": '"0"'})
    assert first.status_code == 200
    etag = {"If-Match": first.headers["etag"]}
    second = await doors.post(ODILE, path, {**entry, "label": "Another name"}, headers=etag)
    assert second.status_code == 200
    stale = await doors.post(ODILE, path, {**entry, "label": "A third name"}, headers=etag)
    assert (stale.status_code, stale.json()["number"]) == (412, 3002)


async def test_a_repeat_is_known_as_one_after_its_senders_area_and_the_committee_changed(doors: Doors) -> None:
    key, enrol = str(uuid4()), {**EXAMPLES["reporter.enrol"], "who": {"person_id": str(uuid4())}}
    here, elsewhere = (Caller("fabien", Role.COORDINATOR, (unit,)) for unit in (enrol["unit"], "bi:c2015:gisuru"))
    assert (await doors.post(elsewhere, "/v1/reporters/enrol", enrol)).json()["number"] == 2003
    assert (await doors.post(here, "/v1/reporters/enrol", enrol, key=key)).status_code == 200
    again = await doors.post(elsewhere, "/v1/reporters/enrol", enrol, key=key)
    assert (again.status_code, again.json()["repeated"]) == (200, True)

    path, key = f"/v1/cases/{await a_case(doors)}/ratify", str(uuid4())
    votes = {"in_favour": [str(doors.people[name]) for name in ("bede", "chantal")]}
    assert (await doors.post(BEDE, path, votes, key=key)).status_code == 200
    assert doors.stack.command("committee", "remove", str(doors.people["chantal"])).returncode == 0
    try:
        again = await doors.post(BEDE, path, votes, key=key)
        assert (again.status_code, again.json()["repeated"]) == (200, True)
    finally:
        assert doors.stack.command("committee", "add", str(doors.people["chantal"])).returncode == 0


async def test_who_waits_is_told_that_it_is_on_kafka_and_can_be_read(doors: Doors) -> None:
    for until in ("published", "projected"):
        answer = await doors.post(ALINE, "/v1/reports", REPORT, wait=until, wait_seconds=30)
        assert (answer.status_code, answer.json()[until]) == (201, True)
    registered = await doors.post(
        ODILE, "/v1/reference/register-recipient", EXAMPLES["reference.register-recipient"], wait="projected"
    )
    assert (registered.status_code, registered.json()["projected"]) == (200, True)


async def test_who_has_waited_long_enough_is_told_where_to_ask(doors: Doors) -> None:
    relay, key = doors.stack.pid("relay"), str(uuid4())
    os.kill(relay, signal.SIGSTOP)
    try:
        answer = await doors.post(ALINE, "/v1/reports", REPORT, key=key, wait="published", wait_seconds=0.2)
    finally:
        os.kill(relay, signal.SIGCONT)
    assert (answer.status_code, answer.json()["published"]) == (202, False)
    asked, position = httpx.URL(answer.headers["location"]), answer.json()["position"]
    assert asked.path == f"/v1/positions/{position}"
    told = await doors.get(ALINE, asked.path, receipt=asked.params["receipt"])
    assert (told.status_code, told.json()["recorded"]) == (200, True)
    for caller, at in ((GLORIA, position), (ALINE, position - 1), (ALINE, position + 1)):
        other = await doors.get(caller, f"/v1/positions/{at}", receipt=asked.params["receipt"])
        assert (other.status_code, other.json()["number"]) == (403, 2002)
    again = await doors.post(ALINE, "/v1/reports", REPORT, key=key, wait="published", wait_seconds=30)
    assert (again.status_code, again.json()["published"], again.json()["repeated"]) == (200, True, True)


async def test_who_types_for_somebody_else_stands_beside_them(doors: Doors) -> None:
    report_id = await a_report(doors)
    path = f"/v1/reports/{report_id}/grade"
    grade = {**EXAMPLES["report.grade"], "on_behalf_of": str(doors.people["bede"])}
    assert (await doors.post(CHANTAL, path, grade)).status_code == 200
    event = (await written(doors, f"report/{report_id}"))[-1]
    assert event.onbehalfof is not None
    assert event.onbehalfof == event.data.by != event.actorref
    again = await doors.post(BEDE, path, EXAMPLES["report.grade"])
    assert (again.status_code, again.json()["number"]) == (409, 3106)
    for_others = await doors.post(ALINE, "/v1/reports", {**REPORT, "on_behalf_of": str(doors.people["bede"])})
    assert (for_others.status_code, for_others.json()["number"]) == (403, 2002)


async def test_what_is_exercised_never_touches_what_is_real(doors: Doors) -> None:
    report_id = await a_report(doors, mode="exercise")
    (event,) = await written(doors, f"report/{report_id}")
    assert event.mode == "exercise"
    path = f"/v1/reports/{report_id}/grade"
    real = await doors.post(BEDE, path, EXAMPLES["report.grade"])
    assert (real.status_code, real.json()["number"]) == (409, 3001)
    assert (await doors.post(BEDE, path, {**EXAMPLES["report.grade"], "mode": "exercise"})).status_code == 200


async def test_a_message_from_a_place_by_its_name_is_placed_and_its_words_are_kept(doors: Doors) -> None:
    report_id = await a_report(doors, unit=None, place_precision=None, place_name="gihanga")
    (event,) = await written(doors, f"report/{report_id}")
    assert (event.data.place.unit, event.data.place.precision, event.data.flags) == (GIHANGA, "commune", ())
    assert event.data.place_words is not None


async def test_a_unit_that_is_known_comes_before_a_name(doors: Doors) -> None:
    report_id = await a_report(doors, unit=MPANDA, place_name="gihanga")
    (event,) = await written(doors, f"report/{report_id}")
    assert event.data.place.unit == MPANDA


async def test_nothing_personal_is_logged(doors: Doors) -> None:
    words = {"text": "umutangabuhamya-7f3a", "place_name": "ahantu-7f3a", "contact": "+25779123456"}
    assert (await doors.post(ALINE, "/v1/reports", {**REPORT, **words})).status_code == 201
    bad = await doors.post(ALINE, "/v1/reports", {**REPORT, **words, "kind": "kind-7f3a"}, wait="wait-7f3a")
    assert bad.status_code == 400
    token = doors.authorization(ALINE)["Authorization"].removeprefix("Bearer ")
    await asyncio.to_thread(wait_for, lambda: '"status":400' in doors.log.replace(" ", ""))
    log = doors.log
    assert '"status":201' in log.replace(" ", "")
    for secret in ("7f3a", "+25779123456", token[:40], token[-40:], str(doors.people["aline"])):
        assert secret not in log
