"""Under which name somebody acts: one in each record, the same one in all that is written there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from events.case import judging, linking
from events.catalogue import read
from events.envelope import Envelope
from events.report import decisions as reports
from events.report.refusals import OwnReport
from events.vocabulary import Role
from services.acts import case as case_acts
from services.acts import report as report_acts
from tests.support.history import ELSEWHERE, GIHANGA, Story


async def written(story: Story, stream: str) -> list[Envelope[Any]]:
    return [read(row.wire()) for row in await story.network.desk.ledger.read_stream(stream)]


async def test_whoever_acts_on_a_report_received_again_has_one_name_in_envelope_and_data(story: Story) -> None:
    first_id = await story.receive("aline", text=story.text("text"))
    again_id = await story.supersede("bede", first_id, unit=GIHANGA, place_precision="commune")
    grade = {"round": 1, "reliability": "F", "credibility": "2"}
    await story.report("bede", Role.REVIEWER, reports.Grade, again_id, **grade)
    name = await story.network.desk.persons.pseudonym(story.people["bede"], first_id)
    superseded = (await written(story, f"report/{first_id}"))[-1]
    received, graded = await written(story, f"report/{again_id}")
    assert {superseded.actorref, received.actorref, graded.actorref, graded.data.by} == {name}


async def test_a_report_received_again_twice_is_graded_under_the_name_known_at_first(story: Story) -> None:
    first_id = await story.receive("aline", text=story.text("text"))
    second_id = await story.supersede("fabien", first_id, unit=GIHANGA, place_precision="commune")
    third_id = await story.supersede("fabien", second_id, unit=ELSEWHERE, place_precision="commune")
    await story.report("bede", Role.REVIEWER, reports.Recuse, third_id, round=1, reason="concerned")
    name = await story.network.desk.persons.pseudonym(story.people["fabien"], first_id)
    third = (await written(story, f"report/{third_id}"))[0]
    assert third.actorref == name
    assert (await written(story, f"report/{second_id}"))[-1].actorref == name


async def test_merged_cases_never_see_each_others_names(story: Story, opened: Callable[[], Awaitable[UUID]]) -> None:
    case_id, into_id = await opened(), await opened()
    names: dict[UUID, set[UUID]] = {}
    for about in (case_id, into_id):
        await story.case("fabien", Role.COORDINATOR, judging.Decide, about, choice="monitor", reason=story.text("why"))
    for merging in (linking.Merge, linking.ReverseMerge):
        await story.case("fabien", Role.COORDINATOR, merging, case_id, into=into_id)
    for about in (case_id, into_id):
        names[about] = {event.actorref for event in await written(story, f"case/{about}")}
        assert names[about] == {await story.network.desk.persons.pseudonym(story.people["fabien"], about)}
    assert names[case_id] != names[into_id]


async def test_who_is_acted_for_bears_a_name_too_another_one_in_each_record(
    story: Story, opened: Callable[[], Awaitable[UUID]]
) -> None:
    deo, names = story.people["deo"], set()
    for about in (await opened(), await opened()):
        order = story.order(
            "bede", Role.REVIEWER, judging.Decide, about, choice="monitor", reason=story.text("for deo")
        )
        await case_acts.act(story.network, replace(order, on_behalf_of=deo), about)
        name = (await written(story, f"case/{about}"))[-1].onbehalfof
        assert name == await story.network.desk.persons.pseudonym(deo, about)
        names.add(name)
    assert len(names | {deo}) == 3


async def test_nobody_grades_the_report_of_the_one_for_whom_they_act(story: Story) -> None:
    report_id = await story.receive("aline", text=story.text("text"))
    fields = {"round": 1, "reliability": "F", "credibility": "2"}
    order = story.order("bede", Role.REVIEWER, reports.Grade, report_id, **fields)
    for who, for_whom in (("bede", "aline"), ("aline", "bede")):
        own = replace(order, person_id=story.people[who], on_behalf_of=story.people[for_whom])
        with pytest.raises(OwnReport):
            await report_acts.act(story.network, own, report_id)
    await report_acts.act(story.network, replace(order, on_behalf_of=story.people["chantal"]), report_id)
    graded = (await written(story, f"report/{report_id}"))[-1]
    assert graded.data.by == await story.network.desk.persons.pseudonym(story.people["chantal"], report_id)


async def test_a_report_received_again_names_the_event_that_led_to_it(story: Story) -> None:
    report_id = await story.receive("aline", text=story.text("text"))
    again_id = await story.supersede("fabien", report_id, unit=GIHANGA, place_precision="commune")
    ledger = story.network.desk.ledger
    superseded = (await ledger.read_stream(f"report/{report_id}"))[-1]
    again = read((await ledger.read_stream(f"report/{again_id}"))[0].wire())
    assert again.causationid == superseded.event_id
    assert read(superseded.wire()).causationid is None
