"""Who is erased is erased in every report that speaks of them, however often it was received again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any
from uuid import UUID

import pytest

from events.case import opening
from events.case.events import CaseConsentRecorded
from events.catalogue import read
from events.report import decisions as reports
from events.report.events import ReportReceived
from events.report.refusals import WordsNotOpened
from events.sealed import Sealed
from events.vocabulary import Role
from services.acts import report as report_acts
from services.desk.reading import Reading
from services.ledger.ledger import CommandReused, KeyDestroyed
from services.vault.keys import DataKey, Need
from services.vault.memory import MemoryVault
from services.vault.refused import KeyGone
from tests.support.history import ELSEWHERE, GIHANGA, Story

THERE = {"unit": GIHANGA, "place_precision": "commune"}


async def received(story: Story, report_id: UUID) -> ReportReceived:
    row, *_ = await story.network.desk.ledger.read_stream(f"report/{report_id}")
    data = read(row.wire()).data
    assert isinstance(data, ReportReceived)
    return data


async def opened_text(story: Story, report_id: UUID) -> str:
    text = (await received(story, report_id)).text
    assert isinstance(text, Sealed)
    words = await story.network.opener.carry(f"report/{report_id}", {"text": (1, text)})
    if words.erased:
        raise KeyGone
    return words.texts["text"].get_secret_value()


async def told_of(story: Story, *names: str) -> UUID:
    """A message of aline's whose text speaks of these people."""
    return await story.receive("aline", {story.people[name] for name in names}, text=story.text("of people"))


async def test_a_report_received_again_is_erased_with_whom_it_speaks_of(story: Story, vault: MemoryVault) -> None:
    again_id = await story.supersede("fabien", await told_of(story, "deo", "esther"), **THERE)
    third_id = await story.supersede("fabien", again_id, unit=ELSEWHERE, place_precision="commune")
    assert await opened_text(story, third_id) == story.text("of people")
    await vault.erase(story.people["esther"])
    for report_id in (again_id, third_id):
        with pytest.raises(KeyGone):
            await opened_text(story, report_id)


async def test_people_of_whom_only_a_correction_speaks_are_erased_too(story: Story, vault: MemoryVault) -> None:
    report_id = await told_of(story, "deo")
    fields = {"text": story.text("of esther too"), "reason": story.text("why corrected")}
    order = story.order("aline", Role.REPORTER, reports.Correct, report_id, **fields)
    esther = frozenset({story.people["esther"]})
    await report_acts.act(story.network, order, report_id, esther)
    with pytest.raises(CommandReused):
        await report_acts.act(story.network, order, report_id, frozenset({story.people["bede"]}))
    assert await vault.spoken_of(report_id) == {story.people["deo"], *esther}
    again_id = await story.supersede("fabien", report_id, **THERE)
    assert await opened_text(story, again_id) == story.text("of esther too")
    await vault.erase(story.people["esther"])
    for one_id in (report_id, again_id):
        with pytest.raises(KeyGone):
            await opened_text(story, one_id)


async def test_a_text_that_was_erased_is_not_received_again(story: Story, vault: MemoryVault) -> None:
    report_id = await told_of(story, "deo")
    await vault.erase(story.people["deo"])
    with pytest.raises(WordsNotOpened, match="text"):
        await story.supersede("fabien", report_id, **THERE)


async def test_a_report_whose_source_was_erased_is_received_again_without_one(story: Story, vault: MemoryVault) -> None:
    fields = {"text": story.text("text"), "place_words": story.text("words"), "contact": story.text("contact")}
    report_id = await story.receive("aline", **fields)
    await vault.erase(story.people["aline"])
    again_id = await story.supersede("fabien", report_id, **THERE)
    content = await received(story, again_id)
    assert (content.source, content.contact) == (None, None)
    assert content.place_words is not None
    assert await opened_text(story, again_id) == story.text("text")
    assert await vault.same_person(again_id, story.people["bede"]) is None


