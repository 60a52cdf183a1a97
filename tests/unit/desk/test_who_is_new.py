"""Somebody whom the vault does not know: a refused command leaves nothing of them there, an accepted one one person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from events import reporter as reporters
from events.case import protection
from events.case.refusals import NoSuchCase
from events.refusals import BadInput
from events.report import decisions as reports
from events.reporter import NotEnrolled
from events.vocabulary import Role
from services import clock
from services.acts import case as case_acts
from services.acts import report as report_acts
from services.acts import reporter as reporter_acts
from services.acts.newcomer import Introduce, of_a_phone
from services.area import Area, OutsideArea
from services.desk.reading import MovedOn
from services.ledger.ledger import Accepted, CommandReused
from services.vault.memory import MemoryVault
from tests.support.history import ELSEWHERE, GIHANGA, Story

STRANGER = "+25779555444"
MESSAGE = {"channel": "sms", "language": "rn", "kind": "tension", "received_at": clock.now()}
ENROL: dict[str, Any] = {"languages": ["rn"], "channels": ["sms"], "trained": True}

Act = Callable[[UUID, Introduce], Awaitable[Accepted]]


def everything(vault: MemoryVault) -> dict[str, Any]:
    return deepcopy(
        {name: getattr(vault, name) for name in ("_phones", "_sources", "_pseudonyms", "_reporters", "_subjects")}
    )


def receiving(story: Story, **changes: Any) -> Act:
    fields: dict[str, Any] = MESSAGE | {"text": story.text("text")} | changes
    order = story.order("bede", Role.COORDINATOR, reports.Receive, "report", **fields)
    return lambda person, introduce: report_acts.receive(story.network, order, person, introduce=introduce)


def reporting(story: Story, command: Any, area: Area | None = None, **fields: Any) -> Act:
    order = story.order("fabien", Role.COORDINATOR, command, "reporter", **fields)
    order = order if area is None else replace(order, area=area)
    home = story.network.gazetteer.home_of(GIHANGA)
    return lambda person, introduce: reporter_acts.act(story.network, order, person, home, GIHANGA, introduce)


async def test_a_refused_report_leaves_nobody_in_the_vault(story: Story, vault: MemoryVault) -> None:
    before = everything(vault)
    form = receiving(story, channel="form", unit="bi:nowhere")
    with pytest.raises(BadInput):
        await of_a_phone(vault, STRANGER, form)
    assert everything(vault) == before


async def test_a_report_on_what_was_read_before_leaves_nobody_in_the_vault(story: Story, vault: MemoryVault) -> None:
    before = everything(vault)
    order = story.order("bede", Role.COORDINATOR, reports.Receive, "report", **MESSAGE, text=story.text("text"))
    stale = replace(order, read_at=7)

    async def act(person: UUID, introduce: Introduce) -> Accepted:
        return await report_acts.receive(story.network, stale, person, introduce=introduce)

    with pytest.raises(MovedOn):
        await of_a_phone(vault, STRANGER, act)
    assert everything(vault) == before


async def test_a_refused_act_on_a_reporter_leaves_nobody_in_the_vault(story: Story, vault: MemoryVault) -> None:
    before = everything(vault)
    elsewhere = Area(frozenset({ELSEWHERE}))
    with pytest.raises(NotEnrolled):
        await of_a_phone(vault, STRANGER, reporting(story, reporters.StandDownReporter, reason="moved"))
    with pytest.raises(OutsideArea):
        await of_a_phone(vault, STRANGER, reporting(story, reporters.Enrol, elsewhere, **ENROL))
    with pytest.raises(NotEnrolled):  # nor who is named by an id that nobody has
        await reporting(story, reporters.StandDownReporter, reason="moved")(uuid4(), pytest.fail)
    assert everything(vault) == before


async def test_consent_in_no_case_leaves_nobody_in_the_vault(story: Story, vault: MemoryVault) -> None:
    case_id = uuid4()
    fields = {"basis": "given", "purposes": ["medical"], "recipients": ["clinic"], "person": story.text("who agreed")}
    order = story.order("fabien", Role.COORDINATOR, protection.RecordConsent, case_id, **fields)

    async def act(person: UUID, introduce: Introduce) -> Accepted:
        return await case_acts.record_consent(story.network, order, case_id, person, introduce)

    with pytest.raises(NoSuchCase):
        await of_a_phone(vault, STRANGER, act)
    assert await vault.find_person(STRANGER) is None


async def test_another_body_under_a_known_id_leaves_nobody_in_the_vault(story: Story, vault: MemoryVault) -> None:
    order = story.order("bede", Role.COORDINATOR, reports.Receive, "report", **MESSAGE, text=story.text("text"))

    async def act(person: UUID, introduce: Introduce) -> Accepted:
        return await report_acts.receive(story.network, order, person, introduce=introduce)

    await of_a_phone(vault, STRANGER, act)
    before = everything(vault)
    with pytest.raises(CommandReused):
        await of_a_phone(vault, "+25779555445", act)
    enrol = reporting(story, reporters.Enrol, **ENROL)
    await of_a_phone(vault, STRANGER, enrol)
    with pytest.raises(CommandReused):
        await of_a_phone(vault, "+25779555445", enrol)
    assert everything(vault)["_phones"] == before["_phones"]


async def test_who_is_new_is_one_person_from_the_first_accepted_command_on(story: Story, vault: MemoryVault) -> None:
    first = receiving(story)
    accepted = await of_a_phone(vault, STRANGER, first)
    person = await vault.find_person(STRANGER)
    assert person is not None
    again = await of_a_phone(vault, STRANGER, first)
    assert (again.placed, again.repeated) == (accepted.placed, True)
    await of_a_phone(vault, STRANGER, reporting(story, reporters.Enrol, **ENROL))
    assert await vault.find_person(STRANGER) == person
    assert {one for one, _ in everything(vault)["_reporters"]} == {person}


async def test_who_is_made_by_another_command_meanwhile_is_that_one(story: Story, vault: MemoryVault) -> None:
    made: list[UUID] = []
    receive = receiving(story)

    async def act(person: UUID, introduce: Introduce) -> Accepted:
        if not made:
            made.append(await vault.person_by_phone(STRANGER))
        return await receive(person, introduce)

    await of_a_phone(vault, STRANGER, act)
    assert await vault.find_person(STRANGER) == made[0]
    assert set(everything(vault)["_sources"].values()) == {made[0]}
