"""A referral of a case merged away is seen where the work goes on: in the case that stands for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from events.case import ending, linking, opening, referral
from events.case.refusals import OpenReferrals
from events.case.state import Case, Stage
from events.vocabulary import Role
from services.desk.reading import Reading
from tests.support.history import Story
from tests.unit.desk.referrals import refer, register_clinic

OFFICER = Role.REFERRAL_OFFICER


async def merged_twice(story: Story, opened: Callable[[], Awaitable[UUID]]) -> tuple[UUID, UUID, UUID]:
    """A case with an open referral, merged into a second, which is merged into a third that is ratified."""
    await register_clinic(story)
    first, second, third = await opened(), await opened(), await opened()
    referral_id = await refer(story, first)
    await story.case("fabien", OFFICER, linking.Merge, first, into=second)
    await story.case("fabien", OFFICER, linking.Merge, second, into=third)
    in_favour = await story.vote(third, "bede", "chantal")
    await story.case("bede", Role.REVIEWER, opening.Ratify, third, in_favour=in_favour)
    return first, third, referral_id


async def close(story: Story, case_id: UUID) -> None:
    await story.case("fabien", OFFICER, ending.Close, case_id, reason=story.text("closed"))


async def complete(story: Story, case_id: UUID, referral_id: UUID) -> None:
    await story.case("esther", Role.RECIPIENT, referral.Complete, case_id, referral_id=referral_id, successful=True)


async def check(story: Story, case_id: UUID, referral_id: UUID, outcome: str) -> None:
    fields = {"referral_id": referral_id, "outcome": outcome}
    await story.case("chantal", Role.REVIEWER, referral.CheckOutcome, case_id, **fields)


async def state(story: Story, case_id: UUID) -> Case:
    return await Reading(story.network.desk.ledger, UUID(int=1)).case(case_id)


async def test_a_case_is_not_closed_over_it(story: Story, opened: Callable[[], Awaitable[UUID]]) -> None:
    first, third, referral_id = await merged_twice(story, opened)
    with pytest.raises(OpenReferrals):
        await close(story, third)
    await complete(story, first, referral_id)
    await close(story, third)


async def test_a_contradicted_outcome_opens_the_case_that_stands_for_it(
    story: Story, opened: Callable[[], Awaitable[UUID]]
) -> None:
    first, third, referral_id = await merged_twice(story, opened)
    await complete(story, first, referral_id)
    await close(story, third)
    await check(story, first, referral_id, "confirmed")
    assert (await state(story, third)).stage == Stage.CLOSED
    await check(story, first, referral_id, "contradicted")
    assert (await state(story, third)).stage == Stage.OPEN
    assert (await state(story, first)).open_referrals == (referral_id,)
    with pytest.raises(OpenReferrals):
        await close(story, third)


async def test_a_case_that_is_open_anyhow_is_not_opened_again(
    story: Story, opened: Callable[[], Awaitable[UUID]]
) -> None:
    first, third, referral_id = await merged_twice(story, opened)
    await complete(story, first, referral_id)
    before = await state(story, third)
    await check(story, first, referral_id, "contradicted")
    assert await state(story, third) == before
