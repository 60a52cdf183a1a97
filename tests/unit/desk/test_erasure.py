"""Who is erased is erased in every report that speaks of them, however often it was received again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from events.catalogue import read
from events.report.events import ReportReceived
from events.report.refusals import WordsNotOpened
from events.sealed import Sealed
from services.ledger.ledger import KeyDestroyed
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
    return words["text"].get_secret_value()


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


async def test_a_text_that_was_erased_is_not_received_again(story: Story, vault: MemoryVault) -> None:
    report_id = await told_of(story, "deo")
    await vault.erase(story.people["deo"])
    with pytest.raises((WordsNotOpened, KeyGone)):
        await story.supersede("fabien", report_id, **THERE)


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


async def test_the_reports_of_others_stay_readable(story: Story, vault: MemoryVault) -> None:
    of_deo, of_esther = await told_of(story, "deo"), await told_of(story, "esther")
    again_id = await story.supersede("fabien", of_esther, **THERE)
    await vault.erase(story.people["deo"])
    assert await opened_text(story, again_id) == story.text("of people")
    with pytest.raises(KeyGone):
        await opened_text(story, of_deo)
