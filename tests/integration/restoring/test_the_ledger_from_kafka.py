"""A ledger that lost some or all of its events has them again, as they were, from Kafka alone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from kafka import KafkaProducer, TopicPartition

from events.vocabulary import EVERY_HOME
from services.ledger.ledger import CommandReused, DoorShut, Submission
from services.ledger.postgres import simulate
from services.local.progress import Quiet
from services.local.topics import EVENTS
from services.local_problem import LocalProblem
from services.restoring import ledger as restoring
from services.restoring.damage import OtherClock, OtherHistory, WhichClock
from services.restoring.ledger import Restored, restore_ledger, until_the_door_opens
from tests.support.ledgers import a_stream, an_alert, events_for, note
from tests.support.losing import digest, lose
from tests.support.odd_records import TOLD, batch_of, put
from tests.support.relays import HOMES, PARTITIONS

if TYPE_CHECKING:
    from tests.support.relays import RelayTrial


async def restore(trial: RelayTrial, *, simulated: bool | None = None) -> Restored:
    return await restore_ledger(trial.owner_dsn, trial.bootstrap, PARTITIONS, Quiet(), simulated=simulated)


async def a_history(trial: RelayTrial) -> list[Submission]:
    """Commands of all kinds, on Kafka: of one event and of several, in several streams, for everybody, alerts."""
    await trial.append(300)
    submissions = []
    for number in range(40):
        command_id, stream = uuid4(), a_stream()
        home = HOMES[number % len(HOMES)]
        submissions.append(note(stream, home=home, count=3, command_id=command_id))
        submissions.append(
            note(
                stream,
                3,
                home=home,
                command_id=(other := uuid4()),
                also=(events_for(other, a_stream(), 0, 2, HOMES[number % 3]),),
            )
        )
        submissions.append(an_alert(f"bi:unit:{number}"))
        submissions.append(note(home=EVERY_HOME))
    for each in submissions:
        await trial.ledger.append(each)
    async with trial.relaying():
        await trial.until_acknowledged((await trial.ledger.head()).position)
    return submissions


async def test_what_a_stranger_wrote_behind_it_is_passed_over(trial: RelayTrial) -> None:
    """Under a name that is no text, and at a moment that no calendar has."""
    await a_history(trial)
    before, head = await digest(trial.owner), (await trial.ledger.head()).position
    at = TopicPartition(EVENTS, 0)
    await put(trial.bootstrap, at, batch_of([(b"x", b"{}", [(TOLD, b"y")])]))
    producer = KafkaProducer(bootstrap_servers=trial.bootstrap)
    producer.send(EVENTS, b"{}", b"x", partition=0, timestamp_ms=-9_000_000_000_000_000).get(30)
    producer.close()
    await lose(trial.owner, 0)
    assert await restore(trial) == Restored(0, head, 2)
    assert await digest(trial.owner) == before


@pytest.mark.parametrize("left", [0, 1, 250])
async def test_what_was_lost_is_there_again_as_it_was(trial: RelayTrial, left: int) -> None:
    submissions = await a_history(trial)
    before, head = await digest(trial.owner), (await trial.ledger.head()).position
    answers = [await trial.ledger.append(each) for each in submissions]
    await lose(trial.owner, left)
    assert await restore(trial) == Restored(left, head, 0)
    assert await digest(trial.owner) == before
    assert [await trial.ledger.append(each) for each in submissions] == answers
    assert all(answer.repeated for answer in answers)
    for each in submissions[:3]:
        with pytest.raises(CommandReused):
            await trial.ledger.append(Submission(each.command_id, b"\x99" * 32, each.appends))
    with pytest.raises(DoorShut, match="intabaza ledger restore"):
        await trial.ledger.append(note())
    async with trial.relaying():
        assert await until_the_door_opens(trial.owner_dsn, 30) is None
        stream = submissions[0].appends[0].stream
        accepted = await trial.ledger.append(note(stream, 3 + 1, home=submissions[0].appends[0].home))
        assert accepted.placed[0].position == head + 1
        await trial.until_acknowledged(head + 1)
    assert (await trial.assert_whole()).repeats == []


async def test_an_older_ledger_finds_out_by_itself_and_one_command_completes_it(trial: RelayTrial) -> None:
    await a_history(trial)
    before = await digest(trial.owner)
    await lose(trial.owner, 400)
    async with trial.relaying():
        assert "intabaza ledger restore" in await trial.halted()
        with pytest.raises(DoorShut):
            await trial.ledger.append(note())
        await restore(trial)
        assert await until_the_door_opens(trial.owner_dsn, 30) is None
        assert await digest(trial.owner) == before
        await trial.until_acknowledged(await trial.append(10))
    await trial.assert_whole()


async def test_where_nothing_is_missing_nothing_is_done_and_the_door_stays_open(trial: RelayTrial) -> None:
    await a_history(trial)
    head = await trial.append(5)  # accepted and not on Kafka yet
    assert await restore(trial) == Restored(head, head, 0)
    await trial.ledger.append(note())


class Interrupted(Exception):
    """Somebody pressed Ctrl-C."""


class Impatient(Quiet):
    """Interrupts at its so-many-th step of writing."""

    def __init__(self, after: int) -> None:
        self.left = after

    def advance(self, what: str, done: float, total: float | None = None) -> None:
        if what == restoring.RESTORING:
            self.left -= 1
            if self.left == 0:
                raise Interrupted


async def test_an_interrupted_one_goes_on_and_nothing_is_appended_meanwhile(
    trial: RelayTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "PIECE_EVENTS", 50)
    await a_history(trial)
    before, head = await digest(trial.owner), (await trial.ledger.head()).position
    await lose(trial.owner, 0)
    reached = 0
    for steps in (1, 2, 3):
        with pytest.raises(Interrupted):
            await restore_ledger(trial.owner_dsn, trial.bootstrap, PARTITIONS, Impatient(steps))
        reached += 50 * steps
        assert (await trial.ledger.head()).position == reached
        with pytest.raises(DoorShut):
            await trial.ledger.append(note())
    assert await restore(trial) == Restored(reached, head, 0)
    assert await digest(trial.owner) == before


async def test_a_relay_that_looks_while_it_is_being_restored_does_not_open_the_door(
    trial: RelayTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "PIECE_EVENTS", 50)
    await a_history(trial)
    await lose(trial.owner, 0)
    with pytest.raises(Interrupted):
        await restore_ledger(trial.owner_dsn, trial.bootstrap, PARTITIONS, Impatient(2))
    async with trial.relaying():
        assert "knows more than the ledger" in await trial.halted()
        with pytest.raises(DoorShut):
            await trial.ledger.append(note())


async def test_a_simulated_ledger_is_one_again(trial: RelayTrial) -> None:
    await a_history(trial)
    last = (await trial.ledger.head()).recorded_at
    await lose(trial.owner, 0)
    await restore(trial, simulated=True)
    assert await trial.ledger.simulated_clock() == last


async def test_a_ledger_that_is_real_is_not_called_a_simulated_one(trial: RelayTrial) -> None:
    await a_history(trial)
    await lose(trial.owner, 100)
    with pytest.raises(OtherClock, match="This ledger is a real one"):
        await restore(trial, simulated=True)
    assert (await trial.ledger.head()).position == 100
    await restore(trial, simulated=False)


async def test_a_ledger_of_another_time_is_not_taken_for_a_real_one_unasked(trial: RelayTrial) -> None:
    await simulate(trial.owner_dsn, datetime(2015, 4, 26, tzinfo=UTC))
    await a_history(trial)
    before, last = await digest(trial.owner), (await trial.ledger.head()).recorded_at
    await lose(trial.owner, 0)
    with pytest.raises(WhichClock, match=r"recorded at 2015-04-26T.*`--simulated`.*`--real`"):
        await restore(trial)
    assert (await trial.ledger.head()).position == 0
    await restore(trial, simulated=True)
    assert (await digest(trial.owner), await trial.ledger.simulated_clock()) == (before, last)
    with pytest.raises(OtherClock, match="This ledger is a scenario's"):
        await restore(trial, simulated=False)


async def test_a_real_ledger_whose_topics_were_made_anew_long_ago_is_restored_by_whoever_says_so(
    trial: RelayTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_history(trial)
    before = await digest(trial.owner)
    await lose(trial.owner, 0)
    monkeypatch.setattr(restoring, "SENT_WITHIN", timedelta(days=-1))
    with pytest.raises(WhichClock):
        await restore(trial)
    await restore(trial, simulated=False)
    assert (await digest(trial.owner), await trial.ledger.simulated_clock()) == (before, None)


async def test_a_ledger_that_went_another_way_is_left_as_it_is(trial: RelayTrial) -> None:
    await a_history(trial)
    await lose(trial.owner, 200)
    await trial.append(3)
    before = await digest(trial.owner)
    with pytest.raises(OtherHistory, match="different histories from position 201 on"):
        await restore(trial)
    assert await digest(trial.owner) == before
    with pytest.raises(DoorShut):
        await trial.ledger.append(note())


async def test_nobody_but_the_owner_restores(trial: RelayTrial) -> None:
    await a_history(trial)
    await lose(trial.owner, 0)
    with pytest.raises(LocalProblem, match="permission denied"):
        await restore_ledger(trial.app_dsn, trial.bootstrap, PARTITIONS, Quiet())


async def test_of_two_at_once_both_end_with_the_whole_ledger_or_a_sentence(
    trial: RelayTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "PIECE_EVENTS", 50)
    await a_history(trial)
    before = await digest(trial.owner)
    await lose(trial.owner, 0)
    done = await asyncio.gather(restore(trial), restore(trial), return_exceptions=True)
    for one in done:
        assert isinstance(one, Restored) or "Nothing was added after position" in str(one) or "Begin again" in str(one)
    await restore(trial)
    assert await digest(trial.owner) == before


async def test_the_wrong_number_of_partitions_is_told(trial: RelayTrial) -> None:
    with pytest.raises(LocalProblem, match=f"set INTABAZA_PARTITIONS={PARTITIONS}"):
        await restore_ledger(trial.owner_dsn, trial.bootstrap, PARTITIONS + 1, Quiet())
