"""Sent again from a position, a subscriber is told what they were told from there the first time, and nothing else."""

from __future__ import annotations

from collections import Counter
from random import Random
from uuid import UUID

import pytest

from events.vocabulary import Mode
from services.ledger.ledger import Recorded
from services.subscribers.filters import EACH, Filters, Manner
from tests.support.attending import GIHANGA, MPANDA, PROVINCE, Log, adopt, dealt, history
from tests.support.examples import tries
from tests.support.ledgers import an_alert, by_nobody
from tests.support.notifying import OPERATOR, NotifyTrial
from tests.support.receivers import Receiver, a_receiver

ALL = Filters()
RAISES = Filters(changes=frozenset({"raised"}))
EVENTS = 14
ROUNDS = 4
"""Of a history, places from which it is sent again."""


def told(receiver: Receiver) -> list[int]:
    """Which positions were told, in the order in which they came."""
    return [int(event["sequence"]) for one in receiver.taken for event in one.events]


class Telling:
    """A log that is told event by event, and what each of them made go to one subscriber."""

    def __init__(self, trial: NotifyTrial, receiver: Receiver, filters: Filters, manner: Manner = EACH) -> None:
        self._trial, self._receiver = trial, receiver
        self._wishes = filters, manner
        self.rows: list[Recorded] = []
        self.made_go: list[list[int]] = []
        self.versions: Counter[str] = Counter()
        self.subscriber_id: UUID
        self._end = 0

    async def subscribe(self) -> None:
        filters, manner = self._wishes
        self.subscriber_id, _ = await self._trial.register.add(OPERATOR, self._receiver.url, filters, 1, manner)

    async def tell(self, log: Log, most: int | None = None) -> None:
        """What is left of it, or so much of that, each once what came before is told."""
        for stream, said, mode in log.said[len(self.rows) :][:most]:
            self.versions[stream] += 1
            before = len(told(self._receiver))
            nobodys = an_alert("bi:test:nobody", len(self.rows) + 1, Mode.EXERCISE)
            row, last = await self._trial.submit(by_nobody(stream, self.versions[stream], said, mode), nobodys)
            self.rows.append(row)
            self._end = last.position
            await self.has_come_to_the_end()
            self.made_go.append(told(self._receiver)[before:])

    async def has_come_to_the_end(self) -> None:
        """Past an alert that they did not ask for, behind everything that what came before made go."""
        await self._trial.stands(self.subscriber_id, f"position = {self._end}")

    async def again(self, place: int) -> list[int]:
        """What is told once it is asked for again from the event at this place."""
        before = len(told(self._receiver))
        await self._trial.register.resend(OPERATOR, self.subscriber_id, self.rows[place].position)
        await self.has_come_to_the_end()
        return told(self._receiver)[before:]


async def what_is_told_again(trial: NotifyTrial, log: Log, filters: Filters, place: int) -> tuple[list[int], list[int]]:
    """The first time and again, from a place on: places of events in the log."""
    async with a_receiver() as receiver, trial.notifying():
        await adopt(trial.ledger)
        telling = Telling(trial, receiver, filters)
        await telling.subscribe()
        await telling.tell(log)
        again = await telling.again(place)
    places = {row.position: number for number, row in enumerate(telling.rows)}
    first = [one for made in telling.made_go[place:] for one in made]
    return [places[one] for one in first], [places[one] for one in again]


async def test_what_was_over_by_its_rules_is_over_and_what_then_comes_is_held_back(trial: NotifyTrial) -> None:
    log = Log()
    log.level(GIHANGA, 2)
    log.level(GIHANGA, 1)
    log.silence("s", PROVINCE)
    log.level(GIHANGA, 3)
    log.level(GIHANGA, 2, corrects=True)
    log.level(MPANDA, 4)
    log.silence("s", PROVINCE, ends=True)
    assert await what_is_told_again(trial, log, ALL, 2) == ([2, 5, 6, 4], [2, 5, 6, 4])


async def test_what_took_the_place_of_what_was_held_back_takes_it_again(trial: NotifyTrial) -> None:
    log = Log()
    log.silence("s", PROVINCE)
    log.level(GIHANGA, 3)
    log.level(GIHANGA, 2)
    log.silence("s", PROVINCE, ends=True)
    assert await what_is_told_again(trial, log, RAISES, 2) == ([3, 2], [3, 2])


async def test_what_was_let_go_since_is_held_back_until_then(trial: NotifyTrial) -> None:
    log = Log()
    log.silence("s", PROVINCE)
    log.level(GIHANGA, 3)
    log.level(MPANDA, 4)
    log.silence("s", PROVINCE, ends=True)
    assert await what_is_told_again(trial, log, ALL, 2) == ([2, 3, 1], [2, 3, 1])


async def test_what_another_replaced_is_let_go_though_whoever_sent_that_was_killed_before_writing_it(
    trial: NotifyTrial,
) -> None:
    log = Log()
    log.silence("s", PROVINCE)
    log.level(GIHANGA, 2)
    log.level(GIHANGA, 4)
    log.silence("s", PROVINCE, ends=True)
    async with a_receiver() as receiver:
        await adopt(trial.ledger)
        telling = Telling(trial, receiver, ALL)
        await telling.subscribe()
        async with trial.notifying():
            await telling.tell(log, 3)
        await trial.owner.execute(
            "with gone as (delete from notifier.let_go returning subscriber_id, unit, mode, position)"
            " insert into notifier.held select * from gone"
        )
        async with trial.notifying():
            await trial.stands(telling.subscriber_id, "not exists (select from notifier.held)")
            await telling.tell(log)
            first = [0, 2, 3]
            assert told(receiver) == [telling.rows[place].position for place in first]
            assert await telling.again(2) == [telling.rows[place].position for place in first[1:]]
    assert await trial.owner.fetchval("select count(*) from notifier.held") == 0
    assert await trial.owner.fetchval("select let_go_at from notifier.let_go") == telling.rows[2].position


@pytest.mark.parametrize("seed", range(tries(8)))
async def test_from_any_place_of_any_history(trial: NotifyTrial, seed: int) -> None:
    dice = Random(seed)
    filters = dice.choice((ALL, RAISES, Filters(minimum_level=3)))
    log = history([dealt(dice) for _ in range(EVENTS)])
    async with a_receiver() as receiver, trial.notifying():
        await adopt(trial.ledger)
        manner = Manner(inhibits=dice.random() < 0.5, by_province=dice.random() < 0.3)
        telling = Telling(trial, receiver, filters, manner)
        await telling.subscribe()
        await telling.tell(log)
        for _ in range(ROUNDS):
            place = dice.randrange(len(telling.rows))
            first = [one for made in telling.made_go[place:] for one in made]
            again = await telling.again(place)
            if manner.by_province:  # what comes together is sorted by provinces first
                first, again = sorted(first), sorted(again)
            assert again == first, f"from event {place} of {len(telling.rows)}"
