"""Every role at every address, within its area, outside of it and everywhere: the API does what the one table says.

What is posted is sent in mode `test`: whoever is allowed is told afterwards that a record of the story is actual, or
makes something of their own that counts nowhere. So the walk changes nothing that it walks on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import uuid4

import httpx
import pytest

from events.vocabulary import Role
from services.api.access import ACCESS, Reach
from services.api.commands import ROUTES
from services.api.custody import POSTS, Approve
from services.api.erasing import ERASURES, ApproveErasure
from services.api.evidence import EVIDENCE
from services.api.examples import (
    EVIDENCE_EXAMPLES,
    EXAMPLES,
    GIHANGA,
    GISURU,
    HEALTH,
    POLICE,
    SUBSCRIBER_EXAMPLES,
    SUBSCRIBER_ID,
)
from services.api.reads.every import READS
from services.api.subscribing import ACTS
from tests.support.doors import Caller
from tests.support.story_by_http import Deed
from tests.support.told import Told

ROLES = [role for role in Role if role != Role.SYSTEM]
INSIDE, OUTSIDE = ("bi:p2015:bubanza",), ("bi:p2015:ruyigi",)
AREAS = {"inside": INSIDE, "outside": OUTSIDE, "everywhere": None}
PARAMS = {
    "/v1/places": {"name": "Gihanga"},
    "/v1/queue": {"role": "reviewer"},
    "/v1/log/proofs/inclusion": {"position": "1"},
    "/v1/log/proofs/consistency": {"from": "1"},
}
NOTHING_SIGNED = 4010
ABSENT = {1016, 1018, 3101, 3201, 3235}


class Answer(StrEnum):
    ALLOWED = "allowed"
    ROLE = "refused for the role"
    AREA = "refused for the area"
    ABSENT = "as if it were not there"


@dataclass(frozen=True)
class Address:
    """One route with what is sent to it: about something in Gihanga, where it is about something at all."""

    method: str
    path: str
    operation: str
    about_a_place: bool
    params: dict[str, str]
    body: dict[str, Any]


def addresses(told: Told) -> Iterator[Address]:
    known = {
        "report_id": _report_there(told),
        "case_id": told.case_id,
        "referral_id": told.made("case.refer", "referral_id"),
        "unit": GIHANGA,
        "recipient": POLICE,
        "position": "1",
        "event": str(_withdrawal(told).answer.json()["position"]),
        "subscriber_id": SUBSCRIBER_ID,
        "alert_id": told.alert_id,
        "silence_id": told.made("alert.silence", "silence_id"),
        "level": "0",
        "tile": "000.p/1",
        "bundle": "000.p/1",
    }
    for route in ROUTES:
        body = dict(EXAMPLES[route.operation]) | {"mode": "test"}
        if route.noun == "case" and "referral_id" in body:
            body["referral_id"] = known["referral_id"]
        if route.operation == "case.open-case":
            body |= {"reports": [], "threat_to_life": True, "provisional": True}
        if route.operation in ("case.merge", "case.reverse-merge"):
            body["into"] = told.case_id
        if route.operation in ("case.relate", "case.unrelate"):
            body["case_id"] = told.case_id
        if "in_favour" in body:
            body |= told.telling.voted() | {name: [] for name in ("recused", "dissent") if name in body}
        where = route.noun in ("report", "case", "reporter", "alert") and route.operation != "report.receive"
        yield Address("POST", route.address.format(**known), route.operation, where, {}, body)
    for post in POSTS:
        body = {"version": 1, "fields": ["text" if post.noun == "report" else "summary"], "purpose": "review"}
        if post.body is Approve:
            body["opener"] = str(uuid4())
        yield Address("POST", post.address.format(**known), post.operation, True, {}, body)
    for erasure in ERASURES:
        body = {"who": {"person_id": str(uuid4())}}
        if erasure.body is ApproveErasure:
            body["eraser"] = str(uuid4())
        yield Address("POST", erasure.address, erasure.operation, False, {}, body)
    for one in EVIDENCE:
        body = dict(EVIDENCE_EXAMPLES[one.operation])
        yield Address("POST", one.address.format(**known), one.operation, True, {}, body)
    for act in ACTS:
        yield Address(
            "POST", act.address.format(**known), act.operation, False, {}, dict(SUBSCRIBER_EXAMPLES[act.operation])
        )
    for read in READS:
        params = PARAMS.get(read.address, {})
        of_a_place = ("{report_id}", "{case_id}", "{silence_id}", "{event}", "/levels/{unit}", "/coverage/{unit}")
        where = any(name in read.address for name in of_a_place)
        yield Address("GET", read.address.format(**known), read.operation, where, params, {})


def _report_there(told: Told) -> str:
    """A report that still lies in Gihanga."""
    return _withdrawal(told).path.split("/")[3]


def _withdrawal(told: Told) -> Deed:
    return next(deed for deed in told.telling.deeds if deed.route.operation == "report.withdraw")


def expected(address: Address, role: Role, area: str) -> set[Answer]:
    granted = ACCESS[address.operation].get(role)
    if granted is None:
        return {Answer.ROLE}
    if granted is Reach.AREA and address.about_a_place and area == "outside":
        record = address.path.startswith(("/v1/cases/", "/v1/reports/", "/v1/trace/", "/v1/silences/"))
        return {Answer.ABSENT if record else Answer.AREA}
    if granted is Reach.OWN and address.operation == "read.position":
        return {Answer.ROLE}  # without a receipt
    if granted is Reach.OWN and role is Role.RECIPIENT and "report" in address.path:
        return {Answer.ABSENT}
    if address.operation == "custody.open" and role is Role.RECIPIENT:
        return {Answer.ABSENT}  # the summary is no note of a referral
    return {Answer.ALLOWED}


def heard(answer: httpx.Response) -> Answer:
    if answer.status_code < 400:
        return Answer.ALLOWED
    number = answer.json()["number"]
    assert number < 4000 or number == NOTHING_SIGNED, answer.text
    assert number not in (1007, 1008, 2001, 2004), answer.text
    return {2002: Answer.ROLE, 2003: Answer.AREA}.get(number, Answer.ABSENT if number in ABSENT else Answer.ALLOWED)


async def send(told: Told, caller: Caller, address: Address) -> httpx.Response:
    if address.method == "GET":
        return await told.doors.get(caller, address.path, **address.params)
    key = (
        None if address.operation.startswith(("custody.open", "custody.approve", "custody.take", "subscriber.")) else ""
    )
    return await told.doors.post(caller, address.path, address.body, key=key)


def who(role: Role, area: str, recipient: str = POLICE) -> Caller:
    return Caller("gloria", role, AREAS[area], recipient if role is Role.RECIPIENT else None)


@pytest.mark.parametrize("role", ROLES)
async def test_every_address_answers_a_role_as_the_table_says(told: Told, role: Role) -> None:
    wrong = []
    for address in addresses(told):
        for area in AREAS:
            answer = await send(told, who(role, area), address)
            if heard(answer) not in (wanted := expected(address, role, area)):
                wrong.append((address.method, address.path, area, heard(answer), wanted, answer.text[:200]))
    assert not wrong, "\n".join(map(str, wrong))


async def test_a_record_outside_is_answered_word_by_word_as_one_that_is_not_there(told: Told) -> None:
    known, absent = (told.case_id, _report_there(told)), str(uuid4())
    for address in addresses(told):
        record = next((one for one in known if f"/{one}" in address.path), None)
        roles = [role for role, granted in ACCESS[address.operation].items() if granted is Reach.AREA]
        if record is None or not roles:
            continue
        caller = who(roles[0], "outside")
        outside = await send(told, caller, address)
        nowhere = await send(told, caller, replace(address, path=address.path.replace(record, absent)))
        assert (outside.status_code, outside.content) == (nowhere.status_code, nowhere.content), address.path
        assert set(outside.headers) == set(nowhere.headers), address.path


@pytest.mark.parametrize("role", ROLES)
async def test_no_list_shows_what_lies_outside(told: Told, role: Role) -> None:
    """Lists are asked by who sees the far east alone, and by one who sees nothing: nothing of Gihanga is in them."""
    for address in addresses(told):
        granted = ACCESS[address.operation].get(role)
        if address.method != "GET" or address.about_a_place or granted is not Reach.AREA:
            continue
        for caller in (who(role, "outside"), Caller("gloria", role, ())):
            answer = await send(told, caller, address)
            assert answer.status_code == 200, answer.text
            for trace in (GIHANGA, told.case_id, told.report_id):
                assert trace not in answer.text, address.path
        everywhere = await send(told, who(role, "everywhere"), address)
        inside = await send(told, who(role, "inside"), address)
        assert len(everywhere.content) >= len(inside.content), address.path


async def test_one_recipient_sees_nothing_of_anothers_referrals(told: Told) -> None:
    health = Caller("hilaire", Role.RECIPIENT, recipient=HEALTH)
    stranger = Caller("hilaire", Role.RECIPIENT, INSIDE, recipient="nobody")
    for caller in (health, stranger):
        for address in addresses(told):
            if ACCESS[address.operation].get(Role.RECIPIENT) is not Reach.OWN:
                continue
            answer = await send(told, caller, address)
            assert heard(answer) is not Answer.ALLOWED or told.case_id not in answer.text or caller is health, (
                address.path,
                answer.text,
            )
            assert POLICE not in answer.text


async def test_receiving_is_limited_by_no_area(told: Told) -> None:
    far = Caller("gloria", Role.REPORTER, OUTSIDE)
    for unit in (GIHANGA, GISURU, "unplaced", "bi:nowhere"):
        body = dict(EXAMPLES["report.receive"]) | {"unit": unit, "channel": "sms", "mode": "test"}
        answer = await told.doors.post(far, "/v1/reports", body)
        assert answer.status_code == 201, (unit, answer.text)


async def test_the_stream_of_alerts_asks_for_a_token_and_takes_any_role(told: Told) -> None:
    assert (await told.doors.get(None, "/v1/alerts/stream")).status_code == 401
    for role in ROLES:
        headers = told.doors.authorization(who(role, "outside"))
        async with told.doors.client.stream("GET", "/v1/alerts/stream", headers=headers) as answer:
            assert answer.status_code == 200
