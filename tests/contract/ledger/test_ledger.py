"""What every ledger promises, whatever it stands on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import orjson
import pytest

from events.envelope import BODY_LIMIT_BYTES, WIRE_LIMIT_BYTES, Envelope
from services.ledger.ledger import (
    Accepted,
    Append,
    CommandBurned,
    CommandReused,
    Conflict,
    DoorShut,
    Entry,
    HomeChanged,
    KeyDestroyed,
    Ledger,
    NotAccepted,
    Recorded,
    Submission,
    TooLarge,
)
from tests.support.ledgers import HOME, Noted, Trial, a_stream, events_for, note, unmoved


async def test_an_accepted_command_says_where_its_events_stand_and_they_are_there(ledger: Ledger) -> None:
    first, second = a_stream(), a_stream()
    command = uuid4()
    submission = note(first, count=2, command_id=command, also=(events_for(command, second, 0),))

    accepted = await ledger.append(submission)

    assert [(place.position, place.stream, place.version) for place in accepted.placed] == [
        (1, first, 1),
        (2, first, 2),
        (3, second, 1),
    ]
    assert not accepted.repeated
    rows = await ledger.read(0)
    assert [(row.position, row.stream, row.version, row.event_id, row.recorded_at) for row in rows] == [
        (place.position, place.stream, place.version, place.event_id, place.recorded_at) for place in accepted.placed
    ]
    entries = [entry for append in submission.appends for entry in append.entries]
    assert [(row.type, row.body, row.home, row.command_id, row.command_mac) for row in rows] == [
        (entry.type, entry.body, HOME, command, submission.command_mac) for entry in entries
    ]


async def test_positions_have_no_gaps_whoever_appends_at_once(ledger: Ledger) -> None:
    answers = await asyncio.gather(*(ledger.append(note(count=1 + number % 3)) for number in range(100)))

    told = [place for answer in answers for place in answer.placed]
    rows = await ledger.read(0)
    assert [row.position for row in rows] == list(range(1, len(told) + 1))
    assert {row.position: row.event_id for row in rows} == {place.position: place.event_id for place in told}
    assert [row.recorded_at for row in rows] == sorted(row.recorded_at for row in rows)


async def test_of_two_decisions_on_one_state_the_second_is_refused(ledger: Ledger) -> None:
    stream = a_stream()
    await ledger.append(note(stream))

    answers = await asyncio.gather(
        ledger.append(note(stream, expected=1)), ledger.append(note(stream, expected=1)), return_exceptions=True
    )

    [refused] = [answer for answer in answers if isinstance(answer, Conflict)]
    assert (refused.stream, refused.expected, refused.actual) == (stream, 1, 2)
    assert len(await ledger.read_stream(stream)) == 2


@pytest.mark.parametrize("expected", [0, 2, 7])
async def test_a_wrong_expected_version_writes_nothing(ledger: Ledger, expected: int) -> None:
    stream = a_stream()
    await ledger.append(note(stream))

    with pytest.raises(Conflict):
        await ledger.append(note(stream, expected=expected))

    assert (await ledger.head()).position == 1


async def test_a_command_on_several_streams_is_all_or_nothing(ledger: Ledger) -> None:
    fresh, moved = a_stream(), a_stream()
    await ledger.append(note(moved))
    command = uuid4()

    with pytest.raises(Conflict):
        await ledger.append(note(fresh, command_id=command, also=(events_for(command, moved, 0),)))

    assert await ledger.read_stream(fresh) == []
    assert (await ledger.head()).position == 1


async def test_an_assertion_holds_a_decision_to_what_it_read(ledger: Ledger) -> None:
    read = a_stream()
    await ledger.append(note(read))

    accepted = await ledger.append(note(also=(unmoved(read, 1),)))
    with pytest.raises(Conflict) as refused:
        await ledger.append(note(also=(unmoved(read, 0),)))

    assert len(accepted.placed) == 1
    assert (refused.value.stream, refused.value.actual) == (read, 1)
    assert len(await ledger.read_stream(read)) == 1


async def test_two_decisions_that_each_read_what_the_other_writes_cannot_both_stand(ledger: Ledger) -> None:
    for _ in range(20):
        one, other = a_stream(), a_stream()
        answers = await asyncio.gather(
            ledger.append(note(one, also=(unmoved(other, 0),))),
            ledger.append(note(other, also=(unmoved(one, 0),))),
            return_exceptions=True,
        )
        assert sorted(type(answer).__name__ for answer in answers) == ["Accepted", "Conflict"]


async def test_many_decisions_may_read_one_stream_at_once(ledger: Ledger) -> None:
    rules = a_stream()
    await ledger.append(note(rules))

    answers = await asyncio.gather(*(ledger.append(note(also=(unmoved(rules, 1),))) for _ in range(50)))

    assert len({place.position for answer in answers for place in answer.placed}) == 50


async def test_a_repeated_command_answers_as_the_first_time_and_writes_nothing(ledger: Ledger) -> None:
    submission = note(count=2)
    first = await ledger.append(submission)
    await ledger.append(note(submission.appends[0].stream, expected=2))

    again = await ledger.append(submission)

    assert again == Accepted(first.placed, repeated=True)
    assert (await ledger.head()).position == 3


async def test_one_command_sent_twice_at_once_is_written_once(ledger: Ledger) -> None:
    submission = note()

    answers = await asyncio.gather(*(ledger.append(submission) for _ in range(5)))

    assert sorted(answer.repeated for answer in answers) == [False, True, True, True, True]
    assert len({answer.placed for answer in answers}) == 1
    assert (await ledger.head()).position == 1


async def test_an_id_with_another_body_is_refused(ledger: Ledger) -> None:
    submission = note()
    await ledger.append(submission)

    with pytest.raises(CommandReused):
        await ledger.append(note(command_id=submission.command_id, mac=b"\x02" * 32))

    assert (await ledger.head()).position == 1


async def test_asking_about_an_accepted_command_tells_what_was_placed(ledger: Ledger) -> None:
    submission = note(count=3)
    accepted = await ledger.append(submission)

    assert await ledger.ask(submission.command_id) == Accepted(accepted.placed, repeated=True)
    assert (await ledger.append(submission)).placed == accepted.placed


async def test_asking_about_an_absent_command_burns_its_id(ledger: Ledger) -> None:
    submission = note()

    assert await ledger.ask(submission.command_id) is None
    assert await ledger.ask(submission.command_id) is None
    with pytest.raises(CommandBurned):
        await ledger.append(submission)

    assert (await ledger.head()).position == 0


async def test_a_stream_never_leaves_its_home(ledger: Ledger) -> None:
    stream = a_stream()
    await ledger.append(note(stream, home="bi:home:1"))

    with pytest.raises(HomeChanged) as refused:
        await ledger.append(note(stream, expected=1, home="bi:home:2"))
    with pytest.raises(HomeChanged):
        await ledger.append(note(also=(unmoved(stream, 1, home="bi:home:2"),)))

    assert "bi:home:1" in str(refused.value)
    assert (await ledger.head()).position == 1


async def test_a_living_key_lets_an_append_in(trial: Trial) -> None:
    keys = frozenset([await trial.make_key(), await trial.make_key()])

    assert (await trial.ledger.append(note(keys=keys))).placed


async def test_a_destroyed_key_refuses_the_append(trial: Trial) -> None:
    living, destroyed = await trial.make_key(), await trial.make_key()
    await trial.destroy_key(destroyed)

    with pytest.raises(KeyDestroyed):
        await trial.ledger.append(note(keys=frozenset([living, destroyed])))

    assert (await trial.ledger.head()).position == 0


async def test_a_key_that_was_never_committed_refuses_the_append_and_nobody_elses(trial: Trial) -> None:
    living = await trial.make_key()

    answers = await asyncio.gather(
        trial.ledger.append(note(keys=frozenset([living]))),
        trial.ledger.append(note(keys=frozenset([uuid4()]))),
        trial.ledger.append(note()),
        return_exceptions=True,
    )

    assert [type(answer).__name__ for answer in answers] == ["Accepted", "KeyDestroyed", "Accepted"]


async def test_a_repeat_is_told_the_truth_even_when_its_key_is_gone(trial: Trial) -> None:
    key = await trial.make_key()
    submission = note(keys=frozenset([key]))
    first = await trial.ledger.append(submission)
    await trial.destroy_key(key)

    assert await trial.ledger.append(submission) == Accepted(first.placed, repeated=True)


async def test_the_largest_event_fits_and_one_byte_more_is_refused(ledger: Ledger) -> None:
    def of_size(size: int) -> Submission:
        submission = note()
        [append] = submission.appends
        [entry] = append.entries
        padded = entry.body[:-1] + b',"x":"' + b"x" * (size - len(entry.body) - 7) + b'"}'
        assert len(padded) == size
        return replace(submission, appends=(replace(append, entries=(replace(entry, body=padded),)),))

    await ledger.append(of_size(BODY_LIMIT_BYTES))
    with pytest.raises(TooLarge) as refused:
        await ledger.append(of_size(BODY_LIMIT_BYTES + 1))

    assert str(WIRE_LIMIT_BYTES + 1) in str(refused.value)
    [row] = await ledger.read(0)
    assert len(row.wire()) == WIRE_LIMIT_BYTES


async def test_a_command_without_events_is_a_mistake_of_the_caller(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="at least one event"):
        await ledger.append(Submission(uuid4(), b"\x01" * 32, (unmoved(a_stream(), 0),)))


async def test_a_command_that_names_a_stream_twice_is_a_mistake_of_the_caller(ledger: Ledger) -> None:
    stream = a_stream()
    with pytest.raises(ValueError, match="names a stream twice"):
        await ledger.append(note(stream, also=(unmoved(stream, 0),)))


async def test_an_event_id_is_in_the_ledger_once(ledger: Ledger) -> None:
    first, second, innocent = note(), note(), note()
    taken = first.appends[0].entries[0].event_id
    [append] = second.appends
    second = replace(second, appends=(replace(append, entries=(replace(append.entries[0], event_id=taken),)),))
    await ledger.append(first)

    answers = await asyncio.gather(ledger.append(second), ledger.append(innocent), return_exceptions=True)

    assert isinstance(answers[0], NotAccepted)
    assert isinstance(answers[1], Accepted)
    assert (await ledger.head()).position == 2


async def test_the_wire_form_is_the_same_bytes_at_every_read_and_an_envelope_reads_it(ledger: Ledger) -> None:
    accepted = await ledger.append(note(text="Ijambo «é»"))
    [place] = accepted.placed

    [by_position] = await ledger.read(0)
    [by_stream] = await ledger.read_stream(place.stream)

    assert by_position.wire() == by_stream.wire() == by_position.wire()
    envelope = Envelope[Noted].model_validate_json(by_position.wire())
    assert (envelope.position, envelope.recorded_at) == (place.position, place.recorded_at)
    assert envelope.data == Noted(text="Ijambo «é»")
    spliced = orjson.loads(by_position.wire())
    del spliced["sequence"], spliced["time"]
    assert spliced == orjson.loads(by_position.body)


async def test_reading_goes_on_after_a_position_up_to_a_limit(ledger: Ledger) -> None:
    await ledger.append(note(count=10))

    assert [row.position for row in await ledger.read(0, limit=4)] == [1, 2, 3, 4]
    assert [row.position for row in await ledger.read(4, limit=4)] == [5, 6, 7, 8]
    assert [row.position for row in await ledger.read(8, limit=4)] == [9, 10]
    assert await ledger.read(10, limit=4) == []


async def test_a_stream_is_read_in_order_from_any_version(ledger: Ledger) -> None:
    stream = a_stream()
    await ledger.append(note(stream, count=2))
    await ledger.append(note())
    await ledger.append(note(stream, expected=2))

    assert [row.version for row in await ledger.read_stream(stream)] == [1, 2, 3]
    assert [row.version for row in await ledger.read_stream(stream, after_version=2)] == [3]
    assert await ledger.read_stream(a_stream()) == []


async def test_an_empty_ledger_has_its_head_at_zero(ledger: Ledger) -> None:
    head = await ledger.head()
    assert (head.position, head.recorded_at) == (0, None)

    accepted = await ledger.append(note(count=2))

    head = await ledger.head()
    assert (head.position, head.recorded_at) == (2, accepted.placed[-1].recorded_at)


async def test_waiting_for_a_position_ends_when_it_is_there(ledger: Ledger) -> None:
    waiting = asyncio.create_task(ledger.wait_for(2, timeout_seconds=20))
    await ledger.append(note())
    assert not waiting.done()
    await ledger.append(note())

    assert await waiting
    assert await ledger.wait_for(1, timeout_seconds=20)


async def test_waiting_for_a_position_that_does_not_come_ends_in_time(ledger: Ledger) -> None:
    assert not await ledger.wait_for(1, timeout_seconds=0.05)


async def test_a_follower_gets_everything_in_order_what_was_there_and_what_comes(ledger: Ledger) -> None:
    await ledger.append(note(count=5))
    seen: list[Recorded] = []

    async def follow_to(position: int) -> None:
        async for rows in ledger.follow(2):
            seen.extend(rows)
            if seen[-1].position >= position:
                return

    async with asyncio.timeout(30):
        following = asyncio.create_task(follow_to(105))
        await asyncio.gather(*(ledger.append(note()) for _ in range(100)))
        await following

    assert [row.position for row in seen] == list(range(3, 106))
    assert list(seen) == list(await ledger.read(2))


async def test_a_shut_door_refuses_with_its_reason_until_it_is_opened(ledger: Ledger) -> None:
    before = note()
    first = await ledger.append(before)
    await ledger.shut_door("Kafka holds position 9 and the ledger ends at 1: restore it")

    with pytest.raises(DoorShut, match="restore it"):
        await ledger.append(note())
    assert await ledger.append(before) == Accepted(first.placed, repeated=True)

    await ledger.open_door()
    assert (await ledger.append(note())).placed[0].position == 2


async def test_a_cancelled_caller_disturbs_nobody(ledger: Ledger) -> None:
    submissions = [note() for _ in range(40)]
    callers = [asyncio.create_task(ledger.append(submission)) for submission in submissions]
    await asyncio.sleep(0)
    for caller in callers[::2]:
        caller.cancel()

    answers = await asyncio.gather(*callers, return_exceptions=True)

    assert all(isinstance(answer, Accepted) for answer in answers[1::2])
    repeats = await asyncio.gather(*(ledger.append(submission) for submission in submissions))
    assert {repeat.placed for repeat in repeats} >= {
        answer.placed for answer in answers if isinstance(answer, Accepted)
    }
    assert [row.position for row in await ledger.read(0)] == list(range(1, 41))


async def test_an_entry_may_carry_any_bytes_that_json_allows(ledger: Ledger) -> None:
    body = '{"a":"\\u0000\\\\ \\"é‮🌍"}'.encode()
    await ledger.append(Submission(uuid4(), b"", (Append(a_stream(), 0, HOME, (Entry(uuid4(), "test.noted", body),)),)))

    [row] = await ledger.read(0)
    assert row.body == body


async def test_recorded_at_is_the_ledgers_clock_and_never_goes_back(trial: Trial) -> None:
    first = await trial.ledger.append(note())
    now = trial.witness()
    assert abs(first.placed[0].recorded_at - now) < timedelta(seconds=30)

    await trial.age(timedelta(days=-1))
    ahead = (await trial.ledger.head()).recorded_at
    later = await trial.ledger.append(note())

    assert ahead is not None
    assert later.placed[0].recorded_at >= ahead


async def test_the_first_events_of_streams_are_found_by_when_they_began(ledger: Ledger) -> None:
    streams = [a_stream() for _ in range(3)]
    for stream in streams:
        await ledger.append(note(stream, count=2))
    wanted = [*streams[1:], a_stream()]
    began = (await ledger.read_stream(streams[2]))[0].recorded_at
    found = await ledger.first_of(wanted, began - timedelta(days=1))
    assert sorted((row.stream, row.version) for row in found) == sorted((stream, 1) for stream in streams[1:])
    assert await ledger.first_of(wanted, began + timedelta(seconds=1)) == []
    assert [row.stream for row in await ledger.first_of([streams[2]], began)] == [streams[2]]
    assert await ledger.first_of([], began) == []
