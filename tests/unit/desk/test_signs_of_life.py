"""A check-in is accepted at once and comes onto the log when its day is over, with all others and like all others."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import structlog

from events import reporter as reporters
from events.catalogue import read
from events.envelope import Envelope
from events.refusals import BadInput
from events.reporter import LATE_DAYS, NotEnrolled, ReporterCheckedIn, SignGivenAlready, monday_of
from events.sealed import Sealed
from events.vocabulary import Mode, Role
from services import clock
from services.acts import reporter as reporter_acts
from services.area import Area, OutsideArea
from services.desk.reading import AnotherMode
from services.ledger.ledger import CommandReused
from services.ledger.memory import MemoryLedger
from services.signs import NOBODY
from services.vault.memory import MemoryVault
from services.vault.refused import KeyGone
from services.vault.sealing import open_text
from services.vault.signs import NewSign, Overdue
from tests.support.history import ELSEWHERE, GIHANGA, Story

ENROLMENT = {"languages": ["rn"], "channels": ["sms"], "trained": True}
A_DAY = timedelta(days=1)
ZONE = ZoneInfo("Africa/Bujumbura")  # where the story happens: a day is over two hours before UTC's


def today() -> date:
    return clock.now().astimezone(ZONE).date()


async def enrol(story: Story, *names: str, unit: str = GIHANGA) -> str:
    """They are reporters in the home of this unit, which is returned."""
    home = story.network.gazetteer.home_of(unit)
    for name in names:
        await story.reporter(name, reporters.Enrol, home, **ENROLMENT)
    return home


def sign(on: date | None = None, **fields: Any) -> dict[str, Any]:
    return {"on": on or today(), "channel": "sms", "nothing_to_report": True} | fields


async def recorded(story: Story) -> list[Envelope[ReporterCheckedIn]]:
    rows = await story.network.desk.ledger.read(0, 10_000)
    return [envelope for row in rows if isinstance((envelope := read(row.wire())).data, ReporterCheckedIn)]  # type: ignore[misc]


async def midnight(story: Story, days: int = 1) -> None:
    await story.network.desk.signs.record(clock.now() + days * A_DAY)


async def test_nothing_of_it_is_on_the_log_before_the_day_is_over(story: Story) -> None:
    home = await enrol(story, "aline")
    head = await story.network.desk.ledger.head()
    held = await story.check_in("aline", home, **sign(felt_safety=3))
    assert not held.repeated
    assert held.until.date() == today() + A_DAY
    assert (held.until.hour, held.until.minute) == (0, 0)
    await story.network.desk.signs.look()
    assert await story.network.desk.ledger.head() == head
    await midnight(story)
    (event,) = await recorded(story)
    assert (event.data.on, event.data.channel) == (today(), "sms")
    await midnight(story)
    await midnight(story, 2)
    assert len(await recorded(story)) == 1


async def test_all_signs_of_a_day_are_one_command_of_nobody_in_the_order_of_random_ids(
    story: Story, vault: MemoryVault
) -> None:
    names = ("aline", "bede", "chantal", "deo", "esther")
    home = await enrol(story, *names)
    for name in names:
        await story.check_in(name, home, **sign())
    await midnight(story)
    events = await recorded(story)
    assert len(events) == len(names)
    first = events[0]
    assert [event.position for event in events] == list(range(first.position, first.position + len(names)))
    assert [event.subject for event in events] == sorted(event.subject for event in events)
    for event in events:
        assert (event.actorrole, event.actorref, event.onbehalfof, event.causationid) == (
            Role.SYSTEM,
            NOBODY,
            None,
            None,
        )
        assert event.commandid == event.correlationid == first.commandid
        assert (event.time, event.commandmac) == (first.time, first.commandmac)
        assert event.data.wire_data().keys() == {"on", "channel", "said"}
    assert len({len(event.data.said.ciphertext) for event in events if isinstance(event.data.said, Sealed)}) == 1


@pytest.mark.parametrize("felt_safety", [None, 10])
@pytest.mark.parametrize("role", [Role.REPORTER, Role.COORDINATOR])
async def test_what_was_said_and_by_whom_is_sealed_in_one_length(
    story: Story, vault: MemoryVault, felt_safety: int | None, role: Role
) -> None:
    home = await enrol(story, "aline")
    sender = "fabien" if role is Role.COORDINATOR else "aline"
    order = story.order(sender, role, reporters.CheckIn, "aline", **sign(felt_safety=felt_safety))
    await reporter_acts.check_in(story.network, order, story.people["aline"], home)
    await midnight(story)
    (event,) = await recorded(story)
    assert isinstance(event.data.said, Sealed)
    assert len(event.data.said.ciphertext) == len("A" * ((256 + 16) * 4 // 3 + 1))
    keys = await vault.open_keys([event.data.said.key_id])
    text = open_text(event.data.said, keys[event.data.said.key_id], event.subject, event.streamversion, "said")
    said = json.loads(text)
    reporter_id = UUID(event.subject.partition("/")[2])
    by = await vault.pseudonym(story.people[sender], reporter_id)
    assert said == {
        "nothing_to_report": True,
        "felt_safety": felt_safety,
        "day": str(today()),
        "role": role.value,
        "by": str(by),
        "on_behalf_of": None,
    }


async def test_a_report_gives_no_sign_of_its_reporter(story: Story) -> None:
    await enrol(story, "aline")
    await story.receive("aline", text=story.text("text"))
    await midnight(story)
    assert await recorded(story) == []


async def test_who_covers_places_in_two_homes_gives_a_sign_in_both(story: Story, vault: MemoryVault) -> None:
    home, other = await enrol(story, "aline"), await enrol(story, "aline", unit=ELSEWHERE)
    assert home != other
    await story.check_in("aline", home, **sign())
    await midnight(story)
    events = await recorded(story)
    streams = await vault.reporter_streams(story.people["aline"])
    assert {event.partitionkey: event.subject for event in events} == {
        one: f"reporter/{reporter_id}" for one, reporter_id in streams.items()
    }
    assert [event.subject for event in events] == sorted(event.subject for event in events)
    keys = {event.data.said.key_id for event in events if isinstance(event.data.said, Sealed)}
    assert len(keys) == 2


async def test_in_a_home_where_they_stood_down_there_is_none(story: Story) -> None:
    home, other = await enrol(story, "aline"), await enrol(story, "aline", unit=ELSEWHERE)
    await story.reporter("aline", reporters.StandDownReporter, other, reason="moved")
    await story.check_in("aline", home, **sign())
    with pytest.raises(NotEnrolled):
        await story.check_in("aline", other, **sign())
    await midnight(story)
    assert [event.partitionkey for event in await recorded(story)] == [home]


async def test_late_signs_come_when_their_week_is_over_as_of_a_monday_and_as_far_back_as_a_letter(story: Story) -> None:
    home = await enrol(story, "aline")
    days = [today() - LATE_DAYS * A_DAY, today() - 7 * A_DAY, today()]
    monday = monday_of(today()) + 7 * A_DAY
    for day in reversed(days):
        held = await story.check_in("aline", home, **sign(day))
        assert held.until.date() == (today() + A_DAY if day == today() else monday)
    for day in (today() - (LATE_DAYS + 1) * A_DAY, today() + A_DAY):
        with pytest.raises(BadInput) as refused:
            await story.check_in("aline", home, **sign(day))
        assert [problem.field for problem in refused.value.problems] == ["on"]
    await midnight(story, (monday - today()).days - 1)
    assert [event.data.on for event in await recorded(story)] == [today()] * (monday > today() + A_DAY)
    await midnight(story, (monday - today()).days)
    events = await recorded(story)
    late = [event for event in events if event.data.on < monday_of(today())]
    assert [event.data.on for event in late] == [monday_of(day) for day in days[:-1]]
    assert len({event.commandid for event in late}) == 1
    keys = {event.data.said.key_id for event in late if isinstance(event.data.said, Sealed)}
    assert len(keys) == 1


@pytest.mark.parametrize("late_by", [LATE_DAYS - 1, LATE_DAYS])
async def test_a_sign_that_is_taken_while_the_day_ends_is_of_the_day_that_it_was(
    story: Story, monkeypatch: pytest.MonkeyPatch, late_by: int
) -> None:
    home = await enrol(story, "aline")
    order = story.order("aline", Role.REPORTER, reporters.CheckIn, "aline", **sign(today() - late_by * A_DAY))
    desk = story.network.desk
    asked = count()
    monkeypatch.setattr(desk, "_clock", lambda: clock.now() + (next(asked) > 0) * A_DAY)
    held = await reporter_acts.check_in(story.network, order, story.people["aline"], home)
    assert not held.repeated


async def test_who_records_goes_on_whatever_fails(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    signs = story.network.desk.signs
    looked = asyncio.Event()
    turns = count()

    async def look() -> None:
        if next(turns) < 2:
            raise KeyError("nobody foresaw it")
        looked.set()

    async def overdue(*asked: Any) -> Overdue:
        return Overdue(signs=7, seconds=60.0)

    monkeypatch.setattr(signs, "look", look)
    monkeypatch.setattr(signs.store, "overdue", overdue)
    monkeypatch.setattr("services.signs.LOOK_SECONDS", 0.0)
    with structlog.testing.capture_logs() as lines:
        looking = asyncio.create_task(signs.keep_looking())
        await asyncio.wait([looking, asyncio.ensure_future(looked.wait())], return_when=asyncio.FIRST_COMPLETED)
        assert not looking.done()
        looking.cancel()
    assert signs.overdue.signs == 7
    assert [(line["event"], line["log_level"]) for line in lines] == [("signs_of_life_wait", "error")]


async def test_a_day_and_channel_has_one_sign_for_ever(story: Story) -> None:
    home = await enrol(story, "aline")
    for safety in (1, 2):
        await story.check_in("aline", home, **sign(felt_safety=safety))
    await midnight(story)
    assert len(await recorded(story)) == 1
    with pytest.raises(SignGivenAlready):
        await story.check_in("aline", home, **sign())
    await story.check_in("aline", home, **sign(channel="voice"))
    await midnight(story, 2)
    assert [event.data.channel for event in await recorded(story)] == ["sms", "voice"]


async def test_of_the_late_signs_of_a_week_the_last_stands_and_a_later_one_is_refused(story: Story) -> None:
    home = await enrol(story, "aline")
    monday = monday_of(today()) - 14 * A_DAY
    for day in (2, 4):
        await story.check_in("aline", home, **sign(monday + day * A_DAY))
    await midnight(story, 8)
    assert [event.data.on for event in await recorded(story)] == [monday]
    with pytest.raises(SignGivenAlready):
        await story.check_in("aline", home, **sign(monday + 3 * A_DAY))


async def test_only_who_is_enrolled_gives_one_and_who_is_refused_leaves_nothing(
    story: Story, vault: MemoryVault
) -> None:
    home = await enrol(story, "bede")
    for area in (Area(None), Area(frozenset({ELSEWHERE}))):
        order = replace(story.order("fabien", Role.COORDINATOR, reporters.CheckIn, "aline", **sign()), area=area)
        with pytest.raises((NotEnrolled, OutsideArea)):
            await reporter_acts.check_in(story.network, order, story.people["aline"], home, GIHANGA)
    assert await vault.reporter_streams(story.people["aline"]) == {}
    assert (await vault.overdue(clock.now() + 2 * A_DAY, ZONE)).signs == 0


async def test_what_is_exercised_gives_no_sign_of_what_is_real(story: Story) -> None:
    home = await enrol(story, "aline")
    order = story.order("aline", Role.REPORTER, reporters.CheckIn, "aline", **sign())
    order = replace(order, mode=Mode.EXERCISE)
    with pytest.raises(AnotherMode):
        await reporter_acts.check_in(story.network, order, story.people["aline"], home)


async def test_a_repeat_answers_as_the_first_time_before_and_after_its_midnight(story: Story) -> None:
    home = await enrol(story, "aline")
    order = story.order("aline", Role.REPORTER, reporters.CheckIn, "aline", **sign())

    async def send() -> Any:
        return await reporter_acts.check_in(story.network, order, story.people["aline"], home)

    first, second = await send(), await send()
    await midnight(story)
    third = await send()
    assert (first.repeated, second.repeated, third.repeated) == (False, True, True)
    assert first.until == second.until == third.until
    with pytest.raises(CommandReused):
        await reporter_acts.check_in(story.network, order, story.people["aline"], "bi:another-home")
    await midnight(story, 2)
    assert len(await recorded(story)) == 1


async def test_a_key_of_a_command_on_the_log_is_no_check_ins(story: Story) -> None:
    home = await enrol(story, "aline")
    enrolment, _ = story.answers[-1]
    order = story.order("fabien", Role.COORDINATOR, reporters.CheckIn, "aline", **sign())
    order = replace(order, client_id=enrolment.client_id)
    with pytest.raises(CommandReused):
        await reporter_acts.check_in(story.network, order, story.people["aline"], home)


async def test_who_was_erased_gives_none_any_more_and_stops_nobody(story: Story, vault: MemoryVault) -> None:
    home = await enrol(story, "aline", "bede")
    for name in ("aline", "bede"):
        await story.check_in(name, home, **sign())
    bede = (await vault.reporter_streams(story.people["bede"]))[home]
    await vault.erase(story.people["aline"])
    await midnight(story)
    assert [event.subject for event in await recorded(story)] == [f"reporter/{bede}"]
    with pytest.raises((NotEnrolled, KeyGone)):
        await story.check_in("aline", home, **sign())


@pytest.mark.parametrize("question", ["gather", "open_keys", "keys_for"])
async def test_who_is_erased_while_signs_are_recorded_is_left_out(
    story: Story, vault: MemoryVault, question: str
) -> None:
    home = await enrol(story, "aline", "bede")
    for name in ("aline", "bede"):
        await story.check_in(name, home, **sign())
    bede = (await vault.reporter_streams(story.people["bede"]))[home]
    answered = getattr(vault, question)

    async def then_erased(*asked: Any) -> Any:
        answer = await answered(*asked)
        await vault.erase(story.people["aline"])
        return answer

    setattr(vault, question, then_erased)
    await midnight(story)
    assert [event.subject for event in await recorded(story)] == [f"reporter/{bede}"]


async def test_a_key_that_is_gone_without_its_signs_stops_nobody(story: Story, vault: MemoryVault) -> None:
    home = await enrol(story, "aline", "bede")
    for name in ("aline", "bede"):
        await story.check_in(name, home, **sign())
    aline, bede = [(await vault.reporter_streams(story.people[name]))[home] for name in ("aline", "bede")]
    (gathering,) = (await vault.gather(clock.now() + A_DAY, ZONE, LATE_DAYS)).gatherings
    (doomed,) = (one.key_id for one in gathering.signs if one.reporter_id == aline)
    vault._keys[doomed] = None
    await midnight(story)
    assert [event.subject for event in await recorded(story)] == [f"reporter/{bede}"]


async def test_who_stood_down_after_their_sign_was_accepted_gave_it(story: Story) -> None:
    home = await enrol(story, "aline")
    await story.check_in("aline", home, **sign())
    await story.reporter("aline", reporters.StandDownReporter, home, reason="safety")
    await midnight(story)
    assert len(await recorded(story)) == 1


@pytest.mark.parametrize("lost", ["before", "after"])
async def test_an_append_whose_answer_is_lost_is_made_once(story: Story, lost: str) -> None:
    home = await enrol(story, "aline", "bede")
    for name in ("aline", "bede"):
        await story.check_in(name, home, **sign())
    ledger = story.network.desk.ledger
    assert isinstance(ledger, MemoryLedger)
    append = ledger.append

    async def then_lost(submission: Any) -> Any:
        if lost == "after":
            await append(submission)
        ledger.append = append  # type: ignore[method-assign]
        raise ConnectionError

    ledger.append = then_lost  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        await midnight(story)
    await midnight(story)
    assert len(await recorded(story)) == 2


async def test_words_that_do_not_open_cost_nobody_their_sign(story: Story, vault: MemoryVault) -> None:
    home = await enrol(story, "aline", "bede")
    aline = (await vault.reporter_streams(story.people["aline"]))[home]
    hold = vault.hold

    async def altered(new: NewSign, *rest: Any) -> Any:
        words = (replace(one, sealed=b"{}") if one.reporter_id == aline else one for one in new.words)
        return await hold(replace(new, words=tuple(words)), *rest)

    vault.hold = altered  # type: ignore[method-assign, assignment]
    for name in ("aline", "bede"):
        await story.check_in(name, home, **sign())
    await midnight(story)
    events = {event.subject: event.data.said for event in await recorded(story)}
    assert len(events) == 2
    assert events[f"reporter/{aline}"] is None
