"""A repeat answers as the first time, whatever was erased or is refused since; another body is refused before all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from events import reporter as reporters
from events.case import judging, opening, protection
from events.refusals import BadInput
from events.report import decisions as reports
from events.vocabulary import Role
from services import clock
from services.acts import case as case_acts
from services.acts import report as report_acts
from services.acts import reporter as reporter_acts
from services.gazetteer import read_gazetteer
from services.ledger.ledger import Accepted, CommandReused
from services.vault.intake import Admitted, Arrival
from services.vault.memory import MemoryVault
from services.vault.refused import KeyGone
from tests.contract.gazetteer.invented import write
from tests.support.history import ELSEWHERE, GIHANGA, MPANDA, Story

MESSAGE = {"channel": "sms", "language": "rn", "kind": "tension", "received_at": clock.now()}


def same(first: Accepted, again: Accepted) -> bool:
    return (first.placed, again.repeated) == (again.placed, True)


async def test_a_message_sent_again_after_its_source_was_erased(story: Story, vault: MemoryVault) -> None:
    order = story.order("bede", Role.COORDINATOR, reports.Receive, "report", **MESSAGE, text=story.text("text"))
    source = story.people["aline"]
    first = await report_acts.receive(story.network, order, source)
    await vault.erase(source)
    assert same(first, await report_acts.receive(story.network, order, source))
    with pytest.raises(KeyGone):
        await report_acts.receive(story.network, replace(order, client_id="another"), source)


async def test_whatever_somebody_sent_who_was_erased_since(
    story: Story, vault: MemoryVault, opened: Callable[[], Awaitable[UUID]]
) -> None:
    case_id = await opened()
    order = story.order("bede", Role.REVIEWER, judging.Decide, case_id, choice="monitor", reason=story.text("why"))
    first = await case_acts.act(story.network, order, case_id)
    await vault.erase(story.people["bede"])
    assert same(first, await case_acts.act(story.network, order, case_id))


async def test_an_enrolment_sent_again_after_the_reporter_was_erased(story: Story, vault: MemoryVault) -> None:
    person, home = story.people["aline"], story.network.gazetteer.home_of(GIHANGA)
    fields = {"languages": ["rn"], "channels": ["sms"], "trained": True}
    order = story.order("fabien", Role.COORDINATOR, reporters.Enrol, "aline", **fields)
    first = await reporter_acts.act(story.network, order, person, home)
    await vault.erase(person)
    assert same(first, await reporter_acts.act(story.network, order, person, home))


async def test_a_report_received_again_sent_again_after_its_source_was_erased(story: Story, vault: MemoryVault) -> None:
    report_id = await story.receive("aline", text=story.text("text"), contact=story.text("contact"))
    order = story.order(
        "fabien", Role.COORDINATOR, reports.Supersede, report_id, unit=MPANDA, place_precision="commune"
    )
    first = await report_acts.supersede(story.network, order, report_id)
    await vault.erase(story.people["aline"])
    assert same(first, await report_acts.supersede(story.network, order, report_id))


async def test_what_speaks_of_a_place_that_the_gazetteer_in_force_does_not_have(story: Story, tmp_path: Path) -> None:
    at_a_form = {**MESSAGE, "channel": "form", "unit": GIHANGA}
    form = story.order("bede", Role.COORDINATOR, reports.Receive, "report", **at_a_form, text=story.text("form"))
    case = {"kind": "violence", "unit": GIHANGA, "place_precision": "commune", "threat_to_life": True}
    opens = story.order(
        "fabien", Role.COORDINATOR, opening.OpenCase, "case", **case, provisional=True, summary=story.text("summary")
    )
    lost_id = await story.receive("aline", text=story.text("text"))
    moves = story.order("fabien", Role.COORDINATOR, reports.Supersede, lost_id, unit=ELSEWHERE, place_precision="hill")
    with_vela = replace(story.network, gazetteer=read_gazetteer(write(tmp_path)))
    first = (
        await report_acts.receive(story.network, form, story.people["aline"]),
        await case_acts.open_case(story.network, opens),
        await report_acts.supersede(story.network, moves, lost_id),
    )
    again = (
        await report_acts.receive(with_vela, form, story.people["aline"]),
        await case_acts.open_case(with_vela, opens),
        await report_acts.supersede(with_vela, moves, lost_id),
    )
    assert all(map(same, first, again))
    for unknown in (
        report_acts.receive(with_vela, replace(form, client_id="another"), None),
        case_acts.open_case(with_vela, replace(opens, client_id="another")),
    ):
        with pytest.raises(BadInput, match="unit"):
            await unknown


async def test_another_body_under_a_known_id_is_refused_before_it_names_a_source(
    story: Story, vault: MemoryVault
) -> None:
    order = story.order("bede", Role.COORDINATOR, reports.Receive, "report", **MESSAGE, text=story.text("text"))
    await report_acts.receive(story.network, order, None)
    report_id = report_acts.report_id_of(story.network, order)
    other = replace(order, command=order.command.model_copy(update={"kind": "violence"}))
    with pytest.raises(CommandReused):
        await report_acts.receive(story.network, other, story.people["aline"], frozenset({story.people["deo"]}))
    assert await vault.same_person(report_id, story.people["aline"]) is None
    assert await vault.erase(story.people["deo"]) == frozenset()


async def test_the_same_message_from_or_of_other_people_is_another_body(story: Story, vault: MemoryVault) -> None:
    aline, deo, esther = (story.people[name] for name in ("aline", "deo", "esther"))
    order = story.order("bede", Role.COORDINATOR, reports.Receive, "report", **MESSAGE, text=story.text("text"))
    first = await report_acts.receive(story.network, order, aline, frozenset({deo, esther}))
    assert same(first, await report_acts.receive(story.network, order, aline, frozenset({esther, deo})))
    for source, speaks_of in ((deo, {deo, esther}), (None, {deo, esther}), (aline, {deo}), (aline, set())):
        with pytest.raises(CommandReused):
            await report_acts.receive(story.network, order, source, frozenset(speaks_of))
    report_id = report_acts.report_id_of(story.network, order)
    assert await vault.same_person(report_id, aline)
    assert await vault.spoken_of(report_id) == {deo, esther}


async def test_the_same_act_on_another_reporter_or_in_another_home_is_another_body(story: Story) -> None:
    aline, deo = story.people["aline"], story.people["deo"]
    here, there = map(story.network.gazetteer.home_of, (GIHANGA, ELSEWHERE))
    fields = {"languages": ["rn"], "channels": ["sms"], "trained": True}
    order = story.order("fabien", Role.COORDINATOR, reporters.Enrol, "reporter", **fields)
    first = await reporter_acts.act(story.network, order, aline, here)
    assert same(first, await reporter_acts.act(story.network, order, aline, here))
    for person, home in ((deo, here), (aline, there)):
        with pytest.raises(CommandReused):
            await reporter_acts.act(story.network, order, person, home)


async def test_the_same_consent_of_somebody_else_is_another_body(
    story: Story, opened: Callable[[], Awaitable[UUID]]
) -> None:
    case_id, deo = await opened(), story.people["deo"]
    fields = {"basis": "given", "purposes": ["medical"], "recipients": ["clinic"], "person": story.text("who agreed")}
    order = story.order("bede", Role.REVIEWER, protection.RecordConsent, case_id, **fields)
    first = await case_acts.record_consent(story.network, order, case_id, deo)
    assert same(first, await case_acts.record_consent(story.network, order, case_id, deo))
    for person in (None, story.people["esther"]):
        with pytest.raises(CommandReused):
            await case_acts.record_consent(story.network, order, case_id, person)


async def test_a_message_that_is_refused_leaves_nothing_in_the_vault(story: Story, vault: MemoryVault) -> None:
    future = {**MESSAGE, "channel": "form", "occurred": {"from": "2999-01-01"}}
    order = story.order("bede", Role.COORDINATOR, reports.Receive, "report", **future, text=story.text("text"))
    with pytest.raises(BadInput):
        await report_acts.receive(story.network, order, story.people["aline"])
    report_id = report_acts.report_id_of(story.network, order)
    assert await vault.same_person(report_id, story.people["aline"]) is None
    assert not vault.has_heard_of(report_id)


async def test_of_two_bodies_at_once_under_one_id_the_second_is_told_so_though_both_looked_first(
    story: Story, vault: MemoryVault
) -> None:
    """The first lands between the second's look and its naming of another source."""
    order = story.order("bede", Role.COORDINATOR, reports.Receive, "report", **MESSAGE, text=story.text("text"))
    other = replace(order, command=order.command.model_copy(update={"kind": "violence"}))
    admit = vault.admit
    landed: list[Accepted] = []

    async def slowly(arrival: Arrival) -> Admitted:
        if not landed:
            landed.append(Accepted(()))
            landed[0] = await report_acts.receive(story.network, order, story.people["aline"])
        return await admit(arrival)

    vault.admit = slowly  # type: ignore[method-assign]
    with pytest.raises(CommandReused):
        await report_acts.receive(story.network, other, uuid4())
    assert landed[0].placed
