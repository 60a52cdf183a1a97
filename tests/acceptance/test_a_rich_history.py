"""One of everything that can happen, decided, sealed, appended and read back on the real stack; and nothing leaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from typing import cast
from uuid import UUID

import pytest
from pydantic import SecretStr

from events.alert import Acknowledge, AlertIssued, AnotherAlert
from events.case import judging, opening
from events.case.state import Stage
from events.catalogue import EVENTS, read
from events.custody import ExportMade, LogCheckpointed, RecordViewed
from events.reference import ClockTicked
from events.report.decisions import Receive
from events.report.events import ReportReceived
from events.report.state import Standing
from events.vocabulary import Role
from services.acts import alert as alert_acts
from services.acts import case as case_acts
from services.acts import report as report_acts
from services.desk.order import Order
from services.desk.reading import Reading
from services.ledger.ledger import Accepted, CommandReused, Recorded
from services.vault.connection import connect_vault
from services.vault.keyring import KeyRing
from services.vault.master import MasterKey
from tests.support.canaries import Canaries
from tests.support.history import ALLEGED, CANARY, GIHANGA, MPANDA, PHONES, Story
from tests.support.stack import Stack, a_stack
from tests.support.told_on_a_stack import a_history_on

LATECOMERS = {"gloria": "+25779000007", "hilaire": "+25779000008"}
"""People who come after the story, to be erased."""

PASSER_BY = "+25779000009"
"""Somebody who called once, sent nothing and wants to be forgotten."""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with a_stack(INTABAZA_NOTARIES="1", INTABAZA_NOTARY_SECONDS="0.5") as running:
        running.up()
        yield running


@pytest.fixture(scope="module")
async def story(stack: Stack) -> AsyncIterator[Story]:
    async with a_history_on(stack) as told:
        yield told


def received(story: Story) -> list[tuple[Order[Receive], Accepted]]:
    """The orders that made a report, with their first answers."""
    return [(cast("Order[Receive]", order), one) for order, one in story.answers if isinstance(order.command, Receive)]


async def acted(story: Story) -> list[Recorded]:
    """What people did so far; a processor may say what follows from it at any moment, the notary signs it, and an hour
    may end."""
    rows = await story.network.desk.ledger.read(0, 1_000)
    by_itself = (LogCheckpointed.name, ClockTicked.name)
    return [row for row in rows if not EVENTS[row.type].derived and row.type not in by_itself]


async def acknowledge_what_was_told(story: Story) -> None:
    """The one act that needs what a processor says: somebody has seen the alert that followed from an override."""
    row = story.network.gazetteer.row_at(GIHANGA)
    async with asyncio.timeout(60):
        while not (told := await alerts_of(story, row)):  # noqa: ASYNC110 - another process tells it
            await asyncio.sleep(0.05)
    order = story.order("bede", Role.REVIEWER, Acknowledge, row, unit=row, alert_id=told[-1].event_id)
    while True:
        try:
            await alert_acts.act(story.network, order)
        except AnotherAlert:
            order = replace(order, command=Acknowledge(unit=row, alert_id=(await alerts_of(story, row))[-1].event_id))
        else:
            return


async def alerts_of(story: Story, row: str) -> list[Recorded]:
    told = await story.network.desk.ledger.read_stream(f"alert/{row}")
    return [one for one in told if one.type == AlertIssued.name]


async def erase(story: Story, stack: Stack, name: str) -> frozenset[UUID]:
    """Erase somebody, as the vault's own program does; the keys that are gone."""
    pool = await connect_vault(stack.addresses.vault_dsn, 1)
    ring = KeyRing(pool, MasterKey.read(stack.settings.master_key_file))
    try:
        return await ring.erase(story.people[name])
    finally:
        await ring.close()
        await pool.close()


async def test_every_primary_event_of_the_catalogue_happens_and_reads_back(story: Story, stack: Stack) -> None:
    await acknowledge_what_was_told(story)
    story.people["ines"] = await story.network.desk.persons.person_by_phone(PASSER_BY)
    await erase(story, stack, "ines")
    rows = await story.network.desk.ledger.read(0, 1_000)
    happened = {read(row.wire()).type for row in rows}
    derived = {event.name for event in EVENTS.values() if event.derived}  # a processor may have said some by now
    assert happened - derived == {event.name for event in EVENTS.values()} - derived
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    assert [row.recorded_at for row in rows] == sorted(row.recorded_at for row in rows)


async def test_each_stream_counts_its_events_from_one_and_stays_in_its_home(story: Story) -> None:
    versions: dict[str, int] = {}
    homes: dict[str, str] = {}
    for row in await story.network.desk.ledger.read(0, 1_000):
        versions[row.stream] = versions.get(row.stream, 0) + 1
        envelope = read(row.wire())
        assert (row.version, envelope.streamversion) == (versions[row.stream], versions[row.stream])
        assert homes.setdefault(row.stream, envelope.partitionkey) == row.home