async def test_a_contact_erased_while_a_report_is_received_again_is_not_carried_along(
    story: Story, vault: MemoryVault
) -> None:
    """Its key alone is destroyed, between the opening and the append: the desk decides again on what is left."""
    report_id = await story.receive("aline", text=story.text("text"), contact=story.text("contact"))
    contact = (await received(story, report_id)).contact
    assert isinstance(contact, Sealed)
    keys_for = vault.keys_for

    async def then_destroyed(needs: Collection[Need]) -> Mapping[Need, DataKey]:
        made = await keys_for(needs)
        await vault.destroy([contact.key_id])
        return made

    vault.keys_for = then_destroyed  # type: ignore[method-assign]
    again_id = await story.supersede("fabien", report_id, **THERE)
    content = await received(story, again_id)
    assert (content.source, content.contact) == (None, None)
    assert await opened_text(story, again_id) == story.text("text")


async def test_a_case_whose_texts_were_erased_has_an_actor_unknown_to_everybody(
    story: Story, vault: MemoryVault, opened: Callable[[], Awaitable[UUID]]
) -> None:
    case_id, officer = await opened(), Role.REFERRAL_OFFICER
    classifying = {"kind": "violence", "actor_class": "state_forces"}
    await story.case("fabien", officer, opening.Classify, case_id, **classifying)
    reading = Reading(story.network.desk.ledger, UUID(int=1))
    _, sealed = (await reading.case(case_id)).words["actor_class"]
    assert isinstance(sealed, Sealed)
    await vault.destroy([sealed.key_id])
    await story.case("fabien", officer, opening.Classify, case_id, kind="tension")
    assert await story.network.actor_class(reading, await reading.case(case_id)) is None


@pytest.mark.parametrize("question", ["pseudonym", "spoken_of", "open_keys", "record_source", "keys_for"])
async def test_whoever_is_erased_while_a_report_is_received_again_does_not_survive_in_it(
    story: Story, vault: MemoryVault, question: str
) -> None:
    """Erased just after the vault answered any of the questions that receiving it again asks."""
    report_id, doomed = await told_of(story, "deo"), story.people["deo"]
    head = await story.network.desk.ledger.head()
    answered: Callable[..., Awaitable[Any]] = getattr(vault, question)

    async def then_erased(*asked: Any) -> Any:
        answer = await answered(*asked)
        await vault.erase(doomed)
        return answer

    setattr(vault, question, then_erased)
    with pytest.raises((WordsNotOpened, KeyGone, KeyDestroyed)):
        await story.supersede("fabien", report_id, **THERE)
    assert await story.network.desk.ledger.head() == head


async def test_who_agreed_is_erased_with_them_and_why_is_kept(
    story: Story, vault: MemoryVault, opened: Callable[[], Awaitable[UUID]]
) -> None:
    case_id = await opened()
    fields = {"person": story.text("who agreed"), "reason": story.text("why")}
    scope = {"basis": "given", "purposes": ["medical"], "recipients": ["clinic"]}
    await story.consent("bede", case_id, "deo", **scope, **fields)
    await vault.erase(story.people["deo"])
    (row,) = (await story.network.desk.ledger.read_stream(f"case/{case_id}"))[1:]
    consent = read(row.wire()).data
    assert isinstance(consent, CaseConsentRecorded)
    assert isinstance(consent.person, Sealed)
    assert isinstance(consent.reason, Sealed)
    sealed = {"person": (row.version, consent.person), "reason": (row.version, consent.reason)}
    words = await story.network.opener.carry(f"case/{case_id}", sealed)
    assert (words.erased, words.texts["reason"].get_secret_value()) == (frozenset({"person"}), story.text("why"))


async def test_a_committee_goes_on_without_a_member_who_was_erased(
    story: Story, vault: MemoryVault, opened: Callable[[], Awaitable[UUID]]
) -> None:
    case_id = await opened()
    await vault.erase(story.people["esther"])
    in_favour = await story.vote(case_id, "bede", "chantal")
    await story.case("bede", Role.REVIEWER, opening.Ratify, case_id, in_favour=in_favour)
    quorum = (await story.newest(f"case/{case_id}"))["quorum"]
    assert quorum == {"eligible": 3, "recused": 0, "required": 2, "for": 2}


async def test_the_reports_of_others_stay_readable(story: Story, vault: MemoryVault) -> None:
    of_deo, of_esther = await told_of(story, "deo"), await told_of(story, "esther")
    again_id = await story.supersede("fabien", of_esther, **THERE)
    await vault.erase(story.people["deo"])
    assert await opened_text(story, again_id) == story.text("of people")
    with pytest.raises(KeyGone):
        await opened_text(story, of_deo)
