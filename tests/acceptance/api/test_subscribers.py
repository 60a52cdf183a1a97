"""Webhooks on a real stack: registered through the API or on the machine, and sent what was told on the topic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from events.vocabulary import Role
from services import clock
from services.api.examples import GIHANGA, GISURU
from services.ledger.postgres import PostgresLedger
from tests.support.doors import ADMIN, ALINE, AUDITOR, CONSUMER, Caller, Doors, open_doors
from tests.support.ledgers import an_alert
from tests.support.receivers import Receiver, a_receiver, answers, takes
from tests.support.topics import read_topic

OTHER = Caller("hilaire", Role.CONSUMER)


@pytest.fixture(scope="module")
async def doors() -> AsyncIterator[Doors]:
    """With a notifier, which may send to this machine."""
    async with open_doors(
        INTABAZA_NOTIFIERS="1",
        INTABAZA_NOTIFIER_HTTP="true",
        INTABAZA_NOTIFIER_NETWORKS="127.0.0.0/8",
        INTABAZA_NOTIFIER_RETRY_SECONDS="0.1",
    ) as doors:
        yield doors


@pytest.fixture
async def ledger(doors: Doors) -> AsyncIterator[PostgresLedger]:
    made = await PostgresLedger.connect(doors.stack.addresses.app_dsn, clock.now)
    yield made
    await made.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with a_receiver() as receiver:
        yield receiver


async def tell(ledger: PostgresLedger, count: int) -> list[int]:
    """Alerts of one unit that nobody else tells of, and their positions."""
    unit = f"bi:test:{uuid4()}"
    return [(await ledger.append(an_alert(unit, number))).placed[0].position for number in range(1, count + 1)]


async def subscribe(doors: Doors, caller: Caller, url: str, **wanted: Any) -> tuple[str, str]:
    answer = await doors.post(caller, "/v1/subscribers", {"url": url, **wanted}, key=None)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert answer.headers["location"] == f"/v1/subscribers/{told['subscriber_id']}"
    assert answer.headers["cache-control"] == "no-store"
    return told["subscriber_id"], told["secret"]


async def act(doors: Doors, caller: Caller, subscriber_id: str, name: str, **body: Any) -> dict[str, Any]:
    answer = await doors.post(caller, f"/v1/subscribers/{subscriber_id}/{name}", body, key=None)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def see(doors: Doors, caller: Caller, path: str, **params: Any) -> Any:
    answer = await doors.get(caller, f"/v1/subscribers{path}", **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def until(doors: Doors, subscriber_id: str, **fields: Any) -> dict[str, Any]:
    """The subscriber, as soon as these fields of it are so."""
    async with asyncio.timeout(120):
        while True:
            found: dict[str, Any] = await see(doors, ADMIN, f"/{subscriber_id}")
            if fields.items() <= found.items():
                return found
            await asyncio.sleep(0.05)


async def command(doors: Doors, *words: str) -> tuple[int, str, str]:
    done = await asyncio.to_thread(doors.stack.command, "subscriber", *words)
    return done.returncode, done.stdout, done.stderr


async def test_what_is_told_on_the_topic_comes_by_webhook_and_again_when_it_is_asked_for(
    doors: Doors, ledger: PostgresLedger, receiver: Receiver
) -> None:
    subscriber_id, secret = await subscribe(doors, CONSUMER, receiver.url)
    positions = await tell(ledger, 3)
    await receiver.has_taken(3)
    found = await until(doors, subscriber_id, position=positions[-1], waiting=0)
    on_kafka = await asyncio.to_thread(read_topic, doors.stack.addresses.bootstrap, "alerts.v1")
    assert [one.body for one in receiver.came] == [on_kafka.values[position] for position in positions]
    for one in receiver.came:
        Webhook(secret).verify(one.body, dict(one.headers))
    assert (found["state"], found["last_status"], found["attempts"]) == ("active", 204, 0)

    await act(doors, CONSUMER, subscriber_id, "resend", from_position=positions[1])
    await receiver.until(lambda: len(receiver.taken) == 5)
    await until(doors, subscriber_id, position=positions[-1])
    first = await doors.get(CONSUMER, f"/v1/subscribers/{subscriber_id}/deliveries", limit=3)
    rows = first.json()["deliveries"]
    following = first.headers["link"].partition(">")[0].lstrip("<")
    rows += (await doors.client.get(following, headers=doors.authorization(CONSUMER))).json()["deliveries"]
    assert [(row["resends"], row["position"]) for row in rows] == [
        *((1, position) for position in reversed(positions[1:])),
        *((0, position) for position in reversed(positions)),
    ]
    assert all(row["delivered_at"] and row["status"] == 204 and row["attempts"] == 1 for row in rows)

    rotated = await act(doors, CONSUMER, subscriber_id, "rotate")
    await tell(ledger, 1)
    await receiver.has_taken(4)
    for each in (secret, rotated["secret"]):
        Webhook(each).verify(receiver.came[-1].body, dict(receiver.came[-1].headers))
    for _ in range(3):
        await act(doors, CONSUMER, subscriber_id, "rotate")
    refused = await doors.post(CONSUMER, f"/v1/subscribers/{subscriber_id}/rotate", {}, key=None)
    assert (refused.status_code, refused.json()["number"]) == (409, 3605)
    assert "5 secrets sign already" in refused.json()["detail"]
    for shown in (secret, rotated["secret"]):
        said = shown.removeprefix("whsec_")
        for log in (doors.stack.folder / "logs").glob("*.log"):
            assert said not in log.read_text(errors="replace"), log
        assert said not in doors.log


async def test_a_unit_is_asked_for_with_all_in_it_through_the_gazetteer_in_force(
    doors: Doors, ledger: PostgresLedger, receiver: Receiver
) -> None:
    await subscribe(doors, CONSUMER, receiver.url, units=["bi:p2015:bubanza"])
    inside, _, last = [
        (await ledger.append(an_alert(unit))).placed[0].position for unit in (GIHANGA, GISURU, "bi:p2015:bubanza")
    ]
    await receiver.has_taken(2)
    assert [one.position for one in receiver.came] == [inside, last]


async def test_rebuilding_projections_and_sending_everything_to_kafka_again_sends_no_webhook(
    doors: Doors, ledger: PostgresLedger, receiver: Receiver
) -> None:
    await subscribe(doors, CONSUMER, receiver.url)
    before = await tell(ledger, 3)
    await receiver.has_taken(3)
    for words in (("rebuild", "alert_level"), ("relay", "republish", "--yes")):
        done = await asyncio.to_thread(doors.stack.command, *words)
        assert done.returncode == 0, done.stderr
    after = await tell(ledger, 1)
    await receiver.has_taken(4)
    assert [one.position for one in receiver.came] == before + after


async def test_a_subscriber_is_disabled_and_enabled_and_changed(
    doors: Doors, ledger: PostgresLedger, receiver: Receiver
) -> None:
    receiver.behaves = answers(410)
    subscriber_id, _ = await subscribe(doors, CONSUMER, receiver.url)
    positions = await tell(ledger, 2)
    gone = await until(doors, subscriber_id, state="disabled")
    assert gone["disabled_because"] == "it answered 410: it wants nothing more"
    receiver.behaves = takes
    await act(doors, CONSUMER, subscriber_id, "enable")
    await receiver.has_taken(2)
    await act(doors, CONSUMER, subscriber_id, "disable")
    off = await until(doors, subscriber_id, state="disabled")
    assert off["disabled_because"] == "whoever registered it disabled it"
    await act(doors, ADMIN, subscriber_id, "change", url=f"{receiver.url}/2", units=["bi"], minimum_level=4)
    changed = await see(doors, CONSUMER, f"/{subscriber_id}")
    assert (changed["url"], changed["units"], changed["minimum_level"]) == (f"{receiver.url}/2", ["bi"], 4)
    assert changed["position"] == positions[-1]
    await act(doors, CONSUMER, subscriber_id, "remove")
    removed = await doors.get(CONSUMER, f"/v1/subscribers/{subscriber_id}")
    assert (removed.status_code, removed.json()["number"]) == (404, 3601)


async def test_everybody_sees_their_own_and_an_admin_all(doors: Doors, receiver: Receiver) -> None:
    mine, _ = await subscribe(doors, CONSUMER, f"{receiver.url}/mine")
    theirs, _ = await subscribe(doors, OTHER, f"{receiver.url}/mine")
    seen = {one["subscriber_id"] for one in (await see(doors, CONSUMER, ""))["subscribers"]}
    assert mine in seen
    assert theirs not in seen
    everybody = {one["subscriber_id"] for one in (await see(doors, ADMIN, "", limit=200))["subscribers"]}
    assert {mine, theirs} <= everybody
    for path in (f"/{theirs}", f"/{theirs}/deliveries"):
        answer = await doors.get(CONSUMER, f"/v1/subscribers{path}")
        assert (answer.status_code, answer.json()["number"]) == (404, 3601)
    for name, body in {"rotate": {}, "disable": {}, "enable": {}, "remove": {}, "resend": {"from_position": 1}}.items():
        answer = await doors.post(CONSUMER, f"/v1/subscribers/{theirs}/{name}", body, key=None)
        assert (answer.status_code, answer.json()["number"]) == (404, 3601)
    for caller in (ALINE, AUDITOR):
        assert (await doors.get(caller, "/v1/subscribers")).status_code == 403
    again = await doors.post(CONSUMER, "/v1/subscribers", {"url": f"{receiver.url}/mine"}, key=None)
    assert (again.status_code, again.json()["number"]) == (409, 3602)
    assert mine in again.json()["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "ftp://example.org"}, "url"),
        ({"url": "https://user@example.org/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "https://example.org/", "minimum_level": 5}, "minimum_level"),
        ({"url": "https://example.org/", "changes": ["risen"]}, "changes.0"),
        ({"url": "https://example.org/", "modes": []}, "modes"),
        ({"url": "https://example.org/", "unit": "bi"}, "unit"),
        ({"url": "https://example.org/", "from_position": 0}, "from_position"),
    ],
)
async def test_a_registration_that_cannot_be_says_which_field(doors: Doors, body: dict[str, Any], field: str) -> None:
    answer = await doors.post(CONSUMER, "/v1/subscribers", body, key=None)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    unknown = await doors.post(
        CONSUMER, "/v1/subscribers", {"url": "https://example.org/", "units": ["bi:nowhere"]}, key=None
    )
    assert (unknown.status_code, unknown.json()["number"]) == (422, 1101)


async def test_an_operator_does_it_all_on_the_machine(doors: Doors, ledger: PostgresLedger, receiver: Receiver) -> None:
    status, said, _ = await command(
        doors, "add", receiver.url, "--unit", "bi", "--minimum-level", "3", "--mode", "test"
    )
    assert status == 0
    subscriber_id, secret = said.split()
    assert secret.startswith("whsec_")
    status, shown, _ = await command(doors, "show", subscriber_id)
    assert status == 0
    for words in (receiver.url, "state           active", "minimum level   3", "units           bi", "by an operator"):
        assert words in shown
    assert "disabled" not in shown

    assert (await command(doors, "disable", subscriber_id))[0] == 0
    status, listed, problem = await command(doors, "list")
    assert status == 1
    assert "an operator disabled it" in listed
    assert "intabaza subscriber enable ID" in problem
    assert (await command(doors, "enable", subscriber_id))[0] == 0

    all_of_it, _ = await subscribe(doors, ADMIN, f"{receiver.url}/all")
    positions = await tell(ledger, 2)
    await receiver.has_taken(2)
    await until(doors, all_of_it, position=positions[-1])
    assert (await command(doors, "resend", all_of_it, "--from", str(positions[1])))[0] == 0
    await receiver.until(lambda: len(receiver.taken) == 3)
    await until(doors, all_of_it, position=positions[-1])
    _, shown, _ = await command(doors, "show", all_of_it)
    assert shown.count("delivered after 1 try,") == 3
    assert shown.count("sent again\n") == 1
    status, said, _ = await command(doors, "rotate", all_of_it)
    assert status == 0
    assert said.startswith("whsec_")

    assert (await command(doors, "change", subscriber_id, f"{receiver.url}/2", "--change", "raised"))[0] == 0
    status, shown, _ = await command(doors, "show", subscriber_id)
    for words in (f"{receiver.url}/2", "minimum level   any", "units           all", "changes         raised"):
        assert words in shown
    assert (await command(doors, "remove", subscriber_id))[0] != 0  # nobody said yes
    assert (await command(doors, "show", subscriber_id))[0] == 0
    status, said, _ = await command(doors, "remove", subscriber_id, "--yes")
    assert (status, said) == (0, "Nothing more is sent to it, and nothing is kept of it.\n")
    assert subscriber_id not in (await command(doors, "list"))[1]
    assert (await command(doors, "add", f"{receiver.url}/once"))[0] == 0

    for arguments, told in (
        (("show", subscriber_id), "There is no such subscriber."),
        (("remove", subscriber_id, "--yes"), "There is no such subscriber."),
        (("show", str(uuid4())), "There is no such subscriber."),
        (("add", "http://10.0.0.1/"), "url: expected a public address"),
        (("add", f"{receiver.url}/once"), "has this URL already"),
        (("add", "https://example.org/", "--unit", "bi:nowhere"), "--unit: expected a unit of gazetteer bi"),
        (("change", all_of_it, receiver.url, "--unit", "bi:nowhere"), "--unit: expected a unit of gazetteer bi"),
        (("change", all_of_it, "http://10.0.0.1/"), "URL: expected a public address"),
        (("change", str(uuid4()), receiver.url), "There is no such subscriber."),
        (("resend", all_of_it, "--from", "999999"), "--from: expected a position that it has come to"),
    ):
        status, _, problem = await command(doors, *arguments)
        assert status == 1
        assert told.lower() in problem.lower()
        assert "Traceback" not in problem
