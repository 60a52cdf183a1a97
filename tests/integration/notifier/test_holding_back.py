"""Silences and notices of provinces on a real ledger: also where a notifier takes over in between."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from events.alert import AlertSilenceAnnounced, SilenceStanding
from events.reference import GazetteerAdopted
from events.vocabulary import EVERY_HOME
from services import clock
from services.ledger.ledger import Submission
from services.subscribers.filters import Filters, Manner
from tests.support.attending import ELSEWHERE, GIHANGA, MPANDA, PROVINCE, gazetteer
from tests.support.ledgers import an_alert, by_nobody
from tests.support.notifying import OPERATOR, NotifyTrial
from tests.support.receivers import Receiver, a_receiver, answers, takes

RAISES = Filters(changes=frozenset({"raised"}))
BY_PROVINCE = Manner(by_province=True)


def announced(unit: str, number: int, silence_id: UUID, standing: SilenceStanding, **only: Any) -> Submission:
    said = AlertSilenceAnnounced(
        silence_id=silence_id,
        standing=standing,
        unit=unit,
        unit_name=unit,
        up_to_level=3,
        until=clock.now(),
        **only,
    )
    return by_nobody(f"alert/{unit}", number, said)


async def adopt_burundi(trial: NotifyTrial) -> None:
    adopted = GazetteerAdopted(
        gazetteer="burundi", content=gazetteer().content(), content_hash=gazetteer().content_hash
    )
    await trial.ledger.append(by_nobody("reference/gazetteer", 1, adopted, home=EVERY_HOME))


async def subscribe(trial: NotifyTrial, url: str, manner: Manner, after: int = 0) -> tuple[UUID, str]:
    subscriber_id, secret = await trial.register.add(OPERATOR, url, Filters(), after + 1, manner)
    return subscriber_id, secret.get_secret_value()


def types(receiver: Receiver) -> list[tuple[str, int | None]]:
    """What was taken: units, and the level of an alert."""
    return [(one.event["data"]["unit"], one.event["data"].get("to")) for one in receiver.taken]


async def test_what_a_silence_holds_back_is_told_as_it_stands_when_it_is_over_whoever_sends_then(
    trial: NotifyTrial,
) -> None:
    silence, unit = uuid4(), "bi:test:a"
    async with a_receiver() as receiver:
        subscriber_id, _ = await trial.subscribe(receiver.url)
        async with trial.notifying():
            await trial.submit(announced(unit, 1, silence, SilenceStanding.BEGINS))
            [first] = await trial.submit(an_alert(unit, 2, to=2))
            last = (await trial.submit(an_alert(unit, 3, to=3, updates=first.event_id), an_alert("bi:test:b")))[-1]
            await trial.stands(subscriber_id, f"position = {last.position}")
        assert types(receiver) == [(unit, None), ("bi:test:b", 2)]
        assert (await trial.find(subscriber_id)).held_back == 1

        async with trial.notifying():
            [crisis] = await trial.submit(an_alert("bi:test:c", to=4))
            await trial.stands(subscriber_id, f"position = {crisis.position}")
            assert (await trial.find(subscriber_id)).held_back == 1
        await trial.submit(announced(unit, 4, silence, SilenceStanding.ENDS))
        async with trial.notifying():
            await receiver.has_taken(5)
            await trial.stands(subscriber_id, "position > 0 and attempts = 0")
            [after] = await trial.submit(an_alert("bi:test:d"))
            await trial.stands(subscriber_id, f"position = {after.position}")
    assert types(receiver)[3:] == [(unit, None), (unit, 3), ("bi:test:d", 2)]
    assert (await trial.find(subscriber_id)).held_back == 0


async def test_a_notifier_that_was_ended_before_it_sent_what_was_held_back_leaves_it_to_the_next(
    trial: NotifyTrial,
) -> None:
    silence, unit = uuid4(), "bi:test:a"

    async def refuses_alerts(receiver: Receiver, request: web.Request) -> web.StreamResponse:
        refused = "to" in receiver.came[-1].event["data"]
        return await (answers(503) if refused else takes)(receiver, request)

    async with a_receiver(refuses_alerts) as receiver:
        subscriber_id, _ = await trial.subscribe(receiver.url)
        async with trial.notifying():
            rows = await trial.submit(
                announced(unit, 1, silence, SilenceStanding.BEGINS),
                an_alert(unit, 2, to=3),
                announced(unit, 3, silence, SilenceStanding.ENDS),
            )
            await trial.stands(subscriber_id, f"position = {rows[-1].position} and attempts > 1")
        assert types(receiver) == [(unit, None), (unit, None)]
        receiver.behaves = takes
        async with trial.notifying():
            await receiver.has_taken(3)
    assert types(receiver) == [(unit, None), (unit, None), (unit, 3)]


async def test_an_end_is_told_to_whoever_was_tried_and_changed_their_filters_before_they_answered(
    trial: NotifyTrial,
) -> None:
    async with a_receiver(answers(503)) as receiver, trial.notifying():
        subscriber_id, _ = await trial.subscribe(receiver.url)
        [raised] = await trial.submit(an_alert("bi:test:a", to=3))
        await trial.stands(subscriber_id, "attempts > 1")
        await trial.register.change(OPERATOR, subscriber_id, receiver.url, Filters(minimum_level=4))
        receiver.behaves = takes
        [over] = await trial.submit(an_alert("bi:test:a", 2, to=0, change="cancelled", cancels=raised.event_id))
        await trial.stands(subscriber_id, f"position = {over.position}")
        await receiver.has_taken(1)
    assert types(receiver)[-1] == ("bi:test:a", 0)


async def test_a_bad_day_of_a_province_is_one_notice(trial: NotifyTrial) -> None:
    await adopt_burundi(trial)
    units = [GIHANGA, ELSEWHERE, MPANDA, PROVINCE]
    rows = await trial.submit(*(an_alert(unit, to=3) for unit in units))
    async with a_receiver() as receiver, trial.notifying():
        subscriber_id, secret = await subscribe(trial, receiver.url, BY_PROVINCE)
        await trial.stands(subscriber_id, f"position = {rows[-1].position}")
        [later] = await trial.submit(an_alert(GIHANGA, 2, to=4))
        await trial.stands(subscriber_id, f"position = {later.position}")
    first, second, third = receiver.came
    wires = {row.stream.removeprefix("alert/"): row.wire() for row in rows}
    assert first.body == b"[" + b",".join(wires[unit] for unit in (GIHANGA, MPANDA, PROVINCE)) + b"]"
    assert second.body == b"[" + wires[ELSEWHERE] + b"]"
    assert third.body == b"[" + later.wire() + b"]"
    assert len({one.id for one in receiver.came}) == 3
    for one in receiver.came:
        assert one.headers["content-type"] == "application/cloudevents-batch+json"
        Webhook(secret).verify(one.body, dict(one.headers))
    assert [row["position"] for row in await trial.deliveries(subscriber_id)] == [
        *(row.position for row in rows),
        later.position,
    ]


async def test_of_several_notices_only_those_that_were_not_delivered_are_sent_by_the_next_notifier(
    trial: NotifyTrial,
) -> None:
    await adopt_burundi(trial)
    rows = await trial.submit(*(an_alert(unit, to=3) for unit in (GIHANGA, ELSEWHERE, MPANDA)))

    async def refuses_elsewhere(receiver: Receiver, request: web.Request) -> web.StreamResponse:
        refused = receiver.came[-1].events[0]["data"]["unit"] == ELSEWHERE
        return await (answers(503) if refused else takes)(receiver, request)

    async with a_receiver(refuses_elsewhere) as receiver:
        subscriber_id, _ = await subscribe(trial, receiver.url, BY_PROVINCE)
        async with trial.notifying():
            await trial.stands(subscriber_id, "attempts > 1")
        tried = {one.id for one in receiver.came if one.events[0]["data"]["unit"] == ELSEWHERE}
        receiver.behaves = takes
        async with trial.notifying():
            await trial.stands(subscriber_id, f"position = {rows[-1].position}")
    assert [[each["data"]["unit"] for each in one.events] for one in receiver.taken] == [
        [GIHANGA, MPANDA],
        [ELSEWHERE],
    ]
    assert {receiver.taken[-1].id} == tried


async def test_a_crisis_does_not_wait_for_what_may_come_beside_it(trial: NotifyTrial) -> None:
    await adopt_burundi(trial)
    rows = await trial.submit(an_alert(GIHANGA, to=3), an_alert(ELSEWHERE, to=4))
    async with a_receiver() as receiver, trial.notifying():
        subscriber_id, _ = await subscribe(trial, receiver.url, Manner(by_province=True, wait_seconds=3600))
        await trial.stands(subscriber_id, f"position = {rows[-1].position}")
        assert [one.events[0]["data"]["unit"] for one in receiver.came] == [ELSEWHERE, GIHANGA]


async def test_a_higher_alert_above_holds_back_for_who_asked_for_it(trial: NotifyTrial) -> None:
    await adopt_burundi(trial)
    async with a_receiver() as receiver, trial.notifying():
        subscriber_id, _ = await subscribe(trial, receiver.url, Manner(inhibits=True))
        [above, _] = await trial.submit(an_alert(PROVINCE, to=3), an_alert(GIHANGA, to=2))
        [over] = await trial.submit(an_alert(PROVINCE, 2, to=0, change="lowered", updates=above.event_id))
        await trial.stands(subscriber_id, f"position = {over.position}")
        await receiver.has_taken(3)
    assert types(receiver) == [(PROVINCE, 3), (PROVINCE, 0), (GIHANGA, 2)]


@pytest.mark.parametrize("manner", [Manner(), BY_PROVINCE])
async def test_sent_again_from_a_position_it_is_the_same_as_the_first_time(trial: NotifyTrial, manner: Manner) -> None:
    silence, unit = uuid4(), "bi:test:a"
    async with a_receiver() as receiver, trial.notifying():
        subscriber_id, _ = await subscribe(trial, receiver.url, manner)
        rows = await trial.submit(
            an_alert(unit, to=3),
            announced(unit, 2, silence, SilenceStanding.BEGINS),
            an_alert("bi:test:b", to=2),
            an_alert(unit, 3, to=0, change="cancelled"),
            an_alert(unit, 4, to=3),
            announced(unit, 5, silence, SilenceStanding.ENDS),
        )
        await trial.stands(subscriber_id, f"position = {rows[-1].position}")
        await trial.stands(subscriber_id, "not exists (select from notifier.held)")
        first = sent(receiver)
        assert len(first) == len(rows)
        receiver.came.clear()
        await trial.register.resend(OPERATOR, subscriber_id, rows[0].position)
        await trial.stands(subscriber_id, f"position = {rows[-1].position}")
        await trial.stands(subscriber_id, "not exists (select from notifier.held)")
        assert sent(receiver) == first


def sent(receiver: Receiver) -> set[int]:
    return {int(event["sequence"]) for one in receiver.came for event in one.events}