async def test_every_command_sent_again_answers_as_the_first_time_and_changes_nothing(story: Story) -> None:
    ledger = story.network.desk.ledger
    before = await acted(story)
    for anything, accepted in story.answers:
        found = await ledger.read_command(story.network.desk.command_id(anything))
        assert [row.event_id for row in found] == [placed.event_id for placed in accepted.placed]
    for (_, first), send_again in zip(story.answers, story.again, strict=True):
        again = await send_again()
        assert (again.placed, again.repeated) == (first.placed, True)
    assert await acted(story) == before


async def test_the_same_id_with_another_body_is_refused(story: Story) -> None:
    (order, _), *_ = received(story)
    other = replace(order, command=order.command.model_copy(update={"kind": "violence"}))
    with pytest.raises(CommandReused):
        await report_acts.receive(story.network, other, order.person_id)


async def test_two_who_decide_at_once_both_land_and_neither_overwrites(story: Story) -> None:
    opened = next(accepted for order, accepted in story.answers if isinstance(order.command, opening.OpenCase))
    case_id = UUID(opened.placed[0].stream.removeprefix("case/"))
    orders = [
        story.order(who, Role.REVIEWER, judging.Decide, case_id, choice="monitor", reason=story.text(f"at once {who}"))
        for who in ("bede", "chantal", "deo", "esther")
    ]
    answers = await asyncio.gather(*(case_acts.act(story.network, order, case_id) for order in orders))
    versions = sorted(answer.placed[0].version for answer in answers)
    assert versions == list(range(versions[0], versions[0] + 4))


async def test_the_states_are_what_the_story_says(story: Story) -> None:
    reading = Reading(story.network.desk.ledger, story.network.desk.command_id(story.answers[0][0]))
    streams = {row.stream for row in await story.network.desk.ledger.read(0, 1_000)}
    ids = {
        kind: [UUID(s.partition("/")[2]) for s in streams if s.startswith(f"{kind}/")] for kind in ("report", "case")
    }
    standings = sorted([(await reading.report(one)).standing for one in ids["report"]])
    assert standings == [Standing.STANDS, Standing.STANDS, Standing.SUPERSEDED, Standing.WITHDRAWN]
    stages = sorted([(await reading.case(one)).stage for one in ids["case"]])
    assert stages == [Stage.NOT_RATIFIED, Stage.OPEN, Stage.OPEN]


async def test_whoever_is_erased_is_erased_where_a_report_was_received_again_and_repeats_still_answer(
    story: Story, stack: Stack
) -> None:
    persons = story.network.desk.persons
    story.people |= {name: await persons.person_by_phone(phone) for name, phone in LATECOMERS.items()}
    report_id = await story.receive("gloria", {story.people["hilaire"]}, text=story.text("text of hilaire"))
    again_id = await story.supersede("fabien", report_id, unit=MPANDA, place_precision="commune")
    superseded = len(story.again) - 1
    reading = Reading(story.network.desk.ledger, UUID(int=1))

    async def texts() -> list[Mapping[str, SecretStr]]:
        states = [await reading.report(one_id) for one_id in (report_id, again_id)]
        return [(await story.network.words_of(reading, f"report/{one.report_id}", one.words))[0] for one in states]

    assert [words.keys() for words in await texts()] == [{"text", "source"}] * 2
    for name, left in (("gloria", {"text"}), ("hilaire", set[str]())):
        assert await erase(story, stack, name)
        assert [words.keys() for words in await texts()] == [left] * 2
    for number in (superseded - 1, superseded):
        again = await story.again[number]()
        assert (again.placed, again.repeated) == (story.answers[number][1].placed, True)


async def test_nobody_bears_one_name_in_two_records(story: Story) -> None:
    """A report received again is the record it was; two cases that were merged are two."""
    records: dict[str, str] = {}
    bearers: dict[UUID, str] = {}
    for row in await acted(story):
        envelope = read(row.wire())
        custody = envelope.data if isinstance(envelope.data, RecordViewed | ExportMade) else None
        stream = row.stream if custody is None else getattr(custody, "viewed", getattr(custody, "exported", ""))
        if isinstance(envelope.data, ReportReceived) and envelope.data.carried is not None:
            records[stream] = f"report/{envelope.data.carried.first_received_as}"
        record = records.get(stream, stream)
        for name in {envelope.actorref, envelope.onbehalfof or envelope.actorref}:
            assert bearers.setdefault(name, record) == record


async def test_nobody_finds_a_canary_in_any_event_table_topic_file_or_log(story: Story, stack: Stack) -> None:
    canaries = Canaries()
    assert all(text.startswith(CANARY) for text in story.canaries.values())
    canaries.watch("a text or a client's id", CANARY)
    for name, phone in (PHONES | LATECOMERS | {"ines": PASSER_BY}).items():
        canaries.watch(f"phone of {name}", phone)
    canaries.watch("alleged actor class", ALLEGED)
    wires = b"\n".join([row.wire() for row in await story.network.desk.ledger.read(0, 1_000)])
    assert canaries.in_bytes(wires, "events") == []
    assert await canaries.in_database(stack.addresses.owner_dsn) == []
    assert canaries.in_folder(stack.folder) == []
    people = Canaries()
    for name, person in story.people.items():
        people.watch(f"person id of {name}", str(person))
    assert people.in_bytes(wires, "events") == []
    assert await people.in_database(stack.addresses.owner_dsn, except_schemas=["vault"]) == []
