"""Everything that a subscriber wants comes to it, in order, whatever it does meanwhile; nobody waits for anybody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from itertools import cycle, pairwise
from random import Random
from typing import Any

import jsonschema
from aiohttp import web
from standardwebhooks import Webhook

from events.alert import AlertChange
from events.vocabulary import Mode
from services.contracts.publish import FOLDER
from services.subscribers.filters import Filters
from tests.support.ledgers import an_alert
from tests.support.notifying import NotifyTrial
from tests.support.receivers import Came, Receiver, a_receiver, answers, closes, hangs, takes


def in_order(receiver: Receiver) -> bool:
    return all(before <= after for before, after in pairwise(one.position for one in receiver.came))


def levels(taken: Iterable[Came]) -> dict[str, int]:
    """What a receiver knows that keeps of each unit the alert with the highest sequence."""
    known: dict[str, tuple[int, int]] = {}
    for one in taken:
        told = one.event["data"]
        known[told["unit"]] = max(known.get(told["unit"], (0, 0)), (one.position, told["to"]))
    return {unit: level for unit, (_, level) in known.items()}


async def test_what_comes_is_signed_and_has_the_bytes_that_stand_on_the_topic(trial: NotifyTrial) -> None:
    schema = json.loads((FOLDER / "events" / "alert.issued" / "1.schema.json").read_bytes())
    async with a_receiver() as receiver, trial.notifying():
        _, secret = await trial.subscribe(receiver.url)
        rows = await trial.tell(3)
        await receiver.has_taken(3)

    assert [one.body for one in receiver.came] == [row.wire() for row in rows]
    assert [one.id for one in receiver.came] == [str(row.event_id) for row in rows]
    for one in receiver.came:
        assert one.headers["content-type"] == "application/cloudevents+json"
        event = Webhook(secret).verify(one.body, dict(one.headers))
        jsonschema.Draft202012Validator(schema).validate(event)
        assert event["id"] == one.id


async def test_a_receiver_that_loses_and_doubles_ends_with_the_state_of_one_that_does_not(trial: NotifyTrial) -> None:
    moods = cycle([takes, answers(500), closes, takes, answers(503), hangs, answers(429), takes])

    async def moody(receiver: Receiver, request: web.Request) -> web.StreamResponse:
        mood = next(moods)
        if len(receiver.came) % 5 == 0:  # it takes this, and says that it has not
            receiver.taken.append(receiver.came[-1])
            return web.Response(status=500)
        return await mood(receiver, request)

    async with a_receiver(moody) as bad, a_receiver() as good, trial.notifying(answer_seconds=0.3):
        for receiver in (bad, good):
            await trial.subscribe(receiver.url)
        units = [f"bi:test:{number % 5}" for number in range(40)]
        rows = await trial.submit(
            *(an_alert(unit, units[: at + 1].count(unit), to=1 + at % 4) for at, unit in enumerate(units))
        )
        await good.has_taken(40)
        await bad.until(lambda: bad.came[-1].position == rows[-1].position and len(bad.state) == 40)

    assert bad.state == good.state == {str(row.event_id): row.wire() for row in rows}
    assert in_order(bad)
    assert len(bad.came) > 60
    # whoever keeps the highest sequence of a unit knows the same, in whatever order it works on what it took
    mixed = [*bad.taken, *bad.taken]
    Random(1).shuffle(mixed)
    assert levels(mixed) == levels(good.taken)
    assert bad.most_at_once == 1


async def test_who_hangs_or_fails_keeps_nobody_waiting(trial: NotifyTrial) -> None:
    async with a_receiver(hangs) as hanging, a_receiver(answers(500)) as failing, a_receiver() as good:
        for number in range(8):
            await trial.subscribe(f"{hanging.url}/{number}")
            await trial.subscribe(f"{failing.url}/{number}")
        await trial.subscribe(good.url)
        # so few at once that those who hang could fill all of it, if they stood in one line with others
        async with trial.notifying(at_once=2, answer_seconds=0.5):
            await trial.tell(30)
            await good.has_taken(30)
            await failing.until(lambda: len(failing.came) > 8)
    assert not hanging.taken


async def test_nothing_is_sent_that_is_not_on_kafka(trial: NotifyTrial) -> None:
    async with a_receiver() as receiver, trial.notifying():
        await trial.subscribe(receiver.url)
        [first] = await trial.tell()
        await receiver.has_taken(1)
        await trial.ledger.append(an_alert("bi:test:unsaid"))
        await trial.owner.execute("select pg_notify('relay', '')")
        await asyncio.sleep(0.3)
        assert [one.position for one in receiver.came] == [first.position]
        await trial.acknowledge()
        await receiver.has_taken(2)


async def test_a_new_subscriber_hears_what_comes_and_what_it_asks_for_from_before(trial: NotifyTrial) -> None:
    before = await trial.tell(250)
    async with a_receiver() as new, a_receiver() as curious, trial.notifying():
        await trial.subscribe(new.url)
        await trial.subscribe(curious.url, after=before[199].position)
        [after] = await trial.tell()
        await new.has_taken(1)
        await curious.has_taken(51)
    assert [one.position for one in new.came] == [after.position]
    assert [one.position for one in curious.came] == [row.position for row in [*before[200:], after]]


async def test_filters_choose_and_whoever_was_told_is_told_the_correction(trial: NotifyTrial) -> None:
    async with a_receiver() as severe, a_receiver() as other, trial.notifying():
        severe_id, _ = await trial.subscribe(
            severe.url, Filters(minimum_level=3, changes=frozenset({AlertChange.RAISED.value}))
        )
        await trial.subscribe(other.url, Filters(units=frozenset({"bi:test:elsewhere"})))
        raised, low, _ = await trial.submit(
            an_alert("bi:test:a", to=4), an_alert("bi:test:b"), an_alert("bi:test:c", mode=Mode.EXERCISE, to=4)
        )
        corrected, _, elsewhere = await trial.submit(
            an_alert("bi:test:a", 2, to=1, change=AlertChange.CORRECTED, updates=raised.event_id),
            an_alert("bi:test:b", 2, to=4, change=AlertChange.CORRECTED, updates=low.event_id),
            an_alert("bi:test:elsewhere"),
        )
        await severe.has_taken(2)
        await other.has_taken(1)
        # also what nobody wants is remembered as passed by
        await trial.stands(severe_id, f"position = {elsewhere.position}")
    assert [one.position for one in severe.came] == [raised.position, corrected.position]
    assert [one.position for one in other.came] == [elsewhere.position]


async def test_whoever_was_told_hears_that_it_is_over_also_where_their_filters_passed_by_what_came_between(
    trial: NotifyTrial,
) -> None:
    raises = Filters(changes=frozenset({AlertChange.RAISED.value}))
    lowered: dict[str, Any] = {"to": 3, "change": AlertChange.LOWERED}
    cancelled: dict[str, Any] = {"to": 0, "change": AlertChange.CANCELLED}
    async with a_receiver() as receiver, trial.notifying():
        subscriber_id, _ = await trial.subscribe(receiver.url, raises)
        [first] = await trial.submit(an_alert("bi:test:a", to=4))
        [second] = await trial.submit(an_alert("bi:test:a", 2, updates=first.event_id, **lowered))
        await trial.stands(subscriber_id, f"position = {second.position}")
        [over] = await trial.submit(an_alert("bi:test:a", 3, cancels=second.event_id, **cancelled))
        # of another alarm that was over before, and of a unit of which they were told nothing, they hear nothing
        [low] = await trial.submit(an_alert("bi:test:a", 4, **lowered))
        [again] = await trial.submit(an_alert("bi:test:a", 5, cancels=low.event_id, **cancelled))
        [last] = await trial.submit(an_alert("bi:test:b"))
        await trial.stands(subscriber_id, f"position = {last.position}")
    assert [one.position for one in receiver.came] == [first.position, over.position, last.position]
    assert again.position < last.position


async def test_what_was_sent_to_whom_is_kept_with_its_result(trial: NotifyTrial) -> None:
    moods = iter([answers(500), closes, takes])

    async def moody(receiver: Receiver, request: web.Request) -> web.StreamResponse:
        return await next(moods)(receiver, request)

    async with a_receiver(moody) as receiver, trial.notifying():
        subscriber_id, _ = await trial.subscribe(receiver.url)
        [row] = await trial.tell()
        found = await trial.stands(subscriber_id, "delivered_at is not null")
    [delivery] = await trial.deliveries(subscriber_id)
    assert (delivery["position"], delivery["event_id"], delivery["attempts"]) == (row.position, row.event_id, 3)
    assert delivery["status"] == 204
    assert delivery["error"] is None
    assert delivery["first_at"] <= delivery["delivered_at"] == delivery["last_at"]
    assert (found.position, found.attempts, found.failing_since) == (row.position, 0, None)
    # who answered was of this machine
    assert [one["public"] for one in await trial.owner.fetch("select public from notifier.reached")] == [False]
