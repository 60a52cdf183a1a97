"""A receiver that does as schemas/README.md says ends with one state by ids, whatever it loses, doubles or reorders.

It loses before it answers and after it has answered; it works on what it took in any order and more than once; and the
notifier is killed meanwhile. What it lost after it had answered, it asks for again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import orjson
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from events.alert import AlertChange
from services.ledger.ledger import Recorded
from tests.support.ledgers import an_alert
from tests.support.notifying import OPERATOR, NotifyTrial
from tests.support.receivers import Behaviour, Came, Receiver, a_receiver, answers, closes, takes

ALERTS = 60
UNITS = 7


@dataclass
class Known:
    """What a receiver knows: of each unit the alert with the highest sequence, of each id what became of it.

    The end is the same in whatever order alerts come, and however often each.
    """

    last: dict[str, tuple[int, int]] = field(default_factory=dict)
    alerts: dict[str, tuple[str, int]] = field(default_factory=dict)
    taken_back: dict[str, tuple[str, str]] = field(default_factory=dict)

    def take(self, event: Mapping[str, Any]) -> None:
        told, at = event["data"], int(event["sequence"])
        if event["id"] in self.alerts:
            return
        self.alerts[event["id"]] = (told["unit"], told["to"])
        self.last[told["unit"]] = max(self.last.get(told["unit"], (0, 0)), (at, told["to"]))
        if amended := told.get("cancels") or told.get("updates"):
            self.taken_back[amended] = max(
                self.taken_back.get(amended, ("", "")), (event["sequence"], f"{told['change']} by {event['id']}")
            )


def known(events: Iterable[bytes]) -> Known:
    all_of_it = Known()
    for one in events:
        all_of_it.take(orjson.loads(one))
    return all_of_it


async def history(trial: NotifyTrial, dice: Random) -> list[Recorded]:
    """Alerts of a few units; some correct or cancel an earlier one of theirs."""
    rows: list[Recorded] = []
    told: dict[str, list[UUID]] = {}
    for _ in range(ALERTS):
        unit = f"bi:test:{dice.randrange(UNITS)}"
        before = told.setdefault(unit, [])
        said: dict[str, Any] = {"to": dice.randint(1, 4)}
        if before and dice.random() < 0.4:
            change = dice.choice((AlertChange.CORRECTED, AlertChange.CANCELLED))
            name = "cancels" if change is AlertChange.CANCELLED else "updates"
            said |= {"change": change, name: dice.choice(before)}
        [row] = await trial.submit(an_alert(unit, len(before) + 1, **said))
        before.append(row.event_id)
        rows.append(row)
    return rows


def moody(dice: Random, secret: Callable[[], str], lost: set[int]) -> Behaviour:
    """Takes and says so; takes and says that it has not; fails; closes; or says that it took what it then loses."""

    async def behave(receiver: Receiver, request: web.Request) -> web.StreamResponse:
        came = receiver.came[-1]
        Webhook(secret()).verify(came.body, dict(came.headers))
        mood = dice.choice(("takes", "takes", "takes", "says no", "fails", "closes", "loses"))
        if mood == "says no":
            receiver.taken.append(came)
            return web.Response(status=500)
        if mood == "loses":
            lost.add(id(came))
        how = {"fails": answers(503), "closes": closes}.get(mood, takes)
        return await how(receiver, request)

    return behave


def disordered(came: Iterable[Came], dice: Random) -> list[bytes]:
    """Each once to three times, in an order by the dice."""
    bodies = [one.body for one in came for _ in range(dice.randint(1, 3))]
    dice.shuffle(bodies)
    return bodies


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_who_loses_doubles_and_reorders_ends_with_the_same_state_by_ids(trial: NotifyTrial, seed: int) -> None:
    dice = Random(seed)
    secret, lost = "", set[int]()
    async with a_receiver(moody(dice, lambda: secret, lost)) as receiver:
        subscriber_id, secret = await trial.subscribe(receiver.url)
        telling = asyncio.create_task(history(trial, Random(seed)))
        for number in (15, 30):  # killed while it sends
            with trial.process() as notifier:
                await receiver.until(lambda least=number: len(receiver.came) >= least)  # type: ignore[misc]
                notifier.kill()
        rows = await telling
        with trial.process():
            await trial.stands(subscriber_id, f"position = {rows[-1].position}")
            kept = [one for one in receiver.taken if id(one) not in lost]
            missing = {row.event_id for row in rows} - {UUID(one.id) for one in kept}
            assert missing, "nothing was lost for good: this proves nothing"
            assert known(one.body for one in kept) != known(row.wire() for row in rows)
            # it sees that it lost some, and asks for everything behind the last of which it is sure
            receiver.behaves = takes
            first = min(row.position for row in rows if row.event_id in missing)
            before = len(receiver.taken)
            await trial.register.resend(OPERATOR, subscriber_id, first)
            await trial.stands(subscriber_id, f"position = {rows[-1].position} and resends = 1")
            kept += receiver.taken[before:]

    right = known(row.wire() for row in rows)
    assert len(receiver.came) > ALERTS
    assert right.taken_back
    for _ in range(20):
        assert known(disordered(kept, dice)) == right
    assert {one.id: one.body for one in kept} == {str(row.event_id): row.wire() for row in rows}
