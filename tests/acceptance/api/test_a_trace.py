"""A report is taken back, and a committee says less than it said: all that rested on it is listed and corrected."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson
import pytest

from services.api.examples import EXAMPLES, GIHANGA, GISURU
from tests.support.doors import ALINE, AUDITOR, BEDE, CHANTAL, CONSUMER, FABIEN, ODILE, Caller, Doors, open_doors
from tests.support.receivers import Receiver, a_receiver
from tests.support.story_by_http import Telling, the_referrals, the_registers

TRACED = ("report/", "case/", "level/", "alert/", "reference/", "custody/")
LISTS = ("judgements", "decisions", "referrals", "overdue", "level_changes", "alerts", "messages")
FAR = Caller("chantal", BEDE.role, (GISURU,))


@dataclass
class Traced:
    """A case of three reports that was assessed, referred and told of, with whom strangers told by webhook are."""

    doors: Doors
    telling: Telling
    receiver: Receiver
    subscriber_id: str
    case_id: str
    reports: list[str]
    assessed_at: int

    async def trace(self, event: object, caller: Caller = AUDITOR) -> dict[str, Any]:
        answer = await self.doors.get(caller, f"/v1/trace/{event}")
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def until_told(self, change: str) -> dict[str, Any]:
        """The last alert of the commune, once it is of this kind and its subscriber has it."""
        alerts = await self.doors.until_alerts(
            GIHANGA,
            lambda listed: (
                listed[-1]["data"]["change"] == change
                and listed[-1]["id"] in {orjson.loads(one.body)["id"] for one in self.receiver.came}
            ),
        )
        return alerts[-1]

    async def until_delivered(self, event: object, part: str) -> dict[str, Any]:
        """A trace, once it is complete and every message in this part of it is known to have been delivered."""
        async with asyncio.timeout(60):
            while True:
                found = await self.trace(event)
                messages = found[part]["messages"]
                if found["complete"] and messages and all(one["delivered_at"] for one in messages):
                    return found
                await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
async def traced() -> AsyncIterator[Traced]:
    async with (
        open_doors(
            INTABAZA_NOTIFIERS="1", INTABAZA_NOTIFIER_HTTP="true", INTABAZA_NOTIFIER_NETWORKS="127.0.0.0/8"
        ) as doors,
        a_receiver() as receiver,
    ):
        body = {"url": receiver.url, "minimum_level": 3}
        subscribed = await doors.post(CONSUMER, "/v1/subscribers", body, key=None)
        telling = Telling(doors)
        await the_registers(telling)
        reports = [(await telling.do(ALINE, "report.receive"))["report_id"] for _ in range(3)]
        case_id = await a_case_of(telling, reports)
        assessed = await telling.do(BEDE, "case.assess", case_id, **gravely(telling))
        await the_referrals(telling, case_id)
        subscriber_id = subscribed.json()["subscriber_id"]
        yield Traced(doors, telling, receiver, subscriber_id, case_id, reports, assessed["position"])


async def a_case_of(telling: Telling, reports: list[str]) -> str:
    at_once: dict[str, Any] = {"reports": None, "threat_to_life": True, "provisional": True, "severity": "extreme"}
    case_id = str((await telling.do(ODILE, "case.open-case", kind="violence", **at_once))["case_id"])
    for report_id in reports:
        await telling.do(ODILE, "case.link-report", case_id, report_id=report_id)
    await telling.do(ODILE, "case.classify", case_id, kind="violence")
    await telling.do(BEDE, "case.ratify", case_id, **telling.voted())
    return case_id


def gravely(telling: Telling, **changes: Any) -> dict[str, Any]:
    said = {"severity": "extreme", "credibility": "1", "verification_state": "confirmed_true"}
    nobody_apart = {"dissent": None, "recused": None, "evidence": None}
    return {**nobody_apart, **telling.voted(), **said, **changes}


def types(found: list[dict[str, Any]]) -> list[str]:
    return [one["type"] for one in found]


async def test_withdrawing_one_of_three_reports_lists_all_that_rested_on_it_and_corrects_nothing(
    traced: Traced,
) -> None:
    raised = await traced.until_told("raised")
    withdrawn = await traced.telling.do(FABIEN, "report.withdraw", traced.reports[0])
    found = await traced.until_delivered(withdrawn["position"], "resting")

    assert (found["event"]["type"], types(found["takes_back"])) == ("report.withdrawn", ["report.received"])
    assert found["takes_back"][0]["stream"] == f"report/{traced.reports[0]}"
    resting = found["resting"]
    assert types(resting["judgements"]) == ["case.classified", "case.ratified", "case.assessed"]
    assert [one for one in types(resting["referrals"]) if one == "case.referred"] == ["case.referred"] * 2
    assert "case.referral_accepted" in types(resting["referrals"])
    assert types(resting["decisions"]) == ["case.action_recorded"]
    assert resting["level_changes"][-1]["says"]["to"] >= 3
    assert raised["id"] in {one["event_id"] for one in resting["alerts"]}
    assert {one["subscriber_id"] for one in resting["messages"]} == {traced.subscriber_id}
    assert raised["id"] in {one["event_id"] for one in resting["messages"]}
    assert {name for one in resting["level_changes"] for name in one["through"]} == {f"case/{traced.case_id}"}
    assert all(found["led_to"][name] == [] for name in LISTS)
    assert found["outside_your_area"] == 0


async def test_what_a_report_leads_to_is_there_by_the_id_of_its_event_too(traced: Traced) -> None:
    by_position = await traced.trace(traced.assessed_at)
    by_id = await traced.trace(by_position["event"]["event_id"])
    assert by_id["resting"] == by_position["resting"]
    assert f"report/{traced.reports[1]}" in {one["stream"] for one in by_id["rests_on"]}


async def test_an_alert_leads_back_to_the_reports_that_it_rested_on(traced: Traced) -> None:
    raised = await traced.until_told("raised")
    found = await traced.trace(raised["id"])
    assert {"level.level_changed", "case.opened", "case.assessed", "report.received"} <= {*types(found["rests_on"])}
    assert len([one for one in found["rests_on"] if one["type"] == "report.received"]) >= 2
    assert {one["event_id"] for one in found["resting"]["messages"]} == {raised["id"]}


async def test_nobody_is_told_of_what_lies_outside_their_area(traced: Traced) -> None:
    answer = await traced.doors.get(FAR, f"/v1/trace/{traced.assessed_at}")
    assert (answer.status_code, answer.json()["number"]) == (404, 1016)
    for nowhere in ("999999999", "00000000-0000-4000-8000-000000000000"):
        absent = await traced.doors.get(FAR, f"/v1/trace/{nowhere}")
        assert (absent.status_code, absent.json()["detail"]) == (404, answer.json()["detail"])
    assert (await traced.doors.get(AUDITOR, "/v1/trace/the-last-one")).json()["number"] == 1005


async def test_the_command_line_draws_the_same_as_a_tree(traced: Traced) -> None:
    done = await asyncio.to_thread(traced.doors.stack.command, "trace", str(traced.assessed_at))
    assert done.returncode == 0, done.stderr
    assert "Alerts that strangers were told" in done.stdout
    assert f"to subscriber {traced.subscriber_id}: delivered" in done.stdout
    told = await asyncio.to_thread(traced.doors.stack.command, "trace", str(traced.assessed_at), "--json")
    assert orjson.loads(told.stdout)["event"]["type"] == "case.assessed"
    absent = await asyncio.to_thread(traced.doors.stack.command, "trace", "999999999")
    assert absent.returncode == 1
    assert "There is no event 999999999 that could be traced" in absent.stderr


async def test_an_event_of_any_type_is_traced_but_for_who_watches(traced: Traced) -> None:
    await traced.telling.do(FABIEN, "reporter.enrol", who={"person_id": traced.telling.person(ALINE)})
    connection = await asyncpg.connect(traced.doors.stack.addresses.owner_dsn)
    rows = await connection.fetch("select distinct on (type) type, stream, position from ledger.event order by type")
    await connection.close()
    answered = {row["type"]: await traced.doors.get(AUDITOR, f"/v1/trace/{row['position']}") for row in rows}
    refused = {row["type"] for row in rows if not row["stream"].startswith(TRACED)}
    assert {type_ for type_, answer in answered.items() if answer.status_code == 404} == refused
    assert {type_ for type_, answer in answered.items() if answer.status_code == 200} == answered.keys() - refused
    assert "reporter.enrolled" in refused
    enrolled = next(row["position"] for row in rows if row["type"] == "reporter.enrolled")
    told = await asyncio.to_thread(traced.doors.stack.command, "trace", str(enrolled))
    assert (told.returncode, "is reporter.enrolled, and only reports" in told.stderr) == (1, True)


async def test_a_consent_and_a_harm_check_lead_to_the_referrals_that_cite_them(traced: Traced) -> None:
    given = next(
        deed.answer.json()["position"]
        for deed in traced.telling.deeds
        if deed.route.operation == "case.withdraw-consent"
    )
    found = await traced.trace(given)
    assert types(found["takes_back"]) == ["case.consent_recorded"]
    assert "case.referred" in types(found["resting"]["referrals"])
    checked = next(
        deed.answer.json()["position"] for deed in traced.telling.deeds if deed.route.operation == "case.check-harm"
    )
    assert types((await traced.trace(checked))["resting"]["referrals"])[:2] == ["case.harm_checked", "case.referred"]


async def test_what_a_committee_says_less_gravely_is_corrected_to_everybody_who_was_told(traced: Traced) -> None:
    raised = await traced.until_told("raised")
    less = gravely(traced.telling, severity="minor", credibility="4", round=2)
    lowered = await traced.telling.do(CHANTAL, "case.assess", traced.case_id, **less)
    corrected = await traced.until_told("cancelled")
    assert corrected["data"]["cancels"] == raised["id"]
    seen = {"unit": corrected["data"]["unit"], "alert_id": corrected["id"]}
    await traced.telling.do(ODILE, "alert.acknowledge", **seen)  # somebody sees to it that it is taken back

    found = await traced.until_delivered(lowered["position"], "led_to")
    assert types(found["takes_back"]) == ["case.assessed", "case.opened"]
    assert found["takes_back"][0]["position"] == traced.assessed_at
    assert found["led_to"]["level_changes"][-1]["says"]["cause"] == "retraction"
    assert [one["event_id"] for one in found["led_to"]["alerts"]] == [corrected["id"]]
    told = {one["subscriber_id"] for one in found["resting"]["messages"]}
    assert told == {one["subscriber_id"] for one in found["led_to"]["messages"]} == {traced.subscriber_id}
    assert raised["id"] in {one["event_id"] for one in found["resting"]["alerts"]}


async def test_a_report_unlinked_takes_back_its_link_alone(traced: Traced) -> None:
    unlinked = await traced.telling.do(ODILE, "case.unlink-report", traced.case_id, report_id=traced.reports[1])
    found = await traced.trace(unlinked["position"])
    assert types(found["takes_back"]) == ["case.report_linked"]
    assert found["takes_back"][0]["says"] == {"report_id": traced.reports[1]}
    assert types(found["resting"]["judgements"]) == [
        "case.classified",
        "case.ratified",
        "case.assessed",
        "case.assessed",
    ]
    assert EXAMPLES["case.unlink-report"]["reason"] not in orjson.dumps(found).decode()
